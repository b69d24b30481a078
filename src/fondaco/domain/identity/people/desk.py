"""Where people register, sign in and look after themselves. A file of its own because it joins
records, hashes and guesses; whoever calls it does so off the loop, since a hash takes its time.

Answers do not tell whether somebody is known here: what is wrong with a name, a password or a code
is said in one sentence for all, after the same work.
"""

from base64 import b32encode
from collections.abc import Callable
from hashlib import sha256
from threading import BoundedSemaphore
from typing import Any, Final, Protocol

import msgspec

from fondaco.domain.identity import events as ev
from fondaco.domain.identity import store as identity
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import (
    Caller,
    TenantId,
    User,
    UserId,
    device_id_of,
    digest_of,
    session_id_of,
    token_of,
)
from fondaco.domain.identity.people import passwords, store, totp
from fondaco.domain.identity.people.attempts import Attempts
from fondaco.domain.identity.people.crowd import Crowd
from fondaco.domain.identity.people.passwords import Hashing
from fondaco.kernel.errors import Denied, Invalid, NotFound, Taken, Unavailable
from fondaco.kernel.event import Instant
from fondaco.kernel.line import Line
from fondaco.ports.store import Store

VERIFY_NS: Final = 24 * 3_600 * 1_000_000_000
CODES: Final = 10
CODE_BYTES: Final = 10  # 80 bits: nobody finds one by trying, so a fast hash will do
HASHING_WAIT_S: Final = 5.0
ISSUER: Final = "Fondaco"
WRONG: Final = "user, password or code is wrong, or the address was never verified"


class Sealing(Protocol):
    """Keeps what nobody may read who has the records alone."""

    def seal(self, text: bytes, about: str) -> bytes: ...

    def unseal(self, sealed: bytes, about: str) -> bytes:
        """Raises `Unavailable` where the key is another one."""
        ...


class Mail(Protocol):
    def send(self, to: str, subject: str, text: str) -> None: ...


class SignedIn(msgspec.Struct, frozen=True):
    token: str
    session_id: str
    device: str  # a token by which this device is known the next time
    ends_at: Instant
    second_factor: str


class SignedInShown(msgspec.Struct, frozen=True, kw_only=True):
    """One place where somebody is signed in. Times are nanoseconds since 1970, UTC."""

    session_id: str
    device: str
    address: str
    second_factor: str
    created_at: str
    last_used_at: str
    ends_at: str
    is_this: bool
    device_id: str = ""  # which of your devices; "" where it began before they were told apart


class PeopleDesk:
    def __init__(
        self,
        records: Store,
        directory: Directory,
        clock: Callable[[], Instant],
        random: Callable[[int], bytes],
        *,
        sealing: Sealing,
        mail: Mail,
        hashing: Hashing,
        session_ns: int,
        idle_ns: int,
        at_once: int = 2,
    ) -> None:
        self._records, self._directory = records, directory
        self._clock, self._random = clock, random
        self._sealing, self._mail, self._hashing = sealing, mail, hashing
        self._session_ns, self._idle_ns = session_ns, idle_ns
        self.attempts = Attempts(clock)
        self._hashers = BoundedSemaphore(at_once)  # 64 MiB each
        self._held_up: list[tuple[str, str]] = []
        self.breached: Callable[[str], int] = lambda _: 0  # how often it was stolen elsewhere
        self.crowd = Crowd()
        records.create(store.metadata)

    # --- Registering ----------------------------------------------------------------------------

    def register(self, tenant: str, user: str, password: str, email: str, name: str) -> None:
        """Nobody is told whether the name was free: the one who has it is sent a message."""
        self._check(password, user, email.partition("@")[0], name)
        hashed = self._hash(password)
        code = b32encode(self._random(10)).decode()
        at = self._clock()
        with self._records.writing() as conn:
            found = store.person(conn, tenant, user)
            is_free = found is None and self._is_free(conn, tenant, user)
            if is_free:
                identity.put_user(conn, User(TenantId(tenant), UserId(user), ()), at)
                self._add(conn, tenant, user, hashed, email, name, at, code)
            else:  # as much to write, so that it takes as long
                store.change_person(conn, tenant, user, created_at=store.SAME)
        if is_free:
            text = (
                f"Somebody, we hope you, has registered as {user} in {tenant}. To go on, give this "
                f"code within a day:\n\n    {code}\n\nfondaco user verify --user {user} --tenant "
                f"{tenant} --code {code}\n\nIf it was not you, do nothing."
            )
            self._mail.send(email, "Your code", text)
        elif found is not None:
            whose = self._unsealed(found.email, tenant, user)
            self._mail.send(
                whose,
                "Somebody tried to register your name",
                f"Somebody has tried to register {user}, which is yours. Nothing was changed.",
            )

    def _is_free(self, conn: Any, tenant: str, user: str) -> bool:
        """Not one who has keys already: a stranger must not take over what they may do."""
        if tenant not in identity.tenant_names(conn):
            return False
        try:
            identity.user(conn, TenantId(tenant), UserId(user))
        except NotFound:
            return True
        return False

    def _add(
        self,
        conn: Any,
        tenant: str,
        user: str,
        hashed: str,
        email: str,
        name: str,
        at: Instant,
        code: str,
    ) -> None:
        about = f"{tenant}/{user}"
        store.add_person(
            conn,
            tenant=tenant,
            user=user,
            email=self._sealing.seal(email.encode(), about),
            name=self._sealing.seal(name.encode(), about),
            password=hashed,
            password_at=at,
            verified_at=None if code else at,
            verify_digest=digest_of(code) if code else "",
            verify_until=at + VERIFY_NS,
            totp=None,
            totp_at=None,
            totp_step=0,
            created_at=at,
        )
        store.tell(conn, ev.PersonRegistered(tenant, user), at)

    def add(self, tenant: str, user: str, password: str, email: str, name: str) -> None:
        """By the operator at the machine, who has verified them: for a user that there is."""
        self._check(password, user, email.partition("@")[0], name)
        hashed, at = self._hash(password), self._clock()
        with self._records.writing() as conn:
            identity.user(conn, TenantId(tenant), UserId(user))
            if user in identity.owners(conn, tenant):
                raise Taken(f"{user} is a service account: it has keys, and no password")
            if store.person(conn, tenant, user) is not None:
                store.change_person(
                    conn, tenant, user, password=hashed, password_at=at, verified_at=at,
                    totp=None, totp_at=None,
                )  # fmt: skip
                store.put_codes(conn, tenant, user, ())
                store.remove_passkeys(conn, tenant, user)
                store.tell(conn, ev.PasswordChanged(tenant, user, "operator"), at)
                store.tell(conn, ev.SecondFactorSet(tenant, user, ""), at)
                self.end_all(conn, tenant, user, "operator")
                return
            self._add(conn, tenant, user, hashed, email, name, at, "")
            store.tell(conn, ev.PersonVerified(tenant, user, "operator"), at)

    def verify(self, tenant: str, user: str, code: str, address: str) -> None:
        """Raises `Denied`, the same for whoever is not known."""
        who = f"{tenant}/{user}"
        self.attempts.check(who, address, "")
        at = self._clock()
        with self._records.writing() as conn:
            row = store.person(conn, tenant, user)
            fits = row is not None and row.verify_digest == digest_of(code.strip().upper())
            if fits and at < row.verify_until:
                store.change_person(conn, tenant, user, verified_at=at, verify_digest="")
                store.tell(conn, ev.PersonVerified(tenant, user, "code"), at)
                return
        self._failed(tenant, user, address, "")
        raise Denied("the code is wrong, was used, or is older than a day", code="wrong_code")

    # --- Signing in -----------------------------------------------------------------------------

    def sign_in(
        self,
        tenant: str,
        user: str,
        password: str,
        code: str,
        *,
        address: str,
        device: str,
        device_name: str,
    ) -> SignedIn | None:
        """None where a code is asked for besides. Raises `Denied` where anything is wrong, and
        `TooMany` for who guesses."""
        who = f"{tenant}/{user}"
        known = self._device_of(tenant, user, device)
        self.attempts.check(who, address, known)
        with self._records.reading() as conn:
            row = store.person(conn, tenant, user)
        kept = row.password if row is not None else self._hashing.nobody
        fits = self._fits(kept, password)
        if row is None or not fits or row.verified_at is None:
            self._failed(tenant, user, address, known)
            raise Denied(WRONG, code="sign_in_failed")
        factor = ""
        with self._records.reading() as conn:
            has_passkey = bool(store.passkeys_of(conn, tenant, user))
        if row.totp_at is not None or has_passkey:
            if not code:
                return None
            factor = self._second(row, code)
            if not factor:
                self._failed(tenant, user, address, known)
                raise Denied(WRONG, code="sign_in_failed")
        self.attempts.succeeded(who, address, known)
        return self._begin(row, password, factor, address, device if known else "", device_name)

    def _begin(
        self, row: Any, password: str, factor: str, address: str, device: str, device_name: str
    ) -> SignedIn:
        """Always a token that nobody had before. Raises `Denied` for who is locked, which nobody is
        told who could not sign in otherwise."""
        with self._records.reading() as conn:
            if identity.is_locked(conn, row.tenant, row.user):
                raise Denied(
                    f"{row.user} is locked: ask whoever runs the house", code="user_locked"
                )
        token, at = token_of(self._random(32)), self._clock()
        digest = digest_of(token)
        session_id, about = session_id_of(digest), f"{row.tenant}/{row.user}"
        ends_at = Instant(at + self._session_ns)
        is_old = password and self._hashing.is_old(row.password)
        hashed = self._hash(password) if is_old else ""
        with self._records.writing() as conn:
            store.add_session(
                conn,
                session_id=session_id,
                digest=digest,
                tenant=row.tenant,
                user=row.user,
                device=self._sealing.seal(device_name.encode(), about),
                address=self._sealing.seal(address.encode(), about),
                second_factor=factor,
                created_at=at,
                last_used_at=at,
                ends_at=ends_at,
            )
            if hashed:
                store.change_person(conn, row.tenant, row.user, password=hashed)
            if not device:
                if store.has_device(conn, row.tenant, row.user):
                    store.tell(conn, ev.DeviceAdded(row.tenant, row.user, session_id), at)
                device = token_of(self._random(32))
                store.add_device(conn, digest_of(device), row.tenant, row.user, at)
            peer = address.peer if isinstance(address, Line) else ""
            store.put_session_device(
                conn, session_id, row.tenant, row.user, digest_of(device), peer
            )
            store.tell(conn, ev.SessionBegun(row.tenant, row.user, session_id, factor), at)
        self._directory.refresh()
        return SignedIn(token, session_id, device, ends_at, factor)

    def _device_of(self, tenant: str, user: str, device: str) -> str:
        if not device:
            return ""
        digest = digest_of(device)
        with self._records.reading() as conn:
            return digest if store.knows_device(conn, digest, tenant, user) else ""

    def _second(self, row: Any, code: str) -> str:
        """Which second factor `code` is; "" where it is none, or was used before."""
        code, at = code.strip().replace(" ", "").replace("-", "").upper(), self._clock()
        if code.isdecimal() and len(code) == totp.DIGITS:
            if row.totp is None:
                return ""
            secret = self._sealing.unseal(row.totp, f"{row.tenant}/{row.user}")
            step = totp.step_that_fits(secret, code, at, row.totp_step)
            if step is None:
                return ""
            with self._records.writing() as conn:
                return "totp" if store.use_step(conn, row.tenant, row.user, step) else ""
        with self._records.writing() as conn:
            if not store.use_code(conn, row.tenant, row.user, _code_digest(row, code), at):
                return ""
            left = store.codes_left(conn, row.tenant, row.user)
            store.tell(conn, ev.RecoveryCodeUsed(row.tenant, row.user, left), at)
        return "recovery"

    # --- What they do with themselves -----------------------------------------------------------

    def change_password(self, caller: Caller, old: str, new: str, address: str) -> None:
        """Every other session ends."""
        row = self._proven(caller, old, address)
        self._check(new, caller.user, self._unsealed(row.name, row.tenant, row.user))
        hashed, at = self._hash(new), self._clock()
        with self._records.writing() as conn:
            store.change_person(conn, row.tenant, row.user, password=hashed, password_at=at)
            store.tell(conn, ev.PasswordChanged(row.tenant, row.user, caller.name), at)
        self.end_sessions(caller, but_this=True)

    def enrol(self, caller: Caller, password: str, address: str) -> bytes:
        """The secret; it is asked for once `confirm` has seen a code of it."""
        row = self._proven(caller, password, address)
        if row.totp_at is not None:
            raise Taken("there is a second factor: remove it first", code="second_factor_set")
        secret = self._random(totp.SECRET_BYTES)
        with self._records.writing() as conn:
            sealed = self._sealing.seal(secret, f"{row.tenant}/{row.user}")
            store.change_person(conn, row.tenant, row.user, totp=sealed)
        return secret

    def confirm(self, caller: Caller, code: str, address: str) -> list[str]:
        """Recovery codes, which are shown this once."""
        row = self._person(caller)
        if row.totp is None or row.totp_at is not None:
            raise Taken("nothing waits to be confirmed: enrol first", code="nothing_to_confirm")
        who = f"{row.tenant}/{row.user}"
        self.attempts.check(who, address, "")
        if self._second(row, code) != "totp":
            self._failed(row.tenant, row.user, address, "")
            raise Denied("the code is wrong: is the clock of that device right?", code="wrong_code")
        at, codes = self._clock(), [self._recovery_code() for _ in range(CODES)]
        with self._records.writing() as conn:
            store.change_person(conn, row.tenant, row.user, totp_at=at)
            digests = [_code_digest(row, each.replace("-", "")) for each in codes]
            store.put_codes(conn, row.tenant, row.user, digests)
            store.tell(conn, ev.SecondFactorSet(row.tenant, row.user, "totp"), at)
        return codes

    def remove(self, caller: Caller, password: str, code: str, address: str) -> None:
        """Takes both factors, so that a session left open is not enough."""
        row = self._proven(caller, password, address)
        if row.totp_at is None:
            raise Taken("there is no second factor", code="nothing_to_confirm")
        if not self._second(row, code):
            self._failed(row.tenant, row.user, address, "")
            raise Denied("the code is wrong", code="wrong_code")
        at = self._clock()
        with self._records.writing() as conn:
            store.change_person(conn, row.tenant, row.user, totp=None, totp_at=None)
            store.put_codes(conn, row.tenant, row.user, ())
            store.tell(conn, ev.SecondFactorSet(row.tenant, row.user, ""), at)

    def sessions(self, caller: Caller) -> list[SignedInShown]:
        at = self._clock()
        with self._records.reading() as conn:
            rows = store.sessions_of(conn, caller.tenant, caller.user)
            devices = store.devices_by_session(conn, caller.tenant, caller.user)
        live = [row for row in rows if self.lives(row, at)]
        return [
            SignedInShown(
                session_id=row.session_id,
                device=self._unsealed(row.device, row.tenant, row.user),
                address=self._unsealed(row.address, row.tenant, row.user),
                second_factor=row.second_factor,
                created_at=str(row.created_at),
                last_used_at=str(max(row.last_used_at, self._directory.used_at(row.session_id))),
                ends_at=str(row.ends_at),
                is_this=row.session_id == caller.key_id,
                device_id=device_id_of(devices.get(row.session_id, "")),
            )
            for row in live
        ]

    def signed_in(self, caller: Caller) -> tuple[str, Instant]:
        """With which second factor a session was begun, and when. Raises `Denied`."""
        with self._records.reading() as conn:
            rows = store.sessions_of(conn, caller.tenant, caller.user)
        for row in rows:
            if row.session_id == caller.key_id:
                return row.second_factor, Instant(row.created_at)
        raise Denied("this session has ended", code="unauthenticated")

    def personal(self, tenant: str, user: str) -> dict[str, str]:
        """Name and address, where they are known."""
        with self._records.reading() as conn:
            row = store.person(conn, tenant, user)
        if row is None:
            return {}
        return {
            "name": self._unsealed(row.name, tenant, user),
            "email": self._unsealed(row.email, tenant, user),
        }

    def write_to(self, tenant: str, user: str, subject: str, text: str) -> None:
        """A message to somebody's address, where they have one here."""
        email = self.personal(tenant, user).get("email", "")
        if email:
            self._mail.send(email, subject, text)

    def lives(self, row: Any, at: Instant) -> bool:
        used_at = max(row.last_used_at, self._directory.used_at(row.session_id))
        return bool(at < row.ends_at and at < used_at + self._idle_ns)

    def end_session(self, caller: Caller, session_id: str) -> None:
        """One of one's own. Raises `NotFound`."""
        with self._records.writing() as conn:
            rows = store.sessions_of(conn, caller.tenant, caller.user)
            mine = [row for row in rows if row.session_id == session_id]
            if not mine:
                raise NotFound(f"you have no session {session_id[:40]}")
            self.end_row(conn, mine[0], caller.name)
        self._directory.refresh()

    def end_sessions(self, caller: Caller, *, but_this: bool) -> int:
        with self._records.writing() as conn:
            rows = store.sessions_of(conn, caller.tenant, caller.user)
            ended = [r for r in rows if not (but_this and r.session_id == caller.key_id)]
            for row in ended:
                self.end_row(conn, row, caller.name)
        self._directory.refresh()
        return len(ended)

    def end_row(self, conn: Any, row: Any, by: str) -> None:
        """A session; the directory is to be told behind it."""
        at = self._clock()
        store.end_session(conn, row.session_id, at)
        store.tell(conn, ev.SessionEnded(row.tenant, row.user, row.session_id, by), at)

    def has_second_factor(self, caller: Caller) -> tuple[bool, int]:
        """Whether one is asked for, and how many recovery codes are left."""
        with self._records.reading() as conn:
            row = store.person(conn, caller.tenant, caller.user)
            left = store.codes_left(conn, caller.tenant, caller.user)
        return row is not None and row.totp_at is not None, left

    # --- For passkeys ----------------------------------------------------------------------------

    def prove(self, caller: Caller, password: str, address: str) -> None:
        """Raises `Denied` unless they know their password."""
        self._proven(caller, password, address)

    def begin(
        self, row: Any, factor: str, address: str, device_name: str, device: str = ""
    ) -> SignedIn:
        """Somebody has signed in without a password."""
        known = device if self._device_of(row.tenant, row.user, device) else ""
        return self._begin(row, "", factor, address, known, device_name)

    def prove_second(self, caller: Caller, code: str, address: str) -> None:
        """Raises `Denied` unless `code` is of their second factor."""
        row = self._person(caller)
        self.attempts.check(f"{row.tenant}/{row.user}", address, "")
        if not code or not self._second(row, code):
            self._failed(row.tenant, row.user, address, "")
            raise Denied(
                "the code is wrong, or there is no second factor: give one of your authenticator",
                code="wrong_code",
            )

    def new_codes(self, caller: Caller) -> list[str]:
        """Recovery codes instead of all that there were."""
        row, codes = self._person(caller), [self._recovery_code() for _ in range(CODES)]
        with self._records.writing() as conn:
            digests = [_code_digest(row, each.replace("-", "")) for each in codes]
            store.put_codes(conn, row.tenant, row.user, digests)
        return codes

    # --- For those who look after people ---------------------------------------------------------

    def keep(self, conn: Any, who: tuple[str, str], hashed: str, email: str, name: str) -> None:
        """A person who cannot sign in yet: nobody knows the code that they were given."""
        code = b32encode(self._random(10)).decode()
        self._add(conn, *who, hashed, email, name, self._clock(), code)

    def hashed(self, password: str, *names: str) -> str:
        """Raises `Invalid` for a password that nobody should have."""
        self._check(password, *names)
        return self._hash(password)

    def end_all(self, conn: Any, tenant: str, user: str, by: str) -> int:
        """Every session of somebody; the directory is to be told behind it."""
        rows = store.sessions_of(conn, tenant, user)
        for row in rows:
            self.end_row(conn, row, by)
        return len(rows)

    def failed(self, tenant: str, user: str, address: str) -> None:
        """Somebody has guessed."""
        self._failed(tenant, user, address, "")

    def sealed(self, text: str, tenant: str, user: str) -> bytes:
        return self._sealing.seal(text.encode(), f"{tenant}/{user}")

    def unsealed(self, sealed: bytes, tenant: str, user: str) -> str:
        return self._unsealed(sealed, tenant, user)

    # --- Parts of these --------------------------------------------------------------------------

    def _person(self, caller: Caller) -> Any:
        with self._records.reading() as conn:
            row = store.person(conn, caller.tenant, caller.user)
        if row is None:
            raise NotFound(f"{caller.user} has no password here: `fondaco user add` gives one")
        return row

    def _proven(self, caller: Caller, password: str, address: str) -> Any:
        """The person, where they know their password. Raises `Denied`."""
        row = self._person(caller)
        who = f"{row.tenant}/{row.user}"
        self.attempts.check(who, address, "")
        if not self._fits(row.password, password):
            self._failed(row.tenant, row.user, address, "")
            raise Denied("the password is wrong", code="wrong_password")
        return row

    def _failed(self, tenant: str, user: str, address: str, device: str) -> None:
        if self.attempts.failed(f"{tenant}/{user}", address, device):
            self._held_up.append((tenant, user))

    def tick(self) -> None:
        """Called every second: the journal is told who was held up. Not while somebody waits for
        an answer, which would take longer for those whom there are."""
        told, self._held_up = self._held_up, []
        if not told:
            return
        with self._records.writing() as conn:
            for tenant, user in told:
                if store.person(conn, tenant, user) is not None:
                    store.tell(conn, ev.SignInHeldUp(tenant, user), self._clock())

    def _check(self, password: str, *names: str) -> None:
        """Raises `Invalid` for a password that nobody should have."""
        passwords.check(password, *names)
        seen = self.breached(passwords.normal(password))
        if seen:
            raise Invalid(
                f"this password is in lists of stolen ones, {seen} times: take another",
                code="weak_password",
            )

    def _hash(self, password: str) -> str:
        self._wait()
        try:
            return self._hashing.hash(password)
        finally:
            self._hashers.release()

    def _fits(self, kept: str, password: str) -> bool:
        self._wait()
        try:
            return self._hashing.fits(kept, password)
        finally:
            self._hashers.release()

    def _wait(self) -> None:
        if not self._hashers.acquire(timeout=HASHING_WAIT_S):
            raise Unavailable("too many sign in at once; try again in a moment", retry_after_s=2)

    def _unsealed(self, sealed: bytes, tenant: str, user: str) -> str:
        return self._sealing.unseal(sealed, f"{tenant}/{user}").decode()

    def _recovery_code(self) -> str:
        text = b32encode(self._random(CODE_BYTES)).decode()
        return "-".join(text[n : n + 4] for n in range(0, len(text), 4))


def _code_digest(row: Any, code: str) -> str:
    return sha256(f"{row.tenant}/{row.user}/{code}".encode()).hexdigest()
