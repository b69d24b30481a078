"""One key or session as the directory has it in memory."""

from fondaco.domain.identity.key_terms import Guard
from fondaco.domain.identity.model import Caller, Key, User, caller_of
from fondaco.kernel.event import Instant


class Known:
    """One key or session in memory. `used_at` changes with every request and is written down now
    and then; a session, which has an `idle_ns`, ends that long after, and at `last` in any case."""

    __slots__ = ("caller", "ends_at", "guard", "idle_ns", "last", "used_at")

    def __init__(
        self, caller: Caller, ends_at: Instant, idle_ns: int = 0, guard: Guard | None = None
    ) -> None:
        self.caller = caller
        self.guard = guard
        self.ends_at = self.last = ends_at
        self.idle_ns = idle_ns
        self.used_at = Instant(0)

    def use(self, now: Instant) -> None:
        self.used_at = now
        if self.idle_ns:
            self.ends_at = min(self.last, Instant(now + self.idle_ns))


def known_of(user: User, key: Key) -> Known:
    guard = Guard(key) if key.networks or key.signing else None
    return Known(caller_of(user, key), key.ends_at, guard=guard)
