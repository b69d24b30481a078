"""Who asks for which version of the API, so that nobody is surprised when one ends.

Counted in memory where requests come in, and added to rows of the records' store now and then: a
count a day, caller and version. What was counted since the last time is lost in a crash.
"""

from typing import Final, NamedTuple

from fondaco.gateway.house import Caller
from fondaco.kernel.event import Instant
from fondaco.ports.store import Store

DAY_NS: Final = 86_400_000_000_000
KEPT_DAYS: Final = 400  # longer than a version is announced to end

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS gateway_uses (day BIGINT NOT NULL, tenant VARCHAR(400) NOT NULL,"
    " caller VARCHAR(800) NOT NULL, major INTEGER NOT NULL, requests BIGINT NOT NULL,"
    " PRIMARY KEY (day, tenant, caller, major))"
)
# Names were chosen by somebody else, so they are written in hexadecimal digits, in any dialect.
_WHERE: Final = " WHERE day = %d AND tenant = '%s' AND caller = '%s' AND major = %d"
_ADD: Final = "UPDATE gateway_uses SET requests = requests + %d"
_INSERT: Final = (
    "INSERT INTO gateway_uses (requests, day, tenant, caller, major)"
    " VALUES (%d, %d, '%s', '%s', %d)"
)
_FORGET: Final = "DELETE FROM gateway_uses WHERE day < %d"
_READ: Final = (
    "SELECT caller, major, SUM(requests), MIN(day), MAX(day) FROM gateway_uses"
    " WHERE tenant = '%s' GROUP BY caller, major"
)


class Use(NamedTuple):
    """What one caller has asked of one version. Days are counted from 1970."""

    caller: str
    major: int
    requests: int
    first_day: int
    last_day: int


class Uses:
    """Counts. Belongs to the thread of the doors."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, int], int] = {}

    def count(self, caller: Caller, major: int) -> None:
        key = (caller.tenant, caller.name, major)
        counts = self._counts
        counts[key] = counts.get(key, 0) + 1

    def now(self) -> dict[tuple[str, str, int], int]:
        """A copy of what was not taken yet; from any thread."""
        return self._counts.copy()

    def taken(self) -> dict[tuple[str, str, int], int]:
        """What was counted since the last time; counting begins anew."""
        found, self._counts = self._counts, {}
        return found


class KeptUses:
    """Rows of the records' store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.counted = Uses()
        with store.writing() as conn:
            conn.exec_driver_sql(_TABLE)

    def keep(self, counts: dict[tuple[str, str, int], int], at: Instant) -> None:
        """Add what was counted: `self.counted.taken()`, called on the thread that counts."""
        day = at // DAY_NS
        with self._store.writing() as conn:
            for (tenant, caller, major), requests in counts.items():
                row = (day, _hex(tenant), _hex(caller), major)
                if conn.exec_driver_sql((_ADD + _WHERE) % (requests, *row)).rowcount == 0:
                    conn.exec_driver_sql(_INSERT % (requests, *row))
            conn.exec_driver_sql(_FORGET % (day - KEPT_DAYS))

    def of(self, tenant: str, at: Instant) -> list[Use]:
        """By caller and version, what was not kept yet as well; whoever asks most first."""
        day = at // DAY_NS
        found = {
            (caller, major): Use(caller, major, requests, day, day)
            for (firm, caller, major), requests in self.counted.now().items()
            if firm == tenant
        }
        with self._store.reading() as conn:
            rows = list(conn.exec_driver_sql(_READ % _hex(tenant)))
        for row in rows:
            use = Use(bytes.fromhex(row[0]).decode(), *map(int, row[1:]))
            new = found.get((use.caller, use.major))
            if new is not None:
                use = use._replace(requests=use.requests + new.requests, last_day=day)
            found[use.caller, use.major] = use
        return sorted(found.values(), key=lambda use: (-use.requests, use.caller, use.major))


def _hex(name: str) -> str:
    return name.encode().hex()
