"""Whoever follows a tape gets each frame once, whenever they look or begin anew."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.kernel.event import Instant
from fondaco.ports.at_rest import AtRest
from fondaco.ports.tape import Frame
from fondaco.ports.tape.segments import SegmentTape
from fondaco.ports.tape.tail import SegmentTail

HOUR_NS = 3_600_000_000_000
steps = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from("abc"), st.binary(max_size=40)),
        st.tuples(st.just("look"), st.integers(1, 5)),
        st.just(("restart",)),
        st.just(("flush",)),
        st.just(("hour",)),
    ),
    max_size=40,
)


@settings(max_examples=settings().max_examples // 2)
@given(steps, st.sampled_from([None, AtRest(bytes(32))]))
def test_each_frame_comes_once_and_in_order(
    moves: list[tuple[object, ...]], at_rest: AtRest | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tape = SegmentTape(Path(folder), segment_bytes=120, at_rest=at_rest)
        followed: list[Frame] = []
        tail, hour = SegmentTail(Path(folder), {}, at_rest), 0
        for move in moves:
            match move:
                case ("say", str(source), bytes(raw)):
                    tape.append(source, Instant(hour), raw)
                case ("look", int(count)):
                    taken = tail.step()
                    followed += [frame for _, frame in zip(range(count), taken, strict=False)]
                case ("restart",):
                    tail.close()
                    tail = SegmentTail(Path(folder), _positions(followed), at_rest)
                case ("flush",):
                    tape.flush()
                case ("hour",):
                    hour += HOUR_NS
        tape.flush()
        followed += tail.step()
        tail.close()
        for source in "abc":
            mine = [frame for frame in followed if frame.source == source]
            assert mine == list(tape.read(sources={source}))
        tape.close()


def _positions(frames: list[Frame]) -> dict[str, int]:
    return {frame.source: frame.position for frame in frames}
