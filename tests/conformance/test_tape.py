"""One suite for every tape, one test a promise. An adapter not in `OPEN` does not exist."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from fondaco.ports.at_rest import AtRest
from fondaco.ports.tape import Frame, Tape
from fondaco.ports.tape.memory import MemoryTape
from fondaco.ports.tape.segments import HOUR_NS, SKIPPED, SegmentTape

Open: TypeAlias = Callable[[Path], Tape]
OPEN: dict[str, Open] = {
    "memory": lambda _: MemoryTape(),
    "segments": lambda folder: SegmentTape(folder / "tape", segment_bytes=200),
    "encrypted segments": lambda folder: SegmentTape(
        folder / "tape", segment_bytes=224, at_rest=AtRest(bytes(32))
    ),
}
each = pytest.mark.parametrize("tape", OPEN, indirect=True)
ODD = [b"", b"\0" * 7, b"\n{}\r\n", bytes(range(256)), b"x" * 100_000]


@pytest.fixture
def tape(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tape]:
    opened = OPEN[request.param](tmp_path)
    yield opened
    opened.close()


def fill(tape: Tape, count: int, *, source: str = "a", raw: bytes = b"x" * 40) -> list[Frame]:
    return [
        Frame(tape.append(source, Instant(nth), own), source, Instant(nth), own)
        for nth, own in ((nth, raw + b"%d" % nth) for nth in range(count))
    ]


@each
def test_1_positions_count_over_all_sources(tape: Tape) -> None:
    assert tape.position == 0
    positions = [tape.append(source, Instant(5), b"") for source in ("a", "b.C", "a", "b.C")]
    assert positions == [1, 2, 3, 4]
    assert tape.position == 4
    assert [frame.position for frame in tape.read()] == [1, 2, 3, 4]


@each
def test_1_frames_that_are_given_together_are_as_if_given_one_by_one(tape: Tape) -> None:
    """Also where a segment of the disk's tape, which here has room for four, ends among them."""
    assert tape.append_all("a", Instant(1), []) == 0
    assert tape.append_all("a", Instant(5), ODD) == len(ODD)
    assert tape.append("b", Instant(6), b"between") == len(ODD) + 1
    for nth in range(1, 9):
        assert tape.append_all("a", Instant(7), [b"%d" % n for n in range(nth)]) == tape.position
    found = list(tape.read())
    assert [frame.position for frame in found] == list(range(1, tape.position + 1))
    said = [raw for nth in range(1, 9) for raw in (b"%d" % n for n in range(nth))]
    assert [frame.raw for frame in found] == [*ODD, b"between", *said]
    assert {frame.at for frame in found if frame.source == "a"} == {5, 7}
    tape.seal()
    assert tape.verify() == []


def test_1_positions_go_on_where_the_tape_was_closed(tmp_path: Path) -> None:
    tape = OPEN["segments"](tmp_path)
    written = fill(tape, 3)
    tape.close()
    tape = OPEN["segments"](tmp_path)
    assert tape.append("a", Instant(9), b"") == 4
    assert list(tape.read(limit=3)) == written
    tape.close()


@each
def test_2_nothing_is_refused_for_its_content(tape: Tape) -> None:
    times = [5, 3, 0, HOUR_NS * 40, 7]  # arrival may go back, and into another hour
    for at, raw in zip(times, ODD, strict=True):
        tape.append("a", Instant(at), raw)
    assert [(frame.at, frame.raw) for frame in tape.read()] == list(zip(times, ODD, strict=True))


@each
@pytest.mark.parametrize("source", ["", "a/b", "..", "a b", ".a", "a" * 65, "ä"])
def test_2_but_a_source_is_a_name(tape: Tape, source: str) -> None:
    with pytest.raises(Invalid, match="source is"):
        tape.append(source, Instant(1), b"")


@each
def test_3_any_range_of_any_sources_is_read_byte_for_byte(tape: Tape) -> None:
    written = [
        Frame(tape.append(source, Instant(nth), raw), source, Instant(nth), raw)
        for nth, (source, raw) in enumerate(
            (source, raw) for raw in ODD for source in ("a", "b", "a.C")
        )
    ]
    for after in range(len(written) + 1):
        assert list(tape.read(after)) == written[after:]
        assert list(tape.read(after, limit=4)) == written[after : after + 4]
        chosen = [frame for frame in written[after:] if frame.source != "a"]
        assert list(tape.read(after, sources={"b", "a.C"})) == chosen
        assert list(tape.read(after, 2, {"b", "a.C"})) == chosen[:2]


@each
def test_3_a_tape_knows_its_sources(tape: Tape) -> None:
    assert tape.sources() == []
    for source in ("b", "a.C", "b"):
        tape.append(source, Instant(1), b"")
    assert tape.sources() == ["a.C", "b"]


def test_3_a_tape_that_is_only_read_stays_as_it_is(tmp_path: Path) -> None:
    """Even one that somebody else is writing, or that a crash has left."""
    tape = SegmentTape(tmp_path, segment_bytes=200)
    written = fill(tape, 20)
    tape.flush()

    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    before = files()
    reader = SegmentTape(tmp_path)
    assert list(reader.read()) == written
    assert reader.verify() == []
    assert reader.sources() == ["a"]
    reader.close()
    assert files() == before
    tape.close()


@settings(max_examples=25, deadline=None)
@given(
    frames=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 2**63), st.binary()), max_size=30
    )
)
def test_3_both_adapters_read_alike(
    frames: list[tuple[str, int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tape")
    tapes = [OPEN[name](folder) for name in ("memory", "segments")]
    for tape in tapes:
        for source, at, raw in frames:
            tape.append(source, Instant(at), raw)
    expected, found = ([*tape.read()] for tape in tapes)
    for tape in tapes:
        tape.close()
    assert found == expected


@each
def test_4_a_tape_that_nobody_touched_verifies(tape: Tape) -> None:
    written = fill(tape, 50)
    tape.seal()
    assert tape.verify() == []
    assert list(tape.read()) == written


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "bytes, its seal says"),
        (lambda path: path.write_bytes(b"?" + path.read_bytes()[1:]), "does not match the SHA-256"),
        (lambda path: path.unlink(), "is missing"),
    ],
)
def test_4_a_changed_segment_is_named(
    damage: Callable[[Path], None], what: str, tmp_path: Path
) -> None:
    tape = SegmentTape(tmp_path, segment_bytes=200)
    fill(tape, 50)
    tape.close()
    segments = sorted(tmp_path.glob("a/*.seg"))
    assert len(segments) == len(sorted(tmp_path.glob("a/*.seal"))) > 5
    damage(segments[3])
    [wrong] = SegmentTape(tmp_path).verify()
    assert str(segments[3]) in wrong
    assert what in wrong


def test_5_over_quota_the_oldest_sealed_segments_go(tmp_path: Path) -> None:
    tape = SegmentTape(tmp_path, segment_bytes=500, quota_bytes=3_000)
    for _ in range(20):
        fill(tape, 10, source="a")
        fill(tape, 10, source="b")
        tape.flush()
        assert sum(path.stat().st_size for path in tmp_path.glob("*/*.seg")) <= 3_000 + 2 * 600
    for source, last in (("a", 390), ("b", 400)):
        left = [frame.position for frame in tape.read(sources={source})]
        written = [nth for nth in range(1, 401) if (nth - 1) // 10 % 2 == (source == "b")]
        assert left == written[-len(left) :]  # only from its beginning is anything missing
        assert left[-1] == last
        assert 10 < len(left) < 60
    assert tape.verify() == []
    tape.close()


def test_5_segments_past_their_retention_go(tmp_path: Path) -> None:
    day = 24 * HOUR_NS
    tape = SegmentTape(tmp_path, retention_days=3)
    for nth in range(10):
        tape.append("a", Instant(nth * day), b"")
    tape.close()
    assert [frame.at // day for frame in SegmentTape(tmp_path).read()] == [6, 7, 8, 9]


def test_5_a_quota_below_one_segment_keeps_the_newest(tmp_path: Path) -> None:
    tape = SegmentTape(tmp_path, segment_bytes=500, quota_bytes=1)
    fill(tape, 100)
    tape.close()
    assert len(list(tmp_path.glob("a/*.seg"))) == 1
    again = SegmentTape(tmp_path)
    assert again.position == 100
    again.close()


WRITER = """
import os, sys, threading, time
from pathlib import Path
from fondaco.ports.tape.segments import FLUSH_EVERY_S, SegmentTape
late = 0.0  # what the machine adds to a thread that does as little as can be, as often
def watch(beside):
    global late
    while True:
        begun = time.monotonic()
        time.sleep(FLUSH_EVERY_S)
        beside.write(b"x"); beside.flush(); os.fsync(beside.fileno())
        late = max(late, time.monotonic() - begun - FLUSH_EVERY_S)
beside = open(sys.argv[1] + ".beside", "wb")
threading.Thread(target=watch, args=(beside,), daemon=True).start()
tape = SegmentTape(Path(sys.argv[1]), segment_bytes=20_000)
while True:
    for _ in range(20):
        tape.append("a", time.time_ns(), b"x" * 100)
    print(tape.position, time.time_ns(), int(late * 1e9), flush=True)
    time.sleep(0.002)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_6_a_crash_costs_at_most_the_last_tenth_of_a_second(tmp_path: Path) -> None:
    """A tenth, and what the machine takes for a thread that only waits and syncs a byte."""
    said: list[tuple[int, int]] = []
    late = 0
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "tape")],
        stdout=subprocess.PIPE,
        env=environment,
    ) as writer:
        assert writer.stdout is not None
        threading.Timer(1.5, lambda: os.kill(writer.pid, signal.SIGKILL)).start()
        for line in writer.stdout:
            if line.endswith(b"\n"):
                position, at, late = map(int, line.split())
                said.append((position, at))
    assert len(said) > 100
    safe = max(position for position, at in said if at < said[-1][1] - 100_000_000 - late)
    tape = SegmentTape(tmp_path / "tape")
    kept = [frame.position for frame in tape.read()]
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) >= safe
    assert tape.append("a", Instant(1), b"") == len(kept) + SKIPPED + 1
    tape.close()
    assert tape.verify() == []


@pytest.mark.parametrize("cut", [1, 23, 24, 60, 63])
def test_6_a_torn_tail_is_cut_off_and_the_rest_is_sealed(cut: int, tmp_path: Path) -> None:
    tape = SegmentTape(tmp_path)
    written = fill(tape, 5)
    tape.flush()
    [segment] = tmp_path.glob("a/*.seg")
    whole = segment.read_bytes()
    copy = tmp_path / "after" / "a" / segment.name
    copy.parent.mkdir(parents=True)
    copy.write_bytes(whole[:-cut])
    tape.close()
    after = SegmentTape(tmp_path / "after")
    assert list(after.read()) == written[:4]
    assert after.append("a", Instant(9), b"") == 4 + SKIPPED + 1
    after.close()
    assert [frame.position for frame in after.read()] == [1, 2, 3, 4, 5 + SKIPPED]
    assert after.verify() == []


def test_7_a_disk_that_refuses_loses_frames_and_raises_nothing(tmp_path: Path) -> None:
    tape = SegmentTape(tmp_path / "tape", segment_bytes=1_000, buffer_bytes=2_000)
    kept = fill(tape, 5)
    tape.flush()
    (tmp_path / "tape" / "b").write_text("")  # where the folder of source b should be
    for nth in range(100):
        tape.append("b", Instant(nth), b"y" * 76)
    tape.flush()
    assert tape.trouble != ""
    assert tape.lost == 80
    assert list(tape.read(sources={"a"})) == kept
    (tmp_path / "tape" / "b").unlink()
    deadline = time.monotonic() + 5
    while tape.trouble and time.monotonic() < deadline:
        time.sleep(0.02)  # the thread tries again by itself
    assert [frame.position for frame in tape.read(sources={"b"})] == list(range(6, 26))
    assert tape.append("b", Instant(1), b"") == 106
    tape.close()
    assert tape.verify() == []
