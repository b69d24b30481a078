"""The one table from our errors to the codes of HTTP and FIX, and what every error says.

An error answers three questions: has it reached the venue, may I retry, what is true now. The same
body goes over HTTP (`application/problem+json`, RFC 9457) and in WebSocket messages.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import msgspec

from fondaco.kernel.errors import (
    Changed,
    Conflict,
    Corrupt,
    Denied,
    FondacoError,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
    Unconditional,
)


class Codes(NamedTuple):
    http: int
    msg_type: str  # FIX MsgType (35): 3 Reject, 8 ExecutionReport, j BusinessMessageReject
    business_reject_reason: int | None = None  # FIX 380, with j


CODES: Final[dict[str, Codes]] = {
    Invalid.kind: Codes(422, "3"),
    NotFound.kind: Codes(404, "j", 1),
    Denied.kind: Codes(403, "j", 6),
    Refused.kind: Codes(409, "8"),
    Conflict.kind: Codes(409, "j", 0),
    Unavailable.kind: Codes(503, "j", 4),
    Corrupt.kind: Codes(500, "j", 4),
    Changed.kind: Codes(412, "j", 0),
    Unconditional.kind: Codes(428, "3"),
    # Finer codes, where a standard wants another answer than the kind's.
    "unauthenticated": Codes(401, "j", 6),
    "sign_in_failed": Codes(401, "j", 6),
    "address_not_allowed": Codes(403, "j", 6),
    "method_not_allowed": Codes(405, "j", 3),
    "timed_out": Codes(408, "3"),
    "too_large": Codes(413, "3"),
    "unsupported_media_type": Codes(415, "3"),
    "rate_limited": Codes(429, "j", 4),
    "headers_too_large": Codes(431, "3"),
    "malformed_http": Codes(400, "3"),
    "filtered": Codes(400, "3"),
    "misdirected": Codes(421, "j", 4),
}

# What `/docs/errors` says of the codes that doors give themselves. Reasons speak for themselves.
MEANINGS: Final[dict[str, str]] = {
    "invalid": "The request is malformed: correct it; no state of the world makes it acceptable.",
    "not_found": "There is no such thing, or you may not know that there is.",
    "denied": "You may not do this: ask for a key with the scope that the message names.",
    "refused": "A rule said no. The refusal is in the journal and says what would pass.",
    "conflict": "Somebody else moved first, or is about to. Nothing was written: ask again.",
    "unavailable": "A machine we depend on failed or is full. Ask again with the same id.",
    "corrupt": "An invariant is broken; this stream stops until a person has looked.",
    "version_changed": "It was changed since you read it: read it again, and change that.",
    "version_needed": "Say which version you change: If-Match, or the field `version`.",
    "kyc_required": "The house asks who you are first: the message says what is missing.",
    "kyc_state": "The case is not in a state in which this is done: the message says which it is.",
    "kyc_incomplete": "The profile lacks what a case needs; the message names it.",
    "own_case": "Nobody looks at, or decides, a case of their own.",
    "hits_open": "A list names somebody like this: each hit must be cleared by two people first.",
    "not_screened": "There is no list to look this person up in: see the setting screening_lists.",
    "bad_document": "The document is too large, is not what it says, or did not arrive whole.",
    "link_encryption": "Zero trust: the request, or what is kept of it, is not encrypted.",
    "link_mesh": "Zero trust: no client certificate was shown, here or to a proxy of the mesh.",
    "link_user": "Zero trust: who asks is not the person in whose name it is asked.",
    "link_session": "Zero trust: this needs a session, begun with the certificate that is shown.",
    "link_mfa": "Zero trust: the session began without a second factor.",
    "link_device": "Zero trust: the device is not trusted; `do` says how it comes to be.",
    "link_audit": "Zero trust: the house cannot write down what is done.",
    "misdirected": "A door that only reads does not answer this: ask the house, at `send_to`.",
    "unauthenticated": "Send the header Authorization: Bearer <token> with a token that is valid.",
    "method_not_allowed": "This path is asked with another method: see the header Allow.",
    "timed_out": "The request did not arrive whole in time. Nothing was decided.",
    "too_large": "The body is above the limit. Nothing was decided.",
    "unsupported_media_type": "Send JSON, and say so: Content-Type: application/json.",
    "rate_limited": "Too many requests: wait as long as the header Retry-After says.",
    "headers_too_large": "The headers are above the limit. Nothing was decided.",
    "malformed_http": "This is not HTTP/1.1.",
    "filtered": "The request filter let it not in; `rule` says which rule. Nothing was decided.",
    "key_reused": "This id was used before, with other content. Use another id.",
    "idempotency_key_reused": "This Idempotency-Key was used before, with other content.",
    "idempotency_key_in_use": "The first request with this Idempotency-Key is still under way.",
    "reply_not_kept": "It was done under this key before; the answer held a secret: make another.",
    "view_behind": "The views have not reached min_position yet. Ask again.",
    "unknown_account": "There is no such account, or it is another tenant's.",
    "unknown_symbol": "There is no market in this symbol.",
    "unknown_order": "There is no such order, or it is done.",
    "forbidden": "Your key may not do this, or not to this account.",
    "separation_of_duties": "Whoever trades may not agree to what others ask: somebody else must.",
    "not_placed": "Another order of the same list was refused, so this one was not placed.",
    "transfer_refused": "The amount cannot be moved; `limit` says what can.",
    "address_not_allowed": "Your key may not be used from where you are: see its networks.",
    "key_ended": "The key was revoked, has expired, or was rotated: make a new one.",
    "sign_in_failed": "User, password or code is wrong, or the address was never verified.",
    "user_locked": "Whoever runs the house has locked you out: ask them.",
    "user_taken": "There is somebody of that name: choose another.",
    "invitation_over": "The link is wrong, was used or withdrawn, or is too old: ask for another.",
    "own_lock": "Nobody locks themselves out: ask another admin.",
    "still_open": "Something of yours is open that nobody else looks after: the message names it.",
    "last_admin": "Nobody could run the house any more: make somebody else an admin first.",
    "wrong_password": "The password is wrong; too many wrong ones make you wait.",
    "wrong_code": "The code is wrong, was used before, or is too old.",
    "weak_password": "The password is too short, or one that is tried first: take several words.",
    "csrf": "With a cookie, send the header X-CSRF-Token that signing in has answered.",
    "second_factor_set": "There is a second factor already: remove it first.",
    "nothing_to_confirm": "No second factor waits to be confirmed, or there is none.",
    "unknown_case": "There is no such case here.",
    "case_closed": "The case was closed: reopen it before anything but a comment.",
    "case_open": "The case is open: there is nothing to reopen.",
    "another_open": "The subject has another case that is open: go on there.",
    "unknown_approval": "There is no such approval here.",
    "own_approval": "Nobody approves or rejects what they have asked themselves, with any key.",
    "own_name": "Nobody breaks glass to ask in their own name.",
    "glass_ended": "This glass was reviewed, or its time is over: break another, if you must.",
    "own_review": "Nobody reviews glass that they have broken themselves, with any key.",
    "not_waiting": "It was decided before, or its time has passed.",
    "glass_unreviewed": "You have broken glass before that nobody has reviewed yet.",
    "already_reviewed": "It was reviewed before.",
    "too_many_waiting": "Too much waits for a second person already: somebody must decide first.",
    "query_too_deep": "The GraphQL document nests fields too deeply: ask in several documents.",
    "query_too_costly": "The GraphQL document asks for too much: lower `limit`, ask page by page.",
    "query_too_large": "The GraphQL document has too many aliases or fragments.",
    "document_not_listed": "This house executes listed GraphQL documents only.",
    "PERSISTED_QUERY_NOT_FOUND": "Nobody has left a document of this hash: send its text, too.",
    "already_waiting": "The same proposal of the same agent waits already: it is answered again.",
    "own_agent": "No agent's key says what an agent may do: a person must, with another key.",
    "agent_stopped": "A person has stopped this agent: it asks nothing until it is started again.",
    "too_many_agents": "More keys than a tenant may have came to the door for agents.",
    "unknown_agent": "There is no such agent, or you may not know that there is.",
    "address_refused": "The house calls public addresses over https, and those it is set to call.",
    "no_answer": "Somebody whom the house asked did not answer, or not in time.",
    "circuit_open": "Whom the house would ask has failed too often: it is left alone for a while.",
    "gone": "The position is no longer kept for resuming: take a snapshot instead.",
}


def codes_of(error: FondacoError) -> Codes:
    return CODES.get(error.code) or CODES[error.kind]


class Problem(msgspec.Struct, frozen=True, gc=False):
    """What every error says."""

    type: str  # the page that explains the code
    status: int
    code: str
    message: str
    retryable: bool  # whether the same request, unchanged, may succeed later
    reached_venue: Literal["no", "yes", "unknown"]  # whether the outside world may have acted
    state: dict[str, Any]  # what is true now, where that is known: ord_status, position
    request_id: str
    correlation_id: str
    details: dict[str, Any]


def problem_of(
    error: FondacoError, request_id: str, correlation_id: str, *, was_submitted: bool
) -> Problem:
    """`was_submitted` says whether a decision was asked for; before, nothing can have happened."""
    if isinstance(error, Corrupt):  # What broke is for the log, under this id, not for strangers.
        error = Corrupt("we met an error of our own; it is logged under this request id")
    details: Mapping[str, Any] = error.details
    state = details.get("state", {})
    if "position" in details and "position" not in state:
        state = {**state, "position": details["position"]}
    return Problem(
        f"/docs/errors#{error.code}",
        codes_of(error).http,
        error.code,
        error.message,
        error.retryable and error.code not in _FINAL,
        error.reached_venue if was_submitted else "no",
        state,
        request_id,
        correlation_id,
        {name: value for name, value in details.items() if name not in _NOT_DETAILS},
    )


_NOT_DETAILS: Final = ("state", "position")
_FINAL: Final = frozenset(
    {"key_reused", "idempotency_key_reused", "reply_not_kept"}
)  # Conflicts that stay ones
