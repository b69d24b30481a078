"""What may be asked about simulations: one that is to be walked, and those that were."""

from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.evaluation.offering.api import (
    JournalText,
    OddsOfTrader,
    Published,
    TierName,
    TraderText,
)
from fondaco.domain.evaluation.simulations.model import SimulationKind
from fondaco.domain.identity.model import Scope
from fondaco.domain.performance.api import Projection, StrategyValidation
from fondaco.kernel.errors import NotFound, Refused
from fondaco.kernel.operation import Do, Operation, Stamp

SimulationText = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{32}$", examples=["0f3a5b7c9d1e2f405162738a0b1c2d3e"])
]
JournalName = Annotated[str, Meta(min_length=1, max_length=200, examples=["account:demo"])]
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]
SimulationPhase = Literal["running", "interrupted", "done", "failed", "canceled"]


class OddsAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """As POST /tiers/{tier}/versions/{version}/simulate, of any version. `capital` null: that of
    one account."""

    tier: TierName
    version: Published
    traders: Annotated[tuple[TraderText, ...], Meta(max_length=10)] = ()
    paths: Annotated[int, Meta(ge=100, le=200_000)] = 20_000
    seed: Seed = 1
    days: Annotated[int, Meta(ge=1, le=3_660)] = 60
    funded_days: Annotated[int, Meta(ge=1, le=3_660)] = 180
    sales: Annotated[int, Meta(ge=1, le=1_000)] = 100
    sales_a_day: Annotated[int, Meta(ge=1, le=1_000)] = 10
    crowd: Annotated[float, Meta(ge=0, le=1)] = 0.5
    capital: Annotated[float, Meta(ge=0, le=1e15)] | None = None


class ProjectionAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Paths of days like those of `journal`: "account:ID", or "journal:NAME" of one of
    `journals`."""

    journal: JournalName
    days: Annotated[int, Meta(ge=1, le=2_500)] = 250
    paths: Annotated[int, Meta(ge=100, le=200_000)] = 2_000
    seed: Seed = 1
    block: Annotated[float, Meta(ge=1, le=1_000)] = 5.0


class ValidationAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether `journal` was luck. `against`: strategies that were tried besides; `trials`: how
    many were in all, those that are not at hand among them."""

    journal: JournalName
    against: Annotated[tuple[JournalName, ...], Meta(max_length=20)] = ()
    trials: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    seed: Seed = 1
    block: Annotated[float, Meta(ge=1, le=1_000)] = 5.0
    bootstraps: Annotated[int, Meta(ge=100, le=10_000)] = 1_000


class AskSimulationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of `odds` (for tier_odds and sensitivity), `projection`, `validation`: that of its
    `kind`. Asked again it is the same simulation, which is not walked a second time."""

    kind: SimulationKind
    odds: OddsAsk | None = None
    projection: ProjectionAsk | None = None
    validation: ValidationAsk | None = None
    journals: Annotated[tuple[JournalText, ...], Meta(max_length=5)] = ()


class SimulationsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Those that were asked for last first. `cursor` is the `next` of the page before."""

    kind: SimulationKind | None = None
    tier: TierName | None = None
    state: SimulationPhase | None = None
    cursor: Annotated[int, Meta(ge=0, le=2**53)] = 0
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class SimulationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    simulation_id: SimulationText


class SimulationShown(msgspec.Struct, frozen=True, kw_only=True):
    """`done` of `total` steps of work while it is running. One that is interrupted was under way
    when the house stopped: ask for it again. `law` is the one it was walked by. `journal` or
    `tier` and `version` say what it is of. Times are nanoseconds since 1970, UTC."""

    simulation_id: str
    kind: SimulationKind
    state: SimulationPhase
    law: int
    tier: str
    version: int
    journal: str
    seed: str
    paths: int
    done: int
    total: int
    error: str
    asked_by: str
    asked_at: str
    ended_at: str
    result_sha256: str


class SimulationsReply(msgspec.Struct, frozen=True):
    items: list[SimulationShown]
    next: int | None


class SimulationFound(msgspec.Struct, frozen=True, kw_only=True):
    """`inputs` is all that it was made of, as JSON; `result` what was found, the bytes that
    `result_sha256` is of. The same is told in `traders`, `projection` or `validation`."""

    item: SimulationShown
    inputs: str
    result: str
    traders: list[OddsOfTrader]
    projection: Projection | None
    validation: StrategyValidation | None


class SimulationsPart(Protocol):
    """What the source "simulations" is."""

    async def ask(self, stamp: Stamp, ask: AskSimulationRequest) -> SimulationFound: ...
    async def list(self, stamp: Stamp, ask: SimulationsRequest) -> SimulationsReply: ...
    async def one(self, stamp: Stamp, ask: SimulationRequest) -> SimulationFound: ...
    async def cancel(self, stamp: Stamp, ask: SimulationRequest) -> SimulationFound: ...


async def _ask(ask: AskSimulationRequest, stamp: Stamp, part: SimulationsPart) -> SimulationFound:
    return await part.ask(stamp, ask)


async def _list(ask: SimulationsRequest, stamp: Stamp, part: SimulationsPart) -> SimulationsReply:
    return await part.list(stamp, ask)


async def _one(ask: SimulationRequest, stamp: Stamp, part: SimulationsPart) -> SimulationFound:
    return await part.one(stamp, ask)


async def _cancel(ask: SimulationRequest, stamp: Stamp, part: SimulationsPart) -> SimulationFound:
    return await part.cancel(stamp, ask)


_DAYS: Final = "day,percent\n2026-03-02,1\n2026-03-03,-0.5\n2026-03-04,0.2\n2026-03-05,0.7\n"

OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="simulations.ask",
        summary="Simulate a tier or days that were traded; the same question is walked once.",
        method="POST",
        path="/simulations",
        request=AskSimulationRequest,
        reply=SimulationFound,
        scope=Scope.TIERS_WRITE,
        errors=(NotFound, Refused),
        source="simulations",
        answer=_ask,
        example={
            "kind": "projection",
            "projection": {"journal": "journal:days.csv", "days": 20, "paths": 100},
            "journals": [{"name": "days.csv", "text": _DAYS}],
        },
    ),
    Do(
        name="simulations.list",
        summary="Simulations that were asked for, by kind, tier and state.",
        method="GET",
        path="/simulations",
        request=SimulationsRequest,
        reply=SimulationsReply,
        scope=Scope.TIERS_WRITE,
        source="simulations",
        answer=_list,
    ),
    Do(
        name="simulations.one",
        summary="One simulation: what it was made of, how far it is, and what was found.",
        method="GET",
        path="/simulations/{simulation_id}",
        request=SimulationRequest,
        reply=SimulationFound,
        scope=Scope.TIERS_WRITE,
        errors=(NotFound,),
        source="simulations",
        answer=_one,
    ),
    Do(
        name="simulations.cancel",
        summary="Stop a simulation that is under way.",
        method="DELETE",
        path="/simulations/{simulation_id}",
        request=SimulationRequest,
        reply=SimulationFound,
        scope=Scope.TIERS_WRITE,
        errors=(NotFound,),
        source="simulations",
        answer=_cancel,
    ),
)
