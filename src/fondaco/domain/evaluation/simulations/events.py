"""What the journal keeps of a simulation: what it was made of, and what came of it."""

from typing import TypeAlias

from fondaco.kernel.event import Command, Event, Instant


class RequestSimulation(Command, frozen=True, gc=False):
    """`inputs` is JSON, in full; the id of the stream is made of it."""

    kind: str
    law: int
    inputs: str
    tier: str
    tier_version: int
    journal: str
    seed: int
    paths: int
    by: str


class FinishSimulation(Command, frozen=True, gc=False):
    """`result` is JSON, and `sha256` that of its bytes."""

    result: str
    sha256: str


class FailSimulation(Command, frozen=True, gc=False):
    error: str


class CancelSimulation(Command, frozen=True, gc=False):
    by: str


class SimulationRequested(Event, frozen=True, gc=False, tag="simulations.requested.v1"):
    """Paths are being walked. Asked again after it failed or was canceled, it is written again."""

    kind: str
    law: int
    inputs: str
    tier: str
    tier_version: int
    journal: str
    seed: int
    paths: int
    by: str
    at: Instant


class SimulationDone(Event, frozen=True, gc=False, tag="simulations.done.v1"):
    """What was found. Whoever walks the same inputs finds the same bytes."""

    result: str
    sha256: str
    at: Instant


class SimulationFailed(Event, frozen=True, gc=False, tag="simulations.failed.v1"):
    error: str
    at: Instant


class SimulationCanceled(Event, frozen=True, gc=False, tag="simulations.canceled.v1"):
    by: str
    at: Instant


class SimulationUnchanged(Event, frozen=True, gc=False, tag="simulations.unchanged.v1"):
    """What was asked is so already, or comes too late."""

    state: str


SimulationCommand: TypeAlias = (
    RequestSimulation | FinishSimulation | FailSimulation | CancelSimulation
)
SimulationEvent: TypeAlias = (
    SimulationRequested
    | SimulationDone
    | SimulationFailed
    | SimulationCanceled
    | SimulationUnchanged
)
