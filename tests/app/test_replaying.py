"""A change of rules, tried on what was traded in a house that lives."""

from pathlib import Path
from typing import Any

import msgspec

from app.test_assessments import STREAM, lived, tier, trades
from app.test_margin import BTC_USD, Floor
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.model import Tier
from fondaco.domain.evaluation.replaying import Judged, attempts, judged, stage_of
from fondaco.domain.trading.model import Side

replace = msgspec.structs.replace


def changed(terms: Tier, **rules: Any) -> Tier:
    """The terms with other rules in each phase."""
    return replace(terms, phases=tuple(replace(each, **rules) for each in terms.phases))


def verdicts(floor: Floor, terms: Tier) -> list[tuple[str, str, str, str]]:
    """What was, and what would be, of every attempt; as a house reads them from the journal."""
    found = []
    for each in attempts(entry.event for entry in floor.kernel.journal.read(STREAM)):
        stage = stage_of(terms, each)
        assert stage is not None
        would: Judged = judged(terms, stage, each)
        found.append((each.was, each.was_rule, would.would, would.rule))
    return found


def test_who_failed_by_a_rule_is_judged_by_another(tmp_path: Path) -> None:
    """Requirement P13: a change of rule is tried on history before it is published."""

    async def story(floor: Floor) -> None:
        await trades(floor, "5", "50000.01", "a")
        floor.trades_at(49_190)
        await floor.until(lambda: floor.heard(ev.RuleWarned, STREAM))
        floor.trades_at(49_000)
        await floor.until(lambda: floor.heard(ev.AssessmentFailed, STREAM))
        own = tier()
        assert verdicts(floor, own) == [("failed", "daily_loss", "failed", "daily_loss")]
        daily, overall = own.phases[0].daily_loss, own.phases[0].overall_loss
        assert daily is not None
        assert overall is not None
        wider = changed(own, daily_loss=replace(daily, amount=2 * daily.amount))
        assert verdicts(floor, wider) == [("failed", "daily_loss", "active", "")]
        nearer = changed(own, overall_loss=replace(overall, amount=daily.amount // 2))
        assert verdicts(floor, nearer) == [("failed", "daily_loss", "failed", "overall_loss")]
        assert stage_of(replace(own, account=own.account * 2), _only(floor)) is None
        assert stage_of(replace(own, phases=()), _only(floor)) is None

    lived(tmp_path, story)


def _only(floor: Floor) -> Any:
    [found] = attempts(entry.event for entry in floor.kernel.journal.read(STREAM))
    return found


def test_who_passed_would_not_have_with_more_to_do(tmp_path: Path) -> None:
    terms = changed(tier(), min_trading_days=0, min_trades=0)

    async def story(floor: Floor) -> None:
        assert floor.kernel.refs.instruments[BTC_USD]
        await trades(floor, "5", "50000.01", "a")
        floor.trades_at(53_000)
        await trades(floor, "5", "52999.99", "b", Side.SELL)
        await floor.until(lambda: floor.heard(ev.AssessmentStarted, STREAM)[1:])
        first = verdicts(floor, terms)[0]
        assert first == ("passed", "", "passed", "")
        for rules in ({"min_trading_days": 2}, {"min_trades": 2}, {"target": 10**13}):
            assert verdicts(floor, changed(terms, **rules))[0] == ("passed", "", "active", "")
        assert verdicts(floor, changed(terms, min_trades=1))[0][2] == "passed"

    lived(tmp_path, story, terms)
