"""Assessments for those who listen: at once where something was written down, and where equity has
moved noticeably, a few times a second. Belongs to the loop's thread."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from fondaco.app.assessments.desk import AssessmentsDesk, as_of, condition_line, headroom_lines
from fondaco.app.house import Kernel
from fondaco.domain.evaluation.assessments.model import Assessment, assessment_stream
from fondaco.domain.evaluation.assessments.telling import AT_ONCE, AssessmentMessage, Why
from fondaco.domain.evaluation.model import MONEY_DECIMALS
from fondaco.domain.evaluation.rules import begin, conditions, distances
from fondaco.domain.trading.model import account_stream
from fondaco.kernel.event import Entry, Instant, StreamId
from fondaco.kernel.money import format_scaled
from fondaco.kernel.operation import Stamp

EVERY_S: Final = 0.25  # an assessment is said four times a second at most, but for what is written
NOTICED_PPM: Final = 500  # of what may be lost: a two-thousandth is half a pixel of a wide gauge
REFRESH_NS: Final = 5_000_000_000  # what has moved by less is said so often

Hear = Callable[[AssessmentMessage], bool]


class _Followed:
    """`said` is what was said last: balance, trades, and what of each rule was used."""

    __slots__ = ("at", "ears", "equity", "said")

    def __init__(self) -> None:
        self.ears: dict[int, Hear] = {}
        self.said: tuple[object, ...] = ()
        self.equity, self.at = 0, Instant(0)


class AssessmentFeed:
    """`hear` is told; it answers whether it could take it. Who could not is told the next time."""

    def __init__(self, kernel: Kernel, desk: AssessmentsDesk) -> None:
        self._kernel, self._desk = kernel, desk
        self._followed: dict[StreamId, _Followed] = {}
        self._behind: dict[StreamId, None] = {}  # where somebody could not be told
        self._count = 0
        self._beat: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._followed)

    async def follow(self, assessment_id: str, stamp: Stamp, hear: Hear) -> Callable[[], None]:
        """Tells how it stands, and from here on what becomes of it, until what it gives back is
        called. Raises `NotFound` for one that is not there, or that the caller may not see."""
        state = await self._desk.state_of(assessment_id, stamp)
        if state.account and not state.is_ended:
            await self._kernel.wake(account_stream(state.account))
        stream = assessment_stream(assessment_id)
        found = self._followed.setdefault(stream, _Followed())
        self._count += 1
        number = self._count
        found.ears[number] = hear
        message = self._message(state, self._kernel.now(), [])
        if message is not None:
            hear(message)
        if self._beat is None:
            self._beat = asyncio.get_running_loop().call_later(EVERY_S, self._look)

        def stop() -> None:
            found.ears.pop(number, None)
            if not found.ears and self._followed.get(stream) is found:
                del self._followed[stream]
                self._behind.pop(stream, None)

        return stop

    def note(self, entries: Sequence[Entry]) -> None:
        """What was committed: one message an assessment, of all that was written of it."""
        if not self._followed:
            return
        said: dict[StreamId, list[Why]] = {}
        for entry in entries:
            why = AT_ONCE.get(type(entry.event))
            if why is not None and entry.stream in self._followed:
                whys = said.setdefault(entry.stream, [])
                if why not in whys:
                    whys.append(why)
        for stream, whys in said.items():
            self._tell(stream, whys)

    def _look(self) -> None:
        self._beat = None
        if not self._followed:
            return
        self._beat = asyncio.get_running_loop().call_later(EVERY_S, self._look)
        for stream in list(self._followed):
            self._tell(stream, [])

    def _tell(self, stream: StreamId, why: list[Why]) -> None:
        memory, found = self._kernel.peek(stream), self._followed[stream]
        if memory is None:
            return
        at = self._kernel.now()
        state: Assessment = memory.state
        message = self._message(state, at, why, found, stream in self._behind)
        if message is None:
            return
        taken = [hear(message) for hear in list(found.ears.values())]
        if all(taken):
            self._behind.pop(stream, None)
        else:
            self._behind[stream] = None

    def _message(
        self,
        state: Assessment,
        at: Instant,
        why: list[Why],
        found: _Followed | None = None,
        is_due: bool = False,
    ) -> AssessmentMessage | None:
        """None: nothing to notice since `found` was told, or nothing to say yet."""
        seen = self._desk.look(state, at)
        tier = state.tier
        if tier is None:
            return None
        standing = as_of(state, seen) or begin(tier, state.stage, at)  # its money is on its way
        if found is not None:
            used = tuple(each.used_ppm // NOTICED_PPM for each in distances(standing))
            said = (state.state, state.account, standing.balance, standing.open_positions, used)
            moved = standing.equity != found.equity and at - found.at >= REFRESH_NS
            if said == found.said and not (why or is_due or moved):
                return None
            found.said, found.equity, found.at = said, standing.equity, at
        return AssessmentMessage(
            assessment_id=state.assessment_id,
            account_id=state.account,
            state=state.state,
            frozen=state.frozen,
            stage=state.stage,
            stage_name=tier.stages[state.stage].name,
            balance=format_scaled(standing.balance, MONEY_DECIMALS),
            equity=format_scaled(standing.equity, MONEY_DECIMALS),
            open_positions=standing.open_positions,
            day_from=format_scaled(standing.day_from, MONEY_DECIMALS),
            resets_at=str(standing.resets_at),
            trades=standing.trades,
            days_traded=standing.days_traded,
            headroom=headroom_lines(standing),
            conditions=[condition_line(each) for each in conditions(standing)],
            at=str(at),
            why=why,
        )
