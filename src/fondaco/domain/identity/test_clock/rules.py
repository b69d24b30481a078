"""The law of a sandbox's time: one advance at a time, and never back. Pure."""

from typing import Final

from fondaco.domain.identity.test_clock.events import (
    AdvanceBegun,
    AdvanceCanceled,
    AdvanceDone,
    AdvanceFailed,
    AdvanceRefused,
    AdvanceUnchanged,
    BeginAdvance,
    ClockCommand,
    ClockEvent,
    EndAdvance,
    SandboxOpened,
)
from fondaco.domain.identity.test_clock.model import (
    ADVANCE_MAX_NS,
    DAY_NS,
    ClockState,
    Posted,
)
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import Instant, StreamId


def initial(_: StreamId) -> ClockState:
    return ClockState()


def decide(state: ClockState, command: ClockCommand, _: Refs) -> tuple[ClockEvent, ...]:
    if isinstance(command, EndAdvance):
        return (_ended(state, command),)
    wrong = what_is_wrong(state, command)
    if wrong:
        return (AdvanceRefused(*wrong),)
    if _is_there(state, command):
        return (AdvanceUnchanged(state.number, command.to),)
    return (
        AdvanceBegun(
            state.number + 1, command.at, command.to, command.prices, command.by, command.wall_at
        ),
    )


def what_is_wrong(state: ClockState, command: BeginAdvance) -> tuple[str, str] | None:
    """Reason and text; None where nothing is."""
    if not state.is_sandbox:
        return "not_a_sandbox", (
            "the time of this house is everybody's: start another one with --sandbox in a "
            "directory of its own"
        )
    if state.stage == "advancing":
        if command.to == state.to and command.prices in ((), state.prices):
            return None
        return "advancing", f"it is on its way to {state.to}: wait for that, or cancel it"
    if command.to < command.at:
        return "time_past", f"it is {command.at} there: time goes to {command.to} no more"
    if command.to - command.at > ADVANCE_MAX_NS:
        return "too_far", f"at most {ADVANCE_MAX_NS // DAY_NS} days by one call"
    return None


def _is_there(state: ClockState, command: BeginAdvance) -> bool:
    if state.stage == "advancing":
        return True
    return state.stage == "ready" and command.to == command.at and not command.prices


def _ended(state: ClockState, command: EndAdvance) -> ClockEvent:
    number, at, wall_at = command.number, command.at, command.wall_at
    if state.stage != "advancing" or number != state.number:
        return AdvanceUnchanged(state.number, state.to)
    if command.by:
        return AdvanceCanceled(number, at, command.by, wall_at)
    if command.error:
        return AdvanceFailed(number, at, command.what, command.error, wall_at)
    return AdvanceDone(number, at, command.count, wall_at)


def evolve(state: ClockState, event: ClockEvent) -> ClockState:
    match event:
        case SandboxOpened():
            state.is_sandbox = True
            state.at = event.at
        case AdvanceBegun():
            state.stage, state.number = "advancing", event.number
            state.since, state.to, state.prices = event.since, event.to, event.prices
            state.what = state.error = ""
        case AdvanceDone() | AdvanceCanceled():
            state.stage = "ready"
            _stand(state, event.at)
        case AdvanceFailed():
            state.stage = "failed"
            state.what, state.error = event.what, event.error
            _stand(state, event.at)
        case AdvanceUnchanged() | AdvanceRefused():
            pass
    return state


def _stand(state: ClockState, at: Instant) -> None:
    """It has ended there: what was played on the way is what is quoted."""
    state.at = at
    state.quotes = {**state.quotes, **quotes_at(state.prices, at)}
    state.prices = ()


def quotes_at(prices: tuple[Posted, ...], at: Instant) -> dict[str, Posted]:
    """The last of each instrument's, as of `at`."""
    return {each.symbol: each for each in prices if each.at <= at}


decider: Final = Decider(initial, decide, evolve, ClockState)
