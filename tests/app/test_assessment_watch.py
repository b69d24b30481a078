"""The watch of assessments against the rules themselves: over drawn markets both say the same."""

from typing import Any, Final

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from build import USD, btc_usd
from fondaco.app.assessments.looking import look_at
from fondaco.app.assessments.watch import AssessmentWatch
from fondaco.domain.evaluation import rules as law
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.ending import own_standing
from fondaco.domain.evaluation.assessments.model import AssessmentRefs, account_id
from fondaco.domain.evaluation.assessments.rules import decider, seen_as
from fondaco.domain.evaluation.model import DailyLoss, OverallLoss, PhaseTerms, Tier
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import InstrumentKind, Symbol
from fondaco.domain.trading.model import AccountState, AccountType, Position, account_stream
from fondaco.domain.trading.refs import update_rates
from fondaco.kernel.event import Command, CommandId, Instant, StreamId
from fondaco.kernel.money import AssetCode
from fondaco.runtime.loading import Memory

DOLLAR: Final = 10**8
SIZE: Final = 100_000 * DOLLAR
MINUTE: Final = 60_000_000_000
SPRING: Final = Instant(1_774_652_400 * 10**9)  # 2026-03-28 00:00 in Prague: the next day has 23 h
NAME: Final = "asm-0123456789abcdef"
STREAM: Final = StreamId(f"assessment/{NAME}")
ACCOUNT: Final = account_stream(account_id(NAME, 1))
PERP: Final = Symbol("BTC-PERP")
SPOT: Final = Symbol("BTC-USD")


class World:
    """One assessment, one account and one market, without a house: what the watch asks is decided
    at once."""

    def __init__(self, tier: Tier, lots: int, kind: Symbol) -> None:
        from build import refs  # a fresh house for each

        self.refs = refs(mark(50_000_00, SPRING))
        perp = msgspec.structs.replace(btc_usd(), symbol=PERP, kind=InstrumentKind.LINEAR)
        self.refs.instruments[PERP] = perp
        self.now = SPRING
        self.state = decider.initial(STREAM)
        self.account = AccountState(opened=True, account_type=AccountType.MARGIN, currency=USD)
        self.account.balances[USD] = SIZE
        self.events: list[Any] = []
        self.watch = AssessmentWatch(self.refs, self.peek, self.ask, lambda: self.now)
        terms = msgspec.json.encode(tier).decode()
        self.ask(STREAM, ev.CreateAssessment(CommandId("!#1"), SPRING, NAME, "t", "u", "s", terms))
        self.ask(STREAM, ev.NoteDeposit(CommandId("a@1"), SPRING, account_id(NAME, 1)))
        self.hold(lots, kind)
        self.watch.load(STREAM, self.state)

    def hold(self, lots: int, kind: Symbol) -> None:
        cost = self.refs.instruments[kind].cost_down(50_000_00, abs(lots)) * (1 if lots > 0 else -1)
        if not lots:
            return
        self.account.positions[kind] = Position(lots, cost)
        if kind == SPOT:
            self.account.balances[USD] -= cost
            base = self.refs.instruments[SPOT].base_per_lot * lots
            self.account.balances[AssetCode("BTC")] = base

    def peek(self, stream: StreamId) -> Memory[Any] | None:
        if stream not in (STREAM, ACCOUNT):
            return None
        memory: Memory[Any] = Memory(self.state if stream == STREAM else self.account)
        return memory

    def ask(self, stream: StreamId, command: Command) -> None:
        for event in decider.decide(self.state, command, AssessmentRefs(0)):  # type: ignore[arg-type]
            self.events.append(event)
            self.state = decider.evolve(self.state, event)
        self.watch.load(STREAM, self.state)

    def tick(self, px: int, at: Instant, kind: Symbol) -> None:
        self.now = at
        seen = mark(px, at, kind)
        self.refs.marks[kind] = seen
        if kind == SPOT:
            update_rates(self.refs, seen)
        self.watch.see(seen)
        self.watch.look(at)  # the clock moves too


def mark(px: int, at: Instant, symbol: Symbol = SPOT) -> Mark:
    return Mark(symbol, px, Quality.OK, "test", int(at), at)


def facts(found: list[Any]) -> list[Any]:
    """What of findings must be the same: rule, when and numbers, without how it is kept."""
    told: list[Any] = []
    for each in found:
        match each:
            case law.DayReset() | ev.DayReset():
                told.append(("day", each.day, each.at, each.day_from, each.overall_limit))
            case law.RuleWarned() | ev.RuleWarned():
                told.append(("warned", each.rule, each.at, each.limit, each.headroom))
            case law.RuleBroken() | ev.RuleViolated():
                told.append(("broken", each.rule, each.at, each.equity, each.limit, each.peak))
    return told


@st.composite
def tiers(draw: Any) -> Tier:
    thousand = 1_000 * DOLLAR
    daily = draw(
        st.none()
        | st.builds(
            DailyLoss,
            st.integers(1, 8).map(lambda n: n * thousand),
            st.just(0),
            st.sampled_from(("initial", "balance", "equity", "higher")),
        )
    )
    overall = OverallLoss(
        draw(st.integers(2, 15)) * thousand,
        draw(st.sampled_from(("static", "trailing", "end_of_day"))),
        draw(st.sampled_from((SIZE, law.NO_LIMIT * -1 - 1))),
    )
    phase = PhaseTerms(name="one", target=50 * thousand, daily_loss=daily, overall_loss=overall)
    return msgspec.structs.replace(
        tier_of(text_of("two-step-100k")),
        phases=(phase,),
        funded=None,
        payout=None,
        time_zone="Europe/Prague",
        reset_minute=0,
        broken_at=draw(st.sampled_from(("below", "touch"))),
    )


steps: Final = st.lists(
    st.tuples(st.integers(1, 700), st.integers(-90_000, 90_000)), min_size=1, max_size=40
)


def naive(world: World, tier: Tier, path: list[tuple[Instant, int]], kind: Symbol) -> list[Any]:
    """`rules.mark` at every tick, and what was found."""
    standing, found = law.begin(tier, 0, SPRING), list[Any]()
    for at, px in path:
        world.refs.marks[kind] = mark(px, at, kind)
        if kind == SPOT:
            update_rates(world.refs, world.refs.marks[kind])
        look = look_at(world.account, world.refs, at)
        assert look is not None
        found += law.mark(standing, seen_as(look))
    return found


@settings(max_examples=60, deadline=None)
@given(tiers(), steps, st.sampled_from((-800, -200, 200, 800)), st.sampled_from((SPOT, PERP)))
def test_watch_and_rules_say_the_same_of_every_path(
    tier: Tier, drawn: list[tuple[int, int]], lots: int, kind: Symbol
) -> None:
    at, px = SPRING, 50_000_00
    path: list[tuple[Instant, int]] = [(Instant(SPRING + 1), px)]
    for minutes, change in drawn:
        at = Instant(at + minutes * MINUTE + 17)
        px = max(px + change, 1_000)
        path.append((at, px))
    world, twin = World(tier, lots, kind), World(tier, lots, kind)
    for when, price in path:
        world.tick(price, when, kind)
    assert facts(world.events) == facts(naive(twin, tier, path, kind))
    standing = own_standing(world.state)
    ended = [each for each in world.events if isinstance(each, ev.AssessmentFailed)]
    assert (standing is None) == bool(ended)
