"""The law of an assessment: its whole life, by what it is asked and what it is seen to be worth."""

from typing import Any, Final

import msgspec

from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.ending import own_standing
from fondaco.domain.evaluation.assessments.model import (
    PAYMENTS,
    Assessment,
    AssessmentRefs,
    Look,
    account_id,
    assessment_id_of,
    assessment_of,
)
from fondaco.domain.evaluation.assessments.rules import decider
from fondaco.domain.evaluation.model import PhaseTerms, ScalingStep, Tier
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.evaluation.rules import conditions
from fondaco.domain.reference.model import Symbol
from fondaco.kernel.event import CommandId, Instant, StreamId

DOLLAR: Final = 10**8
DAY: Final = 86_400_000_000_000
BEGAN: Final = Instant(1_790_000_000_000_000_000)
NAME: Final = assessment_id_of("pu_1")
INSTANT: Final = tier_of(text_of("instant-10k"))
TWO: Final = tier_of(text_of("two-step-100k"))


def json_of(tier: Tier) -> str:
    return msgspec.json.encode(tier).decode()


class Life:
    """Asked one thing after the other; every answer replays to the same state."""

    def __init__(self, tier: Tier) -> None:
        self.state, self.twin = Assessment(), Assessment()
        self.at = BEGAN
        self.seen: Look | None = None
        self.ask(ev.CreateAssessment, NAME, "acme", "tim", "pu_1", json_of(tier))
        self.pays_in()

    def ask(self, kind: Any, *fields: Any) -> list[Any]:
        before = msgspec.msgpack.encode(self.state)
        command = kind(CommandId("x#1"), self.at, *fields)
        events = decider.decide(self.state, command, AssessmentRefs(0, self.seen))
        assert msgspec.msgpack.encode(self.state) == before
        assert events
        for event in events:
            self.state = decider.evolve(self.state, event)
            raw = msgspec.msgpack.encode(event)
            again = msgspec.msgpack.decode(raw, type=ev.AssessmentEvent)
            self.twin = decider.evolve(self.twin, again)
        assert self.twin == self.state
        return list(events)

    def pays_in(self) -> None:
        self.ask(ev.NoteDeposit, self.state.account)

    def worth(self, dollars: int, *, open_positions: int = 0, after: int = 60_000_000_000) -> Any:
        self.at = Instant(self.at + after)
        units = dollars * DOLLAR
        self.seen = Look(self.at, units, units, open_positions)
        return self.ask(ev.MarkAssessment, self.state.account, (self.seen,))

    def gains(self, dollars: int, days: int) -> None:
        """The same on each day, as consistency asks for."""
        for nth in range(1, days + 1):
            self.worth(10_000 + dollars * nth // days, after=DAY)


def kinds(events: list[Any]) -> list[type]:
    return [type(event) for event in events]


def test_the_same_purchase_makes_one_assessment_and_names_say_whose_they_are() -> None:
    life = Life(TWO)
    again = life.ask(ev.CreateAssessment, NAME, "acme", "tim", "pu_1", json_of(TWO))
    assert kinds(again) == [ev.NothingNoted]
    assert assessment_of(account_id(NAME, 12)) == NAME
    assert assessment_of("demo") is None
    assert (life.state.state, life.state.account) == ("active", account_id(NAME, 1))


def test_a_payout_is_asked_stopped_agreed_and_goes_on_with_a_fresh_account() -> None:
    scaled = (ScalingStep(500 * DOLLAR, 12_500 * DOLLAR, 900_000),)
    tier = msgspec.structs.replace(INSTANT, scaling=scaled)
    assert tier.payout is not None
    life = Life(tier)
    assert life.state.state == "funded"
    life.worth(10_010)
    [early] = life.ask(ev.AskPayout, "tim")
    assert early.code == "too_early"
    life.gains(600, tier.payout.first_after_days)
    asked = life.ask(ev.AskPayout, "tim")
    assert kinds(asked) == [ev.PayoutAsked, ev.AccountStopped]
    part = 600 * DOLLAR * tier.payout.split_ppm // 10**6
    assert asked[0].profit == 600 * DOLLAR
    assert asked[0].amount in (part, part + tier.fee)
    [twice] = life.ask(ev.AskPayout, "tim")
    assert twice.code == "payout_open"
    agreed = life.ask(ev.DecidePayout, 1, True, "rita", "fine")
    assert kinds(agreed)[0] is ev.PayoutAgreed
    [begun] = [each for each in agreed if isinstance(each, ev.StageBegun)]
    assert (begun.size, begun.why, begun.nth) == (12_500 * DOLLAR, "payout", 2)
    assert life.state.closing == {account_id(NAME, 1): 1}
    life.pays_in()
    assert life.state.state == "funded"
    life.ask(ev.NotePayout, 1, True, "")
    assert life.state.payouts[0].state == "paid"
    assert kinds(life.ask(ev.NotePayout, 1, True, "")) == [ev.NothingNoted]


def test_one_good_day_among_few_is_not_paid_where_the_terms_want_many() -> None:
    """What the wording says: "Paid only while the best day made at most 50 % of all profit"."""
    assert INSTANT.funded is not None
    funded = msgspec.structs.replace(INSTANT.funded, consistency_ppm=500_000)
    life = Life(msgspec.structs.replace(INSTANT, funded=funded))
    assert INSTANT.payout is not None
    life.worth(10_000)
    standing = own_standing(life.state)
    assert standing is not None
    begun = conditions(standing)[-1]  # as it is shown: nought of nought is not "all"
    assert (begun.name, begun.reached, begun.is_met) == ("consistency", 0, True)
    for _ in range(INSTANT.payout.first_after_days):
        life.worth(10_600, after=DAY)
    life.worth(10_600)
    [refused] = life.ask(ev.AskPayout, "tim")
    assert refused.code == "inconsistent"
    life.worth(11_200)
    assert kinds(life.ask(ev.AskPayout, "tim")) == [ev.PayoutAsked, ev.AccountStopped]


def test_a_payout_that_is_refused_lets_the_account_trade_on() -> None:
    life = Life(INSTANT)
    assert INSTANT.payout is not None
    life.gains(600, INSTANT.payout.first_after_days)
    life.worth(10_600)
    life.ask(ev.AskPayout, "tim")
    refused = life.ask(ev.DecidePayout, 1, False, "rita", "not yet")
    assert kinds(refused) == [ev.PayoutRefused, ev.AccountResumed]
    [unknown] = life.ask(ev.DecidePayout, 1, True, "rita", "again")
    assert unknown.code == "unknown_payout"


def test_what_failed_is_begun_anew_where_a_reset_was_bought() -> None:
    life = Life(TWO)
    broken = life.worth(94_000)
    assert kinds(broken) == [
        ev.RuleViolated,
        ev.StandingKept,
        ev.AssessmentFailed,
        ev.AccountStopped,
        ev.AccountClosing,
    ]
    assert (life.state.state, life.state.violation is not None) == ("failed", True)
    assert kinds(life.worth(90_000)) == [ev.NothingNoted]
    assert kinds(life.ask(ev.CheckClosing, account_id(NAME, 1), 1, 0)) == [ev.AccountClosing]
    assert kinds(life.ask(ev.CheckClosing, account_id(NAME, 1), 0, 0)) == [ev.AccountRetired]
    life.ask(ev.ResetAssessment, "pu_2")
    life.pays_in()
    assert (life.state.state, life.state.account) == ("active", account_id(NAME, 2))
    assert life.state.numbers is not None
    assert life.state.numbers.balance == TWO.account


def test_the_trade_that_leaves_nothing_open_retires_an_account_that_is_being_closed() -> None:
    life = Life(TWO)
    own, sold = account_id(NAME, 1), (Symbol("BTC-USD"), 7, False)
    life.worth(94_000, open_positions=1)
    assert kinds(life.ask(ev.NoteTrade, own, *sold)) == [ev.NothingNoted], "one is open"
    assert life.seen is not None
    working = msgspec.structs.replace(life.seen, open_positions=0, working=1)
    for life.seen in (working, None):  # an order works, or it cannot be valued
        assert kinds(life.ask(ev.NoteTrade, own, *sold)) == [ev.NothingNoted]
    life.seen = msgspec.structs.replace(working, working=0)
    assert kinds(life.ask(ev.NoteTrade, account_id(NAME, 2), *sold)) == [ev.NothingNoted]
    assert kinds(life.ask(ev.NoteTrade, own, *sold)) == [ev.AccountRetired]
    assert life.state.closing == {}
    assert kinds(life.ask(ev.NoteTrade, own, *sold)) == [ev.NothingNoted], "once"
    assert kinds(life.ask(ev.CheckClosing, own, 0, 0)) == [ev.NothingNoted]


def test_time_that_was_bought_is_added_and_then_it_expires() -> None:
    first = msgspec.structs.replace(TWO.phases[0], time_limit_days=3, inactivity_days=0)
    life = Life(msgspec.structs.replace(TWO, phases=(first, *TWO.phases[1:])))
    life.ask(ev.ExtendAssessment, "pu_2", 2)
    for _ in range(4):
        assert ev.AssessmentExpired not in kinds(life.worth(100_000, after=DAY))
    ended = [*life.worth(100_000, after=DAY), *life.worth(100_000, after=DAY)]
    assert ev.AssessmentExpired in kinds(ended)
    assert life.state.state == "expired"


def test_a_dispute_stops_it_and_an_upgrade_begins_it_under_other_terms() -> None:
    life = Life(TWO)
    frozen = life.ask(ev.FreezeAssessment, "the payment is disputed", "payments")
    assert kinds(frozen) == [ev.AssessmentFrozen, ev.AccountStopped]
    [denied] = life.ask(ev.UpgradeAssessment, "pu_3", json_of(INSTANT))
    assert denied.code == "not_upgradable"
    assert kinds(life.ask(ev.ThawAssessment, "won", "payments"))[-1] is ev.AccountResumed
    life.ask(ev.UpgradeAssessment, "pu_3", json_of(INSTANT))
    life.pays_in()
    assert life.state.tier is not None
    assert (life.state.tier.name, life.state.state) == ("instant-10k", "funded")


def test_what_nobody_has_bought_is_denied_and_leaves_a_trace() -> None:
    found = decider.decide(
        decider.initial(StreamId("assessment/asm-0")),
        ev.AskPayout(CommandId("x#1"), BEGAN, "tim"),
        AssessmentRefs(0),
    )
    assert kinds(list(found)) == [ev.AssessmentDenied]


def test_what_is_paid_back_is_passed_no_more_and_nobody_else_can_give_it_up_by_then() -> None:
    quick = PhaseTerms(name="only", target=100 * DOLLAR)
    life = Life(msgspec.structs.replace(TWO, phases=(quick,), funded=None, payout=None))
    life.worth(TWO.account // DOLLAR + 100)
    assert life.state.state == "passed"
    [denied] = life.ask(ev.AbandonAssessment, "tim", "enough of it")
    assert denied.code == "assessment_ended"
    [ended] = life.ask(ev.AbandonAssessment, PAYMENTS, "it was paid back")
    assert (type(ended), life.state.state) == (ev.AssessmentAbandoned, "abandoned")
