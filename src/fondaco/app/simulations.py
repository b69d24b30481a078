"""The part of a house that looks after simulations: each is walked once, and kept in the journal.

What was found is in the journal before anybody hears of it. The views have a row for each; what is
asked of one is read from its stream, which is never behind.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import msgspec

from fondaco.app.house import Kernel
from fondaco.app.simulation_jobs import JOBS_MAX, Ended, Job, Jobs, Tell
from fondaco.app.simulation_traders import Traders
from fondaco.app.simulation_work import days_of, steps
from fondaco.domain.evaluation.model import MONEY_DECIMALS
from fondaco.domain.evaluation.offering.showing import traders_shown
from fondaco.domain.evaluation.shelf import Shelf
from fondaco.domain.evaluation.simulation.attached import USUAL
from fondaco.domain.evaluation.simulation.attached import read as odds_read
from fondaco.domain.evaluation.simulations import api, store
from fondaco.domain.evaluation.simulations.events import (
    CancelSimulation,
    FailSimulation,
    FinishSimulation,
    RequestSimulation,
    SimulationCommand,
)
from fondaco.domain.evaluation.simulations.model import (
    Inputs,
    OddsInputs,
    ProjectionInputs,
    Question,
    SimulationKind,
    SimulationState,
    ValidationInputs,
    digest,
    question,
    read,
    stream_of,
    written,
)
from fondaco.domain.performance.api import Projection, StrategyValidation
from fondaco.kernel.errors import Invalid, NotFound, Refused
from fondaco.kernel.event import request_id
from fondaco.kernel.operation import Stamp
from fondaco.ports.compute import Pool
from fondaco.ports.compute.processes import Processes
from fondaco.ports.compute.ray import RayPool

NICENESS: Final = 10  # who trades comes first
PROCESSES: Final = "processes"
_Rows: TypeAlias = list[Any]
_PART_OF: Final = {
    SimulationKind.TIER_ODDS: "odds",
    SimulationKind.SENSITIVITY: "odds",
    SimulationKind.PROJECTION: "projection",
    SimulationKind.VALIDATION: "validation",
}


def open_pool(compute: str, workers: int = 0) -> Pool:
    """`compute` as the setting of the name; `workers` 0: all cores but one, for who trades."""
    count = workers or max((os.cpu_count() or 2) - 1, 1)
    if compute == PROCESSES:
        return Processes(count, niceness=NICENESS)
    return RayPool(compute if compute.startswith("ray://") else compute.partition(":")[2], count)


class SimulationsDesk:
    """What the source "simulations" is. Belongs to the loop's thread."""

    def __init__(
        self,
        kernel: Kernel,
        traders: Traders,
        shelf: Shelf,
        reading: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self._kernel, self._traders, self._shelf, self._reading = kernel, traders, shelf, reading
        self._jobs = Jobs(lambda: open_pool(kernel.settings.compute))

    async def close(self) -> None:
        await self._jobs.close()

    # --- What is asked ----------------------------------------------------------------------------

    async def ask(self, stamp: Stamp, ask: api.AskSimulationRequest) -> api.SimulationFound:
        inputs = await asyncio.to_thread(self._inputs, stamp, ask)
        asked = question(ask.kind, inputs)
        await self.begin(stamp, asked)
        return await self._found(stamp.tenant, asked.simulation_id)

    async def one(self, stamp: Stamp, ask: api.SimulationRequest) -> api.SimulationFound:
        return await self._found(stamp.tenant, ask.simulation_id)

    async def cancel(self, stamp: Stamp, ask: api.SimulationRequest) -> api.SimulationFound:
        await self._state(stamp.tenant, ask.simulation_id)
        await self.stop(stamp, ask.simulation_id)
        return await self._found(stamp.tenant, ask.simulation_id)

    async def list(self, stamp: Stamp, ask: api.SimulationsRequest) -> api.SimulationsReply:
        running = self._jobs.of(stamp.tenant)
        rows = await asyncio.to_thread(self._rows, stamp.tenant, ask, running)
        items = [self._row(stamp.tenant, each) for each in rows[: ask.limit]]
        more = rows[ask.limit - 1].position if len(rows) > ask.limit else None
        return api.SimulationsReply(items, more)

    def _rows(self, tenant: str, ask: api.SimulationsRequest, running: set[str]) -> _Rows:
        with self._reading() as conn:
            return store.page(
                conn, tenant, kind=ask.kind, tier=ask.tier, state=ask.state, running=running,
                below=ask.cursor, limit=ask.limit + 1,
            )  # fmt: skip

    # --- How it is done ---------------------------------------------------------------------------

    async def begin(self, stamp: Stamp, asked: Question, tell: Tell | None = None) -> None:
        """`tell` hears how it ended; at once where it was done before. Raises `Invalid` for what
        cannot be walked, and `Refused` while too many are."""
        key = (stamp.tenant, asked.simulation_id)
        await asyncio.to_thread(lambda: list(steps(asked)))  # says what is wrong, here
        stream = stream_of(*key)
        await self._kernel.wake(stream)
        memory = self._kernel.peek(stream)
        if memory is not None and memory.state.state == "done":
            if tell is not None:
                await tell(Ended("done", memory.state.result))
            return
        job = self._jobs.job(key)
        if job is not None:
            if tell is not None:
                job.tells.append(tell)
            return
        if self._jobs.is_full:
            text = f"{JOBS_MAX} simulations are under way, and no more at once: try again later"
            raise Refused(text, code="too_many_simulations")
        job = self._jobs.reserve(key, asked)
        try:
            await self._request(stamp, asked)
        except BaseException:
            self._jobs.forget(key)
            raise
        if tell is not None:
            job.tells.append(tell)
        self._jobs.begin(key, lambda ended: self._note(key, _asked(stamp), ended))

    async def stop(self, stamp: Stamp, simulation_id: str) -> None:
        key = (stamp.tenant, simulation_id)
        job = self._jobs.job(key)
        if job is None or not self._jobs.cancel(key):
            return
        if job.task is not None:
            await asyncio.wait([job.task])
        now, name = self._kernel.now(), f"!simulations/{_asked(stamp)}/cancel"
        await self._submit(key, CancelSimulation(request_id(name, key[1]), now, stamp.caller))

    def progress(self, tenant: str, simulation_id: str) -> Job | None:
        return self._jobs.job((tenant, simulation_id))

    async def _request(self, stamp: Stamp, asked: Question) -> None:
        tier, version, journal = asked.about
        name = f"!simulations/{_asked(stamp)}/request"
        command = RequestSimulation(
            request_id(name, asked.simulation_id), stamp.at, asked.kind.value, asked.law,
            written(asked.inputs), tier, version, journal, asked.inputs.seed, asked.paths,
            stamp.caller,
        )  # fmt: skip
        await self._submit((stamp.tenant, asked.simulation_id), command)

    async def _note(self, key: tuple[str, str], asked: str, ended: Ended) -> None:
        """In the journal, before anybody is told; one that is canceled is noted by who did it."""
        now, name = self._kernel.now(), f"!simulations/{asked}"
        if ended.state == "done":
            found = digest(ended.result)
            made = request_id(f"{name}/done", found)
            await self._submit(key, FinishSimulation(made, now, ended.result, found))
        elif ended.state == "failed":
            failed = request_id(f"{name}/failed", key[1])
            await self._submit(key, FailSimulation(failed, now, ended.error))

    async def _submit(self, key: tuple[str, str], command: SimulationCommand) -> None:
        await self._kernel.submit(stream_of(*key), command)

    # --- What it is made of -----------------------------------------------------------------------

    def _inputs(self, by: Stamp, ask: api.AskSimulationRequest) -> Inputs:
        """In a thread. Raises `Invalid`, `NotFound`."""
        wanted = _PART_OF[ask.kind]
        for name in ("odds", "projection", "validation"):
            if (getattr(ask, name) is not None) != (name == wanted):
                raise Invalid(f"a simulation of kind {ask.kind} has {wanted}, and nothing else")
        if ask.odds is not None:
            return self._odds(by, ask.odds, ask)
        if ask.projection is not None:
            made = ask.projection
            return ProjectionInputs(
                journal=made.journal,
                results=days_of(self._traders.days(by, made.journal, ask.journals)),
                days=made.days,
                paths=made.paths,
                seed=made.seed,
                block=made.block,
            )
        of = msgspec.structs.asdict(ask.validation) if ask.validation else {}
        against = of.pop("against")
        return ValidationInputs(
            **of,
            results=days_of(self._traders.days(by, of["journal"], ask.journals)),
            others=tuple(days_of(self._traders.days(by, each, ask.journals)) for each in against),
        )

    def _odds(self, by: Stamp, made: api.OddsAsk, ask: api.AskSimulationRequest) -> OddsInputs:
        offered = self._shelf.offers(by.tenant).of(made.tier, made.version)
        if offered is None:
            raise NotFound(f"there is no version {made.version} of a tier {made.tier}")
        tier = self._shelf.tier_of(offered)
        own = tier.account / 10**MONEY_DECIMALS
        names = made.traders or USUAL
        return OddsInputs(
            tier=made.tier,
            version=made.version,
            terms=offered.terms,
            traders=tuple((each, self._traders.trader(by, each, ask.journals)) for each in names),
            paths=made.paths,
            seed=made.seed,
            days=made.days,
            funded_days=made.funded_days,
            sales=made.sales,
            sales_a_day=made.sales_a_day,
            crowd=made.crowd,
            capital=own if made.capital is None else made.capital,
        )

    # --- How it is shown --------------------------------------------------------------------------

    async def _state(self, tenant: str, simulation_id: str) -> SimulationState:
        stream = stream_of(tenant, simulation_id)
        await self._kernel.wake(stream)
        memory = self._kernel.peek(stream)
        if memory is None or not memory.version:
            raise NotFound(f"there is no simulation {simulation_id}; GET /simulations lists them")
        state: SimulationState = memory.state
        return state

    async def _found(self, tenant: str, simulation_id: str) -> api.SimulationFound:
        state = await self._state(tenant, simulation_id)
        made = read(state.kind, state.law, state.inputs)
        result = state.result
        has = bool(result)
        return api.SimulationFound(
            item=self._shown(tenant, simulation_id, made, state),
            inputs=state.inputs,
            result=result,
            traders=traders_shown(odds_read(result))
            if has and isinstance(made.inputs, OddsInputs)
            else [],
            projection=msgspec.json.decode(result, type=Projection)
            if has and made.kind is SimulationKind.PROJECTION
            else None,
            validation=msgspec.json.decode(result, type=StrategyValidation)
            if has and made.kind is SimulationKind.VALIDATION
            else None,
        )

    def _shown(
        self, tenant: str, simulation_id: str, made: Question, state: SimulationState
    ) -> api.SimulationShown:
        tier, version, journal = made.about
        job = self._jobs.job((tenant, simulation_id)) if state.state == "requested" else None
        return api.SimulationShown(
            simulation_id=simulation_id,
            kind=made.kind,
            state=_phase(state.state, job),
            law=made.law,
            tier=tier,
            version=version,
            journal=journal,
            seed=str(made.inputs.seed),
            paths=made.paths,
            done=job.done if job else 0,
            total=job.total if job else 0,
            error=state.error,
            asked_by=state.asked_by,
            asked_at=str(state.asked_at),
            ended_at=str(state.ended_at) if state.ended_at else "",
            result_sha256=state.sha256,
        )

    def _row(self, tenant: str, row: Any) -> api.SimulationShown:
        """Views may be behind: what is in memory is not."""
        memory = self._kernel.peek(stream_of(tenant, row.simulation_id))
        now = memory.state if memory is not None and memory.version else None
        state = now.state if now else row.state
        job = self._jobs.job((tenant, row.simulation_id)) if state == "requested" else None
        ended_at = now.ended_at if now else row.ended_at
        return api.SimulationShown(
            simulation_id=row.simulation_id,
            kind=SimulationKind(row.kind),
            state=_phase(state, job),
            law=row.law,
            tier=row.tier,
            version=row.tier_version,
            journal=row.journal,
            seed=row.seed,
            paths=row.paths,
            done=job.done if job else 0,
            total=job.total if job else 0,
            error=now.error if now else row.error,
            asked_by=row.asked_by,
            asked_at=str(row.asked_at),
            ended_at=str(ended_at) if ended_at else "",
            result_sha256=now.sha256 if now else row.sha256,
        )


def _phase(state: str, job: Job | None) -> Any:
    """One that was asked for, and that nobody walks, was cut off."""
    if state == "requested":
        return "running" if job is not None else "interrupted"
    return state


def _asked(stamp: Stamp) -> str:
    key = stamp.idempotency_key or stamp.request_id
    return blake2b(f"{stamp.tenant}/{stamp.caller}/{key}".encode(), digest_size=12).hexdigest()
