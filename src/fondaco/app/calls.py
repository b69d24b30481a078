"""The call matrix: which streams may tell which others what, by their rooms. Default deny."""

import tomllib
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import Final, NamedTuple

import msgspec

from fondaco.kernel.errors import Denied, FondacoError, Invalid
from fondaco.kernel.event import Command, StreamId

FILE: Final = "calls.toml"


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every room of `source` may tell every room of `target` each command that it says."""

    source: tuple[str, ...] = msgspec.field(name="from")
    target: tuple[str, ...] = msgspec.field(name="to")
    says: tuple[str, ...]
    why: str


class Call(NamedTuple):
    source: str
    target: str
    says: str


def lines() -> tuple[Line, ...]:
    """Of the file beside this one."""
    text = files(__package__).joinpath(FILE).read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["calls"], tuple[Line, ...])


def allowed(among: Iterable[Line], rooms: Iterable[str]) -> frozenset[Call]:
    """Raises `Invalid` for a room that there is not."""
    found = frozenset(
        Call(source, target, says)
        for line in among
        for source in line.source
        for target in line.target
        for says in line.says
    )
    strange = {each for call in found for each in call[:2]} - frozenset(rooms)
    if strange:
        raise Invalid(f"{FILE} names rooms that there are not: {', '.join(sorted(strange))}")
    return found


class Calls:
    """Judges messages. For one thread; what was judged once is a look into a dictionary."""

    def __init__(self, calls: frozenset[Call], room_of: Callable[[StreamId], str]) -> None:
        self._calls, self._room_of = calls, room_of
        self._judged: dict[tuple[str, str, type[Command]], FondacoError | None] = {}

    def refusal(self, source: StreamId, target: StreamId, command: Command) -> FondacoError | None:
        """Why it must not arrive."""
        key = source[: source.rfind("/")], target[: target.rfind("/")], type(command)
        try:
            return self._judged[key]
        except KeyError:
            found = self._judged[key] = self._judge(source, target, type(command).__name__)
            return found

    def _judge(self, source: StreamId, target: StreamId, says: str) -> FondacoError | None:
        call = Call(self._room_of(source), self._room_of(target), says)
        if call in self._calls:
            return None
        return Denied(
            f"{call.source} may not tell {call.target} {says}: no line of {FILE} allows it",
            code="call_refused",
            **call._asdict(),
        )
