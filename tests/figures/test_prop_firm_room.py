"""W1-W3 again, through a room that runs: orders and ticks go in, the verdict comes out.

The house has its own journal, venue, accounts and watch; only its clock is moved by hand. What is
bought and sold costs a cent of spread, so amounts are compared in whole dollars.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from app.test_assessments import FIRST, STREAM, lived, standing, trades
from app.test_margin import Floor
from figures.test_prop_firm import U, at
from fondaco.app.assessments.looking import look_at
from fondaco.app.clock import Clock
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.ending import own_standing
from fondaco.domain.evaluation.assessments.rules import seen_as
from fondaco.domain.evaluation.reading import tier_of
from fondaco.domain.evaluation.rules import distances, mark
from fondaco.domain.trading.events import OwnFees, SetOwnFees
from fondaco.domain.trading.model import Side
from fondaco.kernel.event import CommandId

SLACK = 1  # dollars: the spread of a few trades


class Hands:
    """Of a clock that goes on by itself, a little, and is put forward."""

    def __init__(self, text: str) -> None:
        self.ns = int(at(text))

    def __call__(self) -> int:
        self.ns += 1_000
        return self.ns

    def put(self, text: str) -> None:
        self.ns = max(self.ns, int(at(text)))


class Room:
    def __init__(self, floor: Floor, hands: Hands) -> None:
        self.floor, self.hands, self._count = floor, hands, 0

    def tick(self, when: str, px: int) -> None:
        self.hands.put(when)
        self.floor.trades_at(px)

    async def buys(self, qty: str, px: int) -> None:
        self._count += 1
        await trades(self.floor, qty, f"{px}.01", f"o{self._count}")

    async def sells(self, qty: str, px: int) -> None:
        self._count += 1
        await trades(self.floor, qty, f"{px - 1}.99", f"o{self._count}", Side.SELL)

    async def day(self, when: str, resets: int) -> None:
        self.hands.put(when)
        await self.floor.until(lambda: len(self.floor.heard(ev.DayReset, STREAM)) >= resets)

    def left(self) -> int:
        """Dollars to the nearest limit, at the market of now."""
        found = own_standing(standing(self.floor))
        look = look_at(self.floor.state(FIRST), self.floor.kernel.refs, self.floor.kernel.now())
        assert found is not None
        assert look is not None
        mark(found, seen_as(look))
        return round(distances(found)[0].headroom / U)


def told(data: Path, account: int, rules: str, story: Callable[[Room], Awaitable[None]]) -> None:
    terms = tier_of(
        f'name = "w"\ntitle = "W"\neffective_from = 2026-01-01\naccount = "{account}"\n'
        'time_zone = "Europe/Prague"\nleverage = 5\n'
        f'[[phases]]\nname = "P"\ntarget = "90%"\n{rules}'
    )
    hands = Hands("2026-03-02T09:00")

    async def live(floor: Floor) -> None:
        free = SetOwnFees(CommandId("!free#1"), floor.kernel.now(), OwnFees(0, 0), "the example")
        await floor.kernel.submit(FIRST, free)
        await story(Room(floor, hands))

    lived(data, live, terms, Clock(hands))


def near(value: float, wanted: int) -> bool:
    return abs(value - wanted) <= SLACK


def test_w1_through_the_room(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        floor = room.floor
        await room.buys("4", 50_000)
        room.tick("2026-03-02T12:00", 52_250)  # 9,000 that are open: they do not move the limit
        await room.sells("2", 52_250)
        room.tick("2026-03-02T13:00", 49_750)
        await room.sells("2", 49_750)  # 4,500 - 500
        await room.day("2026-03-03T00:00", 1)
        room.tick("2026-03-03T10:00", 50_000)
        await room.buys("4", 50_000)
        room.tick("2026-03-03T11:00", 49_750)
        await room.sells("4", 49_750)
        await room.day("2026-03-04T00:00", 2)
        limits = [each.overall_limit / U for each in floor.heard(ev.DayReset, STREAM)]
        assert len(limits) == 2
        assert near(limits[0], 94_000)
        assert limits[1] == limits[0], "it never falls"

    told(tmp_path, 100_000, 'overall_loss = { limit = "10%", follows = "end_of_day" }', story)


def test_w2_through_the_room(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        floor = room.floor
        await room.buys("4", 50_000)
        room.tick("2026-03-02T10:00", 48_000)
        await room.sells("4", 48_000)
        assert near(room.left(), 2_000)
        room.tick("2026-03-02T11:00", 48_000)
        await room.buys("4", 48_000)
        room.tick("2026-03-02T12:00", 51_000)
        await room.sells("4", 51_000)  # 8,000 lost, 12,000 won: 204,000
        assert near(room.left(), 14_000)
        await room.buys("4", 51_000)
        room.tick("2026-03-02T23:59", 47_750)  # 13,000 that are open: allowed until midnight
        await floor.until(lambda: not floor.kernel.assessments.is_behind)
        assert standing(floor).state == "active"
        assert not floor.heard(ev.RuleViolated, STREAM)
        await room.day("2026-03-03T00:00", 1)
        await floor.until(lambda: floor.heard(ev.RuleViolated, STREAM))
        [broken] = floor.heard(ev.RuleViolated, STREAM)
        assert (broken.rule, broken.at) == ("daily_loss", at("2026-03-03T00:00"))
        assert near(broken.value / U, 191_000)
        assert near(broken.limit / U, 194_000)
        await floor.until(lambda: standing(floor).state == "failed")

    told(tmp_path, 200_000, 'daily_loss = { limit = "5%", from = "balance" }', story)


def test_w3_through_the_room(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        floor = room.floor
        await room.buys("4", 50_000)
        room.tick("2026-03-02T10:00", 48_000)
        await room.sells("4", 48_000)  # 92,000
        await room.buys("1", 48_000)
        room.tick("2026-03-02T10:01", 46_001)
        assert near(room.left(), 1)
        assert standing(floor).state == "active"
        room.tick("2026-03-02T10:02", 45_997)
        await floor.until(lambda: floor.heard(ev.RuleViolated, STREAM))
        [broken] = floor.heard(ev.RuleViolated, STREAM)
        assert (broken.rule, broken.limit) == ("overall_loss", 90_000 * U)
        assert near(broken.equity / U, 89_997)
        await floor.until(lambda: standing(floor).state == "failed")

    told(tmp_path, 100_000, 'overall_loss = { limit = "10%", follows = "static" }', story)
