"""Denials gathered by the minute, so that a storm of them does not flood the journal. No clock: who
notes says when."""

from typing import Final

from fondaco.domain.identity.audit.events import AuditEvent, DenialsNoted
from fondaco.kernel.event import Instant

MINUTE_NS: Final = 60_000_000_000
GROUPS_MAX: Final = 1_000  # of one minute, each one caller's; what is beyond is one more
BEYOND: Final = "…"


class Group:
    """Denials of one caller, operation, door and code within a minute."""

    __slots__ = ("count", "first", "last_at", "tenant", "told")

    def __init__(self, tenant: str, first: DenialsNoted) -> None:
        self.tenant, self.first = tenant, first
        self.count, self.told, self.last_at = 0, 0, first.first_at

    def noted(self) -> DenialsNoted:
        """Those that were not told yet."""
        f, since = self.first, self.count - self.told
        first_at = f.first_at if not self.told else Instant(f.first_at + 1)
        return DenialsNoted(
            first_at, self.last_at, since, f.caller, f.user, f.operation, f.scope, f.code, f.text,
            f.account, f.door, f.address, f.policy,
        )  # fmt: skip


class Gathering:
    def __init__(self) -> None:
        self._groups: dict[tuple[str, ...], Group] = {}
        self._minute = 0
        self._ended: list[tuple[str, AuditEvent]] = []

    def denial(self, tenant: str, denial: DenialsNoted) -> None:
        """One, whose `count` is 1."""
        self._turn(denial.first_at)
        key: tuple[str, ...] = (tenant, denial.caller, denial.operation, denial.door, denial.code)
        group = self._groups.get(key)
        if group is None and len(self._groups) >= GROUPS_MAX:
            key = ("", BEYOND)
            group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group("" if key[1] == BEYOND else tenant, denial)
        group.count += 1
        group.last_at = denial.first_at

    def take(self, at: Instant) -> list[tuple[str, AuditEvent]]:
        """What is to be told now, by tenant: first denials, and minutes that are over."""
        self._turn(at)
        found, self._ended = self._ended, []
        for group in self._groups.values():
            if not group.told:
                found.append((group.tenant, group.noted()))
                group.told = group.count
        return found

    def take_all(self) -> list[tuple[str, AuditEvent]]:
        """At the end of a house."""
        self._end()
        found, self._ended = self._ended, []
        return found

    def _turn(self, at: Instant) -> None:
        minute = at // MINUTE_NS
        if minute != self._minute:
            self._end()
            self._minute = minute

    def _end(self) -> None:
        for group in self._groups.values():
            if group.count > group.told:
                self._ended.append((group.tenant, group.noted()))
        self._groups = {}
