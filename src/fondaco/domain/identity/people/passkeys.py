"""Where people enrol passkeys and sign in with them. A file of its own because it joins records,
asks under way and sessions; call it off the loop.

A passkey is an authenticator that has verified who uses it, so it is both factors at once. Whoever
has one needs more than a password: the passkey, or a code.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from fondaco.domain.identity import events as ev
from fondaco.domain.identity.model import Caller, digest_of, token_of
from fondaco.domain.identity.people import store, webauthn
from fondaco.domain.identity.people.desk import PeopleDesk, SignedIn
from fondaco.kernel.errors import Denied, Invalid, NotFound, Taken
from fondaco.kernel.event import Instant
from fondaco.ports.cache import Cache
from fondaco.ports.store import Store

ASK_MS: Final = 300_000  # how long a person may take over it
CHALLENGE_BYTES: Final = 32
_kept: Final = msgspec.msgpack.Decoder(tuple[str, bytes])
COUNT_MAX: Final = 20  # of one person
FACTOR: Final = "passkey"


class Assertion(msgspec.Struct, frozen=True):
    """What a browser answers, decoded."""

    credential_id: bytes
    client_data: bytes
    data: bytes  # of the authenticator
    signature: bytes


class PasskeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """Times are nanoseconds since 1970, UTC. `is_copied`: it is kept in more than one device."""

    passkey_id: str
    name: str
    created_at: str
    last_used_at: str | None
    is_copied: bool


class Passkeys:
    def __init__(
        self,
        records: Store,
        desk: PeopleDesk,
        cache: Cache,
        clock: Callable[[], Instant],
        random: Callable[[int], bytes],
    ) -> None:
        self._records, self._desk, self._cache = records, desk, cache
        self._clock, self._random = clock, random
        self.rp_id = "localhost"
        self.origins: Sequence[str] = ()

    def _ask(self, about: str) -> tuple[str, bytes]:
        """A handle by which the answer is known, and what it must sign."""
        handle, challenge = token_of(self._random(32)), self._random(CHALLENGE_BYTES)
        kept = msgspec.msgpack.encode((about, challenge))
        self._cache.put(f"passkey:{digest_of(handle)}", kept, ASK_MS)
        return handle, challenge

    def _asked(self, handle: str, about: str) -> bytes:
        """Once. Raises `Denied`."""
        kept = self._cache.pop(f"passkey:{digest_of(handle)}")
        whose, challenge = (
            msgspec.msgpack.decode(kept, type=tuple[str, bytes]) if kept else ("", b"")
        )
        if not challenge or whose != about:
            raise Denied(
                "nothing waits for this answer, or no longer: begin again", code="sign_in_failed"
            )
        return challenge

    # --- Enrolling ------------------------------------------------------------------------------

    def begin(
        self, caller: Caller, password: str, address: str
    ) -> tuple[str, bytes, Sequence[str]]:
        """Handle, challenge, and the ids of those that there are."""
        self._desk.prove(caller, password, address)
        with self._records.reading() as conn:
            rows = store.passkeys_of(conn, caller.tenant, caller.user)
        if len(rows) >= COUNT_MAX:
            raise Taken(f"you have {len(rows)} passkeys: remove one first")
        handle, challenge = self._ask(f"{caller.tenant}/{caller.user}")
        return handle, challenge, [row.passkey_id for row in rows]

    def add(
        self,
        caller: Caller,
        handle: str,
        name: str,
        client_data: bytes,
        data: bytes,
        public_key: bytes,
    ) -> tuple[PasskeyShown, list[str]]:
        """The passkey, and recovery codes where there were none; they are shown this once."""
        about = f"{caller.tenant}/{caller.user}"
        challenge = self._asked(handle, about)
        webauthn.check_client(client_data, "webauthn.create", challenge, self.origins)
        found = webauthn.read(data, self.rp_id)
        if not found.credential_id:
            raise webauthn.refused("it names no credential")
        webauthn.key_of(public_key)
        at, passkey_id = self._clock(), found.credential_id.hex()
        with self._records.writing() as conn:
            if store.passkey(conn, passkey_id) is not None:
                raise Taken("this passkey is known here already")
            first = not store.passkeys_of(conn, caller.tenant, caller.user)
            store.add_passkey(
                conn,
                passkey_id=passkey_id,
                tenant=caller.tenant,
                user=caller.user,
                public_key=public_key,
                sign_count=found.sign_count,
                name=self._desk.sealed(name, caller.tenant, caller.user),
                is_copied=bool(found.flags & webauthn.IS_COPIED),
                created_at=at,
            )
            store.tell(conn, ev.PasskeyAdded(caller.tenant, caller.user, digest_of(passkey_id)), at)
            has_codes = store.codes_left(conn, caller.tenant, caller.user) > 0
        codes = self._desk.new_codes(caller) if first and not has_codes else []
        return self.of(caller)[-1], codes

    def of(self, caller: Caller) -> list[PasskeyShown]:
        with self._records.reading() as conn:
            rows = store.passkeys_of(conn, caller.tenant, caller.user)
        return [
            PasskeyShown(
                passkey_id=row.passkey_id,
                name=self._desk.unsealed(row.name, row.tenant, row.user),
                created_at=str(row.created_at),
                last_used_at=None if row.last_used_at is None else str(row.last_used_at),
                is_copied=bool(row.is_copied),
            )
            for row in rows
        ]

    def remove(self, caller: Caller, passkey_id: str, password: str, address: str) -> None:
        """Takes the password, so that a session left open is not enough. Raises `NotFound`."""
        self._desk.prove(caller, password, address)
        at = self._clock()
        with self._records.writing() as conn:
            if not store.remove_passkey(conn, caller.tenant, caller.user, passkey_id):
                raise NotFound("you have no such passkey")
            told = ev.PasskeyRemoved(caller.tenant, caller.user, digest_of(passkey_id), caller.name)
            store.tell(conn, told, at)

    # --- Signing in -----------------------------------------------------------------------------

    def ask(self) -> tuple[str, bytes]:
        """Nobody is named: the authenticator knows whose it is, and we tell nobody who is here."""
        return self._ask("")

    def sign_in(
        self, handle: str, answer: Assertion, *, address: str, device_name: str, device: str = ""
    ) -> SignedIn:
        """Raises `Denied`, the same for a passkey that nobody has as for one that does not fit."""
        challenge = self._asked(handle, "")
        passkey_id = answer.credential_id.hex()
        with self._records.reading() as conn:
            row = store.passkey(conn, passkey_id)
        who = f"{row.tenant}/{row.user}" if row is not None else "passkeys"
        self._desk.attempts.check(who, address, passkey_id if row is not None else "")
        try:
            found = self._fits(row, answer, challenge)
        except Denied:
            self._desk.attempts.failed(who, address, "")
            raise
        at = self._clock()
        with self._records.writing() as conn:
            if not store.use_passkey(conn, passkey_id, row.sign_count, found.sign_count, at):
                raise webauthn.refused("it was used from somewhere else just now")
            person = store.person(conn, row.tenant, row.user)
        if person is None or person.verified_at is None:
            raise webauthn.refused("its person was never verified")
        return self._desk.begin(person, FACTOR, address, device_name, device)

    def _fits(self, row: Any, answer: Assertion, challenge: bytes) -> webauthn.Found:
        webauthn.check_client(answer.client_data, "webauthn.get", challenge, self.origins)
        found = webauthn.read(answer.data, self.rp_id)
        if row is None:
            raise webauthn.refused("its signature does not fit")
        webauthn.check_signature(row.public_key, answer.data, answer.client_data, answer.signature)
        counts = row.sign_count or found.sign_count
        if counts and found.sign_count <= row.sign_count:
            raise webauthn.refused("its counter went back: there is a copy of it")
        return found


def decoded(text: str, what: str) -> bytes:
    """Raises `Invalid`."""
    try:
        return webauthn.decoded(text)
    except ValueError:
        raise Invalid(f"{what} is no base64url") from None
