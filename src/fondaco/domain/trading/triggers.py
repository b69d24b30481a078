"""Who watches the marks for stops. An observation, not a decision: the account decides.

It is fed with entries and with marks and says what to ask of whom. It may be thrown away: the
views know which stops wait, and arm it again.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Final, NamedTuple, TypeAlias

from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.events import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderReleased,
    OrderReplaced,
    OrderTrailed,
    OrderTriggered,
    TrailOrder,
    TriggerOrder,
)
from fondaco.domain.trading.model import OrdStatus, Side
from fondaco.kernel.event import CommandId, Entry, StreamId

Key: TypeAlias = tuple[StreamId, int]  # an account and the number of its order
TRAIL_STEP: Final = 20  # a stop follows once the mark is a twentieth of its trail further away


class Stop(NamedTuple):
    stream: StreamId
    number: int
    symbol: Symbol
    side: Side
    stop_px: int
    trail: int = 0  # ticks; 0 does not move


class TriggerBook:
    """Stops that wait, by instrument and side, nearest first. A mark costs what it triggers."""

    def __init__(self) -> None:
        self._stops: dict[Key, Stop] = {}
        self._asleep: dict[Key, Stop] = {}  # suspended children of a bracket
        self._nearest: dict[tuple[Symbol, Side], list[tuple[int, Key]]] = {}
        self._trailing: dict[Symbol, dict[Key, None]] = {}  # in the order of arming

    def __len__(self) -> int:
        return len(self._stops)

    def find(self, stream: StreamId, number: int) -> Stop | None:
        """The stop of this order, whether it is armed or asleep."""
        key = (stream, number)
        return self._stops.get(key) or self._asleep.get(key)

    def arm(self, stops: Iterable[Stop]) -> None:
        for stop in stops:
            key = (stop.stream, stop.number)
            self._stops[key] = stop
            toward = stop.stop_px if stop.side is Side.BUY else -stop.stop_px
            heappush(self._nearest.setdefault((stop.symbol, stop.side), []), (toward, key))
            if stop.trail:
                self._trailing.setdefault(stop.symbol, {})[key] = None

    def put_to_sleep(self, stop: Stop) -> None:
        """A suspended child of a bracket: it is armed once its parent has executed."""
        self._asleep[(stop.stream, stop.number)] = stop

    def note(self, entry: Entry) -> None:
        """What happened to an order that waits, or began to."""
        event = entry.event
        if isinstance(event, OrderAccepted):
            order = event.order
            if order.stop_px and not order.at_venue:
                stop = Stop(
                    entry.stream, order.number, order.symbol, order.side, order.stop_px, order.trail
                )
                if order.ord_status is OrdStatus.SUSPENDED:
                    self.put_to_sleep(stop)
                else:
                    self.arm((stop,))
        elif isinstance(event, OrderReleased):
            asleep = self._asleep.pop((entry.stream, event.number), None)
            if asleep:
                self.arm((asleep,))
        elif isinstance(event, OrderTrailed | OrderReplaced):
            stop_now = self._stops.get((entry.stream, event.number))
            if stop_now and event.stop_px and event.stop_px != stop_now.stop_px:
                self.arm((stop_now._replace(stop_px=event.stop_px),))
        elif isinstance(event, OrderTriggered | OrderCanceled | OrderExpired):
            self._forget((entry.stream, event.number))

    def see(self, mark: Mark) -> Iterator[tuple[StreamId, TriggerOrder | TrailOrder]]:
        """What to ask, now that the instrument stands at `mark`. A bad mark triggers nothing."""
        if mark.quality is not Quality.OK:
            return
        for key in self._reached(mark):
            stop = self._stops[key]
            command_id = CommandId(f"trigger/{stop.number}/{mark.at}")
            yield stop.stream, TriggerOrder(command_id, mark.at, stop.number, mark)
        for key in self._trailing.get(mark.symbol, ()):
            stop = self._stops[key]
            follows = mark.px - stop.trail if stop.side is Side.SELL else mark.px + stop.trail
            moved = follows - stop.stop_px if stop.side is Side.SELL else stop.stop_px - follows
            if moved > stop.trail // TRAIL_STEP:
                command_id = CommandId(f"trail/{stop.number}/{mark.at}")
                yield stop.stream, TrailOrder(command_id, mark.at, stop.number, mark)

    def _reached(self, mark: Mark) -> list[Key]:
        """Stops at or beyond the mark. They stay until an entry says that they were triggered."""
        found: list[Key] = []
        for side, reach in ((Side.BUY, mark.px), (Side.SELL, -mark.px)):
            nearest = self._nearest.get((mark.symbol, side))
            if not nearest:
                continue
            again: list[tuple[int, Key]] = []
            while nearest and nearest[0][0] <= reach:
                toward, key = heappop(nearest)
                stop = self._stops.get(key)
                if stop is None or abs(toward) != stop.stop_px:
                    continue  # triggered, ended or moved since
                found.append(key)
                again.append((toward, key))
            for one in again:
                heappush(nearest, one)
        return found

    def _forget(self, key: Key) -> None:
        self._asleep.pop(key, None)
        stop = self._stops.pop(key, None)
        if stop and stop.trail:
            self._trailing[stop.symbol].pop(key, None)
