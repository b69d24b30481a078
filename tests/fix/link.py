"""Two ends of a session and a link between them that may break at any byte. No clock."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from fondaco.domain.fix.api import (
    Act,
    Acts,
    Close,
    Deliver,
    Down,
    Framer,
    Law,
    Renumbered,
    SentInMemory,
    SessionId,
    Terms,
    Up,
    Write,
    deliver,
    say,
)

SECOND = 1_000_000_000
BEGINS = 1_767_225_600 * SECOND  # 2026-01-01


def terms(role: str, **more: object) -> Terms:
    ours, theirs = ("HOUSE", "BROKER") if role == "acceptor" else ("BROKER", "HOUSE")
    return Terms(id=SessionId("FIX.4.4", ours, theirs), role=role, **more)  # type: ignore[arg-type]


# What may happen to a link; `play` does it.
MOVES = st.one_of(
    st.tuples(st.just("say"), st.integers(0, 1)),
    st.tuples(st.just("carry"), st.integers(0, 1), st.integers(1, 400)),
    st.tuples(st.just("all"), st.integers(0, 1)),
    st.tuples(st.just("cut")),
    st.tuples(st.just("connect")),
    st.tuples(st.just("wait"), st.integers(1, 40)),
)


@dataclass
class End:
    """One side: its law, what it was given, and what it has on the way to the other."""

    session: Law
    framer: Framer = field(default_factory=Framer)
    wire: bytearray = field(default_factory=bytearray)
    delivered: list[bytes] = field(default_factory=list)
    said: int = 0
    closes: bool = False
    acts: list[Act] = field(default_factory=list)
    numbers: list[tuple[int, int]] = field(default_factory=list)

    def take(self, acts: Acts) -> None:
        for act in acts:
            self.acts.append(act)
            match act:
                case Write(raw=raw, leaves=True):
                    self.wire += raw
                case Deliver(message=message):
                    self.delivered.append(message.get(11) or b"")
                case Close():
                    self.closes = True
                case Renumbered():
                    self.numbers.clear()
                case Up() | Down() | _:
                    pass
        self.numbers.append((self.session.next_out, self.session.next_in))

    def say(self, now: int) -> None:
        self.said += 1
        body = [(11, b"%d" % self.said)]
        quick = say(self.session, "D", body, now, (), 0) if self.said % 2 else None
        self.take(self.session.send("D", body, now) if quick is None else iter([quick]))


class Link:
    """An initiator (0) and an acceptor (1)."""

    def __init__(self, **agreed: object) -> None:
        self.now = BEGINS
        self.ends = [
            End(Law(terms(role, **agreed), SentInMemory())) for role in ("initiator", "acceptor")
        ]
        self.is_up = False
        self.frames = 0  # every other one takes the quick way, where it can

    def connect(self) -> None:
        if self.is_up:
            return
        self.is_up = True
        for end in self.ends:
            end.framer, end.closes = Framer(), False
            end.wire.clear()
            end.take(end.session.connected(self.now))

    def cut(self) -> None:
        """What is on its way is lost."""
        if not self.is_up:
            return
        self.is_up = False
        for end in self.ends:
            end.wire.clear()
            end.take(end.session.disconnected(self.now))

    def carry(self, side: int, size: int) -> None:
        """So many bytes of what one end has said reach the other."""
        end, other = self.ends[side], self.ends[1 - side]
        chunk = bytes(end.wire[:size])
        del end.wire[:size]
        for frame in other.framer.feed(chunk):
            if not other.closes:
                self.frames += 1
                quick = deliver(other.session, frame, self.now) if self.frames % 2 else None
                acts = other.session.received(frame, self.now) if quick is None else iter([quick])
                other.take(acts)

    def wait(self, nanoseconds: int) -> None:
        self.now += nanoseconds
        for end in self.ends:
            end.take(end.session.tick(self.now))

    def settle(self) -> None:
        """Connect, and carry everything until nothing is left to say."""
        for nth in range(200):
            if nth in (1, 2, 3):  # while gaps are being closed, more is said
                for end in self.ends:
                    end.say(self.now)
            if any(end.closes for end in self.ends):
                self.cut()
            self.connect()
            for side in (0, 1):
                self.carry(side, len(self.ends[side].wire))
            if not any(end.wire for end in self.ends):
                if all(len(self.ends[1 - n].delivered) == self.ends[n].said for n in (0, 1)):
                    return
                self.wait(SECOND)
        raise AssertionError("it never comes to rest")


def play(link: Link, steps: list[tuple[Any, ...]]) -> None:
    for what, *given_ in steps:
        match what:
            case "say":
                link.ends[given_[0]].say(link.now)
            case "carry":
                link.carry(*given_)
            case "all":
                link.carry(given_[0], len(link.ends[given_[0]].wire))
            case "wait":
                link.wait(given_[0] * SECOND)
            case _:
                getattr(link, what)()
        if link.is_up and any(end.closes for end in link.ends):
            link.cut()
