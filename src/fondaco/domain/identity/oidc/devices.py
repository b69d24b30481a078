"""A device that has no browser asks for access, and its person agrees on another: RFC 8628.

The device shows a short code, which a person types where they are signed in. A short code can be
guessed, so it is good for ten minutes, once, and who types wrong ones waits; what the device keeps
has 256 bits. A file of its own because it joins records and the issuer: call it off the loop.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from fondaco.domain.identity import events as ev
from fondaco.domain.identity.model import Caller, digest_of, token_of
from fondaco.domain.identity.oidc import store
from fondaco.domain.identity.oidc.issuer import Issuer, Tokens
from fondaco.domain.identity.oidc.model import SECOND_NS, Client, OAuthErrorCode, OAuthRefusal
from fondaco.kernel.errors import NotFound, Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.store import Store

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE_S: Final = 600
INTERVAL_S: Final = 5
SLOWER_S: Final = 5  # RFC 8628 section 3.5: by as much for this and all following requests
WAITING_MAX: Final = 1_000
LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words: RFC 8628 section 6.1
LENGTH: Final = 8  # 20^8, 34 bits


class DeviceAsked(msgspec.Struct, frozen=True):
    """What a device is answered: RFC 8628 section 3.2."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class DeviceShown(msgspec.Struct, frozen=True):
    """What a person is asked to agree to. `address` is where the device asked from."""

    client: Client
    user_code: str
    scopes: tuple[str, ...]
    address: str


class Devices:
    def __init__(self, issuer: Issuer, records: Store, random: Callable[[int], bytes]) -> None:
        self._issuer, self._records = issuer, records
        self._clock, self._random = issuer.clock, random

    def begin(self, client: Client, scope: str, resource: str, address: str) -> DeviceAsked:
        """Raises `OAuthRefusal`; `Unavailable` where too many wait."""
        if client.machine:
            raise OAuthRefusal("unauthorized_client", "this client asks by itself")
        scopes = self._issuer.scopes_for(client, scope)
        audience = self._issuer.audience(resource)
        code, at = token_of(self._random(32)), self._clock()
        with self._records.writing() as conn:
            if store.devices_waiting(conn, at) >= WAITING_MAX:
                raise Unavailable("too many devices wait; try again in a minute", retry_after_s=60)
            user_code = self._user_code(conn)
            store.add_device(
                conn,
                digest=digest_of(code),
                user_code=digest_of(user_code),
                client_id=client.client_id,
                scopes=msgspec.json.encode(scopes).decode(),
                resource=audience,
                address=address,
                state="waiting",
                grant_id="",
                ends_at=at + DEVICE_S * SECOND_NS,
                interval_s=INTERVAL_S,
                asked_at=0,
            )
        shown = f"{user_code[:4]}-{user_code[4:]}"
        there = f"{self._issuer.url}/oauth/device"
        whole = f"{there}?user_code={shown}"
        return DeviceAsked(code, shown, there, whole, DEVICE_S, INTERVAL_S)

    def _user_code(self, conn: Any) -> str:
        """One that nobody else has now."""
        while True:
            drawn = int.from_bytes(self._random(16), "big")
            code = "".join(
                LETTERS[drawn // len(LETTERS) ** n % len(LETTERS)] for n in range(LENGTH)
            )
            if store.device_of(conn, digest_of(code)) is None:
                return code

    def shown(self, user_code: str) -> DeviceShown:
        """Raises `NotFound` for a code that nobody was given, or that is good no more."""
        code = plain(user_code)
        with self._records.reading() as conn:
            row = store.device_of(conn, digest_of(code))
            client = None if row is None else store.client(conn, row.client_id)
        if row is None or client is None or row.state != "waiting" or self._clock() >= row.ends_at:
            raise NotFound("no device waits with this code: is it older than ten minutes?")
        scopes = tuple(msgspec.json.decode(row.scopes, type=list[str]))
        return DeviceShown(client[0], f"{code[:4]}-{code[4:]}", scopes, row.address)

    def decide(
        self,
        user_code: str,
        caller: Caller,
        second_factor: str,
        signed_in_at: Instant,
        *,
        agrees: bool,
    ) -> None:
        """Raises `NotFound` for a code that was decided meanwhile."""
        asked = self.shown(user_code)
        digest, grant_id = digest_of(plain(user_code)), ""
        with self._records.writing() as conn:
            row = store.device_of(conn, digest)
            if row is None or row.state != "waiting":
                raise NotFound("this code was used meanwhile")
            if agrees:
                grant_id = self._issuer.grant_to(
                    conn, asked.client, caller, asked.scopes, row.resource, second_factor,
                    signed_in_at,
                )  # fmt: skip
            store.change_device(
                conn, row.digest, state="agreed" if agrees else "refused", grant_id=grant_id
            )
        self._issuer.refresh()

    def tokens(self, client: Client, code: str) -> Tokens:
        """RFC 8628 section 3.4 and 3.5. Raises `OAuthRefusal` until somebody has agreed."""
        at, digest, grant = self._clock(), digest_of(code), None
        refused: OAuthErrorCode | None = None
        with self._records.writing() as conn:
            row = store.device(conn, digest)
            if row is None or row.client_id != client.client_id:
                refused = "invalid_grant"
            elif row.state == "used":  # somebody else has this code
                refused = "invalid_grant"
                if store.revoke_grant(conn, row.grant_id, at):
                    store.tell(conn, ev.AccessRevoked(row.grant_id, "code used again"), at)
            elif at >= row.ends_at:
                refused = "expired_token"
            elif row.asked_at and at < row.asked_at + row.interval_s * SECOND_NS:
                refused = "slow_down"
                slower = row.interval_s + SLOWER_S
                store.change_device(conn, digest, asked_at=at, interval_s=slower)
            elif row.state == "waiting":
                refused = "authorization_pending"
                store.change_device(conn, digest, asked_at=at)
            elif row.state == "refused":
                refused = "access_denied"
            else:
                grant = store.grant(conn, row.grant_id)
                store.change_device(conn, digest, state="used")
        if refused == "invalid_grant":
            self._issuer.changed()
        if refused is not None or grant is None or grant.revoked_at is not None:
            raise _refusal(refused or "invalid_grant")
        return self._issuer.tokens_of(grant)


_SAID: Final[dict[str, str]] = {
    "authorization_pending": "nobody has agreed yet: ask again behind the interval",
    "slow_down": "asked too soon: wait five seconds longer each time from now on",
    "expired_token": "the code is older than ten minutes: begin again",
    "access_denied": "the person has refused",
    "invalid_grant": "the code is unknown, used, or another client's",
}


def _refusal(error: OAuthErrorCode) -> OAuthRefusal:
    return OAuthRefusal(error, _SAID[error])


def plain(user_code: str) -> str:
    """As it is looked up: what people type in place of a dash does not matter, nor does case."""
    return "".join(each for each in user_code.upper() if each in LETTERS)[: LENGTH + 1]
