"""What streams tell each other, over a line that delays, repeats, breaks and is cut.

It keeps what a connection promises, and no more: between one source and one target messages arrive
in order, and whoever sent one that may not have arrived is told so. Between other pairs nothing is
in order; an answer may be lost on its way back; what was delivered may be delivered again, long
after.
"""

import asyncio
from typing import Final

from fondaco.app.house import Submit
from fondaco.kernel.errors import FondacoError, Unavailable
from fondaco.kernel.event import MESSAGE_MARK, Command, StreamId
from fondaco.kernel.seeded import Seeded
from fondaco.runtime.committer import Answer, Outcome

DELAY_MAX_US: Final = 20_000
AGAIN_MAX_MS: Final = 3_000


class Weather:
    """How bad the lines are. Chances are in thousandths of a message; it outlives the house."""

    def __init__(self) -> None:
        self.delays = self.breaks = self.repeats = self.loses = 0
        self.cut: dict[StreamId, bool] = {}  # targets that nobody reaches just now

    def clear(self) -> None:
        self.delays = self.breaks = self.repeats = self.loses = 0
        self.cut.clear()


class Lane:
    """From one source to one target."""

    __slots__ = ("flying", "free_s")

    def __init__(self) -> None:
        self.free_s = 0.0  # when the last message sent arrives
        self.flying: dict[Answer, None] = {}  # that were not answered yet, in order


class Link:
    """Stands between a house's reactor and its hosts, and belongs to its process."""

    def __init__(self, weather: Weather, dice: Seeded, submit: Submit) -> None:
        self._weather = weather
        self._dice = dice
        self._submit = submit
        self._lanes: dict[tuple[str, StreamId], Lane] = {}

    def submit(self, target: StreamId, command: Command) -> Answer:
        weather, dice = self._weather, self._dice
        if target in weather.cut:
            raise Unavailable(f"{target} cannot be reached")
        source = command.command_id.rpartition(MESSAGE_MARK)[0]
        lane = self._lanes.get((source, target))
        if lane is None:
            lane = self._lanes[source, target] = Lane()
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        delay_s = dice.below(DELAY_MAX_US) / 1e6 if dice.chance(weather.delays, 1_000) else 0.0
        answer = Answer()
        lane.flying[answer] = None
        if not delay_s and lane.free_s <= now_s:
            self._arrive(lane, target, command, answer)
        else:
            lane.free_s = max(lane.free_s, now_s + delay_s)
            loop.call_at(lane.free_s, self._arrive, lane, target, command, answer)
        return answer

    def _arrive(self, lane: Lane, target: StreamId, command: Command, answer: Answer) -> None:
        weather, dice = self._weather, self._dice
        if answer not in lane.flying:
            return  # the line broke under it
        if target in weather.cut or dice.chance(weather.breaks, 1_000):
            self._break(lane, Unavailable(f"the line to {target} broke"))
            return
        try:
            taken = self._submit(target, command)
        except Unavailable as error:
            self._break(lane, error)
            return
        taken.then(lambda outcome: self._answered(lane, answer, outcome))
        if dice.chance(weather.repeats, 1_000):
            after_s = dice.below(AGAIN_MAX_MS) / 1e3
            asyncio.get_running_loop().call_later(after_s, self._again, target, command)

    def _again(self, target: StreamId, command: Command) -> None:
        try:
            self._submit(target, command)
        except Unavailable:
            return  # it was delivered once, and nobody waits for this one

    def _answered(self, lane: Lane, answer: Answer, outcome: Outcome) -> None:
        if answer not in lane.flying:
            return
        if isinstance(outcome, FondacoError) and outcome.retryable:
            self._break(lane, outcome)
        elif self._dice.chance(self._weather.loses, 1_000):
            self._break(lane, Unavailable("the answer was lost"))
        else:
            del lane.flying[answer]
            answer.settle(outcome)

    def _break(self, lane: Lane, error: FondacoError) -> None:
        """Everything on this line that was not answered may not have arrived."""
        flying, lane.flying = list(lane.flying), {}
        for answer in flying:
            answer.settle(error)
