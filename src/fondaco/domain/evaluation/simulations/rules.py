"""The law of a simulation: it is done once, and what was found stays. Pure."""

from typing import Final

from fondaco.domain.evaluation.simulations.events import (
    CancelSimulation,
    FailSimulation,
    FinishSimulation,
    RequestSimulation,
    SimulationCanceled,
    SimulationCommand,
    SimulationDone,
    SimulationEvent,
    SimulationFailed,
    SimulationRequested,
    SimulationUnchanged,
)
from fondaco.domain.evaluation.simulations.model import SimulationState
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import Instant, StreamId


def initial(_: StreamId) -> SimulationState:
    return SimulationState()


def decide(
    state: SimulationState, command: SimulationCommand, _: Refs
) -> tuple[SimulationEvent, ...]:
    match command:
        case RequestSimulation() if state.state not in ("requested", "done"):
            return (
                SimulationRequested(
                    command.kind, command.law, command.inputs, command.tier, command.tier_version,
                    command.journal, command.seed, command.paths, command.by, command.at,
                ),
            )  # fmt: skip
        case FinishSimulation() if state.state == "requested":
            return (SimulationDone(command.result, command.sha256, command.at),)
        case FailSimulation() if state.state == "requested":
            return (SimulationFailed(command.error, command.at),)
        case CancelSimulation() if state.state == "requested":
            return (SimulationCanceled(command.by, command.at),)
    return (SimulationUnchanged(state.state),)


def evolve(state: SimulationState, event: SimulationEvent) -> SimulationState:
    match event:
        case SimulationRequested():
            state.state, state.error = "requested", ""
            state.kind, state.law, state.inputs = event.kind, event.law, event.inputs
            state.asked_by, state.asked_at, state.ended_at = event.by, event.at, Instant(0)
        case SimulationDone():
            state.state, state.ended_at = "done", event.at
            state.result, state.sha256 = event.result, event.sha256
        case SimulationFailed():
            state.state, state.error, state.ended_at = "failed", event.error, event.at
        case SimulationCanceled():
            state.state, state.ended_at = "canceled", event.at
        case _:
            pass
    return state


decider: Final[Decider[SimulationState, SimulationCommand, SimulationEvent, Refs]] = Decider(
    initial, decide, evolve, SimulationState
)
