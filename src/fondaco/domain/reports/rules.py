"""The law of reports: what was made is noted, once. Pure."""

from typing import Final

from fondaco.domain.reports.events import ReportCommand, ReportEvent, ReportReady
from fondaco.domain.reports.model import ReportsState
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import StreamId


def initial(_: StreamId) -> ReportsState:
    return ReportsState()


def decide(_state: ReportsState, c: ReportCommand, _: Refs) -> tuple[ReportEvent, ...]:
    return (
        ReportReady(
            c.report_id, c.kind, c.account_id, c.assessment_id, c.as_of_position, c.sha256,
            c.html_sha256, c.pdf_sha256, c.by,
        ),
    )  # fmt: skip


def evolve(state: ReportsState, _: ReportEvent) -> ReportsState:
    state.made += 1
    return state


decider: Final[Decider[ReportsState, ReportCommand, ReportEvent, Refs]] = Decider(
    initial, decide, evolve, ReportsState
)
