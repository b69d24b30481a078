"""Purchases, payouts and a shop that an earlier build wrote: every later one reads them, and comes
to the same.

`payments.msgpack.gz` holds one of each kind of event, as `Codec.encode` wrote them; `payments.json`
what was true afterwards. Neither is ever written again: a new meaning is a new kind, recorded in
`evidence.json`: the bytes of one event of each.
"""

import gzip
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from fondaco.app.kinds import CODEC, room_of
from fondaco.domain.payments.events import PayoutEvent, PurchaseEvent, ShopEvent
from fondaco.kernel.event import Decision, Event, StreamId
from fondaco.runtime.history import kind_of
from fondaco.runtime.loading import Memory, replay

HERE: Final = Path(__file__).parent
_PURCHASE: Final = msgspec.msgpack.Decoder(PurchaseEvent)


def decisions() -> list[Decision[Event]]:
    return CODEC.decode(gzip.decompress((HERE / "payments.msgpack.gz").read_bytes()))


def told(found: list[Decision[Event]]) -> dict[str, Any]:
    memories: dict[StreamId, Memory[Any]] = {}
    for decision in found:
        decider = room_of(decision.stream).decider
        assert decider is not None
        memory = memories.setdefault(decision.stream, Memory(decider.initial(decision.stream)))
        replay(memory, decider, decision)
    states = {stream: memory.state for stream, memory in sorted(memories.items())}
    return dict(msgspec.json.decode(msgspec.json.encode(states)))


def test_what_an_earlier_build_wrote_of_payments_means_what_it_meant() -> None:
    expected = msgspec.json.decode((HERE / "payments.json").read_bytes())
    assert told(decisions()) == expected


def later_ones() -> dict[str, str]:
    found: dict[str, str] = msgspec.json.decode((HERE / "evidence.json").read_bytes())
    return found


def test_what_came_later_is_read_and_written_as_it_was() -> None:
    for kind, text in later_ones().items():
        event: Any = _PURCHASE.decode(bytes.fromhex(text))
        assert kind_of(event) == kind
        assert msgspec.msgpack.encode(event).hex() == text


def test_each_kind_is_in_the_recording() -> None:
    kinds = {kind_of(event) for decision in decisions() for event in decision.events}
    later = later_ones()
    assert not kinds & set(later)
    kinds |= set(later)
    every = (*get_args(PurchaseEvent), *get_args(PayoutEvent), *get_args(ShopEvent))
    assert kinds == {kind.__struct_config__.tag for kind in every}
