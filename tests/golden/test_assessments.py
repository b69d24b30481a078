"""What the journal keeps of assessments: kinds never change their shape. `assessments.json` has the
bytes of one event of each kind, as the first build wrote them; every later one reads them."""

from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.events import AssessmentEvent
from fondaco.domain.evaluation.assessments.rules import decider
from fondaco.kernel.event import StreamId
from fondaco.runtime.history import kind_of

KEPT: Final = Path(__file__).parent / "assessments.json"
_DECODE: Final = msgspec.msgpack.Decoder(AssessmentEvent)


def recorded() -> dict[str, str]:
    found: dict[str, str] = msgspec.json.decode(KEPT.read_bytes())
    return found


def test_every_kind_is_recorded_read_and_written_as_it_was() -> None:
    kept = recorded()
    assert set(kept) == {str(kind.__struct_config__.tag) for kind in get_args(AssessmentEvent)}
    for kind, text in kept.items():
        event: Any = _DECODE.decode(bytes.fromhex(text))
        assert kind_of(event) == kind
        assert msgspec.msgpack.encode(event).hex() == text


def test_a_state_lives_through_all_that_was_recorded() -> None:
    state = decider.initial(StreamId("assessment/asm-0123456789abcdef"))
    made = [_DECODE.decode(bytes.fromhex(text)) for text in recorded().values()]
    made.sort(key=lambda each: not isinstance(each, ev.AssessmentCreated))
    order = (ev.AssessmentCreated, ev.StageBegun, ev.PayoutAsked)
    first = [each for kind in order for each in made if isinstance(each, kind)]
    for event in (*first, *(each for each in made if not isinstance(each, order))):
        state = decider.evolve(state, event)
    assert state.assessment_id == "asm-0123456789abcdef"
    assert state.account == "asm-0123456789abcdef-1"
    assert state.numbers is not None
    assert state.numbers.warned == ("daily_loss",)
