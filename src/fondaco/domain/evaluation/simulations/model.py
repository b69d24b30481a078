"""What a simulation is made of, and the id that follows from it.

The id is the hash of all that decides the result: the kind, the law by which it is walked, the
seed, and the inputs in full, down to each day of a journal. The same question has the same id in
any house and on any machine, and an id has one answer.
"""

from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, TypeAlias

import msgspec

from fondaco.domain.evaluation.simulation.traders import Trader
from fondaco.kernel.event import Instant, StreamId

PREFIX: Final = "simulations/"
ID_LENGTH: Final = 32


class SimulationKind(StrEnum):
    """What is asked of a tier, or of days that were traded."""

    TIER_ODDS = "tier_odds"
    SENSITIVITY = "sensitivity"
    PROJECTION = "projection"
    VALIDATION = "validation"


# Raised when the same inputs would give another result: then what was found before keeps its id.
# tests/evaluation/test_simulations.py pins a result of each.
LAWS: Final = {
    SimulationKind.TIER_ODDS: 1,
    SimulationKind.SENSITIVITY: 1,
    SimulationKind.PROJECTION: 1,
    SimulationKind.VALIDATION: 1,
}


class OddsInputs(msgspec.Struct, frozen=True, kw_only=True):
    """`terms` is the JSON of the tier; each trader as it was asked for, and as it is."""

    tier: str
    version: int
    terms: str
    traders: tuple[tuple[str, Trader], ...]
    paths: int
    seed: int
    days: int
    funded_days: int
    sales: int
    sales_a_day: int
    crowd: float
    capital: float


class ProjectionInputs(msgspec.Struct, frozen=True, kw_only=True):
    """`results` of days, oldest first, in millionths of the account; `journal` is what they are
    called."""

    journal: str
    results: tuple[int, ...]
    days: int
    paths: int
    seed: int
    block: float


class ValidationInputs(msgspec.Struct, frozen=True, kw_only=True):
    """`others` are days of strategies that were tried besides."""

    journal: str
    results: tuple[int, ...]
    others: tuple[tuple[int, ...], ...]
    trials: int
    seed: int
    block: float
    bootstraps: int


Inputs: TypeAlias = OddsInputs | ProjectionInputs | ValidationInputs
_INPUTS: Final[dict[SimulationKind, type[Inputs]]] = {
    SimulationKind.TIER_ODDS: OddsInputs,
    SimulationKind.SENSITIVITY: OddsInputs,
    SimulationKind.PROJECTION: ProjectionInputs,
    SimulationKind.VALIDATION: ValidationInputs,
}


class Question(msgspec.Struct, frozen=True):
    """All that decides a result."""

    kind: SimulationKind
    law: int
    inputs: Inputs

    @property
    def simulation_id(self) -> str:
        return sha256(msgspec.json.encode([self.kind, self.law, self.inputs])).hexdigest()[
            :ID_LENGTH
        ]

    @property
    def about(self) -> tuple[str, int, str]:
        """Tier, version and journal; "" and 0 where it is of none."""
        if isinstance(self.inputs, OddsInputs):
            return self.inputs.tier, self.inputs.version, ""
        return "", 0, self.inputs.journal

    @property
    def paths(self) -> int:
        """Of each walk; bootstraps of a validation."""
        found = self.inputs
        return found.bootstraps if isinstance(found, ValidationInputs) else found.paths


def question(kind: SimulationKind, inputs: Inputs) -> Question:
    """By the law that this build follows."""
    return Question(kind, LAWS[kind], inputs)


def written(inputs: Inputs) -> str:
    """As the journal keeps them."""
    return msgspec.json.encode(inputs).decode()


def read(kind: str, law: int, text: str) -> Question:
    """What `written` wrote."""
    known = SimulationKind(kind)
    found: Any = msgspec.json.decode(text, type=_INPUTS[known])
    return Question(known, law, found)


def digest(result: str) -> str:
    return sha256(result.encode()).hexdigest()


def stream_of(tenant: str, simulation_id: str) -> StreamId:
    """Of a tenant's own: another tenant's same question is another stream."""
    return StreamId(f"{PREFIX}{tenant}/{simulation_id}")


class SimulationState(msgspec.Struct, gc=False):
    """`state`: "" before it was asked for, then requested, done, failed or canceled."""

    state: str = ""
    kind: str = ""
    law: int = 0
    inputs: str = ""
    result: str = ""
    sha256: str = ""
    error: str = ""
    asked_by: str = ""
    asked_at: Instant = Instant(0)
    ended_at: Instant = Instant(0)
