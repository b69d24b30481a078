"""A market that falls so far that very many break a rule at once: in which order, and who waits."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from app.test_assessment_watch import PERP, SIZE, SPRING, mark
from app.test_assessments import created, tier
from app.test_assessments import lived as lived_with
from app.test_margin import Floor
from build import USD, btc_usd, placed, refs
from build import ask as order_ask
from fondaco.app.assessments.watch import CLOSE_AGAIN_NS, LOOKS_MAX, AssessmentWatch
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.model import (
    AssessmentRefs,
    account_id,
    assessment_id_of,
    assessment_of,
    assessment_stream,
)
from fondaco.domain.evaluation.assessments.rules import decider
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.reference.model import InstrumentKind
from fondaco.domain.trading import events as tev
from fondaco.domain.trading.model import (
    AccountState,
    AccountType,
    Position,
    TimeInForce,
    TradingState,
    account_of,
    account_stream,
)
from fondaco.kernel.event import Command, CommandId, Instant, StreamId
from fondaco.runtime.loading import Memory

MANY: Final = 2 * LOOKS_MAX + 10
HELD: Final = 60  # accounts, in a house that lives: few enough to be looked at at once
TIER: Final = tier_of(text_of("two-step-100k"))
START: Final = 50_000_00


class Crowd:
    """As many assessments, each larger than the one before; what the watch asks is only noted."""

    def __init__(self, count: int) -> None:
        self.refs = refs(mark(START, SPRING))
        perp = msgspec.structs.replace(btc_usd(), symbol=PERP, kind=InstrumentKind.LINEAR)
        self.refs.instruments[PERP] = perp
        self.refs.marks[PERP] = mark(START, SPRING, PERP)
        self.memories: dict[StreamId, Memory[Any]] = {}
        self.asked: list[tuple[StreamId, Command]] = []
        self.now = SPRING
        self.watch = AssessmentWatch(
            self.refs, self.memories.get, lambda *each: self.asked.append(each), lambda: self.now
        )
        self.streams = [self._add(nth, 1_500 + 10 * nth) for nth in range(count)]

    def _add(self, nth: int, lots: int) -> StreamId:
        name = assessment_id_of(str(nth))
        stream, account = assessment_stream(name), account_stream(account_id(name, 1))
        self.memories[stream] = Memory(decider.initial(stream))
        terms = msgspec.json.encode(TIER).decode()
        self.decides(
            stream, ev.CreateAssessment(CommandId("!#1"), SPRING, name, "t", "u", "s", terms)
        )
        self.decides(stream, ev.NoteDeposit(CommandId("a@1"), SPRING, account_id(name, 1)))
        held = AccountState(opened=True, account_type=AccountType.MARGIN, currency=USD)
        held.balances[USD] = SIZE
        cost = self.refs.instruments[PERP].cost_down(START, lots)
        held.positions[PERP] = Position(lots, cost)
        self.memories[account] = Memory(held)
        self.watch.load(stream, self.memories[stream].state)
        return stream

    def decides(self, stream: StreamId, command: Any) -> None:
        memory = self.memories[stream]
        for event in decider.decide(memory.state, command, AssessmentRefs(0)):
            memory.state = decider.evolve(memory.state, event)

    def falls(self, px: int) -> None:
        self.now = Instant(SPRING + 1_000_000_000)
        self.refs.marks[PERP] = mark(px, self.now, PERP)
        self.watch.see(self.refs.marks[PERP])

    @property
    def told(self) -> list[StreamId]:
        return [stream for stream, _ in self.asked]


def test_who_has_lost_most_is_looked_at_first_and_others_have_the_loop_in_between() -> None:
    counts: list[int] = []

    async def crash() -> Crowd:
        crowd = Crowd(MANY)
        crowd.falls(40_000_00)  # everybody has lost more than 10 %
        while crowd.watch.is_behind:
            counts.append(len(crowd.asked))
            await asyncio.sleep(0)
        return crowd

    crowd = asyncio.run(crash())
    assert counts == [LOOKS_MAX, 2 * LOOKS_MAX]
    assert crowd.told == crowd.streams[::-1], "each once, the largest first"
    for stream, command in crowd.asked:
        crowd.decides(stream, command)
        assert crowd.memories[stream].state.state == "failed"


def test_who_is_out_by_the_most_of_what_he_has_goes_first_whatever_his_size() -> None:
    """Twice as much lost, of four times as much, is less."""
    crowd = Crowd(MANY)
    rich, poor = crowd.streams[-1], crowd.streams[0]
    account = account_stream(account_id(assessment_id_of(str(MANY - 1)), 1))
    crowd.memories[account].state.balances[USD] = 4 * SIZE
    for stream in (rich, poor):
        crowd.watch.load(stream, crowd.memories[stream].state)

    async def crash() -> None:
        crowd.falls(40_000_00)
        while crowd.watch.is_behind:
            await asyncio.sleep(0)

    asyncio.run(crash())
    assert rich not in crowd.told, "300,000 more than its limit"
    assert len(crowd.told) == MANY - 1


def closing(crowd: Crowd, nth: int) -> StreamId:
    """An assessment that has failed; its account holds what it held."""
    stream = crowd.streams[nth]
    crowd.decides(stream, dict(crowd.asked)[stream])
    crowd.watch.load(stream, crowd.memories[stream].state)
    return account_stream(account_id(assessment_id_of(str(nth)), 1))


def test_an_account_is_not_asked_to_close_again_before_it_may_have_heard_of_it() -> None:
    async def crash() -> None:
        crowd = Crowd(1)
        crowd.falls(20_000_00)
        account = closing(crowd, 0)
        crowd.asked.clear()
        telling = True
        crowd.watch.is_telling = lambda: telling
        later = Instant(crowd.now + 100 * CLOSE_AGAIN_NS)
        crowd.watch.look(later)
        assert crowd.asked == []
        telling = False
        crowd.watch.look(later)
        [(_, command)] = crowd.asked
        assert isinstance(command, ev.CheckClosing)
        assert command.open_positions == 1
        # It is flat by now, and the assessment has heard so: nothing is asked any more.
        held, stream = crowd.memories[account].state, crowd.streams[0]
        held.positions.clear()
        crowd.decides(stream, ev.CheckClosing(CommandId("x"), later, account_of(account), 0, 0))
        crowd.watch.load(stream, crowd.memories[stream].state)
        crowd.watch.look(Instant(later + 1_000 * CLOSE_AGAIN_NS))
        assert len(crowd.asked) == 1

    asyncio.run(crash())


def has_begun(floor: Floor, owner: StreamId) -> bool:
    memory = floor.kernel.peek(owner)
    return memory is not None and memory.state.numbers is not None


def test_all_are_stopped_before_one_is_closed(tmp_path: Path) -> None:
    """In a house: by the order of its journal, which is what would be left of it after a crash."""

    async def story(floor: Floor) -> None:
        kernel = floor.kernel
        names = [f"crash{nth}" for nth in range(HELD)]
        for nth, name in enumerate(names):
            floor.trades_at(50_000)
            await created(floor, tier(), name)
            owner = assessment_stream(assessment_id_of(name))
            await floor.until(partial(has_begun, floor, owner))
            ioc = TimeInForce.IOC
            order = order_ask(f"o{nth}", order_qty="2.5", price="50000.01", time_in_force=ioc)
            stream = account_stream(account_id(assessment_id_of(name), 1))
            await kernel.submit(stream, placed(order, at=kernel.now()))
        await floor.until(lambda: not kernel.reactor.open_count)
        floor.said.clear()
        floor.trades_at(40_000, bids=10**9)
        retired = [ev.AccountRetired]
        await floor.until(lambda: sum(type(e.event) in retired for e in floor.said) == HELD)
        said = {assessment_id_of(name) for name in names}
        ours = [e for e in floor.said if assessment_of(account_of(e.stream)) in said]
        stops = [
            e.position
            for e in ours
            if isinstance(e.event, tev.TradingStateSet) and e.event.state is TradingState.REDUCING
        ]
        closes = [e.position for e in ours if isinstance(e.event, tev.OrderAccepted)]
        assert len(stops) == HELD
        assert len(closes) >= HELD
        assert max(stops) < min(closes)
        # What closed it is what the assessment hears of it by: nobody asks again.
        causes = [e.caused_by for e in floor.said if type(e.event) in retired]
        assert sum(cause.startswith("account/") for cause in causes) > 0

    lived_with(tmp_path, story)
