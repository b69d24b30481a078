"""A session on the tape: after any death of its process it goes on where it was."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fix.link import BEGINS, MOVES, SECOND, End, Link, play, terms
from fondaco.app.fix.taped import Made, Taped
from fondaco.app.fix.watching import Watching
from fondaco.domain.fix.api import Law, Numbers, Renumbered, SessionId, Write, encode, parse
from fondaco.domain.fix.search.model import Asked
from fondaco.gateway.fix import keeping
from fondaco.gateway.fix.ends import Ends
from fondaco.gateway.fix.keeping import SKIPPED, Kept, source_of
from fondaco.ports.tape.memory import MemoryTape
from fondaco.ports.tape.segments import SegmentTape

NAME = terms("acceptor").id


class Flushed(MemoryTape):
    trouble = ""

    def flush(self) -> None:
        """It is in memory already."""


def said(kind: bytes) -> bytes:
    at = b"20240304-09:00:00"
    return encode("FIX.4.4", [(35, kind), (34, b"1"), (49, b"A"), (52, at), (56, b"B")])


def law(kept: Kept) -> Law:
    return Law(terms("acceptor"), kept, numbers=kept.numbers)


def perform(session: Law, kept: Kept, acts: Any) -> None:
    for act in acts:
        if isinstance(act, Write):
            kept.sent(act, BEGINS)
        elif isinstance(act, Renumbered):
            kept.renumbered(act.numbers, act.reason, BEGINS)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(0, 5)),
        st.tuples(st.just("done"), st.integers(1, 9)),
        st.tuples(st.just("set"), st.integers(1, 20), st.integers(1, 20)),
    ),
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_what_is_read_back_is_where_it_was(steps: list[Any]) -> None:
    tape = Flushed()
    kept = Kept(tape, NAME)
    session, mark = law(kept), 0
    for step in steps:
        match step:
            case ("say", marked):
                mark = max(mark, marked)
                perform(session, kept, session.send("D", [(11, b"x")], BEGINS, mark=marked))
            case ("done", next_in):
                session.next_in = next_in
                kept.done(next_in, BEGINS)
            case ("set", next_out, next_in):
                perform(session, kept, session.renumber(next_out, next_in, "a test"))
    found = Kept(tape, NAME)
    assert found.numbers == session.numbers
    assert found.mark == mark
    again = Kept(tape, NAME, after=kept.set_at)
    assert (again.numbers, again.mark) == (found.numbers, found.mark)
    assert list(again.between(1, 99)) == list(found.between(1, 99))
    assert Kept(tape, NAME, after=kept.set_at + 1).numbers == found.numbers
    newest = session.next_out - 1
    assert list(found.between(1, newest)) == list(kept.between(1, newest))


def test_old_messages_come_from_the_tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "REMEMBERED", 10)
    tape = SegmentTape(tmp_path)
    kept = Kept(tape, NAME)
    session = law(kept)
    for n in range(50):
        perform(session, kept, session.send("D", [(11, b"%d" % n)], BEGINS + n * SECOND))
    for memory in (kept, Kept(tape, NAME)):
        for first, last in ((1, 50), (1, 5), (38, 44), (45, 50), (50, 60)):
            again = list(memory.between(first, last))
            assert [number for number, _ in again] == list(range(first, min(last, 50) + 1))
            assert all(parse(raw).integer(34) == number for number, raw in again)
    tape.close()


def test_after_a_death_of_the_machine_no_number_is_used_twice() -> None:
    tape = Flushed()
    kept = Kept(tape, NAME, boot="one")
    kept.renumbered(Numbers(7, 3, 0), "a test", BEGINS)
    assert Kept(tape, NAME, boot="one").numbers == Numbers(7, 3, 0)
    assert Kept(tape, NAME, boot="two").numbers == Numbers(7 + SKIPPED, 3, 0)


def test_names_of_sessions_stay_apart_on_the_tape() -> None:
    names = [
        SessionId("FIX.4.4", "A", "B"),
        SessionId("FIX.4.4", "A->B", "C"),
        SessionId("FIX.4.4", "A", "B->C"),
        SessionId("FIX.4.4", "A" * 200, "B"),
        SessionId("FIX.4.4", "A" * 200, "B", "C"),
    ]
    assert len({source_of(each) for each in names}) == len(names)
    for each in names:
        Flushed().append(source_of(each), BEGINS, b"")  # type: ignore[arg-type]


class Keeping(End):
    """An end whose memory is a tape, so that it can die."""

    def __init__(self, role: str, tape: Flushed, agreed: dict[str, Any]) -> None:
        self.kept = Kept(tape, terms(role).id)
        numbers = self.kept.numbers
        super().__init__(Law(terms(role, **agreed), self.kept, numbers=numbers))

    def take(self, acts: Any) -> None:
        def keeping() -> Any:
            for act in acts:
                yield act
                perform(self.session, self.kept, [act])

        super().take(keeping())
        self.kept.done(self.session.next_in, BEGINS)

    def reborn(self, tape: Flushed) -> "Keeping":
        again = Keeping(self.session.terms.role, tape, {})
        again.delivered, again.said = self.delivered, self.said
        assert again.session.numbers == self.session.numbers
        return again


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(MOVES, st.tuples(st.just("die"), st.integers(0, 1))), max_size=40))
def test_what_is_said_arrives_once_whoever_dies_in_between(steps: list[Any]) -> None:
    tape = Flushed()
    link = Link()
    link.ends = [Keeping(role, tape, {}) for role in ("initiator", "acceptor")]
    for step in steps:
        if step[0] == "die":
            link.cut()
            dead = link.ends[step[1]]
            assert isinstance(dead, Keeping)
            link.ends[step[1]] = dead.reborn(tape)
        else:
            play(link, [step])
    link.settle()
    for end, other in (link.ends, link.ends[::-1]):
        assert other.delivered == [b"%d" % (n + 1) for n in range(end.said)]


def test_passwords_are_not_kept() -> None:
    tape = Flushed()
    kept = Kept(tape, NAME)
    logon = encode("FIX.4.4", [(35, b"A"), (34, b"1"), (553, b"me"), (554, b"geheim"), (925, b"x")])
    order = encode("FIX.4.4", [(35, b"D"), (34, b"2"), (58, b"554=geheim")])
    kept.received([logon], BEGINS)
    kept.sent(Write(logon, 1), BEGINS)
    kept.received([order], BEGINS)
    heard, said, other = [frame.raw for frame in tape.read()]
    for raw in (heard[1:], said[9:]):
        message = parse(raw)
        assert (message.get(553), message.get(554), message.get(925)) == (b"me", b"******", b"*")
        assert len(raw) == len(logon)
    assert other[1:] == order


def test_connections_stand_on_the_tape_and_move_no_number(tmp_path: Path) -> None:
    tape = Flushed()
    kept = Kept(tape, NAME)
    kept.received([said(b"0")], BEGINS)
    before = kept.numbers
    kept.connected(Ends("10.0.0.9", 4_711, "10.0.0.1", 9_876, is_encrypted=True), BEGINS + 1)
    kept.disconnected(BEGINS + 2)
    kept.flush()
    assert Kept(tape, NAME).numbers == before
    taped, frames = Taped(tmp_path), list(tape.read())
    assert [each.direction for _, each in taped.messages(frames)] == ["in"]
    made = [each for _, each in taped.connections(frames)]
    assert [(each.at - BEGINS, each.ends and each.ends.host) for each in made] == [
        (1, "10.0.0.9"),
        (2, None),
    ]


def test_a_name_from_another_address_is_told_of_the_houses_own_sessions() -> None:
    watching = Watching()

    def comes(n: int, host: str, at: int) -> list[str]:
        logon = said(b"A")
        ended = (n, Made(at, "s", None))
        made = (n + 1, Made(at + 1, "s", Ends(host, 40_000 + n, "10.0.0.1", 9_876)))
        asked = (n + 2, Asked(at + 2, "s", "in", logon))
        return [each.alert.pattern for each in watching.see([ended, made, asked])]

    assert comes(1, "10.0.0.9", BEGINS) == []
    assert comes(4, "10.0.0.9", BEGINS + 10) == []
    assert comes(7, "192.168.7.7", BEGINS + 20) == ["F04"]
