"""Made by `make clients` from the OpenAPI document; do not edit.

OpenAPI sha256 d986996b1da95a538d88ad431f0210d134872d65b031760c09047064147c260c
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Scope: TypeAlias = Literal['accounts:read', 'accounts:write', 'analytics:read', 'approvals:read', 'approvals:write', 'evaluation:ask', 'evaluation:read', 'evaluation:write', 'house:read', 'house:write', 'journal:read', 'keys:write', 'kyc:read', 'kyc:write', 'limits:read', 'limits:write', 'market:read', 'orders:propose', 'orders:read', 'orders:write', 'payments:read', 'payments:write', 'purchases:read', 'purchases:write', 'reports:read', 'reports:write', 'tiers:read', 'tiers:write', 'tokens:reveal', 'webhooks:read', 'webhooks:write']
Role: TypeAlias = Literal['admin', 'agent', 'analyst', 'auditor', 'compliance', 'partner', 'risk', 'trader']
Importance: TypeAlias = Literal['high', 'low', 'medium']
SimulationKind: TypeAlias = Literal['projection', 'sensitivity', 'tier_odds', 'validation']
ReportKind: TypeAlias = Literal['assessment_summary', 'compliance', 'performance_metrics', 'risk_analysis', 'trade_history']
Quality: TypeAlias = Literal['closed', 'crossed', 'gapped', 'ok', 'recovering', 'stale', 'unconfirmed']
LevelReply: TypeAlias = "tuple[str, str]"
ConsolidatedLevelReply: TypeAlias = "tuple[str, str, dict[str, str]]"
Stage: TypeAlias = Literal['closed', 'created', 'determined', 'disputed', 'open', 'paused', 'settled']
Side: TypeAlias = Literal['buy', 'sell']
OrdType: TypeAlias = Literal['limit', 'market', 'stop', 'stop_limit', 'trailing_stop']
TimeInForce: TypeAlias = Literal['day', 'fok', 'gtc', 'gtd', 'ioc']
SelfMatch: TypeAlias = Literal['cancel_both', 'cancel_newest', 'cancel_oldest', 'decrement']
OrdStatus: TypeAlias = Literal['canceled', 'expired', 'filled', 'new', 'partially_filled', 'pending_cancel', 'pending_new', 'pending_replace', 'rejected', 'suspended', 'unknown']
Contingency: TypeAlias = Literal['bracket', 'oco']
AccountType: TypeAlias = Literal['cash', 'margin']
TradingState: TypeAlias = Literal['active', 'halted', 'reducing']
FeeFormula: TypeAlias = Literal['kalshi', 'notional', 'polymarket', 'rothera']
Finality: TypeAlias = Literal['CONFIRMED', 'FAILED', 'MATCHED', 'MINED', 'RETRYING']
Allocation: TypeAlias = Literal['fifo', 'pro_rata', 'pro_rata_top']
Phase: TypeAlias = Literal['closed', 'closing_auction', 'continuous', 'halted', 'opening_auction', 'pre_open']
TimelinePoint: TypeAlias = "tuple[int, int]"
Method: TypeAlias = Literal['average', 'fifo']


class Problem(TypedDict):
    """What every error says."""
    type: str
    status: int
    code: str
    message: str
    retryable: bool
    reached_venue: Literal['no', 'unknown', 'yes']
    state: dict[str, Any]
    request_id: str
    correlation_id: str
    details: dict[str, Any]


class Held(TypedDict):
    """Answered with 202: nothing was done, because a second person must agree first."""
    approval_id: str
    operation: str
    state: str
    message: str
    expires_at: str


class CreateKey(TypedDict):
    name: str
    scopes: NotRequired[list[Scope] | None]
    accounts: NotRequired[list[str] | None]
    expires_at: NotRequired[int | None]
    networks: NotRequired[list[str]]
    signing: NotRequired[Literal['', 'ed25519', 'hmac-sha256']]
    public_key: NotRequired[str]
    user: NotRequired[str | None]


class CreatedKey(TypedDict):
    """`token` is shown this once. Of a key that signs it is the secret of hmac-sha256, or empty.
    """
    token: str
    key: Key


class Key(TypedDict):
    """An API key without its token, which nobody has but its holder."""
    key_id: str
    tenant: str
    user: str
    name: str
    scopes: list[Scope]
    accounts: list[str] | None
    created_at: int
    expires_at: int | None
    revoked_at: NotRequired[int | None]
    last_used_at: NotRequired[int | None]
    networks: NotRequired[list[str]]
    signing: NotRequired[str]
    replaces: NotRequired[str]


class ListKeys(TypedDict):
    pass


class Keys(TypedDict):
    items: list[Key]


class RotateKey(TypedDict):
    """What is not said stays as it is. `grace_s`: how long the old one is still good."""
    key_id: str
    name: NotRequired[str | None]
    grace_s: NotRequired[int]
    networks: NotRequired[list[str] | None]
    public_key: NotRequired[str]


class RevokeKey(TypedDict):
    key_id: str


class RevokedKey(TypedDict):
    key_id: str


class CreateMachine(TypedDict):
    """`owner` makes its keys; null: whoever asks."""
    user: str
    roles: list[Role]
    reason: str
    owner: NotRequired[str | None]


class Machine(TypedDict):
    user: str
    owner: str
    roles: list[str]


class Machines(TypedDict):
    items: list[Machine]


class IssueTicket(TypedDict):
    pass


class Ticket(TypedDict):
    """Opens one WebSocket, for a browser that can send no header. Good briefly: URLs are logged.
    """
    ticket: str
    expires_at: int


class WelcomeRequest(TypedDict):
    pass


class Welcome(TypedDict):
    """`environment` says whose prices these are: those of a market with orders that go to the
    house's own venues (paper), a recording's (replay), nobody's (synthetic).
    """
    name: str
    version: str
    environment: Literal['live', 'none', 'paper', 'replay', 'synthetic']
    feed: str
    speed: str
    at: str
    started_at: str
    token: str


class SessionReply(TypedDict):
    """Who asks. `accounts` null: all of the tenant's. `behind` is the user who asks in this one's
    name, by broken glass, which is to be said on every page.
    """
    caller: str
    tenant: str
    user: str
    roles: list[str]
    scopes: list[str]
    accounts: list[str] | None
    behind: NotRequired[str]


class PreferenceRequest(TypedDict):
    name: str


class PreferenceReply(TypedDict):
    """`version` is 0, and `value` null, where nothing was kept under this name."""
    name: str
    version: int
    value: Any
    updated_at: str


class SetPreferenceRequest(TypedDict):
    """The last one who sets it is right; `version` in the answer tells how often it was set."""
    name: str
    value: dict[str, Any]


class RegisterRequest(TypedDict):
    """`user` is a name for the journal, which keeps it for ever: nothing that says who you are.
    Name and address are kept apart, encrypted.
    """
    tenant: str
    user: str
    password: str
    email: str
    name: NotRequired[str]


class SaidReply(TypedDict):
    message: str


class VerifyRequest(TypedDict):
    tenant: str
    user: str
    code: str


class LoginRequest(TypedDict):
    """`code` is of your authenticator, or a recovery code. `device` is what an earlier sign-in on
    this device was given. `cookie`: have a cookie for a browser, rather than a token.
    """
    tenant: str
    user: str
    password: str
    code: NotRequired[str]
    device: NotRequired[str]
    device_name: NotRequired[str]
    cookie: NotRequired[bool]


class LoginReply(TypedDict):
    """`state` is "code_needed" where a second factor is asked for. `token` is a bearer token, ""
    where a cookie was asked for; then `csrf` goes with every request that changes something.
    """
    state: Literal['code_needed', 'signed_in']
    token: NotRequired[str]
    csrf: NotRequired[str]
    session_id: NotRequired[str]
    device: NotRequired[str]
    ends_at: NotRequired[str]
    second_factor: NotRequired[str]


class NoRequest(TypedDict):
    pass


class EndedReply(TypedDict):
    """`sign_out_at` is where a browser goes to be signed out of the provider, too, that it signed
    in with; "" for none.
    """
    ended: int
    sign_out_at: NotRequired[str]


class PasswordRequest(TypedDict):
    old: str
    new: str


class EnrolRequest(TypedDict):
    password: str


class EnrolReply(TypedDict):
    """`uri` is what the picture says; `picture` an image as a data: address."""
    secret: str
    uri: str
    picture: str


class ConfirmRequest(TypedDict):
    code: str


class RecoveryReply(TypedDict):
    """Each is good once, in place of a code. They are shown this once."""
    recovery_codes: list[str]


class RemoveRequest(TypedDict):
    password: str
    code: str


class SignedInReply(TypedDict):
    items: list[SignedInShown]
    second_factor: bool
    recovery_codes_left: int


class SignedInShown(TypedDict):
    """One place where somebody is signed in. Times are nanoseconds since 1970, UTC."""
    session_id: str
    device: str
    address: str
    second_factor: str
    created_at: str
    last_used_at: str
    ends_at: str
    is_this: bool
    device_id: NotRequired[str]


class EndSessionRequest(TypedDict):
    session_id: str


class UsersReply(TypedDict):
    items: list[UserShown]


class UserShown(TypedDict):
    """`state` "no_password" is of machines, and of people who have keys alone. Times are
    nanoseconds since 1970, UTC; "" for never.
    """
    user: str
    roles: list[str]
    scopes: list[str]
    state: NotRequired[Literal['active', 'invited', 'locked', 'no_password']]
    is_machine: NotRequired[bool]
    second_factor: NotRequired[bool]
    sessions: NotRequired[int]
    keys: NotRequired[int]
    last_used_at: NotRequired[str]
    invited_until: NotRequired[str]
    locked_by: NotRequired[str]
    locked_at: NotRequired[str]
    lock_reason: NotRequired[str]


class RolesRequest(TypedDict):
    """All that the user is to be; none takes everything away."""
    user: str
    roles: list[Role]
    reason: str


class InvitePersonRequest(TypedDict):
    """`user` is a name for the journal, which keeps it for ever: nothing that says who they are.
    `roles` are asked for besides, and wait for a second person wherever roles do; `reason` is
    theirs.
    """
    user: str
    email: str
    name: NotRequired[str]
    roles: NotRequired[list[Role]]
    reason: NotRequired[str]
    hours: NotRequired[int]


class InvitedReply(TypedDict):
    """The link is in the message to them alone. `approval_id` is where their roles wait, "" where
    they were given, or none were asked for.
    """
    user: str
    until: str
    approval_id: NotRequired[str]


class PersonRequest(TypedDict):
    user: str


class AcceptInvitationRequest(TypedDict):
    tenant: str
    user: str
    code: str
    password: str


class PersonReasonRequest(TypedDict):
    """`reason` is kept in the journal: it must not say who the person is."""
    user: str
    reason: str


class SignedOutReply(TypedDict):
    """How many sessions ended, and how many applications lost what they were given."""
    user: str
    sessions: int
    applications: int


class BeginPasskey(TypedDict):
    password: str


class PasskeyAsked(TypedDict):
    """`options` go to `PublicKeyCredential.parseCreationOptionsFromJSON` or its sister for asking;
    `handle` comes back with the answer within five minutes.
    """
    handle: str
    options: dict[str, Any]


class AddPasskey(TypedDict):
    """The three are fields of the answer's `response`."""
    handle: str
    client_data_json: str
    authenticator_data: str
    public_key: str
    name: NotRequired[str]


class AddedPasskey(TypedDict):
    """`recovery_codes` are shown this once; none where there were some."""
    passkey: PasskeyShown
    recovery_codes: list[str]


class PasskeyShown(TypedDict):
    """Times are nanoseconds since 1970, UTC. `is_copied`: it is kept in more than one device."""
    passkey_id: str
    name: str
    created_at: str
    last_used_at: str | None
    is_copied: bool


class PasskeysReply(TypedDict):
    items: list[PasskeyShown]


class RemovePasskey(TypedDict):
    passkey_id: str
    password: str


class RemovedPasskey(TypedDict):
    passkey_id: str


class PasskeyLogin(TypedDict):
    """`cookie`: have a cookie for a browser, rather than a token."""
    handle: str
    credential_id: str
    client_data_json: str
    authenticator_data: str
    signature: str
    device_name: NotRequired[str]
    cookie: NotRequired[bool]
    device: NotRequired[str]


class DevicesReply(TypedDict):
    items: list[DeviceShown]


class DeviceShown(TypedDict):
    """One device. `state` is "trusted" up to `trusted_until`, else "known". Times are nanoseconds
    since 1970, UTC; "" for never. `sessions` is how many are open on it.
    """
    device_id: str
    name: str
    state: Literal['known', 'trusted']
    trusted_until: str
    trusted_by: str
    known_since: str
    last_used_at: str
    sessions: int
    is_this: bool


class TrustDevice(TypedDict):
    """`code` is of your authenticator, or a recovery code; none within five minutes of signing in
    with a passkey. After `days` the device is no longer trusted.
    """
    device_id: str
    code: NotRequired[str]
    days: NotRequired[int]


class OneDevice(TypedDict):
    device_id: str


class ForgottenReply(TypedDict):
    """`ended` sessions were open on it."""
    ended: int


class ChainReply(TypedDict):
    """`is_required`: a request of yours that lacks a link is refused with that link's code."""
    is_required: bool
    is_whole: bool
    links: list[LinkShown]


class LinkShown(TypedDict):
    """One link. `value` is what the house sees of it; `do` is what to do where it does not hold,
    and `code` what a request is refused with.
    """
    link: Literal['api_authorisation', 'audit', 'device_trust', 'encryption', 'mfa', 'service_mesh', 'session', 'user_authentication']
    holds: bool
    value: str
    do: NotRequired[str]
    code: NotRequired[str]


class OneUser(TypedDict):
    user: str


class TrustOther(TypedDict):
    """`code` is of your own second factor: you say that `user` has the device."""
    user: str
    device_id: str
    code: NotRequired[str]
    days: NotRequired[int]


class RegisterClient(TypedDict):
    """`machine` is a service account in whose name it asks by itself (client credentials).
    `is_public`: it runs where nobody can keep a secret, as in a browser or on a phone.
    """
    name: str
    scopes: list[Scope]
    redirect_uris: NotRequired[list[str]]
    machine: NotRequired[str | None]
    is_public: NotRequired[bool]


class RegisteredClient(TypedDict):
    """`client_secret` is shown this once; it is empty for a public client."""
    client_secret: str
    client: Client


class Client(TypedDict):
    """An application. `machine` is the user in whose name it asks by itself; "" where it does not.
    `is_public`: it can keep no secret.
    """
    client_id: str
    tenant: str
    name: str
    redirect_uris: list[str]
    scopes: list[str]
    machine: str
    is_public: bool
    created_at: int


class IdentityNoFields(TypedDict):
    pass


class Clients(TypedDict):
    items: list[Client]


class NamedClient(TypedDict):
    client_id: str


class IdentityGone(TypedDict):
    removed: str


class Grants(TypedDict):
    items: list[GrantShown]


class GrantShown(TypedDict):
    """What somebody has agreed to. Times are nanoseconds since 1970, UTC."""
    grant_id: str
    client_id: str
    client_name: str
    scopes: list[str]
    created_at: str
    ends_at: str


class NamedGrant(TypedDict):
    grant_id: str


class RotateSigningKey(TypedDict):
    alg: Literal['ES256', 'EdDSA', 'RS256']
    reason: str


class RotatedSigningKey(TypedDict):
    kid: str
    alg: str


class ProvidersReply(TypedDict):
    items: list[ProviderShown]


class ProviderShown(TypedDict):
    """`start` is where a page sends its browser, with `next=/` and `challenge`, the S256 of a
    proof that it keeps (RFC 7636): the browser comes back to `/#/signed-in/<code>`.
    """
    name: str
    label: str
    start: str


class ArriveRequest(TypedDict):
    """`code` is what the browser came back with, `proof` what `challenge` was made of. `cookie`:
    have a cookie for a browser, rather than a token.
    """
    code: str
    proof: str
    cookie: NotRequired[bool]


class ErasurePlanRequest(TypedDict):
    user: str


class ErasurePlan(TypedDict):
    """`state` is "possible", "held" (see `hold`), "done", or "unfinished": the rows are gone, and
    the key follows.
    """
    user: str
    state: Literal['done', 'held', 'possible', 'unfinished']
    hold: NotRequired[str]
    places: list[Place]


class Place(TypedDict):
    """What lies in one place. `until` is nanoseconds since 1970, "" where nothing is kept."""
    where: str
    what: str
    count: int
    fate: Literal['destroyed', 'kept', 'unreadable']
    why: NotRequired[str]
    until: NotRequired[str]


class EraseRequest(TypedDict):
    """`reason` stays in the journal: it must not say who the person is."""
    user: str
    reason: str


class HoldRequest(TypedDict):
    """`until` is nanoseconds since 1970, UTC. `reason` is kept with the records."""
    user: str
    reason: str
    until: int


class HoldReply(TypedDict):
    user: str
    is_held: bool


class LeftWorkingRequest(TypedDict):
    user: str


class LeftWorking(TypedDict):
    """`theirs` are on accounts that were opened for this person alone, `shared` those on accounts
    that others trade on, too. Prices are for who may read orders.
    """
    user: str
    theirs: list[WorkingOrder]
    shared: int


class WorkingOrder(TypedDict):
    order_id: str
    account_id: str
    symbol: str
    side: str
    ord_type: str
    leaves_qty: str


class NoOwnRequest(TypedDict):
    pass


class OwnRecords(TypedDict):
    """All that the house keeps of somebody. `records` are rows by table, opened; what is only a
    hash, or would let somebody in, is named in `left_out`. `journal` is what it says of them,
    `approvals` what they asked or decided. `elsewhere` is what is kept of the business, under a
    name that says nothing, and until when. Bytes are base64.
    """
    tenant: str
    user: str
    at: str
    roles: list[str]
    records: dict[str, list[dict[str, Any]]]
    left_out: list[str]
    journal: list[dict[str, Any]]
    approvals: list[dict[str, Any]]
    elsewhere: list[Place]


class OwnDeletion(TypedDict):
    """What would go and what stays, and nothing of it done. `approval_id` is where it waits for a
    second person, "" where it was not asked for.
    """
    plan: ErasurePlan
    blockers: list[Blocker]
    approval_id: NotRequired[str]


class Blocker(TypedDict):
    """What must be done before somebody can be forgotten. `what` says it in words."""
    kind: Literal['hold', 'last_admin', 'order', 'payout', 'position', 'transfer']
    account_id: str
    what: str


class DeletionRequest(TypedDict):
    """`user` is your own user name, typed again."""
    user: str


class WhoRequest(TypedDict):
    user: str


class ProfileShown(TypedDict):
    """`version` 0: nothing was said yet. `email` and `name` are those of the registration."""
    user: str
    version: int
    email: str
    name: str
    is_verified: bool
    person: Person


class Person(TypedDict):
    """Who somebody is. Countries are ISO 3166-1 alpha-2, the date is ISO 8601; "" is not said.
    """
    given_name: NotRequired[str]
    family_name: NotRequired[str]
    other_names: NotRequired[str]
    birth_date: NotRequired[str]
    nationality: NotRequired[str]
    residence: NotRequired[str]
    street: NotRequired[str]
    city: NotRequired[str]
    postal_code: NotRequired[str]
    phone: NotRequired[str]


class IdentitySetProfileRequest(TypedDict):
    """All of it: what is left out says nothing from here on. `version` is the one that you have
    seen, as the header If-Match says it, too; 0 where there is none yet.
    """
    user: str
    person: Person
    version: NotRequired[int | None]


class StandingShown(TypedDict):
    """How far a person's own case is. `message` says what to do next; `missing` are fields of the
    profile, `needed` documents; `until` is nanoseconds since 1970, UTC, "" unless approved.
    `is_required`: nobody trades here without being approved.
    """
    user: str
    state: Literal['approved', 'documents_needed', 'expired', 'in_review', 'none', 'refused', 'submitted']
    case_id: str
    message: str
    missing: list[str]
    needed: list[str]
    until: str
    documents: list[DocumentShown]
    is_required: bool


class DocumentShown(TypedDict):
    """`expires_on` is a day, "" where none was said; times are nanoseconds since 1970, UTC."""
    document_id: str
    kind: str
    media_type: str
    size: int
    sha256: str
    expires_on: str
    added_at: str


class DocumentRequest(TypedDict):
    """`content` is base64 of at most 700,000 bytes. A longer document, up to 10 MiB, comes in
    pieces: each says `size` and `sha256` (hexadecimal) of the whole, and its `offset`.
    """
    user: str
    kind: Literal['address', 'identity', 'other', 'selfie', 'source_of_funds']
    media_type: Literal['application/pdf', 'image/jpeg', 'image/png']
    content: str
    sha256: NotRequired[str]
    size: NotRequired[int]
    offset: NotRequired[int]
    expires_on: NotRequired[str]


class UploadReply(TypedDict):
    """`received` bytes are here; "more": go on from there."""
    state: Literal['kept', 'more']
    received: int
    document_id: str
    kyc_state: Literal['approved', 'documents_needed', 'expired', 'in_review', 'none', 'refused', 'submitted']
    needed: list[str]


class AssessmentShown(TypedDict):
    """`state` "answer_again": the questionnaire has changed in a way that the answers do not fit.
    `before` is what the assessment before came to. `assessed_at` is nanoseconds since 1970,
    UTC.
    """
    user: str
    state: Literal['answer_again', 'current', 'none']
    questionnaire: NotRequired[int]
    score: NotRequired[int]
    score_max: NotRequired[int]
    profile: NotRequired[str]
    by_points: NotRequired[str]
    text: NotRequired[str]
    explained: NotRequired[list[Explained]]
    caps: NotRequired[list[str]]
    before: NotRequired[Result | None]
    assessed_at: NotRequired[str]


class Explained(TypedDict):
    """What one answer gave, of how much it could have given."""
    question: str
    choice: str
    points: int
    points_max: int
    text: str


class Result(TypedDict):
    profile: str
    score: int


class AssessRequest(TypedDict):
    """A choice for every question of GET /risk-assessment/questionnaire."""
    user: str
    answers: dict[str, str]


class NoKycRequest(TypedDict):
    pass


class QuestionnaireShown(TypedDict):
    """`version` 0 is the house's own."""
    version: int
    questions: list[Question]
    bands: list[Band]


class Question(TypedDict):
    question: str
    text: str
    choices: list[Choice]


class Choice(TypedDict):
    """`at_most` is the profile beyond which nobody gets who answers so, "" for no such cap."""
    choice: str
    text: str
    points: int
    at_most: NotRequired[str]


class Band(TypedDict):
    """From `points` on; the first band is from 0 on."""
    profile: str
    points: int
    text: str


class IdentityCasesRequest(TypedDict):
    state: NotRequired[Literal['all', 'approved', 'documents_needed', 'expired', 'in_review', 'refused']]
    limit: NotRequired[int]


class IdentityCasesReply(TypedDict):
    """Which has waited longest, first."""
    items: list[IdentityCaseLine]


class IdentityCaseLine(TypedDict):
    """A case as a queue shows it, without who it is about but by their chosen name. `codes`: what
    to look at: "hits", "country_watched", "lives_abroad", or why it was opened again.
    """
    case_id: str
    user: str
    state: Literal['approved', 'documents_needed', 'expired', 'in_review', 'none', 'refused', 'submitted']
    codes: list[str]
    needed: list[str]
    hits: int
    open_hits: int
    documents: int
    submitted_at: str
    changed_at: str
    until: str
    refusal: str
    decided_by: str


class KycCaseRequest(TypedDict):
    case_id: str


class CaseShown(TypedDict):
    """All that a reviewer decides by. `may_decide` is off for one's own case."""
    case: IdentityCaseLine
    person: Person
    age: int
    email: str
    hits: list[OpenHit]
    documents: list[DocumentShown]
    may_decide: bool


class OpenHit(TypedDict):
    """Somebody on a list who is called like this person. `basis` is "" until it is cleared."""
    hit_id: str
    list_name: str
    entry_id: str
    topic: str
    name: str
    score: int
    why: list[str]
    basis: NotRequired[str]
    cleared_by: NotRequired[str]


class CaseDocumentRequest(TypedDict):
    case_id: str
    document_id: str


class DocumentReply(TypedDict):
    """`content` is base64."""
    document_id: str
    kind: str
    media_type: str
    size: int
    sha256: str
    expires_on: str
    added_at: str
    content: str


class DecideKycRequest(TypedDict):
    """`reason` says why somebody is refused, and is "" for who is approved."""
    case_id: str
    decision: Literal['approve', 'refuse']
    reason: NotRequired[Literal['documents_do_not_match', 'documents_unreadable', 'listed', 'not_accepted', 'risk_too_high'] | Literal['']]


class ClearHitRequest(TypedDict):
    """`basis` is how you know that the list names somebody else."""
    case_id: str
    hit_id: str
    basis: Literal['birth_date', 'documents', 'nationality', 'other_person']


class AskDocumentsRequest(TypedDict):
    case_id: str
    kinds: list[Literal['address', 'identity', 'other', 'selfie', 'source_of_funds']]


class ReopenKycRequest(TypedDict):
    case_id: str
    reason: Literal['complaint', 'mistake', 'new_facts', 'periodic']


class ListsReply(TypedDict):
    items: list[ListLine]


class ListLine(TypedDict):
    """`digest` is the SHA-256 of the file; `left_out` are entries that are no person."""
    name: str
    form: str
    digest: str
    entries: int
    names: int
    left_out: int


class RescreenedReply(TypedDict):
    """`reopened` cases were approved before, and are in review again."""
    screened: int
    reopened: int
    lists_changed: bool


class PublishQuestionnaireRequest(TypedDict):
    """The whole of it, in the place of the one before."""
    questions: list[Question]
    bands: list[Band]


class PublishedQuestionnaire(TypedDict):
    """`rescored` were scored anew by their answers; `to_answer_again` cannot be."""
    version: int
    rescored: int
    to_answer_again: int


class HoldingsRequest(TypedDict):
    """`limit` is of accounts, `cursor` the `next` of the page before."""
    cursor: NotRequired[str]
    limit: NotRequired[int]


class HoldingsReply(TypedDict):
    """By account, in the order of their tokens, which says nothing. `next` null: that was all.
    `position` is of the journal, as far as this shows it.
    """
    items: list[TokenHolding]
    next: str | None
    position: int


class TokenHolding(TypedDict):
    """What an account holds of one asset, or has open of one contract (then `cost` is what of its
    price, and `held` is "0"). `account` and `owner` are tokens; `owner` null: nobody's. `value`
    is in `currency`, null without a price.
    """
    account: str
    owner: str | None
    account_type: str
    currency: str
    kind: Literal['asset', 'contract']
    name: str
    qty: str
    held: str
    cost: str | None
    value: str | None


class ExportHoldingsRequest(TypedDict):
    """All of them, one line a holding."""
    form: NotRequired[Literal['csv', 'jsonl']]


class RevealRequest(TypedDict):
    """`reason` stays in the journal: it must not say who anybody is."""
    tokens: list[str]
    reason: str


class RevealReply(TypedDict):
    """`unknown` stand for nobody here: never did, or were forgotten. `position` is where the
    journal says that you have asked.
    """
    items: list[RevealedName]
    unknown: list[str]
    position: int


class RevealedName(TypedDict):
    token: str
    kind: Literal['account', 'owner']
    name: str


class OwnerRequest(TypedDict):
    account_id: str


class OwnerReply(TypedDict):
    account_id: str
    user: str | None


class SetOwnerRequest(TypedDict):
    """`user` null: nobody's."""
    account_id: str
    user: str | None


class ApprovalsRequest(TypedDict):
    state: NotRequired[Literal['all', 'closed', 'waiting']]


class ApprovalsReply(TypedDict):
    """Newest first. `mode` says whether somebody may do both halves, and why."""
    items: list[ApprovalShown]
    glasses: list[GlassShown]
    mode: str


class ApprovalShown(TypedDict):
    """One operation that was asked. `request` is what it would do, as it was asked. `how` says who
    agreed: "second" somebody else, "glass" nobody (see `glass`), "alone" the same person,
    because the house is one person's. `position` is where the journal says so. Times are
    nanoseconds since 1970, UTC. `result` is what the operation answered, to whoever approved
    it.
    """
    approval_id: str
    operation: str
    summary: str
    request: dict[str, Any]
    scope: str
    account_id: str
    state: Literal['approved', 'executed', 'expired', 'failed', 'rejected', 'waiting']
    asked_by: str
    asked_at: str
    expires_at: str
    how: Literal['', 'alone', 'budget', 'glass', 'second']
    decided_by: str
    decided_at: str
    reason: str
    glass: str
    error: str
    evidence: str
    position: NotRequired[int]
    may_decide: NotRequired[bool]
    result: NotRequired[Any]
    is_agents: NotRequired[bool]
    client: NotRequired[str]
    preview: NotRequired[Any]


class GlassShown(TypedDict):
    """One person did both halves until `until`. It is open until somebody else has reviewed it.
    """
    approval_id: str
    broken_by: str
    reason: str
    broken_at: str
    until: str
    is_open: bool
    verdict: str
    reviewed_by: str
    reviewed_at: str
    review: str
    used_for: list[str]
    may_review: NotRequired[bool]
    as_user: NotRequired[str]


class ApprovalRequest(TypedDict):
    approval_id: str


class IdentityDecideRequest(TypedDict):
    approval_id: str
    reason: str


class BreakGlassRequest(TypedDict):
    """`minutes` from now on you need no second person; the house allows at most a setting's."""
    reason: str
    minutes: NotRequired[int]


class ReviewRequest(TypedDict):
    approval_id: str
    verdict: Literal['justified', 'not_justified']
    reason: str


class NoAgentFields(TypedDict):
    pass


class AgentsReply(TypedDict):
    items: list[AgentShown]


class AgentShown(TypedDict):
    """`client` is what its program calls itself: its own word. `asked` counts proposals, `refused`
    what was not even proposed. `calls` are the newest that are kept, newest first.
    """
    agent: str
    client: str
    state: Literal['running', 'stopped']
    stopped_by: str
    stopped_at: str
    stopped_reason: str
    budget: BudgetShown
    asked: int
    refused: int
    waiting: int
    last_at: str
    calls: list[AgentCall]
    may_decide: NotRequired[bool]
    position: NotRequired[int]


class BudgetShown(TypedDict):
    """What an agent may do without asking. Amounts are of `currency`; times are nanoseconds since
    1970, UTC. `mode` is "ask" again once it has expired.
    """
    mode: Literal['ask', 'auto']
    currency: NotRequired[str]
    order_max: NotRequired[str]
    day_max: NotRequired[str]
    day_left: NotRequired[str]
    symbols: NotRequired[list[str]]
    expires_at: NotRequired[str]
    set_by: NotRequired[str]


class AgentCall(TypedDict):
    """Something that an agent proposed."""
    approval_id: str
    operation: str
    state: str
    how: str
    asked_at: str


class AllowRequest(TypedDict):
    """`mode` "ask": a person agrees to everything. "auto": orders are placed without, of at most
    `order_max` each and `day_max` a UTC day, in `symbols` (empty: all), for so many `minutes`;
    what only takes orders back is, too. Amounts are of `currency`, in which instruments are
    quoted.
    """
    agent: str
    mode: Literal['ask', 'auto']
    reason: str
    currency: NotRequired[str]
    order_max: NotRequired[str]
    day_max: NotRequired[str]
    symbols: NotRequired[list[str]]
    minutes: NotRequired[int]


class AgentOrder(TypedDict):
    agent: str
    reason: str


class LendRequest(TypedDict):
    """For `minutes` from now on, of which the house allows a setting's, ask as `user`."""
    user: str
    reason: str
    minutes: NotRequired[int]


class LentReply(TypedDict):
    """`token` is a bearer token in the other's name, good until `until` (nanoseconds since 1970,
    UTC). `caller` is what the journal calls whoever uses it: ada/!grace.1b4d3e60.
    """
    approval_id: str
    token: str
    caller: str
    scopes: list[str]
    until: str


class EndLentRequest(TypedDict):
    approval_id: str


class IdentityNothing(TypedDict):
    pass


class PolicyReply(TypedDict):
    """`revision` is that of all rules in force, the house's among them; decisions name it. `house`
    are the house's rules, which no tenant can change.
    """
    revision: str
    version: int
    modules: dict[str, str]
    data: Any
    house: dict[str, str]
    roles: dict[str, list[str]]
    versions: list[VersionShown]


class VersionShown(TypedDict):
    """`state` is "in_force", "waiting" (for its time) or "past". `like` is the version that was
    taken back to; 0: it was new.
    """
    version: int
    revision: str
    state: str
    published_by: str
    published_at: str
    effective_at: str
    note: str
    like: int


class PolicyText(TypedDict):
    """A tenant's own: Rego of the package `own`, its tests in `own_test`, and what rules read as
    `data.house` ("desks" are the members and accounts of desks).
    """
    modules: dict[str, str]
    data: NotRequired[dict[str, Any]]


class CheckReply(TypedDict):
    """`wrong` is why it could not be published, "" where it could. `uncovered` are rules, by file
    and line, that could be taken out without a test noticing.
    """
    wrong: str
    revision: str
    findings: list[str]
    tests: list[dict[str, Any]]
    coverage_percent: int
    uncovered: list[str]


class PublishRequest(TypedDict):
    """`effective_at` is in nanoseconds since 1970, UTC; 0: at once."""
    modules: dict[str, str]
    data: NotRequired[dict[str, Any]]
    note: NotRequired[str]
    effective_at: NotRequired[int]


class PublishedReply(TypedDict):
    version: int
    revision: str
    effective_at: str
    position: int


class RollbackRequest(TypedDict):
    """`version` 0 is the house's own rules alone."""
    version: int
    note: NotRequired[str]


class WhatIfRequest(TypedDict):
    """Over decisions since `since`, the newest `limit` of them."""
    modules: dict[str, str]
    data: NotRequired[dict[str, Any]]
    since: NotRequired[int]
    limit: NotRequired[int]


class WhatIfReply(TypedDict):
    """Most first."""
    decisions: int
    since: str
    changes: list[Change]


class Change(TypedDict):
    """What a caller would lose, or gain. `count` says how often it was asked: a sample of what is
    harmless counts for all that it stands for.
    """
    effect: str
    caller: str
    operation: str
    count: int
    reasons: list[str]
    examples: list[Any]


class MayRequest(TypedDict):
    operation: str
    account_id: NotRequired[str]
    symbol: NotRequired[str]
    notional: NotRequired[int]


class DecisionReply(TypedDict):
    allow: bool
    reasons: list[dict[str, str]]
    obligations: list[Any]
    policy: str


class DecisionsRequest(TypedDict):
    """Of the tenant; newest first."""
    outcome: NotRequired[Literal['', 'allowed', 'denied']]
    caller: NotRequired[str]
    operation: NotRequired[str]
    since: NotRequired[int]
    limit: NotRequired[int]


class DecisionsReply(TypedDict):
    """Each as OPA's decision log has it."""
    items: list[Any]


class ExportDecisionsRequest(TypedDict):
    since: NotRequired[int]
    limit: NotRequired[int]


class AuditRequest(TypedDict):
    """`caller` is a user, or one key or session of theirs; `before` is the `next` of the page
    before; times are nanoseconds since 1970, UTC.
    """
    kind: NotRequired[Literal['', 'access', 'act', 'approval', 'denial', 'policy']]
    caller: NotRequired[str]
    operation: NotRequired[str]
    since: NotRequired[int]
    until: NotRequired[int]
    before: NotRequired[int]
    limit: NotRequired[int]
    min_position: NotRequired[int]


class AuditReply(TypedDict):
    """Newest first. `next` goes into `before` for what is older; null: that was all."""
    items: list[AuditLine]
    next: int | None


class AuditLine(TypedDict):
    """`position` is where the journal says so; `GET /api/journal/proof` proves it. `count` says
    how many denials were gathered into one line; `policy` is the revision of the rules.
    """
    position: int
    at: str
    kind: str
    caller: str
    user: str
    operation: str
    code: str
    text: str
    account_id: str
    door: str
    address: str
    policy: str
    count: int


class ExportAuditRequest(TypedDict):
    """Oldest first, with the position in the journal that proves each line."""
    form: NotRequired[Literal['csv', 'jsonl']]
    kind: NotRequired[Literal['', 'access', 'act', 'approval', 'denial', 'policy']]
    since: NotRequired[int]
    until: NotRequired[int]
    limit: NotRequired[int]
    min_position: NotRequired[int]


class OpenBookAccountRequest(TypedDict):
    """With a limit, what is pending counts, and a transfer that would break it is refused."""
    book: str
    account: str
    asset: str
    debits_must_not_exceed_credits: NotRequired[bool]
    credits_must_not_exceed_debits: NotRequired[bool]


class BookAccountOpenedReply(TypedDict):
    book: str
    account: str
    asset: str
    position: int


class LedgerTransferRequest(TypedDict):
    """`key` is yours, as a cl_ord_id is: the same transfer sent again moves nothing."""
    debit: str
    credit: str
    amount: str
    pending: NotRequired[bool]
    timeout_s: NotRequired[int]
    reference: NotRequired[str]
    book: str
    key: NotRequired[str | None]


class LedgerTransferReply(TypedDict):
    """A transfer after what was asked of it. `posted` is what has moved for good."""
    book: str
    number: int
    debit: str
    credit: str
    asset: str
    amount: str
    posted: str
    status: Literal['expired', 'pending', 'posted', 'voided']
    position: int
    expires_at: NotRequired[str | None]


class LinkedRequest(TypedDict):
    """All of them or none, in this order; each sees what those before it did."""
    book: str
    linked: list[LinkedBody]
    key: NotRequired[str | None]


class LinkedBody(TypedDict):
    """One of three: a transfer, the number of a pending one to `post`, or of one to `void`."""
    transfer: NotRequired[TransferBody | None]
    post: NotRequired[int | None]
    amount: NotRequired[str | None]
    void: NotRequired[int | None]


class TransferBody(TypedDict):
    """From `credit` to `debit`. `pending` sets the amount aside on both sides until it is posted,
    voided, or `timeout_s` have passed; 0 never expires.
    """
    debit: str
    credit: str
    amount: str
    pending: NotRequired[bool]
    timeout_s: NotRequired[int]
    reference: NotRequired[str]


class LinkedReply(TypedDict):
    transfers: list[LedgerTransferReply]
    position: int


class PostRequest(TypedDict):
    """All of what is pending, or `amount` of it; the rest goes back."""
    book: str
    number: str
    amount: NotRequired[str | None]
    key: NotRequired[str | None]


class VoidRequest(TypedDict):
    book: str
    number: str
    key: NotRequired[str | None]


class BookRequest(TypedDict):
    book: str
    min_position: NotRequired[int]


class BookAccountsReply(TypedDict):
    items: list[BookAccountLine]


class BookAccountLine(TypedDict):
    """Four sums; what is pending is set aside, and in neither of the posted ones."""
    book: str
    account: str
    asset: str
    debits_pending: str
    debits_posted: str
    credits_pending: str
    credits_posted: str
    debits_must_not_exceed_credits: bool
    credits_must_not_exceed_debits: bool
    position: int


class BookAccountRequest(TypedDict):
    book: str
    account: str
    min_position: NotRequired[int]


class BookTransfersRequest(TypedDict):
    """The newest first. `cursor` is the `next` of the page before."""
    book: str
    account: NotRequired[str | None]
    status: NotRequired[Literal['expired', 'pending', 'posted', 'voided'] | None]
    cursor: NotRequired[int]
    limit: NotRequired[int]
    min_position: NotRequired[int]


class BookTransfersReply(TypedDict):
    """`next` goes into `cursor` for what is older; null: that was all."""
    items: list[BookTransferLine]
    next: int | None


class BookTransferLine(TypedDict):
    book: str
    number: int
    debit: str
    credit: str
    asset: str
    amount: str
    posted: str
    status: Literal['expired', 'pending', 'posted', 'voided']
    two_phase: bool
    reference: str
    created_at: str
    updated_at: str
    position: int
    expires_at: NotRequired[str | None]


class BookTransferRequest(TypedDict):
    book: str
    number: int
    min_position: NotRequired[int]


class ChecksRequest(TypedDict):
    pass


class ChecksReply(TypedDict):
    """Of the views as they stood at `position`. Before the first round there are no lines and no
    time, and `holds` is null: nobody knows yet.
    """
    holds: bool | None
    checks: list[CheckLine]
    position: int
    at: str | None
    took_ms: int


class CheckLine(TypedDict):
    """`wrong` is what the last round found."""
    name: str
    says: str
    holds: bool
    wrong: list[str]


class SessionsRequest(TypedDict):
    pass


class SessionsReply(TypedDict):
    items: list[SessionShown]


class SessionShown(TypedDict):
    """A session as it is now. `state` is up, connecting, down, closed (outside its hours) or
    stopped (by an operator).
    """
    session: str
    role: str
    state: str
    reason: str
    next_out: int
    next_in: int
    heart_bt_int_s: int
    peer: str
    received: int
    sent: int
    heard_at: str | None
    said_at: str | None
    missing_from: int
    missing_to: int
    waiting: int
    unanswered: int
    application: str
    connect: list[str]
    hours: str
    stopped_by: str


class FixSessionRequest(TypedDict):
    session: str


class OrderSession(TypedDict):
    session: str
    reason: str


class OrderNumbers(TypedDict):
    session: str
    next_out: int
    next_in: int
    reason: str


class MessagesRequest(TypedDict):
    """`after` is included, `before` is not; `cursor` is the `next` of the page before."""
    query: NotRequired[str]
    session: NotRequired[str | None]
    direction: NotRequired[Literal['in', 'out'] | None]
    after: NotRequired[str | None]
    before: NotRequired[str | None]
    capture: NotRequired[str | None]
    cursor: NotRequired[str]
    limit: NotRequired[int]


class MessagesReply(TypedDict):
    """`next` goes into `cursor` for what is older; null: that was all. Not `complete`: so many
    messages were looked at that older ones are left to the next page.
    """
    items: list[MessageLine]
    next: str | None
    complete: bool
    examined: int
    archived: Archived | None


class MessageLine(TypedDict):
    """A message of a list. `at` is when it was received or sent; `seq_num` is -1 where it has
    none.
    """
    id: str
    at: str
    session: str
    direction: Literal['in', 'out']
    msg_type: str
    name: str
    seq_num: int
    summary: str
    garbled: str | None


class Archived(TypedDict):
    """Messages that are no longer in the index but in files: `fondaco fix search` reads them."""
    until: str
    messages: int
    folder: str


class MessageRequest(TypedDict):
    message_id: str


class MessageReply(TypedDict):
    """One message in full. Passwords and signatures are starred out."""
    id: str
    at: str
    session: str
    direction: Literal['in', 'out']
    msg_type: str
    name: str
    seq_num: int
    summary: str
    garbled: str | None
    raw: str
    hex: str
    octets: int
    dictionary: str
    fields: list[Shown]
    source: str


class Shown(TypedDict):
    """One field. `meaning` says what an enumerated value stands for; `entries` are of the group
    that the field counts.
    """
    tag: int
    name: str
    value: str
    meaning: NotRequired[str | None]
    entries: NotRequired[list[list[Shown]]]


class FixTimelineRequest(TypedDict):
    """The last day of the session, unless times are given."""
    session: str
    after: NotRequired[str | None]
    before: NotRequired[str | None]
    buckets: NotRequired[int]


class FixTimelineReply(TypedDict):
    session: str
    after: str
    before: str
    bucket_ms: int
    buckets: list[Bucket]
    marks: list[SessionMark]


class Bucket(TypedDict):
    at: str
    received: int
    sent: int


class SessionMark(TypedDict):
    """Something worth a line in a session's story."""
    at: str
    kind: Literal['alert', 'logon', 'logout', 'reject', 'resend', 'reset']
    text: str
    message: str | None
    alert: str | None


class SeriesRequest(TypedDict):
    """The last hour by minutes, unless times and a width are given. `after` is included, `before`
    is not; at most 10,000 spans of time.
    """
    session: NotRequired[str | None]
    after: NotRequired[str | None]
    before: NotRequired[str | None]
    width_s: NotRequired[int]


class SeriesReply(TypedDict):
    """Spans without messages are left out. `columns` messages were read from the columnar store;
    younger ones from the index.
    """
    after: str
    before: str
    width_s: int
    points: list[SeriesPoint]
    columns: int


class SeriesPoint(TypedDict):
    """A session in a span of time. Latencies are microseconds from a request (D, F, G) to the
    first answer (8, 9) of its ClOrdID, null where none was answered; quantiles by nearest rank.
    """
    at: str
    session: str
    received: int
    sent: int
    rejects: int
    answered: int
    p50_us: float | None
    p99_us: float | None
    max_us: float | None


class FixReportRequest(TypedDict):
    day: str


class FixReportReply(TypedDict):
    """A day of FIX sessions (UTC). `reasons` are the 20 that came most often, `alerts` the 500
    that are worst; `by_severity` counts all.
    """
    day: str
    messages: int
    rejects: int
    sessions: list[FixPartLine]
    counterparties: list[FixPartLine]
    hours: list[HourLine]
    reasons: list[ReasonLine]
    by_severity: dict[str, int]
    alerts: list[FoundLine]


class FixPartLine(TypedDict):
    """A session on that day, or a counterparty with all of its sessions (then `session` is "" and
    its latencies are null: quantiles do not add up).
    """
    counterparty: str
    session: str
    received: int
    sent: int
    rejects: int
    answered: int
    p50_us: float | None
    p99_us: float | None
    max_us: float | None
    alerts: int


class HourLine(TypedDict):
    at: str
    messages: int
    rejects: int


class ReasonLine(TypedDict):
    """Why messages were refused, and how often."""
    name: str
    text: str
    count: int


class FoundLine(TypedDict):
    alert: str
    at: str
    pattern: str
    title: str
    severity: str
    session: str
    subject: str
    count: int


class TrailReply(TypedDict):
    """`trace_id` is that of the command that the message was, or of the order that it tells of; of
    one that reached no law it is its own.
    """
    message: str
    session: str
    trace_id: str
    steps: list[TrailStep]


class TrailStep(TypedDict):
    """One thing that became of it. `at` is null where nobody notes when; `position` is of the
    journal; `trace_id` differs from the message's where something else set it off, the market.
    """
    stage: Literal['analytics', 'compliance', 'engine', 'ingestion', 'message', 'security', 'storage']
    at: str | None
    said: str
    trace_id: str
    position: NotRequired[int | None]
    reference: NotRequired[str]


class UploadCapture(TypedDict):
    """The file, or its beginning where `more` follows: no request may be longer than the house's
    `body_max_bytes`. `content` is base64.
    """
    name: str
    content: str
    more: NotRequired[bool]


class CaptureLine(TypedDict):
    """An upload, and how far it was read: `progress` is from 0 to 1."""
    id: str
    name: str
    octets: int
    sha256: str
    at: str
    by: str
    state: Literal['failed', 'read', 'reading', 'uploading', 'waiting']
    progress: float
    messages: int
    alerts: int
    trouble: str


class AppendCapture(TypedDict):
    """What follows. `offset` is how much was uploaded before, so that a piece that is sent twice
    counts once.
    """
    capture_id: str
    offset: int
    content: str
    more: NotRequired[bool]


class CapturesRequest(TypedDict):
    pass


class CapturesReply(TypedDict):
    """The newest first."""
    items: list[CaptureLine]


class CaptureRequest(TypedDict):
    capture_id: str


class CaptureReply(TypedDict):
    """`report` is that of `fondaco fix audit`, once the capture is read."""
    id: str
    name: str
    octets: int
    sha256: str
    at: str
    by: str
    state: Literal['failed', 'read', 'reading', 'uploading', 'waiting']
    progress: float
    messages: int
    alerts: int
    trouble: str
    report: Any


class AlertsRequest(TypedDict):
    """`severity` is the least; `cursor` is the `next` of the page before."""
    session: NotRequired[str | None]
    severity: NotRequired[Literal['critical', 'high', 'low', 'medium']]
    capture: NotRequired[str | None]
    cursor: NotRequired[str]
    limit: NotRequired[int]


class AlertsReply(TypedDict):
    """The newest first. `next` goes into `cursor` for what is older; null: that was all."""
    items: list[AlertLine]
    next: str | None


class AlertLine(TypedDict):
    """An alert; `count` says how often the same was found, `at` when last."""
    id: str
    at: str
    first_at: str
    pattern: str
    title: str
    severity: Literal['critical', 'high', 'low', 'medium']
    subject: str
    session: str
    reason: str
    count: int
    attack: list[str]
    capture: str | None


class ExportRequest(TypedDict):
    """The newest alerts, as lines of Elastic's, ArcSight's or OCSF's format."""
    form: NotRequired[Literal['cef', 'ecs', 'ocsf']]
    severity: NotRequired[Literal['critical', 'high', 'low', 'medium']]
    limit: NotRequired[int]


class AlertRequest(TypedDict):
    alert_id: str


class AlertReply(TypedDict):
    id: str
    at: str
    first_at: str
    pattern: str
    title: str
    severity: Literal['critical', 'high', 'low', 'medium']
    subject: str
    session: str
    reason: str
    count: int
    attack: list[str]
    capture: str | None
    says: str
    evidence: list[EvidenceLine]


class EvidenceLine(TypedDict):
    """A message that proves an alert, its secrets starred out; `sha256` is of the exact bytes that
    were seen.
    """
    message: str | None
    at: str
    connection: str
    sender: str
    seq_num: int
    msg_type: str
    text: str
    sha256: str


class EvidenceReply(TypedDict):
    """What proves an alert, to be handed to somebody else: its messages, and the same over a TCP
    connection made up for them as a capture (pcap, as base64), since a house's own sessions
    keep bytes and no packets. `sha256` and `octets` are of the capture. Secrets are in it.
    """
    alert: AlertReply
    exhibits: list[Exhibit]
    missing: int
    name: str
    content: str
    octets: int
    sha256: str


class Exhibit(TypedDict):
    """One message as it was seen. `content` is the exact bytes as base64, null where the message
    is no longer kept; `sha256` is of them.
    """
    message: str | None
    at: str
    connection: str
    direction: Literal['in', 'out'] | None
    sha256: str
    content: str | None


class SurveillanceCasesRequest(TypedDict):
    """`alert` and `subject` ask for those that have it."""
    state: NotRequired[Literal['all', 'closed', 'open']]
    alert: NotRequired[str | None]
    subject: NotRequired[str | None]
    limit: NotRequired[int]


class SurveillanceCasesReply(TypedDict):
    """The newest first."""
    items: list[SurveillanceCaseLine]


class SurveillanceCaseLine(TypedDict):
    """Alerts of one subject; `severity` is the worst of them, `count` how many. Times are ISO 8601
    in UTC.
    """
    case_id: str
    subject: str
    title: str
    state: Literal['closed', 'open']
    severity: str
    opened_at: str
    assignee: str
    count: int
    outcome: str
    reason: str
    closed_by: str
    closed_at: str | None


class CaseRequest(TypedDict):
    case_id: str


class CaseReply(TypedDict):
    """`alerts` and `notes` are the newest, in their order."""
    case_id: str
    subject: str
    title: str
    state: Literal['closed', 'open']
    severity: str
    opened_at: str
    assignee: str
    count: int
    outcome: str
    reason: str
    closed_by: str
    closed_at: str | None
    alerts: list[GatheredLine]
    notes: list[NoteLine]


class GatheredLine(TypedDict):
    alert: str
    at: str
    pattern: str
    title: str
    severity: str
    session: str


class NoteLine(TypedDict):
    """What was done; `by` "" is the house."""
    at: str
    by: str
    what: str
    text: str


class AssignRequest(TypedDict):
    """`to` "" takes it from whoever has it."""
    case_id: str
    to: str


class CommentRequest(TypedDict):
    case_id: str
    text: str


class CloseRequest(TypedDict):
    case_id: str
    outcome: Literal['benign', 'duplicate', 'false_positive', 'inconclusive', 'true_positive']
    reason: str


class ReopenRequest(TypedDict):
    case_id: str
    reason: str


class NotifyNoFields(TypedDict):
    pass


class EventTypes(TypedDict):
    items: list[EventType]


class EventType(TypedDict):
    """`ordered_by` says what messages of this type keep their order within. `data` is the JSON
    Schema of what stands in the body under that name. Who asks for `topic`, or one of
    `aliases`, is told by that name; `topic` is "" where no document has one.
    """
    type: str
    summary: str
    scope: str
    ordered_by: str
    data: dict[str, Any]
    family: str
    topic: str
    aliases: list[str]


class CreateWebhook(TypedDict):
    """`events`: "*", "order.*" or "order.accepted.v1"; `accounts` absent: all that you may use.
    """
    url: str
    events: list[str]
    accounts: NotRequired[list[str] | None]
    description: NotRequired[str]


class CreatedWebhook(TypedDict):
    """`secret` is shown this once: it verifies what is received."""
    secret: str
    webhook: WebhookShown


class WebhookShown(TypedDict):
    """Times are nanoseconds since 1970, UTC; "" where there is none. `waiting`, `delivered`,
    `given_up` and `withheld` count what the delivery log still holds.
    """
    webhook_id: str
    url: str
    events: list[str]
    accounts: list[str] | None
    description: str
    owner: str
    state: Literal['active', 'disabled', 'paused']
    reason: str
    created_at: str
    changed_at: str
    since: int
    position: int
    waiting: int
    delivered: int
    given_up: int
    withheld: int
    failing_since: str


class WebhooksReply(TypedDict):
    items: list[WebhookShown]


class NamedWebhook(TypedDict):
    webhook_id: str


class ChangeWebhook(TypedDict):
    """What is absent stays. `from_now`: what was not sent yet is not sent."""
    webhook_id: str
    url: NotRequired[str | None]
    events: NotRequired[list[str] | None]
    description: NotRequired[str | None]
    state: NotRequired[Literal['active', 'paused'] | None]
    from_now: NotRequired[bool]


class NotifyGone(TypedDict):
    removed: str


class RotateSecret(TypedDict):
    """For so long the secret before signs, too; 0: not any more."""
    webhook_id: str
    overlap_s: NotRequired[int]


class RotatedSecret(TypedDict):
    secret: str
    until: str


class TestSent(TypedDict):
    """The delivery log shows what has become of it under this id."""
    msg_id: str
    position: int


class ReplayRequest(TypedDict):
    """What was written behind the position `after`, or since the time `since` (nanoseconds since
    1970, UTC), up to `until`; 0: up to now. `dry_run` counts and sends nothing.
    """
    webhook_id: str
    after: NotRequired[int | None]
    since: NotRequired[int | None]
    until: NotRequired[int]
    events: NotRequired[list[str] | None]
    dry_run: NotRequired[bool]


class ReplayReply(TypedDict):
    """`counts`, by type, of a dry run; `is_whole` is false where there is more than was counted. A
    second one is of exactly the same range with `after` and `until` as given here.
    """
    dry_run: bool
    after: int
    until: int
    count: int
    counts: dict[str, int]
    is_whole: bool


class DeliveriesRequest(TypedDict):
    webhook_id: str
    state: NotRequired[Literal['delivered', 'given_up', 'waiting', 'withheld'] | None]
    resource: NotRequired[str]
    before: NotRequired[int | None]
    limit: NotRequired[int]


class DeliveriesReply(TypedDict):
    """`next` is the `before` of the next page; 0: that was all."""
    items: list[DeliveryLine]
    next: int


class DeliveryLine(TypedDict):
    """One message to one endpoint. Bodies are not kept: they are worked out of the journal entry
    at `position` whenever they are sent. `last_status` is HTTP's, 0 where nothing was answered.
    """
    number: int
    msg_id: str
    type: str
    resource: str
    position: int
    is_replay: bool
    state: Literal['delivered', 'given_up', 'waiting', 'withheld']
    queued_at: str
    attempts: int
    next_at: str
    finished_at: str
    last_status: int
    last_error: str


class DeliveryRequest(TypedDict):
    webhook_id: str
    number: int


class DeliveryReply(TypedDict):
    number: int
    msg_id: str
    type: str
    resource: str
    position: int
    is_replay: bool
    state: Literal['delivered', 'given_up', 'waiting', 'withheld']
    queued_at: str
    attempts: int
    next_at: str
    finished_at: str
    last_status: int
    last_error: str
    tries: list[AttemptLine]


class AttemptLine(TypedDict):
    """One request. Of its body the size and hash are kept, of the answer its status alone."""
    nth: int
    at: str
    status: int
    error: str
    latency_ms: int
    body_bytes: int
    body_sha256: str


class NotifyNothing(TypedDict):
    pass


class PreferencesShown(TypedDict):
    """`email` is where mails go, "" where no address is known; `mail` how they do: "server", or
    "folder" where no mail server is configured; `push_key` is what a browser subscribes with.
    """
    topics: list[TopicShown]
    quiet: Quiet | None
    accounts: list[str] | None
    email: str
    mail: Literal['folder', 'server']
    has_pager: bool
    push_key: str
    subscriptions: list[SubscriptionShown]


class TopicShown(TypedDict):
    """`usual` is what holds for who has chosen nothing; `kinds` are what is told under it."""
    topic: Literal['approvals', 'evaluation', 'house', 'kyc', 'margin', 'orders', 'payments', 'reports', 'security', 'surveillance']
    ways: list[Literal['email', 'inbox', 'push']]
    usual: list[Literal['email', 'inbox', 'push']]
    kinds: list[str]


class Quiet(TypedDict):
    """From `begins` to `ends`, by the clock of `zone`, what can wait does."""
    begins: str
    ends: str
    zone: NotRequired[str]


class SubscriptionShown(TypedDict):
    subscription_id: str
    host: str
    created_at: str


class ChoosePreferences(TypedDict):
    """All of it: a topic that is not named is as usual. `accounts` null: every account of the
    tenant's that you may use.
    """
    ways: NotRequired[dict[str, list[Literal['email', 'inbox', 'push']]]]
    quiet: NotRequired[Quiet | None]
    accounts: NotRequired[list[str] | None]


class Subscribe(TypedDict):
    """What PushSubscription.toJSON() of a browser says, without its `expirationTime`."""
    endpoint: str
    p256dh: str
    auth: str


class NamedSubscription(TypedDict):
    subscription_id: str


class Unsubscribed(TypedDict):
    removed: str


class TestRequest(TypedDict):
    way: NotRequired[Literal['email', 'inbox', 'pager', 'push']]


class TestQueued(TypedDict):
    """The log shows what has become of it."""
    numbers: list[int]


class InboxRequest(TypedDict):
    before: NotRequired[int]
    limit: NotRequired[int]


class Inbox(TypedDict):
    """Newest first; `next` is the `before` of the next page, 0: that was all."""
    items: list[InboxLine]
    unseen: int
    next: int


class InboxLine(TypedDict):
    """`leads_to` is what it is about: "order/demo.57", "account/demo", "you"; "" where its entry
    at `position` alone says.
    """
    number: int
    notice_id: str
    kind: str
    topic: str
    subject: str
    text: str
    at: str
    position: int
    is_seen: bool
    leads_to: NotRequired[str]


class SeeRequest(TypedDict):
    up_to: int


class Seen(TypedDict):
    unseen: int


class LogRequest(TypedDict):
    """`everybody`: of all in the tenant, for who holds house:read."""
    way: NotRequired[Literal['email', 'inbox', 'pager', 'push'] | None]
    state: NotRequired[Literal['delivered', 'given_up', 'kept', 'refused', 'waiting', 'withheld'] | None]
    everybody: NotRequired[bool]
    before: NotRequired[int]
    limit: NotRequired[int]


class LogReply(TypedDict):
    items: list[LogLine]
    next: int


class LogLine(TypedDict):
    """One notice to one person by one way. Times are nanoseconds since 1970, UTC; "" where there
    is none. What it said is not kept: it is worked out of the journal entry at `position`.
    """
    number: int
    notice_id: str
    user: str
    kind: str
    topic: str
    way: str
    state: Literal['delivered', 'given_up', 'kept', 'refused', 'waiting', 'withheld']
    attempts: int
    detail: str
    position: int
    queued_at: str
    next_at: str
    finished_at: str


class DefineTier(TypedDict):
    """`orders_per_day` 0: no limit of its own. `doors` empty: every one."""
    tier: str
    requests_per_s: int
    burst: int
    orders_per_day: NotRequired[int]
    webhooks: NotRequired[int]
    doors: NotRequired[list[Literal['cli', 'fix', 'graphql', 'mcp', 'rest', 'ws']]]


class PartnerTierShown(TypedDict):
    tier: str
    owner: str
    requests_per_s: int
    burst: int
    orders_per_day: int
    webhooks: int
    doors: list[str]


class PartnersRequest(TypedDict):
    pass


class PartnerTiers(TypedDict):
    items: list[PartnerTierShown]


class SetPartnerTier(TypedDict):
    """`account` is one account of the tenant; without, all of the tenant. `tier` null takes it
    off.
    """
    tenant: str
    tier: str | None
    account: NotRequired[str | None]


class PartnerSet(TypedDict):
    partner: str
    tier: str
    position: int


class PartnersReply(TypedDict):
    items: list[PartnerShown]


class PartnerShown(TypedDict):
    """`orders_today` are those that were accepted since midnight, UTC."""
    partner: str
    tenant: str
    account: str
    tier: PartnerTierShown
    orders_today: int
    requests: int
    callers: list[CallerUse]


class CallerUse(TypedDict):
    """Requests of one key or session, of each version of the API, since it is counted."""
    caller: str
    version: int
    requests: int


class MyTier(TypedDict):
    """`tier` null: you are on none, and the house's rates hold. `orders_left` -1: no limit."""
    partner: str
    tier: PartnerTierShown | None
    orders_today: int
    orders_left: int


class TiersRequest(TypedDict):
    """`published` is what is on sale now. Only who may write tiers sees drafts, and what waits.
    """
    state: NotRequired[Literal['all', 'draft', 'past', 'published', 'retired', 'waiting']]


class TiersReply(TypedDict):
    """In the order in which the tiers were first defined, versions newest first. Only tiers in
    `account_currency` can be bought: accounts are in no other.
    """
    items: list[TierShown]
    account_currency: str


class TierShown(TypedDict):
    """`effective_from` and `effective_until` are when it is on sale: nanoseconds since 1970, UTC;
    "" is not at all, and without an end. `wording` is made of the terms that are enforced.
    """
    tier: str
    version: int
    title: str
    state: Literal['draft', 'past', 'published', 'retired', 'waiting']
    currency: str
    account: str
    fee: str
    effective_from: str
    effective_until: str
    fingerprint: str
    time_zone: str
    reset_at: str
    broken_at: str
    leverage: int
    instruments: list[str]
    phases: list[StageShown]
    funded: StageShown | None
    payout: EvaluationPayoutShown | None
    scaling: list[ScalingShown]
    wording: list[str]
    odds: OddsShown | None


class StageShown(TypedDict):
    """null and 0 are no rule. `consistency` is the best day's share of all profit, at most."""
    name: str
    target: str | None
    daily_loss: DailyLossShown | None
    overall_loss: OverallLossShown | None
    min_trading_days: int
    min_trades: int
    time_limit_days: int
    inactivity_days: int
    max_risk_per_trade: str | None
    max_positions: int
    max_lots: str | None
    consistency: str | None
    news: NewsShown | None
    weekend: str


class DailyLossShown(TypedDict):
    """`amount`, or else `part`, a percentage of where the day began. `counted_from`: initial,
    balance, equity, or the higher of the two.
    """
    amount: str | None
    part: str | None
    counted_from: str


class OverallLossShown(TypedDict):
    """`limit` is where it begins. `follows`: static, trailing, end_of_day."""
    amount: str
    limit: str
    follows: str
    locks_at: str | None


class NewsShown(TypedDict):
    """Around announcements that are at least so important: low, medium, high."""
    before_minutes: int
    after_minutes: int
    importance: Importance


class EvaluationPayoutShown(TypedDict):
    """`split` is what a trader is paid of the profit, in percent."""
    split: str
    first_after_days: int
    every_days: int
    minimum: str
    refunds_fee: bool


class ScalingShown(TypedDict):
    """From `profit` in all on."""
    profit: str
    account: str
    split: str


class OddsShown(TypedDict):
    """Worked out by simulation, of `paths` traders of each kind; the same seed gives the same.
    `firm_ruin_probability` is of having lost more than `capital` on some day of a book of
    `sales` sales, `sales_a_day` of them a day, whose buyers take the part `crowd` of their
    trades together; 0 of `sales_a_day`: one sale after the other, each alone.
    """
    paths: int
    seed: str
    days: int
    funded_days: int
    sales: int
    sales_a_day: int
    crowd: float
    capital: str
    simulated_at: str
    traders: list[OddsOfTrader]


class OddsOfTrader(TypedDict):
    """Of one kind of trader. `ruin_probability` is of breaking a limit before passing; money is a
    mean over all of them, what the firm has of a sale among it. Of those who pass, half take no
    more than `median_days`.
    """
    trader: str
    title: str
    pass_probability: float
    pass_se: float
    ruin_probability: float
    ruin_se: float
    median_days: float | None
    paid_probability: float
    payout_mean: float
    firm_profit_mean: float
    firm_profit_se: float
    firm_ruin_probability: float | None
    firm_ruin_se: float | None
    firm_capital_99: float | None
    abandoned_probability: float
    effects: list[RuleEffectShown]


class RuleEffectShown(TypedDict):
    """The same traders with the same dice, had one rule been another: what it costs whom.
    `pass_change_se` is the standard error of the difference, of the same dice; null in odds of
    before it was worked out.
    """
    rule: str
    change: str
    pass_probability: float
    pass_change: float
    pass_change_se: float | None
    payout_mean: float
    payout_change: float
    firm_profit_mean: float
    firm_profit_change: float


class TierRequest(TypedDict):
    """`version` 0: the one on sale, or else the newest that you may see."""
    tier: str
    version: NotRequired[int]


class TierReply(TypedDict):
    """`terms` is the JSON whose SHA-256 is `terms_sha256`, the tier's fingerprint: what a buyer
    has, byte by byte. `text` is what it was made of.
    """
    item: TierShown
    rules: list[RulesShown]
    text: str
    terms: str
    terms_sha256: str
    versions: list[TierVersionShown]


class RulesShown(TypedDict):
    heading: str
    sentences: list[str]


class TierVersionShown(TypedDict):
    version: int
    state: Literal['draft', 'past', 'published', 'retired', 'waiting']
    fingerprint: str
    effective_from: str
    effective_until: str
    defined_at: str
    defined_by: str
    published_by: str
    contradictions: list[str]
    simulated: bool


class DefineTierRequest(TypedDict):
    """`text` is TOML, as docs/tiers.md has it. Without a `version` in it, it is the next one.
    `dry_run`: only say what is wrong, and what traders would read.
    """
    text: str
    dry_run: NotRequired[bool]


class DefinedReply(TypedDict):
    """`position` 0: nothing was written, as it was only tried."""
    tier: str
    version: int
    title: str
    fingerprint: str
    findings: list[FindingShown]
    wording: list[str]
    publishable: bool
    position: int


class FindingShown(TypedDict):
    """`weight` is "contradiction", which keeps it from being published, or "unusual". `line` is
    that of the text.
    """
    weight: str
    code: str
    where: str
    text: str
    line: int


class SimulateTierRequest(TypedDict):
    """`traders` as `fondaco tier simulate` takes them, "skilled:risk=1%"; none: the usual five.
    "account:ID" draws days from what an account has traded, "journal:NAME" from one of
    `journals`. `days`: how long a phase is watched. `sensitivity`: with what each rule does to
    the odds. `crowd`: the part of their trades that buyers take together, for the firm's ruin.
    """
    tier: str
    version: int
    traders: NotRequired[list[str]]
    paths: NotRequired[int]
    seed: NotRequired[int]
    days: NotRequired[int]
    funded_days: NotRequired[int]
    sales: NotRequired[int]
    sales_a_day: NotRequired[int]
    crowd: NotRequired[float]
    sensitivity: NotRequired[bool]
    journals: NotRequired[list[JournalText]]


class JournalText(TypedDict):
    """What somebody has traded, as CSV that docs/tiers.md tells of."""
    name: str
    text: str


class SimulationReply(TypedDict):
    """`simulation_id` is the newest since the house began, GET /simulations lists all of them.
    `state`: none, running, attached, failed or canceled. `done` of `total` paths, of all
    traders together. `odds` are what is attached, from this simulation or an earlier one.
    """
    tier: str
    version: int
    fingerprint: str
    simulation_id: str
    state: str
    done: int
    total: int
    error: str
    odds: OddsShown | None


class TierVersionRequest(TypedDict):
    tier: str
    version: int


class PublishTierRequest(TypedDict):
    """On sale from `effective_from` on, in nanoseconds since 1970, UTC; 0: as soon as somebody has
    agreed, though not before the day that the text says.
    """
    tier: str
    version: int
    effective_from: NotRequired[int]
    note: NotRequired[str]


class TierChanged(TypedDict):
    item: TierShown
    position: int


class RetireTierRequest(TypedDict):
    """Not on sale from `ends_at` on, in nanoseconds since 1970, UTC; 0: at once."""
    tier: str
    version: int
    ends_at: NotRequired[int]
    note: NotRequired[str]


class ReplayTierRequest(TypedDict):
    """Over the newest `limit` assessments of the tenant."""
    tier: str
    version: int
    limit: NotRequired[int]


class ReplayTierReply(TypedDict):
    """`compared` of `attempts`: the others are of another size, or of a stage that this version
    does not have. What was traded is taken as it is, though who knows another rule trades
    otherwise.
    """
    assessments: int
    attempts: int
    compared: int
    same: int
    would_pass: int
    would_fail: int
    changes: list[ReplayedAttempt]


class ReplayedAttempt(TypedDict):
    """One account in one stage that would have gone otherwise. `was` and `would`: active (as far
    as it was traded), passed, failed, abandoned, expired; with the rule, where one is broken.
    """
    assessment_id: str
    account_id: str
    stage: int
    was: str
    was_rule: str
    would: str
    rule: str
    at: str


class AssessmentsRequest(TypedDict):
    """One's own; of everybody, or of `user`, for who may read all."""
    state: NotRequired[Literal['abandoned', 'active', 'expired', 'failed', 'funded', 'passed', 'purchased'] | None]
    user: NotRequired[str | None]
    limit: NotRequired[int]


class AssessmentsReply(TypedDict):
    """The newest first."""
    items: list[AssessmentLine]


class AssessmentLine(TypedDict):
    """Times are nanoseconds since 1970, UTC; "0" where it has not happened."""
    assessment_id: str
    user: str
    tier: str
    version: int
    fingerprint: str
    account_id: str
    state: Literal['abandoned', 'active', 'expired', 'failed', 'funded', 'passed', 'purchased']
    stage: int
    stage_name: str
    size: str
    created_at: str
    began_at: str
    ended_at: str
    reason: str
    frozen: str


class GiveRequest(TypedDict):
    """An assessment that nobody pays for. The same `reference` gives the same one again."""
    tier: str
    user: str
    reference: str


class GivenReply(TypedDict):
    assessment_id: str
    account_id: str
    position: int


class AssessmentRequest(TypedDict):
    assessment_id: str


class AssessmentReply(TypedDict):
    """An assessment as it stands, marked at the market of now."""
    assessment_id: str
    user: str
    tier: str
    version: int
    fingerprint: str
    account_id: str
    currency: str
    size: str
    state: Literal['abandoned', 'active', 'expired', 'failed', 'funded', 'passed', 'purchased']
    frozen: str
    stage: int
    stage_name: str
    stages: list[str]
    created_at: str
    began_at: str
    ended_at: str
    balance: str
    equity: str
    open_positions: int
    day_from: str
    time_zone: str
    resets_at: str
    trades: int
    days_traded: int
    headroom: list[HeadroomLine]
    next_news: NextNewsLine | None
    conditions: list[ConditionLine]
    violations: list[ViolationLine]
    payouts: list[AssessmentPayoutLine]
    may_ask_payout: bool
    why_no_payout: str
    wording: list[WordingPart]


class HeadroomLine(TypedDict):
    """`level` is the equity at which the rule breaks, `base` what it is counted from, `used` the
    part of what may be lost that is gone.
    """
    rule: str
    title: str
    level: str
    base: str
    limit: str
    headroom: str
    used_ppm: int
    used: str
    state: Literal['broken', 'warned', 'well']


class NextNewsLine(TypedDict):
    """The announcement whose window is open, or opens next: from `begins_at` to `ends_at` nothing
    is opened in `symbols`.
    """
    id: str
    title: str
    importance: str
    at: str
    begins_at: str
    ends_at: str
    is_open: bool
    symbols: list[str]


class ConditionLine(TypedDict):
    """What passing needs. That it is not there yet is no violation."""
    name: str
    needed: str
    reached: str
    is_met: bool


class ViolationLine(TypedDict):
    rule: str
    at: str
    value: str
    limit: str
    balance: str
    equity: str
    day: str
    day_from: str
    account_id: str
    stage: int
    position: int


class AssessmentPayoutLine(TypedDict):
    number: int
    state: str
    profit: str
    amount: str
    currency: str
    asked_by: str
    asked_at: str
    decided_by: str
    reason: str


class WordingPart(TypedDict):
    heading: str
    sentences: list[str]


class EquityRequest(TypedDict):
    assessment_id: str
    limit: NotRequired[int]


class EquityReply(TypedDict):
    points: list[PointLine]
    resets: list[ResetLine]


class PointLine(TypedDict):
    """Limits are null where there is no such rule."""
    at: str
    equity: str
    balance: str
    daily_limit: str | None
    overall_limit: str | None
    account_id: str


class ResetLine(TypedDict):
    at: str
    day_from: str


class PackReply(TypedDict):
    """`zip` is the pack, in base64; `sha256` is of the zip itself."""
    assessment_id: str
    file_name: str
    sha256: str
    zip: str


class RiskBookRequest(TypedDict):
    pass


class RiskBookReply(TypedDict):
    """The firm's own risk: what traders win on funded accounts it pays. `profit` is what they are
    ahead of the sizes of their accounts, `owed` their part of that where it is above nothing.
    """
    assessments: int
    funded: int
    profit_funded: str
    owed_funded: str
    near: int
    items: list[Exposure]


class Exposure(TypedDict):
    """What all assessments hold of one instrument together, at its mark."""
    symbol: str
    is_funded: bool
    assessments: int
    long_qty: str
    short_qty: str
    net_qty: str
    net_notional: str
    currency: str


class PayoutsAskedRequest(TypedDict):
    """Of one's own assessments; of everybody's for who may read all."""
    state: NotRequired[Literal['agreed', 'asked', 'failed', 'paid', 'refused'] | None]
    limit: NotRequired[int]


class PayoutsAskedReply(TypedDict):
    """The newest first."""
    items: list[AskedPayoutLine]


class AskedPayoutLine(TypedDict):
    assessment_id: str
    user: str
    tier: str
    account_id: str
    number: int
    state: str
    profit: str
    amount: str
    currency: str
    asked_by: str
    asked_at: str
    decided_by: str
    reason: str


class ViolationsRequest(TypedDict):
    """Of one's own assessments; of everybody's for who may read all. `cursor` goes on beneath a
    position.
    """
    rule: NotRequired[str | None]
    cursor: NotRequired[int]
    limit: NotRequired[int]


class ViolationsReply(TypedDict):
    """The newest first; `next` is the cursor of what comes behind them."""
    items: list[ViolationsLine]
    next: NotRequired[int | None]


class ViolationsLine(TypedDict):
    """What an assessment says of it, and whose it was. `GET /assessments/{assessment_id}/pack` has
    its evidence.
    """
    assessment_id: str
    user: str
    tier: str
    version: int
    rule: str
    at: str
    value: str
    limit: str
    balance: str
    equity: str
    day: str
    day_from: str
    account_id: str
    stage: int
    position: int


class AbandonRequest(TypedDict):
    assessment_id: str
    reason: str


class AssessmentDone(TypedDict):
    assessment_id: str
    position: int


class EvaluationDecideRequest(TypedDict):
    assessment_id: str
    number: int
    agrees: bool
    reason: str


class AskSimulationRequest(TypedDict):
    """One of `odds` (for tier_odds and sensitivity), `projection`, `validation`: that of its
    `kind`. Asked again it is the same simulation, which is not walked a second time.
    """
    kind: SimulationKind
    odds: NotRequired[OddsAsk | None]
    projection: NotRequired[ProjectionAsk | None]
    validation: NotRequired[ValidationAsk | None]
    journals: NotRequired[list[JournalText]]


class OddsAsk(TypedDict):
    """As POST /tiers/{tier}/versions/{version}/simulate, of any version. `capital` null: that of
    one account.
    """
    tier: str
    version: int
    traders: NotRequired[list[str]]
    paths: NotRequired[int]
    seed: NotRequired[int]
    days: NotRequired[int]
    funded_days: NotRequired[int]
    sales: NotRequired[int]
    sales_a_day: NotRequired[int]
    crowd: NotRequired[float]
    capital: NotRequired[float | None]


class ProjectionAsk(TypedDict):
    """Paths of days like those of `journal`: "account:ID", or "journal:NAME" of one of `journals`.
    """
    journal: str
    days: NotRequired[int]
    paths: NotRequired[int]
    seed: NotRequired[int]
    block: NotRequired[float]


class ValidationAsk(TypedDict):
    """Whether `journal` was luck. `against`: strategies that were tried besides; `trials`: how
    many were in all, those that are not at hand among them.
    """
    journal: str
    against: NotRequired[list[str]]
    trials: NotRequired[int]
    seed: NotRequired[int]
    block: NotRequired[float]
    bootstraps: NotRequired[int]


class SimulationFound(TypedDict):
    """`inputs` is all that it was made of, as JSON; `result` what was found, the bytes that
    `result_sha256` is of. The same is told in `traders`, `projection` or `validation`.
    """
    item: SimulationShown
    inputs: str
    result: str
    traders: list[OddsOfTrader]
    projection: Projection | None
    validation: StrategyValidation | None


class SimulationShown(TypedDict):
    """`done` of `total` steps of work while it is running. One that is interrupted was under way
    when the house stopped: ask for it again. `law` is the one it was walked by. `journal` or
    `tier` and `version` say what it is of. Times are nanoseconds since 1970, UTC.
    """
    simulation_id: str
    kind: SimulationKind
    state: Literal['canceled', 'done', 'failed', 'interrupted', 'running']
    law: int
    tier: str
    version: int
    journal: str
    seed: str
    paths: int
    done: int
    total: int
    error: str
    asked_by: str
    asked_at: str
    ended_at: str
    result_sha256: str


class Projection(TypedDict):
    """Parts of the account. `inputs` is the SHA-256 of all that it was made of."""
    inputs: str
    days: int
    paths: int
    seed: int
    block: float
    mean: float
    mean_se: float
    loss_probability: float
    result_quantiles: list[float]
    drawdown_mean: float
    drawdown_se: float
    drawdown_quantiles: list[float]
    falls: list[FallOdds]
    fan: list[FanPoint]
    scenarios: list[PathScenario]


class FallOdds(TypedDict):
    """That a path falls so far from its highest within the days, with its standard error."""
    fall: float
    probability: float
    se: float


class FanPoint(TypedDict):
    """After so many days: the quantiles of `QUANTILES`, in parts of the account."""
    day: int
    quantiles: list[float]


class PathScenario(TypedDict):
    """One path, the number of which draws it again: as good an end as that part of all have."""
    name: str
    quantile: float
    path: int
    result: float
    drawdown: float
    curve: list[float]


class StrategyValidation(TypedDict):
    """`probabilistic_sharpe` is the probability that the true ratio is above 0, `deflated_sharpe`
    that it is above the best that `trials` of no skill would have shown. `sharpe_low` and
    `sharpe_high` hold 95 of 100 bootstraps; `overfit_probability` is of the best among several,
    and None of one alone.
    """
    days: int
    sharpe: float
    sharpe_annual: float
    skewness: float
    kurtosis: float
    trials: int
    expected_max_sharpe: float
    probabilistic_sharpe: float
    deflated_sharpe: float
    sharpe_low: float
    sharpe_high: float
    mean_below_zero: float
    overfit_probability: float | None
    seed: int
    bootstraps: int
    bins: list[RatioBin]


class RatioBin(TypedDict):
    """How many bootstraps have a Sharpe ratio from `low` to below `high`."""
    low: float
    high: float
    count: int


class SimulationsRequest(TypedDict):
    """Those that were asked for last first. `cursor` is the `next` of the page before."""
    kind: NotRequired[SimulationKind | None]
    tier: NotRequired[str | None]
    state: NotRequired[Literal['canceled', 'done', 'failed', 'interrupted', 'running'] | None]
    cursor: NotRequired[int]
    limit: NotRequired[int]


class SimulationsReply(TypedDict):
    items: list[SimulationShown]
    next: int | None


class SimulationRequest(TypedDict):
    simulation_id: str


class MakeReportRequest(TypedDict):
    """Of an account as it is now. Asked again while nothing has happened it is the same report.
    """
    kind: ReportKind
    account_id: str
    currency: NotRequired[str | None]
    time_zone: NotRequired[str]
    min_position: NotRequired[int]


class ReportsReportReply(TypedDict):
    """A report that can be fetched. The hashes stand in the journal, too; `position` is that of
    the journal up to which everything counts.
    """
    report_id: str
    kind: ReportKind
    account_id: str
    assessment_id: str | None
    state: str
    position: int
    made_at: str
    made_by: str
    sha256: str
    html_sha256: str
    pdf_sha256: str | None
    html_url: str
    pdf_url: str | None
    tables: list[str]


class ReportsRequest(TypedDict):
    """The newest first. `cursor` is the `next` of the page before."""
    account_id: NotRequired[str | None]
    kind: NotRequired[ReportKind | None]
    cursor: NotRequired[int]
    limit: NotRequired[int]


class ReportsReply(TypedDict):
    items: list[ReportsReportReply]
    next: int | None


class ReportsReportRequest(TypedDict):
    report_id: str


class ReportCsvRequest(TypedDict):
    """`table` is one of a report's `tables`."""
    report_id: str
    table: NotRequired[str]


class OfferRequest(TypedDict):
    """`country` is where the buyer is taxed. `assessment_id` is the one that is reset, extended or
    upgraded; absent for a new one.
    """
    tier: str
    purpose: NotRequired[Literal['assessment', 'extension', 'reset', 'upgrade']]
    assessment_id: NotRequired[str]
    coupon: NotRequired[str | None]
    affiliate: NotRequired[str | None]
    country: NotRequired[str | None]


class OfferShown(TypedDict):
    """What it would cost now."""
    tier: str
    version: int
    fingerprint: str
    title: str
    purpose: Literal['assessment', 'extension', 'reset', 'upgrade']
    lines: list[LineShown]
    total: str
    tax: str
    currency: str


class LineShown(TypedDict):
    """A discount is negative; a tax that the price includes is 0 here, and its text says it."""
    kind: Literal['discount', 'fee', 'tax']
    text: str
    amount: str


class PurchaseShown(TypedDict):
    """Amounts are of `currency`; times are nanoseconds since 1970, UTC, "" where there is none.
    `checkout_url` is where it is paid, "" where it is not to be paid any more. `assessment_id`
    is the one that was bought, once it is paid for; or the one that this changes.
    """
    purchase_id: str
    state: Literal['awaiting_payment', 'charged_back', 'completed', 'disputed', 'expired', 'opened', 'partly_refunded', 'pending', 'refunded']
    user: str
    tier: str
    version: int
    fingerprint: str
    title: str
    purpose: Literal['assessment', 'extension', 'reset', 'upgrade']
    assessment_id: str | None
    lines: list[LineShown]
    total: str
    tax: str
    currency: str
    country: str
    coupon: str
    affiliate: str
    provider: str
    checkout_url: str
    opened_at: str
    expires_at: str
    completed_at: str
    refunded: str
    refundable: str
    refunds: list[RefundShown]
    dispute: Literal['', 'lost', 'open', 'won']


class RefundShown(TypedDict):
    refund_id: str
    amount: str
    state: Literal['asked', 'done', 'failed']
    reason: str


class PurchasesRequest(TypedDict):
    """`user` is for who may see everybody's. `before` is the `next` of the page before."""
    state: NotRequired[Literal['awaiting_payment', 'charged_back', 'completed', 'disputed', 'expired', 'opened', 'partly_refunded', 'pending', 'refunded'] | None]
    user: NotRequired[str]
    before: NotRequired[int]
    limit: NotRequired[int]


class PurchasesReply(TypedDict):
    """`next` 0: that was all."""
    items: list[PurchaseShown]
    next: int


class NamedPurchase(TypedDict):
    purchase_id: str


class PayoutsRequest(TypedDict):
    """`user` is for who may see everybody's."""
    state: NotRequired[Literal['failed', 'ordered', 'paid'] | None]
    user: NotRequired[str]
    limit: NotRequired[int]


class PayoutsReply(TypedDict):
    items: list[PaymentsPayoutShown]


class PaymentsPayoutShown(TypedDict):
    payout_id: str
    user: str
    assessment_id: str
    amount: str
    currency: str
    state: str
    reference: str
    reason: str


class NoDestination(TypedDict):
    pass


class DestinationShown(TypedDict):
    """Where you are paid; all "" while you have said nothing. `changed_at` is ns since 1970."""
    destination: str
    provider: str
    changed_at: str


class DestinationRequest(TypedDict):
    """The payment provider's name of the account that you are paid into: at Stripe your connected
    account, "acct_…". The sandbox takes anything, and refuses to pay into "acct_closed".
    """
    destination: str


class ReconciliationRequest(TypedDict):
    """A day of the provider, UTC; absent: yesterday."""
    day: NotRequired[str]


class ReconciliationShown(TypedDict):
    """`compared` movements of the day are the same here and there."""
    day: str
    provider: str
    is_right: bool
    compared: int
    missing_here: list[MovementShown]
    missing_there: list[MovementShown]
    differ: list[DifferenceShown]


class MovementShown(TypedDict):
    """`name` is the purchase or payout, "" where the provider does not say."""
    kind: str
    reference: str
    name: str
    amount: str
    currency: str
    at: str


class DifferenceShown(TypedDict):
    kind: str
    reference: str
    name: str
    ours: str
    ours_currency: str
    theirs: str
    theirs_currency: str


class RefundRequest(TypedDict):
    """`amount` absent: all that may still be given back."""
    purchase_id: str
    reason: str
    amount: NotRequired[str | None]


class DisputesRequest(TypedDict):
    state: NotRequired[Literal['lost', 'open', 'won'] | None]
    limit: NotRequired[int]


class DisputesReply(TypedDict):
    items: list[DisputeShown]


class DisputeShown(TypedDict):
    """`reason` is the provider's word for why; `due_at` until when it may be answered, "" where
    the provider has not said. Times are nanoseconds since 1970, UTC, "" where there is none.
    `assessment_id` is the one that was bought, or changed.
    """
    dispute: str
    state: Literal['lost', 'open', 'won']
    amount: str
    fee: str
    currency: str
    reason: str
    provider: str
    opened_at: str
    due_at: str
    closed_at: str
    evidence: EvidenceShown
    purchase_id: str
    purchase_state: Literal['awaiting_payment', 'charged_back', 'completed', 'disputed', 'expired', 'opened', 'partly_refunded', 'pending', 'refunded']
    user: str
    tier: str
    version: int
    title: str
    purpose: Literal['assessment', 'extension', 'reset', 'upgrade']
    assessment_id: str | None
    total: str
    bought_at: str
    completed_at: str


class EvidenceShown(TypedDict):
    """`state` "" where none was handed in; `reason` is why the provider did not take it."""
    state: Literal['', 'asked', 'refused', 'sent']
    by: str
    at: str
    reason: str
    product: str
    activity: str
    text: str


class EvidenceRequest(TypedDict):
    """What the buyer's bank is to read, in one language: what was sold, that it was used and when,
    and whatever else. At least one of them. It stays in the journal: leave out names, addresses
    and numbers of people.
    """
    dispute: str
    product: NotRequired[str]
    activity: NotRequired[str]
    text: NotRequired[str]


class PaymentsNoFields(TypedDict):
    pass


class CouponsReply(TypedDict):
    items: list[CouponShown]


class CouponShown(TypedDict):
    """`uses` are purchases that were paid with it, or may be until their checkout ends."""
    coupon: str
    percent: str
    amount: str
    currency: str
    uses: int
    uses_max: int
    uses_each_max: int
    begins_at: str
    ends_at: str
    products: list[str]


class PutCouponRequest(TypedDict):
    """`percent` or `amount` with `currency`. `uses_max` and `uses_each_max` (of one user) 0: as
    often as somebody likes. Times are nanoseconds since 1970, UTC; `ends_at` 0: never.
    `products` empty: all.
    """
    coupon: str
    percent: NotRequired[str | None]
    amount: NotRequired[str | None]
    currency: NotRequired[str | None]
    uses_max: NotRequired[int]
    uses_each_max: NotRequired[int]
    begins_at: NotRequired[int]
    ends_at: NotRequired[int]
    products: NotRequired[list[str]]


class NamedCoupon(TypedDict):
    coupon: str


class CouponGone(TypedDict):
    retired: str


class AffiliatesReply(TypedDict):
    items: list[AffiliateShown]


class AffiliateShown(TypedDict):
    affiliate: str
    name: str
    percent: str
    is_active: bool
    earned: list[EarnedLine]


class EarnedLine(TypedDict):
    """Less what went back."""
    currency: str
    purchases: int
    paid: str
    commission: str


class PutAffiliateRequest(TypedDict):
    """`percent` of what buyers have paid without tax."""
    affiliate: str
    name: str
    percent: str
    is_active: NotRequired[bool]


class TaxRatesReply(TypedDict):
    items: list[TaxRateShown]


class TaxRateShown(TypedDict):
    country: str
    name: str
    percent: str
    is_included: bool


class PutTaxRateRequest(TypedDict):
    """`percent` 0 takes the country out. `is_included`: prices hold it already."""
    country: str
    name: str
    percent: str
    is_included: NotRequired[bool]


class ClockRequest(TypedDict):
    pass


class ClockReply(TypedDict):
    """Times are nanoseconds since 1970, as text. `state` is "live" in a house whose time is
    everybody's; `advancing_to` is "0" unless it moves; `progress` is 0 to 1.
    """
    is_sandbox: bool
    state: Literal['advancing', 'failed', 'live', 'ready']
    now: str
    wall_now: str
    advancing_from: str
    advancing_to: str
    progress: float
    stops: int
    failed_at: str
    failed_timer: str
    error: str
    next: list[TimerLine]


class TimerLine(TypedDict):
    """What is due next, and whose it is."""
    at: str
    what: str
    stream: str


class AdvanceRequest(TypedDict):
    """One of `to` and `by`; neither: time stays, and `prices` are quoted from now on."""
    to: NotRequired[str | None]
    by: NotRequired[str | None]
    prices: NotRequired[list[PriceAsk]]


class PriceAsk(TypedDict):
    """`at` "": as soon as the advance begins."""
    symbol: str
    bid: str
    ask: str
    at: NotRequired[str]


class PriceRequest(TypedDict):
    symbol: str


class PriceReply(TypedDict):
    symbol: str
    quality: Quality
    synthetic: bool
    last: QuoteReply | None
    mid: QuoteReply | None
    mark: QuoteReply | None


class QuoteReply(TypedDict):
    price: str
    source: str
    age_ms: float


class OrderbookRequest(TypedDict):
    symbol: str
    depth: NotRequired[int]


class OrderbookReply(TypedDict):
    """`checksum` is over the best ten levels in whole ticks and lots, as `LiveBook.checksum` says;
    `version` grows with every update.
    """
    symbol: str
    quality: Quality
    source: str
    synthetic: bool
    sequence: int
    version: int
    checksum: int
    checksum_levels: int
    age_ms: float
    bids: list[LevelReply]
    asks: list[LevelReply]
    phase: NotRequired[str]
    indicative: NotRequired[IndicativeReply | None]


class IndicativeReply(TypedDict):
    """What an auction would give if it ended now. `surplus` would buy, or sell where it is
    negative, and find nobody.
    """
    price: str
    qty: str
    surplus: str


class ConsolidatedRequest(TypedDict):
    symbol: str
    depth: NotRequired[int]


class ConsolidatedReply(TypedDict):
    """Every good source's levels together. `crossed` where the best bid of one source is at or
    above the best ask of another.
    """
    symbol: str
    crossed: bool
    bids: list[ConsolidatedLevelReply]
    asks: list[ConsolidatedLevelReply]
    sources: list[SourceReply]


class SourceReply(TypedDict):
    """One source of an instrument. `format` is of which year the messages are that it was read by,
    where that was never tried live; `shown` is whether book and mark are this one's now.
    """
    source: str
    format: str
    quality: Quality
    shown: bool
    age_ms: float
    mid: str | None


class BarsRequest(TypedDict):
    symbol: str
    interval: NotRequired[str]
    limit: NotRequired[int]


class BarsReply(TypedDict):
    symbol: str
    interval: str
    items: list[BarReply]


class BarReply(TypedDict):
    start: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    buy_volume: str
    trades: int


class ContractsRequest(TypedDict):
    pass


class ContractsReply(TypedDict):
    items: list[ContractReply]


class ContractReply(TypedDict):
    """One event contract. `determined` is what was said that it pays, and may still be disputed;
    `payout` is what it paid, and null until it is settled. Both are per contract.
    """
    symbol: str
    stage: Stage
    since: int
    close_at: int
    determined: str | None
    payout: str | None
    source: str
    format: str
    refused: int
    history: list[StageReply]


class StageReply(TypedDict):
    stage: Stage
    at: int


class FeedsRequest(TypedDict):
    pass


class FeedsReply(TypedDict):
    items: list[FeedReply]


class FeedReply(TypedDict):
    """The health of one instrument's feed; `switches` are the newest ones, oldest first."""
    symbol: str
    quality: Quality
    since: int
    source: str
    format: str
    tallies: Tallies
    delays: dict[str, Delays]
    sources: list[SourceReply]
    switches: list[SwitchReply]


class Tallies(TypedDict):
    """What was counted of one instrument's feed, for metrics and for the House page."""
    messages: NotRequired[int]
    diffs: NotRequired[int]
    snapshots: NotRequired[int]
    tickers: NotRequired[int]
    trades: NotRequired[int]
    gaps: NotRequired[int]
    crossed: NotRequired[int]
    stale: NotRequired[int]
    recoveries: NotRequired[int]
    malformed: NotRequired[int]
    outliers: NotRequired[int]
    snapshots_late: NotRequired[int]
    tickers_compared: NotRequired[int]
    tickers_different: NotRequired[int]
    checksums: NotRequired[int]
    checksums_different: NotRequired[int]
    latency_negative: NotRequired[int]
    latency_last_ns: NotRequired[int]
    latency_max_ns: NotRequired[int]


class Delays(TypedDict):
    """How long bad books looked good: from the last good update to the change of quality."""
    count: NotRequired[int]
    last_ns: NotRequired[int]
    max_ns: NotRequired[int]
    total_ns: NotRequired[int]


class SwitchReply(TypedDict):
    """Another source was shown from `at` on. `confirmed_at` is 0 while the price is in doubt."""
    at: int
    before: str
    after: str
    reason: Quality
    price_before: str
    price_after: str
    jump_bps: int
    confirmed_at: int


class HouseRequest(TypedDict):
    pass


class HouseReply(TypedDict):
    version: str
    python: str
    machine: str
    at: str
    started_at: str
    serving: bool
    environment: str
    feed: str
    demo: bool
    killed: bool
    kill_reason: str
    parts: list[PartLine]
    feeds: list[FeedLine]
    windows: list[WindowLine]
    position: int
    entries_per_s: float
    commits: int
    commit_mean_ms: float | None
    commit_queue: int
    messages_open: int
    followers: list[FollowerLine]
    accounts: int
    owners: int
    websockets: int
    disks: list[DiskLine]
    disk_free: int
    disk_total: int
    memory_bytes: int
    memory_peak_bytes: int
    cpu_s: float
    kernels: list[KernelLine]
    checks: CheckedLine
    verification: VerificationReply
    places: list[PlaceLine]


class PartLine(TypedDict):
    """What must hold for the house to be ready, as /ready has it."""
    name: str
    ok: bool
    says: str


class FeedLine(TypedDict):
    symbol: str
    source: str
    quality: Quality
    since: str | None
    age_ms: float
    messages: int
    gaps: int
    crossed: int
    stale: int
    recoveries: int
    malformed: int


class WindowLine(TypedDict):
    """Orders, from the request read to its answer behind the commit, over all doors. Percentiles
    are upper edges of buckets, at most 16 % too many; null where nothing was asked.
    """
    seconds: int
    count: int
    refused: int
    per_s: float
    p50_ms: float | None
    p99_ms: float | None
    p999_ms: float | None


class FollowerLine(TypedDict):
    name: str
    position: int
    behind: int
    trouble: str


class DiskLine(TypedDict):
    name: str
    bytes: int


class KernelLine(TypedDict):
    name: str
    state: str


class CheckedLine(TypedDict):
    """The last round of standing checks."""
    at: str | None
    position: int
    holds: bool
    failing: list[str]


class VerificationReply(TypedDict):
    """The journal's verification: the one that runs, if one does, and what the last has found.
    """
    running: bool
    started_at: str | None
    entries: int
    total: int
    trouble: str
    last: Verified | None


class Verified(TypedDict):
    """What was found: `wrong` is empty where everything is what was written. `first` names the
    first entry that is not, where one is to blame.
    """
    at: int
    took_ms: int
    entries: int
    root: str
    roots: int
    wrong: list[str]
    first: NotRequired[Any]


class PlaceLine(TypedDict):
    """A place that the house calls: a webhook, a provider. "open" is left alone after failing.
    """
    place: str
    state: Literal['closed', 'half_open', 'open']
    calls: int
    failures: int
    opened: int
    again_in_ms: int


class LatencyRequest(TypedDict):
    """The last `seconds`, `step_s` together."""
    seconds: NotRequired[int]
    step_s: NotRequired[int]


class LatencyReply(TypedDict):
    """A step that nobody counted is left out: that is a gap, not a zero. A percentile is null
    where nothing was asked. `at_ms` is the end of the step.
    """
    at_ms: list[int]
    p50_ms: list[float | None]
    p99_ms: list[float | None]
    p999_ms: list[float | None]
    orders: list[int]
    refused: list[int]
    entries: list[int]


class VersionsRequest(TypedDict):
    """What versions of the API there are."""


class VersionsReply(TypedDict):
    items: list[VersionLine]


class VersionLine(TypedDict):
    """Days are ISO 8601; null where nobody has said when."""
    major: int
    version: str
    path: str
    document: str
    released: str
    deprecated: str | None
    sunset: str | None
    changes: list[ChangeLine]


class ChangeLine(TypedDict):
    title: str
    why: str


class UsesRequest(TypedDict):
    """Who of your tenant asked for which version."""


class UsesReply(TypedDict):
    """Of the last 400 days, whoever asks most first."""
    items: list[UseLine]


class UseLine(TypedDict):
    """`caller` is a user, with `/` and the name of the key; `is_ending` is of its version."""
    caller: str
    major: int
    requests: int
    first_day: str
    last_day: str
    is_ending: bool


class PlaceOrderRequest(TypedDict):
    """`cl_ord_id` is yours: send the same request again if unsure that we heard you."""
    account_id: str
    cl_ord_id: str
    symbol: str
    side: Side
    ord_type: NotRequired[OrdType]
    order_qty: NotRequired[str | None]
    price: NotRequired[str | None]
    time_in_force: NotRequired[TimeInForce]
    stop_px: NotRequired[str | None]
    trail_offset: NotRequired[str | None]
    display_qty: NotRequired[str | None]
    cash_order_qty: NotRequired[str | None]
    expire_time: NotRequired[str | None]
    post_only: NotRequired[bool]
    reduce_only: NotRequired[bool]
    self_match_prevention: NotRequired[SelfMatch | None]
    midpoint: NotRequired[bool]
    min_qty: NotRequired[str | None]


class OrderReply(TypedDict):
    order_id: str
    cl_ord_id: str
    ord_status: OrdStatus
    leaves_qty: str
    position: int


class BulkRequest(TypedDict):
    """Each order for itself; or, `atomic`, all or none of one account, decided in one turn."""
    orders: list[PlaceOrderRequest]
    atomic: NotRequired[bool]
    contingency: NotRequired[Contingency | None]


class BulkReply(TypedDict):
    items: list[BulkItem]
    accepted: int
    position: int


class BulkItem(TypedDict):
    """What a single request for this order would have been answered."""
    cl_ord_id: str
    status: int
    order_id: NotRequired[str]
    ord_status: NotRequired[OrdStatus | None]
    leaves_qty: NotRequired[str]
    position: NotRequired[int]
    error: NotRequired[ItemError | None]


class ItemError(TypedDict):
    """Why one item failed: the fields of a problem that belong to it alone."""
    code: str
    message: str
    retryable: bool
    reached_venue: str
    details: dict[str, Any]


class CancelOrderRequest(TypedDict):
    order_id: str


class ChangeReply(TypedDict):
    """`ord_status` is pending_cancel or pending_replace until the venue has answered."""
    order_id: str
    ord_status: OrdStatus
    position: int


class ReplaceOrderRequest(TypedDict):
    """What is left out stays as it is. `cl_ord_id` names the new terms."""
    order_id: str
    cl_ord_id: str
    order_qty: NotRequired[str | None]
    price: NotRequired[str | None]
    stop_px: NotRequired[str | None]


class CancelOrdersRequest(TypedDict):
    account_id: str
    symbol: NotRequired[str | None]
    side: NotRequired[Side | None]


class ChangesReply(TypedDict):
    items: list[ChangeReply]
    position: int


class ClosePositionsRequest(TypedDict):
    account_id: str
    symbol: NotRequired[str | None]


class OpenAccountRequest(TypedDict):
    account_id: str
    name: NotRequired[str]
    virtual: NotRequired[bool]
    account_type: NotRequired[AccountType]


class AccountOpenedReply(TypedDict):
    account_id: str
    currency: str
    position: int
    account_type: AccountType


class EitherTransferRequest(TypedDict):
    account_id: str
    asset: str
    amount: str
    transfer_id: NotRequired[str | None]
    direction: Literal['deposit', 'withdrawal']


class TradingTransferReply(TypedDict):
    account_id: str
    direction: Literal['deposit', 'withdrawal']
    asset: str
    amount: str
    position: int


class TradingTransferRequest(TypedDict):
    """`transfer_id` is yours, as a cl_ord_id is: the same transfer sent again moves nothing."""
    account_id: str
    asset: str
    amount: str
    transfer_id: NotRequired[str | None]


class AccountLimitsRequest(TypedDict):
    """Limits of this account instead of the house's; null goes back to those."""
    account_id: str
    limits: LimitsBody | None
    reason: str


class LimitsBody(TypedDict):
    """Decimals as text, in units and in the account's currency; what is left out is off."""
    order_qty_max: NotRequired[dict[str, str]]
    order_notional_max: NotRequired[str | None]
    collar_bps: NotRequired[int]
    position_max: NotRequired[dict[str, str]]
    concentration_max_bps: NotRequired[int]
    class_concentration_max_bps: NotRequired[dict[str, int]]
    issuer_concentration_max_bps: NotRequired[int]
    venue_concentration_max_bps: NotRequired[int]
    daily_loss_max: NotRequired[str | None]
    orders_max: NotRequired[int]
    notional_max: NotRequired[str | None]
    rate_window_ms: NotRequired[int]
    duplicate_window_ms: NotRequired[int]
    market_protection_bps: NotRequired[int]
    self_match_prevention: NotRequired[SelfMatch | None]


class DoneReply(TypedDict):
    """It is so from here on; `changed` is false where it was so before."""
    changed: bool
    position: int


class AccountFeesRequest(TypedDict):
    """What this account pays in place of an instrument's fees; of every instrument that is not
    named, where `symbol` is left out. null: what everybody pays.
    """
    account_id: str
    fees: FeeRates | None
    reason: str
    symbol: NotRequired[str | None]


class FeeRates(TypedDict):
    """In parts per million, as an instrument's. A maker's may be negative, which is a rebate."""
    maker_fee_ppm: int
    taker_fee_ppm: int


class AccountStateRequest(TypedDict):
    account_id: str
    state: TradingState
    reason: str


class HouseLimitsRequest(TypedDict):
    limits: LimitsBody
    reason: str


class HouseStateRequest(TypedDict):
    """Of the whole house, or of one instrument."""
    state: TradingState
    reason: str
    symbol: NotRequired[str | None]


class KillRequest(TypedDict):
    reason: str


class FeesRequest(TypedDict):
    """In parts per million of the notional. A maker's may be negative, which is a rebate, but not
    more than what the taker pays. Of an event contract `formula` names whose rounding is used,
    and the rates are of C x P x (1 - P); left out, it stays what it is.
    """
    symbol: str
    maker_fee_ppm: int
    taker_fee_ppm: int
    formula: NotRequired[FeeFormula | None]


class SettlementRequest(TypedDict):
    """Sessions that open between a fill and its settlement: T+n; 0 settles at once. What is traded
    before keeps its day. Only days of business of `calendar` count: an exchange's code (ISO
    10383), WEEKDAYS, or "" for every day; left out, it stays what it is. With `confirms`, what
    a fill brings into a cash account is held until its exchange, or an operator, has said that
    it is confirmed.
    """
    symbol: str
    settle_days: int
    calendar: NotRequired[str | None]
    confirms: NotRequired[bool | None]


class SwapRequest(TypedDict):
    """What a position of a margin account is charged for each session day over which it is kept,
    in parts per million of its worth at the mark; below zero it is credited. Left out: nothing.
    """
    symbol: str
    reason: str
    long_ppm: NotRequired[int]
    short_ppm: NotRequired[int]


class RestrictedRequest(TypedDict):
    """The whole restricted list as it is to be: what is not on it may be traded."""
    symbols: list[str]
    reason: str


class TradingSessionRequest(TypedDict):
    """When a trading day begins: a minute of the local day in an IANA time zone."""
    time_zone: str
    opens_minute: NotRequired[int]


class ContractRequest(TypedDict):
    """What has become of an event contract. `payout` is what one contract pays, from 0 to 1; it is
    needed where the contract is determined, and settling may repeat it. Once it is settled,
    every position is paid, and nothing takes that back.
    """
    symbol: str
    stage: Stage
    reason: str
    payout: NotRequired[str | None]


class FinalityRequest(TypedDict):
    """What an execution has become. Confirmed, what it brought in is free; failed, it is taken
    back as if it had never been. Either is for good; anything else changes nothing.
    """
    order_id: str
    exec_number: int
    finality: Finality
    reason: str


class NewsRequest(TypedDict):
    """From now on, where `after` does not say otherwise; the next ones first."""
    after: NotRequired[str | None]
    importance: NotRequired[Importance]
    symbol: NotRequired[str | None]
    limit: NotRequired[int]


class NewsReply(TypedDict):
    items: list[NewsLine]


class NewsLine(TypedDict):
    """`touches` are the instruments of this house that it concerns; `at` in nanoseconds since
    1970, UTC.
    """
    id: str
    at: str
    time: str
    importance: Importance
    title: str
    currencies: list[str]
    instruments: list[str]
    touches: list[str]
    source: str


class ImportNewsRequest(TypedDict):
    """`items`, or the same as `csv` with a header: time, importance, title, and if wanted
    currencies and instruments (with spaces between them), source, id. One with an id that is
    known takes its place; all of it is taken, or nothing.
    """
    reason: str
    items: NotRequired[list[NewsAsked]]
    csv: NotRequired[str]
    dry_run: NotRequired[bool]


class NewsAsked(TypedDict):
    """`time` has a zone: Z, or an offset. It touches the instruments that it names and all that
    have one of its currencies; without either it touches all. Without `id` it has one made of
    its time and its title.
    """
    time: str
    importance: Importance
    title: str
    currencies: NotRequired[list[str]]
    instruments: NotRequired[list[str]]
    source: NotRequired[str]
    id: NotRequired[str | None]


class ImportNewsReply(TypedDict):
    """`position` 0: nothing was written, as it was only tried, or all of it was known."""
    new: int
    changed: int
    same: int
    touching_none: int
    over: int
    items: list[NewsLine]
    position: int


class RemoveNewsRequest(TypedDict):
    news_id: str
    reason: NotRequired[str]


class SendRequest(TypedDict):
    """What nothing holds goes to another account of yours. `transfer_id` is yours, as a cl_ord_id
    is: the same transfer sent again moves nothing.
    """
    account_id: str
    to_account_id: str
    asset: str
    amount: str
    transfer_id: NotRequired[str | None]


class SentNowReply(TypedDict):
    """It has left the account; the other one has it within a moment, or sends it back."""
    account_id: str
    number: int
    to_account_id: str
    asset: str
    amount: str
    status: Literal['pending']
    position: int


class ResetRequest(TypedDict):
    """All that a virtual account has from here on."""
    account_id: str
    balances: dict[str, str]


class MarginRequest(TypedDict):
    """Tiers by notional, upwards, in the accounts' currency; null: paid for in full, not sold
    short.
    """
    symbol: str
    tiers: list[TierBody] | None
    reason: str


class TierBody(TypedDict):
    """Rates of a position that is worth up to `notional_max`, in parts per million of its
    notional; the last tier has no end. `deduction` is what its maintenance is less than rate x
    notional.
    """
    initial_ppm: int
    maintenance_ppm: int
    notional_max: NotRequired[str | None]
    deduction: NotRequired[str]


class IssuerRequest(TypedDict):
    """Who stands behind the base asset, as concentration limits name it; "" is nobody."""
    symbol: str
    issuer: str


class HaircutRequest(TypedDict):
    """What of an asset's worth is no collateral, in parts per million."""
    asset: str
    haircut_ppm: int
    reason: str


class MarginRulesRequest(TypedDict):
    """Levels at which an account is warned: maintenance requirement over equity, in basis points.
    At 10000 it is liquidated. A level is said again once the share has been `hysteresis_bps`
    below it.
    """
    warning_bps: list[int]
    reason: str
    hysteresis_bps: NotRequired[int]


class MarginAccountRequest(TypedDict):
    account_id: str


class MarginReply(TypedDict):
    """Amounts in the account's currency. `available` is what new orders may use, those that work
    counted at their worst; `used_bps` is maintenance over equity, and at 10000 it is
    liquidated.
    """
    account_id: str
    currency: str
    equity: str
    initial: str
    maintenance: str
    available: str
    used_bps: int | None
    warned_bps: int
    liquidating: bool
    positions: list[MarginPositionLine]


class MarginPositionLine(TypedDict):
    """`entry_px` is the average of what was traded here; what was deposited has none. At
    `liquidation_px` of this instrument alone the account would be liquidated; absent: at none.
    """
    symbol: str
    kind: str
    side: str
    qty: str
    mark_px: str
    quality: str
    notional: str
    initial: str
    entry_px: NotRequired[str | None]
    unrealized: NotRequired[str | None]
    liquidation_px: NotRequired[str | None]


class NearestRequest(TypedDict):
    limit: NotRequired[int]


class NearestReply(TypedDict):
    """Accounts on margin with a requirement, the least covered first; how many are watched."""
    items: list[NearestLine]
    watched: int
    warned: int
    liquidating: int


class NearestLine(TypedDict):
    """Amounts in the account's currency. `used_bps`: what the maintenance requirement takes of
    equity; at 10000 the account is liquidated. null where there is no equity.
    """
    account_id: str
    equity: str
    initial: str
    maintenance: str
    used_bps: int | None
    liquidating: bool
    positions: list[ClosedLine]


class ClosedLine(TypedDict):
    """A position, and the price of its instrument alone at which the account is liquidated; null
    where no price does it.
    """
    symbol: str
    side: Side
    qty: str
    liquidation_px: str | None


class StopRequest(TypedDict):
    """One account or one instrument; the house itself is stopped by POST /risk/kill."""
    reason: str
    account_id: NotRequired[str | None]
    symbol: NotRequired[str | None]


class StoppedReply(TypedDict):
    """Nothing new is accepted from `position` on; `since` of GET /risk/kill takes it."""
    changed: bool
    position: int
    accounts: int


class PreviewLimitsRequest(TypedDict):
    """Of one account, where null goes back to those of the house; or of the house, for every
    account that has none of its own.
    """
    limits: LimitsBody | None
    account_id: NotRequired[str | None]


class PreviewLimitsReply(TypedDict):
    """`now` are the limits in force. `changes` are those of the account, or of the house, where
    nothing is used. `accounts` were looked at: one, or those of your tenant that are in memory;
    `exceeding` would be over.
    """
    now: LimitsBody
    own: bool
    changes: list[LimitChange]
    accounts: int
    exceeding: list[AccountExceeding]


class LimitChange(TypedDict):
    """One limit before and after; null is off. `used` is now, in the same unit, where the limit is
    one that is used up.
    """
    name: str
    unit: str
    about: NotRequired[str]
    before: NotRequired[str | None]
    after: NotRequired[str | None]
    used: NotRequired[str | None]
    exceeded: NotRequired[bool]


class AccountExceeding(TypedDict):
    account_id: str
    exceeded: list[str]


class ValidationReply(TypedDict):
    """What POST /orders would be answered now. Nothing was placed, held or counted."""
    accepted: bool
    reasons: list[RefusalReply]
    order_qty_max: str | None
    headroom: HeadroomReply
    marks: list[MarkReply]
    policy_version: int
    cost: NotRequired[CostReply | None]


class RefusalReply(TypedDict):
    reason: str
    text: str
    value: NotRequired[str | None]
    limit: NotRequired[str | None]
    distance: NotRequired[str | None]
    unit: NotRequired[str | None]


class HeadroomReply(TypedDict):
    """What is left of each rule before the order; a rule that is off is left out. `qty` and
    `position` in units, `collar` as a price distance, ratios in basis points, `power` of the
    asset that pays (on margin, of the base asset that can be closed), the others in the
    account's currency.
    """
    qty: NotRequired[str | None]
    notional: NotRequired[str | None]
    collar: NotRequired[str | None]
    position: NotRequired[str | None]
    concentration_bps: NotRequired[int | None]
    class_concentration_bps: NotRequired[int | None]
    daily_loss: NotRequired[str | None]
    orders: NotRequired[int | None]
    notional_rate: NotRequired[str | None]
    power: NotRequired[str | None]
    margin: NotRequired[str | None]
    issuer_concentration_bps: NotRequired[int | None]
    venue_concentration_bps: NotRequired[int | None]
    trade_risk: NotRequired[str | None]
    open_positions: NotRequired[int | None]
    open_lots: NotRequired[str | None]
    leverage: NotRequired[str | None]


class MarkReply(TypedDict):
    symbol: str
    price: str
    quality: str
    source: str
    at: int


class CostReply(TypedDict):
    """What the order would cost if it were placed now, against what the market displays.
    `notional` and `fee`, in `currency`, are of what executes at once and of what rests or
    waits: it is taken to execute at its own price, a resting limit as a maker. `slippage` is
    what executes at once pays beyond the middle of the touch. `qty_max` is the largest order
    that would pass every rule; of an order by cash the most that it could have needed.
    """
    currency: str
    qty: str
    at_once_qty: str
    unfilled_qty: str
    avg_px: str | None
    notional: str
    fee: str
    slippage: str | None
    slippage_bps: str | None
    hold: str
    hold_asset: str
    qty_max: str
    margin: MarginAfterReply | None


class MarginAfterReply(TypedDict):
    """Where a margin account would stand after all of the order has executed, in the account's
    currency; `available` with every other order at its worst, as the rule counts it. At
    `liquidation_px` of this instrument alone it would be liquidated; null: at none.
    """
    currency: str
    equity: str
    initial: str
    maintenance: str
    available: str
    used_bps: int | None
    liquidation_px: str | None
    liquidation_bps: int | None


class ValidateReplaceRequest(TypedDict):
    """New terms of an order that works. What is left out stays as it is."""
    order_id: str
    order_qty: NotRequired[str | None]
    price: NotRequired[str | None]
    stop_px: NotRequired[str | None]


class ReplaceValidationReply(TypedDict):
    """What PATCH /orders/{order_id} would be answered now; a venue may still deny it. `cancels`:
    no more would be left than has executed. `hold` is set aside while the venue is asked, for
    the old terms and the new ones.
    """
    accepted: bool
    cancels: bool
    reasons: list[RefusalReply]
    hold: str | None
    hold_asset: str | None
    policy_version: int


class ListValidationReply(TypedDict):
    """What POST /orders/bulk with `atomic` would be answered: all pass, or none is placed."""
    accepted: bool
    items: list[ValidationReply]
    policy_version: int


class LimitsRequest(TypedDict):
    account_id: str


class LimitsReply(TypedDict):
    account_id: str
    own: bool
    limits: LimitsBody
    trading_state: TradingState
    house_state: TradingState
    instrument_states: dict[str, TradingState]
    restricted: list[str]
    usage: list[LimitLine]
    open_orders: int
    policy_version: int


class LimitLine(TypedDict):
    """One limit with what of it is used; both in `unit`."""
    name: str
    limit: str
    used: str
    unit: str
    about: NotRequired[str]


class ListInstrumentRequest(TypedDict):
    """An instrument that trades on the house's own book. Tick and lot are for good.
    `reference_price` is what it is taken to be worth until it trades. A base asset that is new
    here is kept at nine decimals if it is of the class crypto, else at those of its lot; a
    quote asset that is new is money, at eight.
    """
    symbol: str
    base: str
    quote: str
    tick_size: str
    lot_size: str
    reference_price: str
    kind: NotRequired[Literal['linear', 'spot']]
    mic: NotRequired[Literal['CROSS']]
    asset_class: NotRequired[str]
    issuer: NotRequired[str]
    maker_fee_ppm: NotRequired[int]
    taker_fee_ppm: NotRequired[int]
    settle_days: NotRequired[int]
    allocation: NotRequired[Allocation]
    settle: NotRequired[str | None]
    round_lot: NotRequired[str]


class ListedReply(TypedDict):
    symbol: str
    mic: str
    tick_size: str
    lot_size: str
    position: int


class PhaseRequest(TypedDict):
    """`reference_price` decides an auction that ends by this and leaves its price open; without it
    the last trade does.
    """
    symbol: str
    phase: Phase
    reason: str
    reference_price: NotRequired[str | None]


class PhaseReply(TypedDict):
    """`uncrossed` is null where no auction ended, or nobody met anybody in it."""
    symbol: str
    phase: Phase
    uncrossed: UncrossedReply | None
    position: int


class UncrossedReply(TypedDict):
    """An auction ended at `price`. `surplus` would have bought, or sold where it is negative."""
    price: str
    qty: str
    surplus: str
    trades: int


class ScheduleRequest(TypedDict):
    """The phases of every day of business, in the order in which they come; the last one closes.
    Without steps the phases follow nobody but those who set them. `calendar` is an exchange's
    code (ISO 10383), WEEKDAYS, or "" for every day; left out, the one by which the instrument
    settles. What an operator has halted stays halted until an operator sets another phase.
    """
    symbol: str
    reason: str
    time_zone: NotRequired[str]
    steps: NotRequired[list[StepLine]]
    calendar: NotRequired[str | None]


class StepLine(TypedDict):
    """`at` is what clocks in the schedule's time zone show."""
    at: str
    phase: Phase


class ShowScheduleRequest(TypedDict):
    symbol: str


class ScheduleReply(TypedDict):
    """Without steps there is no schedule, and so no next step."""
    symbol: str
    phase: Phase
    time_zone: str
    calendar: str
    steps: list[StepLine]
    next: NextStep | None


class NextStep(TypedDict):
    due: str
    phase: Phase


class PoolsRequest(TypedDict):
    """Nothing to say."""


class PoolsReply(TypedDict):
    items: list[PoolLine]


class PoolLine(TypedDict):
    """`inventory` is what blocks have left with the house, in units."""
    symbol: str
    lot_size: str
    round_lot: str
    account_id: str
    inventory: str
    buys: WaitingLine
    sells: WaitingLine
    on_street: list[StreetLine]


class WaitingLine(TypedDict):
    """Of one side, those included whose block is on the street."""
    orders: int
    qty: str


class StreetLine(TypedDict):
    """A block on the street: `order_id` is the desk's own order, "" until that is accepted."""
    block: int
    side: Side
    order_id: str
    order_qty: str
    cum_qty: str
    price: str
    orders: int
    wanted_qty: str


class PoolRequest(TypedDict):
    symbol: str


class PoolReply(TypedDict):
    """`blocks` are the last that are over, newest first."""
    pool: PoolLine
    blocks: list[AllocatedLine]


class AllocatedLine(TypedDict):
    """A block that is over. `avg_px` is what all its parts were traded at, shown to six decimals
    more than a price has. `text` says why the street did not do all of it.
    """
    block: int
    side: Side
    street_qty: str
    street_cost: str
    avg_px: str
    qty: str
    cost: str
    parts: list[VenuesPartLine]
    inventory: str
    text: str


class VenuesPartLine(TypedDict):
    """`cost` is exact, before fees and before it is rounded to what the ledger keeps."""
    order_id: str
    qty: str
    cost: str


class OrdersRequest(TypedDict):
    account_id: NotRequired[str | None]
    cl_ord_id: NotRequired[str | None]
    symbol: NotRequired[str | None]
    ord_status: NotRequired[str | None]
    side: NotRequired[Side | None]
    since: NotRequired[str | None]
    until: NotRequired[str | None]
    cursor: NotRequired[str]
    limit: NotRequired[int]
    min_position: NotRequired[int]
    order_ids: NotRequired[str | None]


class Page_OrderLine_(TypedDict):
    """`next` is to be given back as `cursor` for what follows; None: that was all."""
    items: list[OrderLine]
    next: NotRequired[str | None]


class OrderLine(TypedDict):
    """An order as it stands. A refused one shows what was asked for, and why not."""
    order_id: str
    account_id: str
    cl_ord_id: str
    symbol: str
    side: str
    ord_type: str
    ord_status: str
    order_qty: str
    leaves_qty: str
    cum_qty: str
    created_at: str
    updated_at: str
    position: int
    time_in_force: NotRequired[str | None]
    price: NotRequired[str | None]
    avg_px: NotRequired[str | None]
    stop_px: NotRequired[str | None]
    trail_offset: NotRequired[str | None]
    display_qty: NotRequired[str | None]
    cash_order_qty: NotRequired[str | None]
    expire_time: NotRequired[str | None]
    post_only: NotRequired[bool]
    reduce_only: NotRequired[bool]
    list_id: NotRequired[str | None]
    contingency: NotRequired[str | None]
    at_venue: NotRequired[bool]
    hold: NotRequired[str | None]
    hold_asset: NotRequired[str | None]
    fees: NotRequired[str | None]
    reason: NotRequired[str | None]
    text: NotRequired[str | None]


class OrderRequest(TypedDict):
    order_id: str
    min_position: NotRequired[int]


class OrderReplyFull(TypedDict):
    """An order, each entry about it in order, and each of its executions."""
    order: OrderLine
    history: list[Step]
    executions: list[ExecutionLine]


class Step(TypedDict):
    position: int
    kind: str
    at: str


class ExecutionLine(TypedDict):
    exec_id: str
    order_id: str
    account_id: str
    symbol: str
    side: str
    last_qty: str
    last_px: str
    gross: str
    fee: str
    currency: str
    liquidity: str
    at: str
    position: int
    over_qty: NotRequired[str | None]
    amended: NotRequired[str | None]


class ExecutionsRequest(TypedDict):
    account_id: NotRequired[str | None]
    symbol: NotRequired[str | None]
    since: NotRequired[str | None]
    until: NotRequired[str | None]
    cursor: NotRequired[str]
    limit: NotRequired[int]
    min_position: NotRequired[int]
    order_ids: NotRequired[str | None]


class Page_ExecutionLine_(TypedDict):
    """`next` is to be given back as `cursor` for what follows; None: that was all."""
    items: list[ExecutionLine]
    next: NotRequired[str | None]


class AccountsRequest(TypedDict):
    cursor: NotRequired[str]
    limit: NotRequired[int]
    min_position: NotRequired[int]


class Page_AccountLine_(TypedDict):
    """`next` is to be given back as `cursor` for what follows; None: that was all."""
    items: list[AccountLine]
    next: NotRequired[str | None]


class AccountLine(TypedDict):
    account_id: str
    name: str
    currency: str
    trading_state: str
    opened_at: str
    account_type: str
    limits: NotRequired[Any]


class AccountRequest(TypedDict):
    """`as_of` shows the account as it was when the journal ended there, without prices."""
    account_id: str
    as_of: NotRequired[int | None]
    min_position: NotRequired[int]


class AccountReply(TypedDict):
    """`equity` is null where a holding has no price: a part of it would mislead. What an account
    on margin has gained and must cover is told by GET /accounts/{account_id}/margin.
    """
    account_id: str
    name: str
    account_type: AccountType
    currency: str
    trading_state: TradingState
    balances: list[Holding]
    equity: str | None
    open_orders: int
    position: int
    virtual: bool


class Holding(TypedDict):
    """One asset of an account; `value` is in the account's currency, None without a price."""
    asset: str
    balance: str
    held: str
    free: str
    value: str | None
    mark: MarkLine | None


class MarkLine(TypedDict):
    """Where a value comes from."""
    symbol: str
    px: str
    quality: str
    source: str
    at: str


class TransfersRequest(TypedDict):
    account_id: str
    limit: NotRequired[int]
    min_position: NotRequired[int]


class TransfersReply(TypedDict):
    items: list[StatementLine]


class StatementLine(TypedDict):
    """One line of a statement; `opening` and `closing` lines move nothing."""
    time: str
    kind: str
    reference: str
    asset: str
    amount: str
    balance: str
    amount_exact: str
    balance_exact: str


class StatementRequest(TypedDict):
    """The last thirty days, unless times are given."""
    account_id: str
    since: NotRequired[str | None]
    until: NotRequired[str | None]
    min_position: NotRequired[int]


class PositionsReply(TypedDict):
    """What the account is exposed to. `traded` is of the instruments it has traded, now."""
    account_id: str
    items: list[Holding]
    traded: list[PositionLine]
    equity: str | None
    position: int


class PositionLine(TypedDict):
    """`qty` is the balance of the base asset, or of a contract what is open. Costs are of the part
    of it that was traded here. `waiting` is what has not settled of it.
    """
    account_id: str
    symbol: str
    qty: str
    traded_qty: str
    currency: str
    cost: str
    realized: str
    fees: str
    position: int
    avg_px: NotRequired[str | None]
    waiting: NotRequired[list[WaitingFills]]


class WaitingFills(TypedDict):
    """Fills of one position that are "matched" (no chain has confirmed them, and they may be taken
    back) or "confirmed" (they stand, and what they bring in has not settled). At a mark they
    have gained `cash` and `traded_qty` times the mark; what is in neither is settled.
    """
    state: str
    traded_qty: str
    cash: str
    fills: int


class DayRequest(TypedDict):
    """A session day, as its time zone counts days."""
    account_id: str
    day: str
    min_position: NotRequired[int]


class DailyStatement(TypedDict):
    """A session day of an account. While it is not over, `final` is false and more may come."""
    account_id: str
    name: str
    currency: str
    day: str
    final: bool
    balances: list[DayLine]
    movements: list[StatementLine]
    position: int


class DayLine(TypedDict):
    """One asset on one day; amounts are exact, but for `shown`, which is the closing balance
    rounded to the minor unit.
    """
    asset: str
    opening: str
    closing: str
    change: str
    fees: str
    realized: str
    shown: str


class SettlementsRequest(TypedDict):
    """The newest first."""
    account_id: str
    state: NotRequired[Literal['settled', 'traded'] | None]
    limit: NotRequired[int]
    min_position: NotRequired[int]


class SettlementsReply(TypedDict):
    items: list[SettlementLine]


class SettlementLine(TypedDict):
    """What a fill has brought in: "traded" until it is "settled"; then it may leave the account.
    """
    order_id: str
    exec_id: str
    symbol: str
    asset: str
    amount: str
    state: str
    traded_at: str
    settles_at: str
    settled_at: str | None
    position: int


class SentRequest(TypedDict):
    """The newest first. `cursor` is the `next` of the page before."""
    account_id: str
    cursor: NotRequired[int]
    limit: NotRequired[int]
    min_position: NotRequired[int]


class SentReply(TypedDict):
    """`next` goes into `cursor` for what is older; null: that was all."""
    items: list[SentLine]
    next: int | None


class SentLine(TypedDict):
    """A transfer to another account: "pending" until that one has answered, then "posted" or
    "voided".
    """
    account_id: str
    number: int
    to_account_id: str
    asset: str
    amount: str
    status: str
    text: str
    created_at: str
    updated_at: str
    position: int


class WhyRequest(TypedDict):
    """`about` is an order_id, a cl_ord_id or a position of the journal."""
    about: str
    account_id: NotRequired[str | None]
    min_position: NotRequired[int]


class Why(TypedDict):
    """`position` is how far the views had come that say which entries there are: later ones may be
    missing.
    """
    about: str
    account_id: str
    steps: list[WhyStep]
    trace_id: NotRequired[str]
    position: NotRequired[int]


class WhyStep(TypedDict):
    position: int
    at: str
    stream: str
    version: int
    kind: str
    said: str
    causes: list[Cause]
    refs_version: int
    after_us: NotRequired[int | None]
    headroom: NotRequired[dict[str, str]]
    checks: NotRequired[list[RuleLine]]
    postings: NotRequired[list[PostingLine]]
    marks: NotRequired[list[MarkUsed]]
    event: NotRequired[Any]
    trace_id: NotRequired[str]
    spans: NotRequired[list[SpanShown]]


class Cause(TypedDict):
    """One link back. `by` is "request" (of a client), "entry" (of a stream) or "watcher" (of time
    or marks); only an entry has a position.
    """
    by: str
    id: str
    position: NotRequired[int | None]
    kind: NotRequired[str | None]
    said: NotRequired[str]


class RuleLine(TypedDict):
    """Numbers as text, all in `unit`. `limit` and `used` are before the order; absent where no
    limit of that day is known. `asked` is the order's own part, where it is one number.
    """
    name: str
    unit: str
    left: str
    limit: NotRequired[str | None]
    used: NotRequired[str | None]
    asked: NotRequired[str | None]


class PostingLine(TypedDict):
    """`amount` of `asset` goes from `credit` to `debit`."""
    debit: str
    credit: str
    amount: str
    asset: str


class MarkUsed(TypedDict):
    symbol: str
    px: str
    quality: str
    source: str
    tape_position: int
    at: str


class SpanShown(TypedDict):
    """How long one part took: "request", "watch" or "deliver", then "decide", "commit", "postings"
    and "views", each with the kind of the stream behind it.
    """
    name: str
    at: str
    took_us: int


class InstrumentsRequest(TypedDict):
    pass


class InstrumentsReply(TypedDict):
    items: list[InstrumentReply]
    version: int


class InstrumentReply(TypedDict):
    symbol: str
    base: str
    quote: str
    tick_size: str
    lot_size: str
    maker_fee_ppm: int
    taker_fee_ppm: int
    mic: str
    asset_class: str
    trading_state: TradingState
    restricted: bool
    settle_days: int
    confirms: bool
    settle_calendar: str
    settle: str
    settle_date: str
    kind: NotRequired[str]
    issuer: NotRequired[str]
    margin: NotRequired[list[TierBody] | None]
    fee_formula: NotRequired[str]
    allocation: NotRequired[str]
    stage: NotRequired[str | None]
    payout: NotRequired[str | None]
    phase: NotRequired[str]
    swap_long_ppm: NotRequired[int]
    swap_short_ppm: NotRequired[int]


class RootRequest(TypedDict):
    """The root of the first `size` entries; of all that are hashed where none is given."""
    size: NotRequired[int | None]


class RootReply(TypedDict):
    """`root` is hexadecimal, of RFC 9162's tree over the first `size` entries."""
    size: int
    root: str
    published: Root | None
    public_key: NotRequired[str]


class Root(TypedDict):
    """`root` is the hash over the first `size` entries, hexadecimal."""
    size: int
    root: str
    at: str
    why: NotRequired[str]
    key: NotRequired[str]
    signature: NotRequired[str]


class RootsRequest(TypedDict):
    after: NotRequired[int]
    limit: NotRequired[int]


class RootsReply(TypedDict):
    """Oldest first; `next` goes into `after`."""
    items: list[Root]
    next: int


class ProofRequest(TypedDict):
    """Under the root of `size` entries; under the newest published one that holds the entry, or
    the root as it is now, where none is given.
    """
    position: int
    size: NotRequired[int | None]


class Inclusion(TypedDict):
    """Entry `position` is in the log of `size` entries with this `root` (RFC 9162, 2.1.3).
    `record` are the bytes of the decision that it is event `nth` of, hexadecimal, from which
    `verifier` works out the leaf. `stream` and `version` are in them and are not needed.
    """
    proof: NotRequired[Literal['inclusion']]
    position: int
    nth: int
    stream: str
    version: int
    record: str
    size: int
    root: str
    path: list[str]


ConsistencyRequest = TypedDict('ConsistencyRequest', {
    'from': 'int',
    'to': 'NotRequired[int | None]',
})


class Consistency(TypedDict):
    """The log of `size` entries begins with that of `old_size` (RFC 9162, 2.1.4)."""
    proof: NotRequired[Literal['consistency']]
    old_size: int
    old_root: str
    size: int
    root: str
    path: list[str]


class TradingJournalRequest(TypedDict):
    """`stream` and `kind` are beginnings, `cause` a part of the cause or a whole correlation id,
    `text` a part of what was written. With `before` the newest below it, else those behind
    `after`; `wait_ms` lets an empty answer wait for the next entry.
    """
    after: NotRequired[int]
    limit: NotRequired[int]
    before: NotRequired[int | None]
    stream: NotRequired[str]
    kind: NotRequired[str]
    cause: NotRequired[str]
    text: NotRequired[str]
    wait_ms: NotRequired[int]


class JournalReply(TypedDict):
    """Oldest first. `next` goes into `after`, `previous` into `before`; entries of other tenants
    are left out, so positions have gaps. A search looks at a bounded number of entries at once:
    from position `previous` to `next`, whether or not something was found there.
    """
    items: list[EntryReply]
    next: int
    previous: int
    head: int


class EntryReply(TypedDict):
    """Times are nanoseconds since 1970, UTC, as text: too many digits for a number in JSON. `at`
    is when it was recorded. `occurred_at` is when what it tells of happened: of an account's
    entry that a venue caused, the venue's own time; of one that a price caused, that of the
    price.
    """
    position: int
    stream: str
    version: int
    event_id: str
    kind: str
    at: str
    occurred_at: str
    caused_by: str
    correlation_id: str
    refs_version: int
    event: Any


class JournalAtRequest(TypedDict):
    time: str


class JournalAtReply(TypedDict):
    """The last position recorded at `time` or before; 0 and null times before the first."""
    position: int
    at: str | None
    next_at: str | None
    head: int


class TradingTimelineRequest(TypedDict):
    """`first` and `last` are positions; without `last` it is the journal's end."""
    first: NotRequired[int]
    last: NotRequired[int | None]
    points: NotRequired[int]


class TradingTimelineReply(TypedDict):
    """Positions evenly apart, each with the time at which it was recorded: how many entries fall
    on a second is the distance of two positions over that of their times.
    """
    points: list[TimelinePoint]
    head: int


class AsOfRequest(TypedDict):
    """As the account was when the journal ended at `as_of`."""
    account_id: str
    as_of: int


class AsOfReply(TypedDict):
    """What was true for the account's own rules then. No prices: those are tape. `version` is of
    its stream, and `changed_at` the time of the entry that it last changed with.
    """
    account_id: str
    position: int
    at: str | None
    version: int
    changed_at: str
    name: str
    account_type: AccountType
    currency: str
    trading_state: TradingState
    order_count: int
    balances: list[HeldThen]
    positions: list[PositionThen]
    orders: list[OrderThen]


class HeldThen(TypedDict):
    asset: str
    balance: str
    held: str
    free: str


class PositionThen(TypedDict):
    """Of a margin account: what it had traded of an instrument, and what that had cost."""
    symbol: str
    qty: str
    cost: str
    currency: str


class OrderThen(TypedDict):
    order_id: str
    cl_ord_id: str
    symbol: str
    side: str
    ord_type: str
    time_in_force: str
    ord_status: str
    order_qty: str
    cum_qty: str
    leaves_qty: str
    created_at: str
    price: NotRequired[str | None]
    stop_px: NotRequired[str | None]


class StopScope(TypedDict):
    """One account, one instrument, or, with neither, the house."""
    account_id: NotRequired[str | None]
    symbol: NotRequired[str | None]


class KillPreviewReply(TypedDict):
    """What would be canceled now, in all tenants; `at_work` names your own accounts, those with
    the most working orders first. Positions stay: `positions` are not zero.
    """
    scope: str
    name: str
    stopped: bool
    orders: int
    accounts: int
    positions: int
    at_work: list[AtWork]
    position: int


class AtWork(TypedDict):
    account_id: str
    orders: int


class RestrictionsRequest(TypedDict):
    """With an account, what keeps its own orders out as well."""
    account_id: NotRequired[str | None]
    min_position: NotRequired[int]


class RestrictionsReply(TypedDict):
    """Whatever is not active, oldest first."""
    items: list[StateLine]


class StateLine(TypedDict):
    """Why orders are kept out. `scope` is "kill" (the house, by its switch), "house", "instrument"
    or "account".
    """
    scope: str
    name: str
    state: str
    reason: str
    by: str
    at: str
    position: int


class KillRequestSince(TypedDict):
    """`since` is the position at which something was stopped; absent: the house, when it was last
    killed.
    """
    since: NotRequired[int | None]


class KillProgressReply(TypedDict):
    """How far a stop is. `blocked`: nothing new is accepted. `sent` orders were asked to end;
    `confirmed` have been canceled, `ended_otherwise` had executed or expired before, and of
    `unconfirmed` nobody has said yet: the first few are named where they are yours.
    """
    scope: str
    name: str
    blocked: bool
    reason: str
    by: str
    since: int
    at: str | None
    ended_at: str | None
    sent: int
    confirmed: int
    ended_otherwise: int
    unconfirmed: int
    named: list[Unconfirmed]
    refused: int
    positions: int
    position: int


class Unconfirmed(TypedDict):
    order_id: str
    account_id: str
    asked_at: str
    says: str


class StatisticsRequest(TypedDict):
    """Of all trades, unless times bound when they ended. `currency`: the account's, or else that
    in which it has traded most; `time_zone` is that of days, hours and weekdays.
    """
    account_id: str
    method: NotRequired[Method]
    currency: NotRequired[str | None]
    time_zone: NotRequired[str]
    since: NotRequired[str | None]
    until: NotRequired[str | None]
    min_position: NotRequired[int]


class StatisticsReply(TypedDict):
    """How an account has traded in one currency; docs/statistics.md defines each figure."""
    account_id: str
    name: str
    currency: str
    currencies: list[str]
    method: str
    time_zone: str
    began_at: str
    position: int
    equity: str
    total: TallyLine
    largest_win: str
    largest_loss: str
    streaks: StreakLine
    holding: HoldingTimes
    excursions: ExcursionLine
    sqn: float | None
    kelly: float | None
    risk_of_ruin: float | None
    deviation: str | None
    drawdown: DrawdownsLine
    ratios: RatiosBody
    weighted: WeightedBody
    discipline: DisciplineBody
    by_symbol: list[TallyLine]
    by_side: list[TallyLine]
    by_hour: list[TallyLine]
    by_weekday: list[TallyLine]
    distribution: list[BinLine]
    calendar: list[DayBody]
    held: list[HeldBody]
    reconciliation: list[ReconciledLine]
    definitions: dict[str, str]


class TallyLine(TypedDict):
    """Some round trips, added up; `key` says which. What would divide by nought is null."""
    key: str
    trades: int
    wins: int
    losses: int
    scratches: int
    win_rate: float | None
    profit_factor: float | None
    payoff_ratio: float | None
    net: str
    won: str
    lost: str
    fees: str
    financing: str
    expectancy: str | None
    average_win: str | None
    average_loss: str | None
    held_average_s: float


class StreakLine(TypedDict):
    wins_max: int
    losses_max: int
    current: int


class HoldingTimes(TypedDict):
    median_s: float
    average_s: float
    wins_s: float
    losses_s: float
    in_market: float | None


class ExcursionLine(TypedDict):
    """Averages over trips. `bars` says how fine they were looked at: "1m" to "1d", or "fills".
    """
    adverse: str | None
    favorable: str | None
    edge_ratio: float | None
    bars: list[str]


class DrawdownsLine(TypedDict):
    """Of equity at the end of days, less what came in and went out since it began."""
    deepest: DrawdownLine | None
    longest_days: float
    current: str
    count: int


class DrawdownLine(TypedDict):
    """`ended_at` null: it is not over. `ratio` is of what the account was worth at the peak."""
    depth: str
    ratio: float
    peak_at: str
    trough_at: str
    ended_at: str | None
    days: float


class RatiosBody(TypedDict):
    """Of daily returns, every calendar day counted, `periods` to a year."""
    periods: int
    days: int
    total_return: float | None
    annualized_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    omega: float | None
    skewness: float | None
    kurtosis: float | None
    max_drawdown: float | None
    ulcer_index: float | None
    best_day: float | None
    worst_day: float | None
    downside_deviation: float | None
    mean_absolute_deviation: float | None
    kappa: float | None
    pain_index: float | None
    pain_ratio: float | None
    martin_ratio: float | None
    burke: float | None
    modified_burke: float | None
    adjusted_sharpe: float | None
    omega_sharpe: float | None
    d_ratio: float | None
    skewness_kurtosis: float | None


class WeightedBody(TypedDict):
    """Of the whole time, 0.1 for ten per cent. Null: nothing was there to gain on, or no rate
    explains it; `irr` also of less than a year, which nobody should multiply up.
    """
    time_weighted: float | None
    money_weighted: float | None
    modified_dietz: float | None
    irr: float | None


class DisciplineBody(TypedDict):
    """Shares from 0 to 1; the score from 0 to 100. Null: there was no occasion."""
    score: float | None
    orders: int
    refused: int
    canceled: int
    refused_share: float | None
    larger_after_loss: float | None
    hasty_after_loss: float | None
    held_too_long: float | None
    reasons: dict[str, int]


class BinLine(TypedDict):
    low: str
    high: str
    trades: int


class DayBody(TypedDict):
    """One local day. `gained` counts open positions at the day's last price; `closed` only trips
    that ended in it.
    """
    day: str
    equity: str
    gained: str
    closed: str
    flows: str
    fees: str
    trades: int


class HeldBody(TypedDict):
    """A position that is open. `gain` at the last price known; null without one."""
    symbol: str
    currency: str
    side: str
    qty: str
    cost: str
    realized: str
    fees: str
    gain: str | None
    opened_at: str


class ReconciledLine(TypedDict):
    """How the ledger's balance of an asset comes about. `difference` is 0."""
    asset: str
    opening: str
    deposits: str
    transfers: str
    trips: str
    held: str
    fees: str
    financing: str
    other: str
    cost: str
    basis: str
    closing: str
    ledger: str
    difference: str


class TripsRequest(TypedDict):
    """The newest first. `cursor` is the `next` of the page before."""
    account_id: str
    method: NotRequired[Method]
    cursor: NotRequired[int]
    limit: NotRequired[int]
    min_position: NotRequired[int]


class TripsReply(TypedDict):
    """The newest first; `next` goes into `cursor` for what is older, null: that was all."""
    account_id: str
    method: str
    items: list[TripLine]
    next: int | None
    position: int


class TripLine(TypedDict):
    """A round trip that has ended."""
    symbol: str
    currency: str
    side: str
    qty: str
    entry_px: str
    exit_px: str
    gross: str
    fees: str
    financing: str
    net: str
    adverse: str
    favorable: str
    fills: int
    opened_at: str
    closed_at: str
    held_s: float
    opened_by: str
    closed_by: str
    position: int


class PerformanceJournalRequest(TypedDict):
    account_id: str
    min_position: NotRequired[int]


class TradedReply(TypedDict):
    """Round trips as simulations draw from them. `text` is CSV: when each closed, its `profit` and
    how far it was down at its `worst`, in `currency`; `size` is what the account had before.
    """
    account_id: str
    currency: str
    size: str
    trades: int
    text: str
    position: int


class LeaderboardRequest(TypedDict):
    """`by` "return": the profit of the stage in parts of its account; "payouts": what was paid in
    `currency`. Without `tier`, of all of them.
    """
    by: NotRequired[Literal['payouts', 'return']]
    tier: NotRequired[str | None]
    currency: NotRequired[str]
    limit: NotRequired[int]


class LeaderboardReply(TypedDict):
    """`items` are the first of `ranked` assessments; `you` are all of your own, wherever they
    stand. Who failed, gave up or ran out of time is not ranked.
    """
    by: Literal['payouts', 'return']
    items: list[LeaderLine]
    you: list[LeaderLine]
    ranked: int
    position: int


class LeaderLine(TypedDict):
    """`name` is the one that its trader has chosen, "" of who wants none; `value` is a part of 1,
    or an amount. `assessment_id` is there for one's own only.
    """
    rank: int
    name: str
    is_you: bool
    tier: str
    state: str
    value: str
    assessment_id: str | None


class ProfileRequest(TypedDict):
    pass


class ProfileReply(TypedDict):
    """"": you are seen by no name, which is how it begins."""
    public_name: str


class EvaluationSetProfileRequest(TypedDict):
    """To be seen by everybody of the firm who looks at the ranks."""
    public_name: str


class MakeCertificateRequest(TypedDict):
    """Of one's own assessment. `shown_as` "public_name": that of the leaderboard; "name": `name`.
    Nobody else sees any of it unless `is_public`. `number` is the payout's.
    """
    assessment_id: str
    kind: NotRequired[Literal['funded', 'passed', 'payout']]
    number: NotRequired[int]
    shown_as: NotRequired[Literal['name', 'nobody', 'public_name']]
    name: NotRequired[str]
    is_public: NotRequired[bool]


class CertificateReply(TypedDict):
    """`standing` is as it is now, and `why`; what it says never changes. `url` is its page, which
    also leads to it as PDF, SVG and PNG, and to the proof of entry `position`. `user` is "" for
    who has the link alone.
    """
    certificate_id: str
    user: str
    kind: Literal['funded', 'passed', 'payout']
    assessment_id: str
    name: str
    tier: str
    tier_version: int
    result: str
    happened_at: str
    made_at: str
    position: int
    sha256: str
    standing: Literal['ended', 'revoked', 'suspended', 'valid', 'void', 'withdrawn']
    why: str
    is_public: bool
    url: str


class CertificatesRequest(TypedDict):
    """`of` "everybody" is for who may look after assessments; names that their owners show to
    nobody are left out.
    """
    of: NotRequired[Literal['everybody', 'me']]


class CertificatesReply(TypedDict):
    items: list[CertificateReply]


class CertificateRequest(TypedDict):
    certificate_id: str


class CertificateDocument(TypedDict):
    """`pdf` is in base64; `sha256` is of the file itself."""
    certificate_id: str
    file_name: str
    sha256: str
    pdf: str


class RevokeCertificateRequest(TypedDict):
    """`reason` is shown to whoever has the link."""
    certificate_id: str
    reason: str


class ShareCertificateRequest(TypedDict):
    certificate_id: str
    is_public: bool
