"""Who is asking. A file of its own because it has state: every request passes here, so whoever is
known is known from memory, and the records are asked only about a token never seen before.
"""

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Final

import msgspec

from fondaco.domain.identity import store
from fondaco.domain.identity.model import (
    DEMO,
    NEVER,
    SESSION_MARK,
    Caller,
    Key,
    KeyId,
    NameText,
    Role,
    Scope,
    TenantId,
    User,
    UserId,
    caller_of,
    digest_of,
    is_session,
    key_id_of,
    session_caller_of,
    token_of,
)
from fondaco.domain.identity.people import store as people
from fondaco.kernel.errors import Denied, Invalid
from fondaco.kernel.event import Instant
from fondaco.ports.cache import TICKET_MS, Cache
from fondaco.ports.store import Store, outbox_metadata

_SEEN_MAX: Final = 65_536  # tokens kept beside their hashes, so as not to hash every request
_STRANGERS_PER_S: Final = 200  # unknown tokens that may cost a look into the records
_TICKET: Final = "ticket:"
_OPERATOR: Final = "operator"


class Ticket(msgspec.Struct, frozen=True, gc=False):
    """Opens one WebSocket, for a browser that can send no header. Good briefly: URLs are logged."""

    ticket: str
    expires_at: Instant


class _Known:
    """One key or session in memory. `used_at` changes with every request and is written down now
    and then; a session, which has an `idle_ns`, ends that long after, and at `last` in any case."""

    __slots__ = ("caller", "ends_at", "idle_ns", "last", "used_at")

    def __init__(self, caller: Caller, ends_at: Instant, idle_ns: int = 0) -> None:
        self.caller = caller
        self.ends_at = self.last = ends_at
        self.idle_ns = idle_ns
        self.used_at = Instant(0)

    def use(self, now: Instant) -> None:
        self.used_at = now
        if self.idle_ns:
            self.ends_at = min(self.last, Instant(now + self.idle_ns))


class Directory:
    """`clock` is the time of the house; `random` gives that many unpredictable bytes."""

    def __init__(
        self,
        records: Store,
        cache: Cache,
        clock: Callable[[], Instant],
        random: Callable[[int], bytes],
        idle_ns: int = 30 * 60 * 1_000_000_000,
    ) -> None:
        self._idle_ns = idle_ns  # after which a session ends that nobody uses
        self.records = self._records = records
        self._cache = cache
        self.clock = self._clock = clock
        self._random = random
        self._built_in: dict[str, _Known] = {}  # by digest; in no record
        self._known: dict[str, _Known] = {}  # by digest
        self._by_id: dict[KeyId, _Known] = {}
        self._seen: dict[str, _Known] = {}  # by token; some of `_known`
        self._noted_at = Instant(1)  # what was never used, was used at 0
        self._learning = Lock()  # so that nobody learns again what was revoked meanwhile
        records.create(outbox_metadata)
        records.create(store.metadata)
        records.create(people.metadata)
        self.refresh()

    def authenticate(self, token: str) -> Caller:
        """Raises `Denied` "unauthenticated" for a token that stands for nobody, or no longer."""
        known = self._seen.get(token)
        if known is None:
            known = self._look_up(token)
        now = self._clock()
        if now >= known.ends_at:
            raise _stranger()
        known.use(now)
        return known.caller

    def holder(self, key_id: str) -> Caller:
        """Whom a key stands for, where its token was shown to nobody here. Raises `Denied` once it
        is revoked or has expired."""
        known = self._by_id.get(KeyId(key_id))
        if known is None or self._clock() >= known.ends_at:
            raise _stranger()
        return known.caller

    def refresh(self) -> None:
        """Read all keys again: another process may have revoked one. To be called now and then."""
        with self._learning:
            with self._records.reading() as conn:
                found = list(store.holders(conn))
                begun = list(people.open_sessions(conn, self._clock()))
            known = {
                digest: _Known(caller_of(user, key), key.ends_at) for digest, user, key in found
            }
            for digest, user, row in begun:
                caller = session_caller_of(user, row.session_id)
                known[digest] = _Known(caller, row.ends_at, self._idle_ns)
                known[digest].use(row.last_used_at)
            for digest, holder in known.items():
                if digest in self._known:
                    holder.use(max(holder.used_at, self._known[digest].used_at))
            self._learn(known | self._built_in)

    def note_use(self) -> None:
        """Write down when keys were last used. To be called now and then, off the request path."""
        since, self._noted_at = self._noted_at, self._clock()
        holders = self._by_id.items()
        used = {key_id: known.used_at for key_id, known in holders if known.used_at >= since}
        sessions = {key_id: used.pop(key_id) for key_id in list(used) if is_session(key_id)}
        with self._records.writing() as conn:
            store.note_use(conn, used)
            people.note_session_use(conn, sessions)

    def create_user(self, tenant: str, user: str, roles: Iterable[Role]) -> User:
        """Add a user, and their tenant where it is new, or change the user's roles."""
        made = User(
            TenantId(_name(tenant, "tenant")),
            UserId(_name(user, "user")),
            tuple(sorted(frozenset(roles))),
        )
        if not made.roles:
            raise Invalid(f"{user} needs a role: one of {', '.join(Role)}")
        at = self._clock()
        with self._records.writing() as conn:
            store.add_tenant(conn, made.tenant, at)
            store.put_user(conn, made, at)
        self.refresh()
        return made

    def create_key(
        self,
        tenant: str,
        user: str,
        name: str,
        *,
        scopes: Iterable[Scope] | None = None,
        accounts: Iterable[str] | None = None,
        expires_at: Instant | None = None,
        by: str = _OPERATOR,
    ) -> tuple[Key, str]:
        """A new key and its token, which is shown this once. `scopes` None: all that the user has.

        Raises `Invalid` for scopes that the user does not hold or an expiry in the past, `NotFound`
        for an unknown user, `Conflict` for a name that the user's keys had before.
        """
        now = self._clock()
        if expires_at is not None and expires_at <= now:
            raise Invalid(f"expires_at is {expires_at}, must be after now, which is {now}")
        token = token_of(self._random(32))
        digest = digest_of(token)
        with self._records.writing() as conn:
            holder = store.user(conn, TenantId(tenant), UserId(user))
            wanted = holder.scopes if scopes is None else frozenset(scopes)
            if not wanted <= holder.scopes:
                beyond = ", ".join(sorted(wanted - holder.scopes))
                raise Invalid(f"{user} does not hold {beyond}; leave it out or change the roles")
            key = Key(
                key_id=key_id_of(digest),
                tenant=holder.tenant,
                user=holder.user,
                name=_name(name, "name"),
                scopes=tuple(sorted(wanted)),
                accounts=None if accounts is None else tuple(sorted(frozenset(accounts))),
                created_at=now,
                expires_at=expires_at,
            )
            store.add_key(conn, key, digest, by)
        self.refresh()
        return key, token

    def create_own_key(
        self,
        caller_name: str,
        tenant: str,
        name: str,
        *,
        scopes: Iterable[Scope] | None,
        accounts: Iterable[str] | None,
        expires_at: Instant | None,
    ) -> tuple[Key, str]:
        """A key for the caller's own user, for no more than the key that asks may do itself."""
        caller = self.caller_named(tenant, caller_name)
        wanted = caller.scopes if scopes is None else frozenset(scopes)
        allowed = caller.accounts if accounts is None else frozenset(accounts)
        for scope in wanted:
            caller.require(scope)
        for account in allowed or ():
            caller.require("", account)
        return self.create_key(
            tenant,
            caller.user,
            name,
            scopes=wanted,
            accounts=allowed,
            expires_at=expires_at,
            by=caller.name,
        )

    def revoke_key(self, tenant: str, key_id: str, by: str = _OPERATOR) -> None:
        """From now on the key is refused, here at once, elsewhere after the next `refresh`."""
        with self._records.writing() as conn:
            store.revoke_key(conn, TenantId(tenant), KeyId(key_id), self._clock(), by)
        self.refresh()

    def keys(self, tenant: str, user: str | None = None) -> Sequence[Key]:
        with self._records.reading() as conn:
            return store.keys_of(conn, TenantId(tenant), None if user is None else UserId(user))

    def tenants(self) -> list[str]:
        with self._records.reading() as conn:
            return store.tenant_names(conn)

    def caller_named(self, tenant: str, name: str) -> Caller:
        """The caller as a stamp names them. Raises `Denied` where the key is gone by now."""
        for known in self._by_id.values():
            if known.caller.tenant == tenant and known.caller.name == name:
                return known.caller
        raise _stranger()

    def used_at(self, key_id: str) -> Instant:
        """When a key or session was used last, as far as this process knows."""
        known = self._by_id.get(KeyId(key_id))
        return Instant(0) if known is None else known.used_at

    def still(self, tenant: str, name: str) -> Caller:
        """Whom a stamp named, as they are now: a session may have ended, its user may still do what
        they may. Raises `Denied` where the key, or the user, is gone."""
        user, mark, session_id = name.partition(SESSION_MARK)
        if not mark:
            return self.caller_named(tenant, name)
        with self._records.reading() as conn:
            return session_caller_of(store.user(conn, TenantId(tenant), UserId(user)), session_id)

    def preference(self, caller: Caller, name: str) -> tuple[int, str, Instant] | None:
        """Version, value and time of what the caller's user keeps under `name`."""
        with self._records.reading() as conn:
            return store.preference(conn, caller.tenant, caller.user, name)

    def set_preference(
        self, caller: Caller, name: str, value: str, count_max: int
    ) -> tuple[int, str, Instant]:
        """Raises `Invalid` where the user keeps `count_max` others."""
        at = self._clock()
        with self._records.writing() as conn:
            mine = (caller.tenant, caller.user, name)
            version = store.put_preference(conn, *mine, value, at, count_max)
        return version, value, at

    def issue_ticket(self, caller: Caller) -> Ticket:
        """A ticket in `caller`'s name, good once."""
        ticket = token_of(self._random(32))
        self._cache.put(_TICKET + digest_of(ticket), caller.key_id.encode(), TICKET_MS)
        return Ticket(ticket, Instant(self._clock() + TICKET_MS * 1_000_000))

    def redeem(self, ticket: str) -> Caller:
        """Whoever it was issued to, once; raises `Denied` ever after, and for a revoked key."""
        key_id = self._cache.pop(_TICKET + digest_of(ticket))
        known = self._by_id.get(KeyId(key_id.decode())) if key_id else None
        if known is None or self._clock() >= known.ends_at:
            raise Denied(
                "the ticket is unknown, used or older than 30 s: ask for another",
                code="unauthenticated",
            )
        return known.caller

    def _look_up(self, token: str) -> _Known:
        digest = digest_of(token)
        with self._learning:
            known = self._known.get(digest) or self._ask_records(digest)
            if len(self._seen) >= _SEEN_MAX:
                self._seen = {}
            self._seen[token] = known
            return known

    def _ask_records(self, digest: str) -> _Known:
        """A key that another process made since. Guessing must not keep the records busy."""
        if self._cache.take("strangers", per_s=_STRANGERS_PER_S, burst=_STRANGERS_PER_S):
            raise _stranger()
        with self._records.reading() as conn:
            found = list(store.holders(conn, digest))
        if not found:
            raise _stranger()
        [(_, user, key)] = found
        known = _Known(caller_of(user, key), key.ends_at)
        self._learn(self._known | {digest: known})
        return known

    def _learn(self, known: dict[str, _Known]) -> None:
        self._known = known
        self._by_id = {holder.caller.key_id: holder for holder in known.values()}
        self._seen = {}

    def _build_in(self, token: str, caller: Caller) -> None:
        with self._learning:
            self._built_in[digest_of(token)] = _Known(caller, NEVER)
            self._learn(self._known | self._built_in)


def seed_demo(directory: Directory) -> Caller:
    """Tenant, user and token `demo`, for a house that only its own machine can reach.

    The token is kept in memory only: the same house started without --demo does not know it.
    """
    user = directory.create_user(DEMO, DEMO, Role)
    caller = Caller(
        name=DEMO,
        tenant=user.tenant,
        user=user.user,
        roles=user.roles,
        scopes=user.scopes,
        key_id=key_id_of(digest_of(DEMO)),
    )
    directory._build_in(DEMO, caller)
    return caller


def _stranger() -> Denied:
    return Denied(
        "nobody is known by this token: send Authorization: Bearer and a key that is neither "
        "revoked nor expired; `fondaco key create` makes one",
        code="unauthenticated",
    )


def _name(text: str, what: str) -> str:
    try:
        return msgspec.convert(text, NameText)
    except msgspec.ValidationError:
        raise Invalid(
            f"{what} is {text[:64]!r}, must be 1 to 64 of a-z, 0-9, dot, dash and underscore, "
            "beginning with a letter or digit"
        ) from None
