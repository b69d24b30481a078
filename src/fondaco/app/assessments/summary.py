"""An assessment as reports tell of it: read from views, and from the entries that these name."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from fondaco.app.assessments.desk import condition_line, headroom_lines, payout_line, violation_line
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments import store
from fondaco.domain.evaluation.assessments.api import WordingPart
from fondaco.domain.evaluation.assessments.model import assessment_stream, standing_of
from fondaco.domain.evaluation.model import MONEY_DECIMALS, Tier
from fondaco.domain.evaluation.rules import conditions
from fondaco.domain.evaluation.wording import wording
from fondaco.domain.market.model import Mark
from fondaco.domain.reports.assessment import Broken, Priced, Summary
from fondaco.domain.trading.model import TradingRefs
from fondaco.kernel.errors import NotFound, Unavailable
from fondaco.kernel.event import Event
from fondaco.kernel.money import format_scaled
from fondaco.ports.journal import Journal

_AFTER: Final = {"passed": "it", "payout": "a payout", "reset": "a reset", "upgrade": "an upgrade"}


class _Stage(msgspec.Struct):
    """A stage and its terms, and how it stands or has ended."""

    tier: str = ""
    version: int = 0
    fingerprint: str = ""
    stage_name: str = ""
    state: str = ""
    reason: str = ""
    size: int = 0


def _now(row: Any) -> _Stage:
    return _Stage(
        row.tier, row.tier_version, row.fingerprint, row.stage_name, row.state, row.reason, row.size
    )


class Summaries:
    """`tier_of` finds terms by tenant and fingerprint."""

    def __init__(
        self,
        journal: Journal,
        refs: Callable[[], TradingRefs],
        tier_of: Callable[[str, str], Tier | None],
    ) -> None:
        self._journal, self._refs, self._tier_of = journal, refs, tier_of

    def of_account(self, conn: Any, tenant: str, account_id: str) -> Summary | None:
        """None: it is the account of no assessment. One of an earlier stage is told of as that one
        has ended, under the terms that it had. Raises `Unavailable` before anything was written
        down of it."""
        row = store.row_of(conn, account_id.rpartition("-")[0])
        if row is None or row.tenant != tenant:
            return None
        told = _now(row)
        if row.account_id != account_id:
            told = self._earlier(row.assessment_id, account_id)
        tier = self._tier_of(tenant, told.fingerprint)
        kept = store.last_point(conn, row.assessment_id, account_id)
        event = self._entry(kept.position) if kept is not None else None
        if tier is None or not isinstance(event, ev.StandingKept):
            raise Unavailable(f"nothing was written down of {account_id} yet; ask again")
        standing = standing_of(tier, event.stage, event.numbers)
        rows = store.violations_of(conn, row.assessment_id)
        return Summary(
            assessment_id=row.assessment_id,
            tier=told.tier,
            version=told.version,
            fingerprint=told.fingerprint,
            stage_name=told.stage_name,
            state=told.state,
            reason=told.reason,
            size=format_scaled(told.size, MONEY_DECIMALS),
            headroom=headroom_lines(standing),
            equity=format_scaled(standing.equity, MONEY_DECIMALS),
            conditions=[condition_line(each) for each in conditions(standing)],
            broken=[self._broken(each) for each in rows if each.account_id == account_id],
            payouts=[
                payout_line(each, each.currency)
                for each in store.payouts_of(conn, row.assessment_id)
            ],
            wording=[WordingPart(heading, each) for heading, each in wording(tier)],
        )

    def _earlier(self, assessment_id: str, account_id: str) -> _Stage:
        """Raises `NotFound` for an account that it never traded."""
        stage, trades = _Stage(), ""
        for entry in self._journal.read(assessment_stream(assessment_id)):
            event = entry.event
            match event:
                case ev.AssessmentCreated() | ev.AssessmentUpgraded() if trades != account_id:
                    stage.tier, stage.version = event.tier, event.tier_version
                    stage.fingerprint = event.fingerprint
                case ev.StageBegun() if event.account == account_id:
                    trades, stage.stage_name, stage.size = event.account, event.name, event.size
                case ev.AssessmentFailed() if event.account == account_id:
                    stage.state, stage.reason = "failed", event.rule
                case ev.StagePassed() if event.account == account_id:
                    stage.state = "passed"
                case ev.AssessmentExpired() | ev.AssessmentAbandoned() if trades == account_id:
                    stage.state, stage.reason = "ended", getattr(event, "reason", "")
                case ev.StageBegun() if trades == account_id:
                    stage.state = stage.state or "ended"
                    stage.reason = stage.reason or f"begun anew after {_AFTER[event.why]}"
                    return stage
                case _:
                    pass
        raise NotFound(f"{account_id} is the account of no assessment", code="unknown_assessment")

    def _entry(self, position: int) -> Event:
        entries = self._journal.follow(position - 1, 1)
        return next(each.event for each in entries if each.position == position)

    def _broken(self, row: Any) -> Broken:
        event = self._entry(row.position)
        marks = event.marks if isinstance(event, ev.RuleViolated) else ()
        return Broken(violation_line(row), [self._priced(each) for each in marks])

    def _priced(self, mark: Mark) -> Priced:
        instrument = self._refs().instruments[mark.symbol]
        return Priced(mark.symbol, instrument.px_text(mark.px), mark.source, mark.tape_position)
