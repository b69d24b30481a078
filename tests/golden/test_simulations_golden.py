"""What the journal keeps of simulations: kinds never change their shape. `simulations.json` has the
bytes of one event of each kind, as the first build wrote them; every later one reads them."""

from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from fondaco.domain.evaluation.simulations.events import SimulationEvent
from fondaco.domain.evaluation.simulations.rules import decider
from fondaco.kernel.event import StreamId
from fondaco.runtime.history import kind_of

KEPT: Final = Path(__file__).parent / "simulations.json"
_DECODE: Final = msgspec.msgpack.Decoder(SimulationEvent)


def recorded() -> dict[str, str]:
    found: dict[str, str] = msgspec.json.decode(KEPT.read_bytes())
    return found


def test_every_kind_is_recorded_read_and_written_as_it_was() -> None:
    kept = recorded()
    assert set(kept) == {str(kind.__struct_config__.tag) for kind in get_args(SimulationEvent)}
    for kind, text in kept.items():
        event: Any = _DECODE.decode(bytes.fromhex(text))
        assert kind_of(event) == kind
        assert msgspec.msgpack.encode(event).hex() == text


def test_a_state_lives_through_all_that_was_recorded() -> None:
    state = decider.initial(StreamId("simulations/demo/0123456789abcdef0123456789abcdef"))
    for text in recorded().values():  # in the order in which they happen
        state = decider.evolve(state, _DECODE.decode(bytes.fromhex(text)))
    assert (state.kind, state.law, state.asked_by) == ("projection", 1, "ada/key")
    assert (state.state, state.error) == ("canceled", "a worker has died")
