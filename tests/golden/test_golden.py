"""A journal that an earlier build wrote: every later one reads it, and comes to the same accounts.

`day.msgpack.gz` is what a recorded synthetic day with 160 requests left, as `Codec.encode` wrote
it; `day.json` what was true afterwards. Neither is ever written again: a new meaning is a new kind,
with a recording of its own beside this one.
"""

import gzip
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec

from fondaco.app.kinds import CODEC, room_of
from fondaco.domain.trading.model import AccountState
from fondaco.domain.venues.model import VenueState
from fondaco.kernel.event import Decision, Event, StreamId
from fondaco.runtime.history import kind_of
from fondaco.runtime.loading import Memory, replay

HERE: Final = Path(__file__).parent


def decisions() -> list[Decision[Event]]:
    return CODEC.decode(gzip.decompress((HERE / "day.msgpack.gz").read_bytes()))


def essence(state: Any) -> Any:
    """What somebody outside could know of a stream; how a build keeps it is its own business."""
    if isinstance(state, AccountState):
        return {
            "balances": dict(sorted(state.balances.items())),
            "held": {asset: units for asset, units in sorted(state.held.items()) if units},
            "working": [
                [each.number, each.cl_ord_id, each.ord_status, each.lots, each.cum_lots, each.px]
                for each in sorted(state.working.values(), key=lambda each: each.number)
            ],
            "orders": state.order_count,
        }
    if isinstance(state, VenueState):
        return {
            account: {str(number): [each.px, each.leaves_lots] for number, each in orders.items()}
            for account, orders in sorted(state.orders.items())
        }
    return None


def told() -> dict[str, Any]:
    memories: dict[StreamId, Memory[Any]] = {}
    kinds: Counter[str] = Counter()
    for decision in decisions():
        decider = room_of(decision.stream).decider
        assert decider is not None
        memory = memories.setdefault(decision.stream, Memory(decider.initial(decision.stream)))
        replay(memory, decider, decision)
        kinds.update(kind_of(event) for event in decision.events)
    return {
        "kinds": dict(sorted(kinds.items())),
        "streams": {
            stream: {"version": memory.version, "state": essence(memory.state)}
            for stream, memory in sorted(memories.items())
        },
    }


def test_a_journal_of_an_earlier_build_is_read_and_means_what_it_meant() -> None:
    expected = msgspec.json.decode((HERE / "day.json").read_bytes())
    assert msgspec.to_builtins(told()) == expected


def test_the_recording_holds_what_a_day_holds() -> None:
    kinds = told()["kinds"]
    for kind in ("accepted", "rejected", "filled", "canceled", "triggered", "trailed", "completed"):
        assert kinds[f"trading.order_{kind}.v1"] > 5, kind
