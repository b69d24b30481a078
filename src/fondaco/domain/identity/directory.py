"""Who is asking. A file of its own because it has state: every request passes here, so whoever is
known is known from memory, and the records are asked only about a token never seen before.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from ipaddress import ip_network
from threading import Lock
from typing import Any, Final

import msgspec

from fondaco.domain.identity import signatures, store
from fondaco.domain.identity.bearing import Bearing
from fondaco.domain.identity.key_terms import (
    ANY,
    KeySealing,
    Terms,
    check_holds,
    check_whole,
    next_name,
)
from fondaco.domain.identity.known import Known, known_of
from fondaco.domain.identity.model import (
    BEARER_MARK,
    DEMO,
    NEVER,
    SESSION_MARK,
    Caller,
    Key,
    KeyId,
    NameText,
    Role,
    Scope,
    SignedRequest,
    TenantId,
    User,
    UserId,
    device_id_of,
    digest_of,
    is_session,
    key_id_of,
    scopes_of,
    session_caller_of,
    token_of,
)
from fondaco.domain.identity.oidc import store as applications
from fondaco.domain.identity.people import store as people
from fondaco.domain.identity.signatures import Nonces, Signing
from fondaco.kernel.errors import Denied, Invalid, NotFound, Taken
from fondaco.kernel.event import Instant
from fondaco.ports.cache import TICKET_MS, Cache
from fondaco.ports.store import Store, outbox_metadata

_SEEN_MAX: Final = 65_536  # tokens kept beside their hashes, so as not to hash every request
_STRANGERS_PER_S: Final = 200  # unknown tokens that may cost a look into the records
_BORNE_MAX: Final = 10_000  # signed tokens that were verified and may come again
SIGNED_DOTS: Final = 2  # in a signed token, and in no other
_TICKET: Final = "ticket:"
_OPERATOR: Final = "operator"


class Ticket(msgspec.Struct, frozen=True, gc=False):
    """Opens one WebSocket, for a browser that can send no header. Good briefly: URLs are logged."""

    ticket: str
    expires_at: Instant


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
        self._built_in: dict[str, Known] = {}  # by digest; in no record
        self._known: dict[str, Known] = {}  # by digest
        self._changes = 0
        self._by_id: dict[KeyId, Known] = {}
        self._by_name: dict[tuple[str, str], Known] = {}  # tenant and name
        self._roles: dict[tuple[str, str], tuple[Role, ...]] = {}
        self._locked: frozenset[tuple[str, str]] = frozenset()
        self.bearing: Bearing | None = None
        self._borne: dict[str, tuple[Any, Known]] = {}  # by token
        self._nonces = Nonces(clock)
        self.sealing: KeySealing | None = None  # where there are keys that sign with a secret
        self._seen: dict[str, Known] = {}  # by token; some of `_known`
        self._noted_at = Instant(1)  # what was never used, was used at 0
        self._learning = Lock()  # so that nobody learns again what was revoked meanwhile
        records.create(outbox_metadata)
        records.create(store.metadata)
        records.create(people.metadata)
        records.create(applications.metadata)
        self.refresh()

    def authenticate(self, token: str, address: str = "") -> Caller:
        """Raises `Denied` "unauthenticated" for a token that stands for nobody, or no longer, or
        not from this address."""
        known = self._seen.get(token)
        if known is None:
            known = self._look_up(token)
        now = self._clock()
        if now >= known.ends_at:
            raise _stranger()
        if known.guard is not None:
            known.guard.check(address, signed=False)
        known.use(now)
        return known.caller

    def signed(self, request: SignedRequest, address: str) -> Caller:
        """Whose signature a request bears. Raises `Denied`, the same for a key that there is not as
        for a signature that does not fit."""
        signature = signatures.read(request)
        signatures.check_cover(signature, request)
        known = self._by_id.get(KeyId(signature.key_id))
        now = self._clock()
        if known is None or known.guard is None or now >= known.ends_at:
            raise signatures.refused("the signature does not fit")
        known.guard.check(address, signed=True)
        secret = self._secret(known.caller.key_id, known.guard.signing)
        signatures.check_value(signature, known.guard.signing, secret)
        self._nonces.use(signature)
        known.use(now)
        return known.caller

    def _secret(self, key_id: KeyId, signing: Signing) -> bytes:
        kept = self._secrets.get(key_id, b"")
        if signing == "ed25519":
            return kept
        return self._sealed().unseal(kept, key_id)

    def _sealed(self) -> KeySealing:
        if self.sealing is None:
            raise Invalid("here is nothing to seal a secret with: ask a running house, or ed25519")
        return self.sealing

    def holder(self, key_id: str) -> Caller:
        """Whom a key stands for, where its token was shown to nobody here. Raises `Denied` once it
        is revoked or has expired."""
        known = self._by_id.get(KeyId(key_id))
        if known is None or self._clock() >= known.ends_at:
            raise _stranger()
        return known.caller

    def lend(self, token: str, caller: Caller, until: Instant) -> None:
        """Somebody asks in another's name until then, for as long as this process lives."""
        with self._learning:
            self._built_in[digest_of(token)] = Known(caller, until)
            self._learn(self._known | self._built_in)

    def take_back(self, key_id: str) -> None:
        with self._learning:
            self._drop_lent(lambda known: known.caller.key_id != key_id)
            self._learn(self._known)

    def _drop_lent(self, stays: Callable[[Known], bool]) -> None:
        gone = [d for d, each in self._built_in.items() if each.caller.behind and not stays(each)]
        for digest in gone:
            del self._built_in[digest]
            self._known.pop(digest, None)

    def _still_lent(self, known: Known) -> bool:
        """Once either's roles have changed, somebody must ask anew."""
        caller = known.caller
        lender = scopes_of(self._roles.get((caller.tenant, caller.behind), ()))
        is_same = self._roles_of(caller.tenant, caller.user) == caller.roles
        return is_same and Scope.HOUSE_WRITE in lender and self._clock() < known.ends_at

    def refresh(self) -> None:
        """Read all keys again: another process may have revoked one. To be called now and then."""
        if self.bearing is not None:
            self.bearing.refresh()
        with self._learning:
            with self._records.reading() as conn:
                self._roles, self._locked = store.roles(conn), store.locked(conn)
                found = list(store.holders(conn))
                begun = list(people.open_sessions(conn, self._clock()))
                self._secrets = store.secrets_of_keys(conn)
            known = {digest: known_of(user, key) for digest, user, key in found}
            for digest, user, row in begun:
                caller = session_caller_of(
                    user,
                    row.session_id,
                    row.second_factor,
                    device=device_id_of(row.with_device or ""),
                    trusted_until=row.trusted_until or 0,
                    peer=row.peer or "",
                )
                known[digest] = Known(caller, row.ends_at, self._idle_ns)
                known[digest].use(row.last_used_at)
            for digest, holder in known.items():
                if digest in self._known:
                    holder.use(max(holder.used_at, self._known[digest].used_at))
            self._drop_lent(self._still_lent)
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
        terms: Terms = ANY,
    ) -> tuple[Key, str]:
        """A new key and its token, which is shown this once. `scopes` None: all that the user has.
        Of a key that signs the token is the secret of hmac-sha256, or "".

        Raises `Invalid` for scopes that the user does not hold or an expiry in the past, `NotFound`
        for an unknown user, `Conflict` for a name that the user's keys had before.
        """
        now = self._clock()
        if expires_at is not None and expires_at <= now:
            raise Invalid(f"expires_at is {expires_at}, must be after now, which is {now}")
        token, digest, secret = self._drawn(terms)
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
                networks=terms.networks,
                signing=terms.signing,
            )
            store.add_key(conn, key, digest, by, secret)
        self.refresh()
        return key, token

    def _drawn(self, terms: Terms) -> tuple[str, str, bytes]:
        """A new token, its digest, and what is kept of it where it is to sign."""
        token = token_of(self._random(32))
        digest = digest_of(token)
        match terms.signing:
            case "ed25519":
                return "", digest, terms.public_key
            case "hmac-sha256":
                return token, digest, self._sealed().seal(token.encode(), key_id_of(digest))
        return token, digest, b""

    def rotate_key(
        self, caller: Caller, key_id: str, name: str | None, grace_ns: int, terms: Terms | None
    ) -> tuple[Key, str]:
        """A new key that may do what the old one may, which is good for `grace_ns` more. A key that
        ends ends as long after its beginning as the old one. Raises `NotFound`, `Conflict`."""
        now = self._clock()
        with self._records.writing() as conn:
            old = store.key_named(conn, caller.tenant, key_id)
            user = store.user(conn, old.tenant, old.user)
            if user.user == caller.user:
                check_holds(caller, old.scopes, old.accounts)
            else:
                check_whole(caller)
            if now >= old.ends_at:
                raise Taken(f"{key_id} has ended: make a new one", code="key_ended")
            if terms is None:
                terms = Terms(old.networks, old.signing, self._secrets.get(old.key_id, b""))  # type: ignore[arg-type]
            token, digest, secret = self._drawn(self._within(caller, terms))
            taken = {each.name for each in store.keys_of(conn, old.tenant, old.user)}
            lasts = None if old.expires_at is None else old.expires_at - old.created_at
            new = Key(
                key_id=key_id_of(digest),
                tenant=old.tenant,
                user=old.user,
                name=_name(name, "name") if name else next_name(old.name, taken),
                scopes=tuple(each for each in old.scopes if each in user.scopes),
                accounts=old.accounts,
                created_at=now,
                expires_at=None if lasts is None else Instant(now + lasts),
                networks=terms.networks,
                signing=terms.signing,
                replaces=old.key_id,
            )
            store.add_key(conn, new, digest, caller.name, secret)
            ends_at = min(old.ends_at, Instant(now + grace_ns))
            store.replace_key(conn, old, new, ends_at, caller.name)
        self.refresh()
        return new, token

    def create_service_account(
        self, tenant: str, user: str, owner: str, roles: Iterable[Role], by: str
    ) -> User:
        """A user without a password, whose keys `owner` makes. Raises `Conflict`, `NotFound`."""
        made = User(TenantId(tenant), UserId(_name(user, "user")), tuple(sorted(frozenset(roles))))
        with self._records.writing() as conn:
            store.user(conn, made.tenant, UserId(owner))
            store.add_service_account(conn, made, owner, by, self._clock())
        self.refresh()
        return made

    def owners(self, tenant: str) -> dict[str, str]:
        """Who makes the keys of each service account."""
        with self._records.reading() as conn:
            return store.owners(conn, tenant)

    def create_own_key(
        self,
        caller_name: str,
        tenant: str,
        name: str,
        *,
        scopes: Iterable[Scope] | None,
        accounts: Iterable[str] | None,
        expires_at: Instant | None,
        terms: Terms = ANY,
        user: str = "",
    ) -> tuple[Key, str]:
        """A key for the caller's own user, for no more than the key that asks may do itself, or for
        a service account of theirs, for what that may do."""
        caller = self.caller_named(tenant, caller_name)
        terms = self._within(caller, terms)
        if user and user != caller.user:
            if self.owners(tenant).get(user) != caller.user:
                raise NotFound(f"you have no service account {user[:64]}")
            check_whole(caller)
            return self.create_key(
                tenant, user, name, scopes=scopes, accounts=accounts, expires_at=expires_at,
                by=caller.name, terms=terms,
            )  # fmt: skip
        wanted = caller.scopes if scopes is None else frozenset(scopes)
        allowed = caller.accounts if accounts is None else frozenset(accounts)
        check_holds(caller, wanted, allowed)
        return self.create_key(
            tenant,
            caller.user,
            name,
            scopes=wanted,
            accounts=allowed,
            expires_at=expires_at,
            by=caller.name,
            terms=terms,
        )

    def _within(self, caller: Caller, terms: Terms) -> Terms:
        """A key that is bound to networks makes none that is good elsewhere. Raises `Invalid`."""
        known = self._by_id.get(caller.key_id)
        bound = known.guard.networks if known is not None and known.guard is not None else []
        if not bound:
            return terms
        if not terms.networks:
            return msgspec.structs.replace(terms, networks=tuple(str(each) for each in bound))
        for text in terms.networks:
            net = ip_network(text)
            if not any(net.version == b.version and net.subnet_of(b) for b in bound):  # type: ignore[arg-type]
                raise Invalid(
                    f"{text} is outside the networks of the key that asks: "
                    f"{', '.join(str(each) for each in bound)}"
                )
        return terms

    def revoke_key(self, tenant: str, key_id: str, by: str = _OPERATOR) -> None:
        """From now on the key is refused, here at once, elsewhere after the next `refresh`."""
        with self._records.writing() as conn:
            store.revoke_key(conn, TenantId(tenant), KeyId(key_id), self._clock(), by)
        self.refresh()

    def keys(self, tenant: str, user: str | None = None) -> Sequence[Key]:
        with self._records.reading() as conn:
            return store.keys_of(conn, TenantId(tenant), None if user is None else UserId(user))

    def users(self, tenant: str) -> Sequence[User]:
        with self._records.reading() as conn:
            return store.users_of(conn, TenantId(tenant))

    def tenants(self) -> list[str]:
        with self._records.reading() as conn:
            return store.tenant_names(conn)

    def caller_named(self, tenant: str, name: str) -> Caller:
        """The caller as a stamp names them. Raises `Denied` where the key is gone by now."""
        known = self._by_name.get((tenant, name))
        if known is None:
            raise _stranger()
        return known.caller

    def changes(self) -> int:
        """Another number whenever what is known was read again."""
        return self._changes

    def used_at(self, key_id: str) -> Instant:
        """When a key or session was used last, as far as this process knows."""
        known = self._by_id.get(KeyId(key_id))
        return Instant(0) if known is None else known.used_at

    def still(self, tenant: str, name: str) -> Caller:
        """Whom a stamp named, as they are now: a session may have ended, its user may still do what
        they may. Raises `Denied` where the key, or the user, is gone."""
        user, mark, session_id = name.partition(SESSION_MARK)
        if BEARER_MARK in name and self.bearing is not None:
            return self.bearing.still(tenant, name, self._roles_of)
        if not mark:
            return self.caller_named(tenant, name)
        with self._records.reading() as conn:
            if store.is_locked(conn, tenant, user):
                raise _stranger()
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

    def redeem(self, ticket: str, address: str = "") -> Caller:
        """Whoever it was issued to, once; raises `Denied` ever after, and for a revoked key."""
        key_id = self._cache.pop(_TICKET + digest_of(ticket))
        known = self._by_id.get(KeyId(key_id.decode())) if key_id else None
        if known is None or self._clock() >= known.ends_at:
            raise Denied(
                "the ticket is unknown, used or older than 30 s: ask for another",
                code="unauthenticated",
            )
        if known.guard is not None:
            known.guard.check(address, signed=bool(known.guard.signing))
        return known.caller

    def _look_up(self, token: str) -> Known:
        digest = digest_of(token)
        with self._learning:
            if self.bearing is not None and token.count(".") == SIGNED_DOTS:
                return self._bear(self.bearing, token)
            known = self._known.get(digest) or self._ask_records(digest)
            if len(self._seen) >= _SEEN_MAX:
                self._seen = {}
            self._seen[token] = known
            return known

    def _bear(self, bearing: Bearing, token: str) -> Known:
        """A signed token that was not seen yet. It is verified once, and judged anew whenever what
        is known of users and grants is read again."""
        if self._cache.take("strangers", per_s=_STRANGERS_PER_S, burst=_STRANGERS_PER_S):
            raise _stranger()
        claims = bearing.verified(token)
        known = Known(*bearing.caller(claims, self._roles_of))
        if self._is_shut(known.caller):
            raise _stranger()
        if len(self._borne) >= _BORNE_MAX:
            self._borne = {}  # they are verified again
        self._borne[token] = (claims, known)
        self._show(token, known)
        return known

    def _show(self, token: str, known: Known) -> None:
        self._seen[token] = known
        self._by_id[known.caller.key_id] = known
        self._by_name[known.caller.tenant, known.caller.name] = known

    def _judge_again(self) -> None:
        now, borne = self._clock(), self._borne
        self._borne = {}
        for token, (claims, known) in borne.items():
            if self.bearing is None or now >= known.ends_at or self._is_shut(known.caller):
                continue
            with suppress(Denied):
                known.caller, known.ends_at = self.bearing.caller(claims, self._roles_of)
                self._borne[token] = (claims, known)
                self._show(token, known)

    def _is_shut(self, caller: Caller) -> bool:
        return (caller.tenant, caller.user) in self._locked

    def _roles_of(self, tenant: str, user: str) -> tuple[Role, ...] | None:
        return self._roles.get((tenant, user))

    def _ask_records(self, digest: str) -> Known:
        """A key that another process made since. Guessing must not keep the records busy."""
        if self._cache.take("strangers", per_s=_STRANGERS_PER_S, burst=_STRANGERS_PER_S):
            raise _stranger()
        with self._records.reading() as conn:
            found = list(store.holders(conn, digest))
        if not found:
            raise _stranger()
        [(_, user, key)] = found
        known = known_of(user, key)
        self._learn(self._known | {digest: known})
        return known

    def _learn(self, known: dict[str, Known]) -> None:
        self._changes += 1
        shut = {each for each, holder in self._built_in.items() if self._is_shut(holder.caller)}
        self._known = known = {each: known[each] for each in known if each not in shut}
        self._by_id = {holder.caller.key_id: holder for holder in known.values()}
        self._by_name = {
            (holder.caller.tenant, holder.caller.name): holder for holder in known.values()
        }
        self._seen = {}
        self._judge_again()

    def _build_in(self, token: str, caller: Caller) -> None:
        with self._learning:
            self._built_in[digest_of(token)] = Known(caller, NEVER)
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
