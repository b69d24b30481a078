"""Devices that somebody has signed in with: known from then on, trusted once they say so with a
second factor, and only for a while. A file of its own because it joins records and proofs.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from fondaco.domain.identity import events as ev
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Caller, device_id_of
from fondaco.domain.identity.people import store
from fondaco.domain.identity.people.desk import PeopleDesk
from fondaco.kernel.errors import Denied, NotFound
from fondaco.kernel.event import Instant
from fondaco.ports.store import Store

DAY_NS: Final = 86_400 * 1_000_000_000
FRESH_NS: Final = 5 * 60 * 1_000_000_000  # a session that began with a passkey proves it this long
_PASSKEY: Final = "passkey"


class DeviceShown(msgspec.Struct, frozen=True, kw_only=True):
    """One device. `state` is "trusted" up to `trusted_until`, else "known". Times are nanoseconds
    since 1970, UTC; "" for never. `sessions` is how many are open on it."""

    device_id: str
    name: str
    state: Literal["known", "trusted"]
    trusted_until: str
    trusted_by: str
    known_since: str
    last_used_at: str
    sessions: int
    is_this: bool


class Devices:
    def __init__(
        self,
        records: Store,
        directory: Directory,
        desk: PeopleDesk,
        clock: Callable[[], Instant],
    ) -> None:
        self._records, self._directory, self._desk = records, directory, desk
        self._clock = clock

    def of(self, tenant: str, user: str, this: str = "") -> list[DeviceShown]:
        """Newest first; `this` is the device that asks."""
        at = self._clock()
        with self._records.reading() as conn:
            rows = store.devices_of(conn, tenant, user)
            begun = store.sessions_on(conn, tenant, user)
        return [self._shown(row, begun.get(row.digest, []), at, this) for row in rows]

    def trust(self, caller: Caller, device_id: str, code: str, days: int, address: str) -> None:
        """One of one's own. Raises `Denied` without a second factor, `NotFound`."""
        self._prove(caller, code, address)
        self._trust(caller, caller.user, device_id, days)

    def trust_of(
        self, caller: Caller, user: str, device_id: str, code: str, days: int, address: str
    ) -> None:
        """Somebody else's; `code` is of the one who says so."""
        self._prove(caller, code, address)
        self._trust(caller, user, device_id, days)

    def forget(self, caller: Caller, device_id: str) -> int:
        """How many sessions have ended. Whoever signs in there is a stranger again."""
        with self._records.writing() as conn:
            row = self._row(conn, caller.tenant, caller.user, device_id)
            begun = store.sessions_on(conn, caller.tenant, caller.user).get(row.digest, [])
            ended = [each for each in begun if each.ended_at is None]
            for each in ended:
                self._desk.end_row(conn, each, caller.name)
            store.remove_device(conn, row.digest)
            told = ev.DeviceForgotten(caller.tenant, caller.user, device_id, caller.name)
            store.tell(conn, told, self._clock())
        self._directory.refresh()
        return len(ended)

    def _prove(self, caller: Caller, code: str, address: str) -> None:
        if not code and caller.second_factor == _PASSKEY:
            _, since = self._desk.signed_in(caller)
            if self._clock() - since <= FRESH_NS:
                return
            raise Denied(
                "sign in with your passkey again, within five minutes: this session is older",
                code="wrong_code",
            )
        self._desk.prove_second(caller, code, address)

    def _trust(self, caller: Caller, user: str, device_id: str, days: int) -> None:
        at = self._clock()
        until = Instant(at + days * DAY_NS)
        with self._records.writing() as conn:
            row = self._row(conn, caller.tenant, user, device_id)
            store.trust_device(conn, row.digest, caller.tenant, user, at, until, caller.name)
            told = ev.DeviceTrusted(caller.tenant, user, device_id, until, caller.name)
            store.tell(conn, told, at)
        self._directory.refresh()

    def _row(self, conn: Any, tenant: str, user: str, device_id: str) -> Any:
        for row in store.devices_of(conn, tenant, user):
            if device_id_of(row.digest) == device_id:
                return row
        raise NotFound(f"{user} has no device {device_id[:40]}")

    def _shown(self, row: Any, begun: list[Any], at: Instant, this: str) -> DeviceShown:
        device_id, until = device_id_of(row.digest), row.trusted_until or 0
        name = self._desk.unsealed(begun[0].device, row.tenant, row.user) if begun else ""
        used = [max(e.last_used_at, self._directory.used_at(e.session_id)) for e in begun]
        return DeviceShown(
            device_id=device_id,
            name=name,
            state="trusted" if at < until else "known",
            trusted_until=str(until) if until else "",
            trusted_by=row.trusted_by or "",
            known_since=str(row.created_at),
            last_used_at=str(max(used)) if used else "",
            sessions=sum(self._desk.lives(each, at) for each in begun),
            is_this=device_id == this,
        )
