"""The law of an assessment: what its tier's rules say becomes facts. Pure.

`evaluation.rules` says what equity means; here it is asked with what was seen, and what it says is
written down with its numbers, so that `evolve` computes nothing and no later rule changes the past.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from fondaco.domain.evaluation import rules as law
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.ending import (
    Events,
    ended,
    found_events,
    kept,
    own_standing,
)
from fondaco.domain.evaluation.assessments.events import AssessmentCommand, AssessmentEvent
from fondaco.domain.evaluation.assessments.evolving import evolve
from fondaco.domain.evaluation.assessments.lifecycle import LIFE
from fondaco.domain.evaluation.assessments.model import Assessment, AssessmentRefs, Look
from fondaco.domain.evaluation.rules import EquityMark, TradeOpened
from fondaco.domain.trading.model import AccountId
from fondaco.kernel.decider import Decider
from fondaco.kernel.event import StreamId


def initial(_: StreamId) -> Assessment:
    return Assessment()


def decide(state: Assessment, command: AssessmentCommand, refs: AssessmentRefs) -> Events:
    if not state.assessment_id and not isinstance(command, ev.CreateAssessment):
        return (ev.AssessmentDenied("unknown_assessment", "there is no such assessment"),)
    return _DECIDED[type(command)](state, command, refs)


def seen_as(look: Look) -> EquityMark:
    return EquityMark(look.at, look.balance, look.equity, look.open_positions)


def _deposited(state: Assessment, command: ev.NoteDeposit, _: AssessmentRefs) -> Events:
    if command.account != state.account or not state.opening or state.tier is None:
        return (ev.NothingNoted(f"{command.account} is not waited for"),)
    standing = law.begin(state.tier, state.stage, command.at)
    started = ev.AssessmentStarted(state.stage, state.account)
    size = standing.balance
    return (started, kept(state, standing, Look(command.at, size, size, 0)))


def _marked(state: Assessment, command: ev.MarkAssessment, _: AssessmentRefs) -> Events:
    standing = own_standing(state)
    if standing is None or command.account != state.account or not command.looks:
        return (ev.NothingNoted("no rule holds for this account now"),)
    events: list[AssessmentEvent] = []
    at = command.at
    for look in command.looks:
        at = look.at
        events += found_events(state, law.mark(standing, seen_as(look)), look)
        events.append(kept(state, standing, look))
        if standing.verdict != "active":
            break
    return (*events, *ended(state, standing, events, at))


def _traded(state: Assessment, command: ev.NoteTrade, refs: AssessmentRefs) -> Events:
    standing, seen = own_standing(state), refs.seen
    if standing is None or command.account != state.account:
        return _closed(state, command.account, refs)
    if seen is not None:
        seen = msgspec.structs.replace(seen, at=command.at)
    else:  # its positions cannot be valued: the trade counts, at what was last known
        seen = Look(command.at, standing.balance, standing.equity, standing.open_positions)
    events: list[AssessmentEvent] = []
    found = law.mark(standing, seen_as(seen))
    if command.opens and command.order != state.counted and standing.verdict == "active":
        risk = seen.risks.get(command.symbol, 0)
        events.append(
            ev.TradeCounted(
                command.account,
                command.symbol,
                command.order,
                seen.open_positions,
                seen.lots,
                seen.notional,
                risk,
            )
        )
        trade = TradeOpened(
            at=seen.at,
            instrument=command.symbol,
            # Of risk and leverage the account itself saw to, at the price and the equity of its
            # order: what the market does until it executes is nobody's mistake.
            risk=0 if seen.ruled else risk,
            open_positions=seen.open_positions,
            lots=seen.lots,
            notional=0,
        )
        found += law.trade_opened(standing, trade)
    events += found_events(state, found, seen)
    events.append(kept(state, standing, seen))
    return (*events, *ended(state, standing, events, seen.at))


def _closed(state: Assessment, account: AccountId, refs: AssessmentRefs) -> Events:
    """The trade that closed its last position, where that is what was waited for."""
    if account in state.closing and account == state.account:
        seen = refs.seen
        if seen is not None and not seen.open_positions and not seen.working:
            return (ev.AccountRetired(account),)
    return (ev.NothingNoted("no rule holds for this account now"),)


def _closing(state: Assessment, command: ev.CheckClosing, _: AssessmentRefs) -> Events:
    asked = state.closing.get(command.account)
    if asked is None:
        return (ev.NothingNoted(f"{command.account} is not being closed"),)
    if command.open_positions or command.working:
        return (ev.AccountClosing(command.account, asked + 1),)
    return (ev.AccountRetired(command.account),)


_DECIDED: Final[dict[type[Any], Callable[[Assessment, Any, AssessmentRefs], Events]]] = {
    ev.NoteDeposit: _deposited,
    ev.NoteTrade: _traded,
    ev.MarkAssessment: _marked,
    ev.CheckClosing: _closing,
    **LIFE,
}

decider: Final[Decider[Assessment, AssessmentCommand, AssessmentEvent, AssessmentRefs]] = Decider(
    initial, decide, evolve, Assessment
)
