"""Callers, the roles that give them scopes, and the tokens that stand for them.

A token is shown once, when it is made; what is kept is its SHA-256. That is enough for 256 random
bits: nobody can try them all, so there is nothing for a slow hash to slow down.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final, Literal, NamedTuple, NewType

import msgspec
from msgspec import Meta

from fondaco.kernel.errors import Denied, Invalid, Unavailable
from fondaco.kernel.event import Instant, StreamId

TenantId = NewType("TenantId", str)
UserId = NewType("UserId", str)
KeyId = NewType("KeyId", str)  # names a key in lists and logs; says nothing about its token

# Also what stands between slashes in a path or a stream.
NameText = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", examples=["research-desk"])]

IDENTITY_STREAM: Final = StreamId("identity/house")
DEMO: Final = "demo"  # tenant, user, key and token of a house that was started with --demo
TOKEN_PREFIX: Final = "fk_"  # noqa: S105  so that a scanner finds one that was published by mistake
SESSION_PREFIX: Final = "ses_"
DEVICE_PREFIX: Final = "dev_"
SESSION_MARK: Final = "/~"  # in a caller's name; no key may be called so
BEARER_MARK: Final = "/@"  # in the name of a caller with a signed token
LENT_MARK: Final = "/!"  # in the name of somebody in whose name another asks
LENT_PREFIX: Final = "imp_"
TOKEN_BYTES: Final = 32
NEVER: Final = Instant(2**63 - 1)


class Scope(StrEnum):
    """What an operation asks of its caller."""

    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    ORDERS_PROPOSE = "orders:propose"  # ask at the door for agents for what ORDERS_WRITE does
    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"
    MARKET_READ = "market:read"
    LIMITS_READ = "limits:read"
    LIMITS_WRITE = "limits:write"
    HOUSE_READ = "house:read"
    HOUSE_WRITE = "house:write"
    JOURNAL_READ = "journal:read"
    KEYS_WRITE = "keys:write"
    KYC_READ = "kyc:read"  # who people are, and their documents
    KYC_WRITE = "kyc:write"
    APPROVALS_READ = "approvals:read"
    APPROVALS_WRITE = "approvals:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    ANALYTICS_READ = "analytics:read"  # holdings under tokens, without a name
    TOKENS_REVEAL = "tokens:reveal"  # and what those stand for
    TIERS_READ = "tiers:read"
    TIERS_WRITE = "tiers:write"
    EVALUATION_READ = "evaluation:read"  # one's own assessments
    EVALUATION_ASK = "evaluation:ask"  # for a payout of one's own, or to give it up
    EVALUATION_WRITE = "evaluation:write"
    REPORTS_READ = "reports:read"
    REPORTS_WRITE = "reports:write"
    PURCHASES_READ = "purchases:read"
    PURCHASES_WRITE = "purchases:write"  # buy for oneself
    PAYMENTS_READ = "payments:read"  # everybody's, and the provider's books
    PAYMENTS_WRITE = "payments:write"  # coupons, affiliates, taxes, refunds


class Role(StrEnum):
    """What a user is in the house."""

    TRADER = "trader"
    RISK = "risk"
    COMPLIANCE = "compliance"
    ADMIN = "admin"
    AUDITOR = "auditor"
    PARTNER = "partner"
    AGENT = "agent"
    ANALYST = "analyst"


_LOOKING: Final = frozenset(
    {Scope.ORDERS_READ, Scope.ACCOUNTS_READ, Scope.MARKET_READ, Scope.LIMITS_READ}
    | {Scope.TIERS_READ}
)
_DECIDING: Final = frozenset({Scope.APPROVALS_READ, Scope.APPROVALS_WRITE})  # with the other scope
_HOOKING: Final = frozenset({Scope.WEBHOOKS_READ, Scope.WEBHOOKS_WRITE})
_TAKING: Final = frozenset({Scope.EVALUATION_READ, Scope.EVALUATION_ASK})
_JUDGING: Final = frozenset({Scope.EVALUATION_READ, Scope.EVALUATION_WRITE})
_REPORTING: Final = frozenset({Scope.REPORTS_READ, Scope.REPORTS_WRITE})
_TRADING: Final = _LOOKING | _REPORTING | {Scope.ORDERS_WRITE}
_BUYING: Final = frozenset({Scope.PURCHASES_READ, Scope.PURCHASES_WRITE})
_TILL: Final = frozenset({Scope.PURCHASES_READ, Scope.PAYMENTS_READ})

# Who trades sets no limits, who sets limits does not trade, who runs the house does neither.
SCOPES: Final[Mapping[Role, frozenset[Scope]]] = {
    Role.TRADER: _TRADING | _DECIDING | _HOOKING | _BUYING | {Scope.KEYS_WRITE, *_TAKING},
    Role.RISK: _LOOKING
    | _DECIDING
    | _REPORTING
    | _TILL
    | {Scope.LIMITS_WRITE, Scope.HOUSE_READ, Scope.WEBHOOKS_READ}
    | {Scope.TIERS_WRITE, *_JUDGING},
    Role.COMPLIANCE: _LOOKING
    | _DECIDING
    | _REPORTING
    | {Scope.LIMITS_WRITE, Scope.HOUSE_READ, Scope.JOURNAL_READ, Scope.WEBHOOKS_READ}
    | {Scope.KYC_READ, Scope.KYC_WRITE, Scope.ANALYTICS_READ, Scope.TOKENS_REVEAL}
    | {Scope.EVALUATION_READ}
    | _TILL,
    Role.ADMIN: frozenset(
        {
            Scope.ACCOUNTS_READ,
            Scope.ACCOUNTS_WRITE,
            Scope.MARKET_READ,
            Scope.LIMITS_READ,
            Scope.HOUSE_READ,
            Scope.HOUSE_WRITE,
            Scope.KEYS_WRITE,
            Scope.TIERS_READ,
            Scope.TIERS_WRITE,
            *_JUDGING,
        }
    )
    | _DECIDING
    | _HOOKING
    | _REPORTING
    | _TILL
    | {Scope.PAYMENTS_WRITE},
    Role.AUDITOR: _LOOKING
    | _TILL
    | {Scope.HOUSE_READ, Scope.JOURNAL_READ, Scope.APPROVALS_READ, Scope.WEBHOOKS_READ}
    | {Scope.EVALUATION_READ, Scope.REPORTS_READ},
    Role.PARTNER: _TRADING | _DECIDING | _HOOKING,  # they, too, agree to what their agents propose
    Role.AGENT: _LOOKING | {Scope.ORDERS_PROPOSE, Scope.APPROVALS_READ},
    Role.ANALYST: frozenset({Scope.ANALYTICS_READ, Scope.MARKET_READ}),
}


# Scopes to change what others rely on: each use is kept.
PRIVILEGED: Final = frozenset(
    {
        "accounts:write",
        "limits:write",
        "house:write",
        "keys:write",
        "kyc:write",
        "approvals:write",
        "webhooks:write",
        "tokens:reveal",
        "tiers:write",
        "evaluation:write",
        "payments:write",
    }
)


# Nobody has them who asks in somebody else's name: one person would do both halves.
NOT_LENT: Final = PRIVILEGED | {"approvals:read", "orders:propose"}


class Action(NamedTuple):
    """An operation, as far as it matters to who may do it."""

    operation: str
    scope: str
    reads: bool
    second: bool  # it needs a second person

    @property
    def is_privileged(self) -> bool:
        return not self.reads and (self.second or self.scope in PRIVILEGED)


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who asks. `accounts` None: all of the tenant's."""

    name: str  # in logs and stamps: "ada/laptop", the user and the key
    tenant: TenantId
    user: UserId
    roles: tuple[Role, ...]
    scopes: frozenset[Scope]
    accounts: frozenset[str] | None = None
    key_id: KeyId = KeyId("")
    second_factor: str = ""  # by which a session's person was known besides a password: "totp"
    behind: str = ""  # the user who asks in this one's name, by broken glass
    device: str = ""  # with which a session was begun: "dev_5f2c9a1b4d3e6078"
    trusted_until: int = 0  # up to when that device is trusted; 0: it is not
    peer: str = ""  # whose certificate was shown when a session was begun

    @property
    def is_session(self) -> bool:
        return is_session(self.key_id)

    def may(self, scope: str) -> bool:
        """Whether this caller holds `scope`; everybody holds the empty one."""
        return not scope or scope in self.scopes

    def may_use(self, account: str) -> bool:
        return self.accounts is None or account in self.accounts

    def require(self, scope: str, account: str | None = None) -> None:
        """Raises `Denied` unless this caller may do that, to that account."""
        if not self.may(scope):
            raise Denied(
                f"{self.name} lacks the scope {scope}; it has {', '.join(sorted(self.scopes))}",
                code="forbidden",
                scope=scope,
            )
        if account is not None and not self.may_use(account):
            raise Denied(f"{self.name} may not use account {account[:64]}", code="forbidden")


class BudgetShown(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent may do without asking. Amounts are of `currency`; times are nanoseconds since
    1970, UTC. `mode` is "ask" again once it has expired."""

    mode: Literal["ask", "auto"]
    currency: str = ""
    order_max: str = ""
    day_max: str = ""
    day_left: str = ""
    symbols: list[str] = []  # empty: every instrument
    expires_at: str = ""
    set_by: str = ""


class User(msgspec.Struct, frozen=True, gc=False):
    tenant: TenantId
    user: UserId
    roles: tuple[Role, ...]

    @property
    def scopes(self) -> frozenset[Scope]:
        return scopes_of(self.roles)


class Key(msgspec.Struct, frozen=True, gc=False):
    """An API key without its token, which nobody has but its holder."""

    key_id: KeyId
    tenant: TenantId
    user: UserId
    name: str
    scopes: tuple[Scope, ...]  # sorted, as accounts are: a list reads the same every time
    accounts: tuple[str, ...] | None
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None = None
    last_used_at: Instant | None = None
    networks: tuple[str, ...] = ()  # from where it may be used, CIDR; none: from anywhere
    signing: str = ""  # "hmac-sha256" or "ed25519": it signs requests, and is no bearer token
    replaces: KeyId = KeyId("")  # the key that was rotated into this one

    @property
    def ends_at(self) -> Instant:
        """From here on it is refused."""
        return min(self.expires_at or NEVER, self.revoked_at or NEVER)


class SignedRequest(msgspec.Struct, frozen=True):
    """What came, to be judged by its signature. `headers` have names in lower case; `target` is
    path and query as they stood there."""

    method: str
    target: str
    headers: Mapping[bytes, bytes]
    body: bytes


class TooMany(Unavailable):
    """More requests than the caller's rate allows. Refused at the door, so nothing was reached."""

    reached_venue = "no"  # type: ignore[assignment]  # narrower than its parent's


def scopes_of(roles: Iterable[Role]) -> frozenset[Scope]:
    return frozenset[Scope]().union(*(SCOPES[role] for role in roles))


def token_of(secret: bytes) -> str:
    """The token that 256 random bits make."""
    if len(secret) != TOKEN_BYTES:
        raise Invalid(f"a token needs {TOKEN_BYTES} random bytes, not {len(secret)}")
    return TOKEN_PREFIX + urlsafe_b64encode(secret).rstrip(b"=").decode()


def digest_of(token: str) -> str:
    """What is kept of a token, and looked up."""
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def key_id_of(digest: str) -> KeyId:
    return KeyId(f"key_{digest[:16]}")


def session_id_of(digest: str) -> KeyId:
    return KeyId(f"{SESSION_PREFIX}{digest[:16]}")


def device_id_of(digest: str) -> str:
    """Names a device in lists; says nothing about its token."""
    return f"{DEVICE_PREFIX}{digest[:16]}" if digest else ""


def is_session(key_id: str) -> bool:
    return key_id.startswith(SESSION_PREFIX)


def is_lent(caller: str) -> bool:
    """Whether somebody of that name asks in another's: each use is kept."""
    return LENT_MARK in caller


def session_caller_of(
    user: User,
    session_id: str,
    second_factor: str = "",
    *,
    device: str = "",
    trusted_until: int = 0,
    peer: str = "",
) -> Caller:
    """Whom a session stands for: all that the user may do."""
    short = session_id.removeprefix(SESSION_PREFIX)[:8]
    return Caller(
        name=f"{user.user}{SESSION_MARK}{short}",
        tenant=user.tenant,
        user=user.user,
        roles=user.roles,
        scopes=user.scopes,
        key_id=KeyId(session_id),
        second_factor=second_factor,
        device=device,
        trusted_until=trusted_until,
        peer=peer,
    )


def lent_caller_of(user: User, behind: str, lent_id: str) -> Caller:
    """Whom somebody stands for who asks in another's name: ada/!grace.1b4d3e60. They look, and
    trade; they change nothing that others rely on, make no key, and agree to nothing."""
    held = frozenset[Scope](each for each in user.scopes if each not in NOT_LENT)
    short = lent_id.removeprefix(LENT_PREFIX)[:8]
    return Caller(
        name=f"{user.user}{LENT_MARK}{behind}.{short}",
        tenant=user.tenant,
        user=user.user,
        roles=user.roles,
        scopes=held,
        key_id=KeyId(lent_id),
        behind=behind,
    )


def caller_of(user: User, key: Key) -> Caller:
    """Whom a key stands for. A user who lost a role loses its scopes in every key."""
    return Caller(
        name=f"{user.user}/{key.name}",
        tenant=user.tenant,
        user=user.user,
        roles=user.roles,
        scopes=user.scopes.intersection(key.scopes),
        accounts=None if key.accounts is None else frozenset(key.accounts),
        key_id=key.key_id,
    )
