"""Simulations of tiers beside a running house: in processes of their own, with their progress.

One that is under way when the house ends is gone, and is asked for again: what it would have found
is in its seed. Belongs to the loop's thread.
"""

import asyncio
import multiprocessing
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import wait
from threading import Thread
from typing import Final, TypeAlias

import msgspec

from fondaco.app.simulating import Run, effect_of, joined, odds_of, parts_of, walked
from fondaco.domain.evaluation.model import Tier
from fondaco.domain.evaluation.simulation.attached import TraderOdds, title_of
from fondaco.domain.evaluation.simulation.odds import Odds, variants
from fondaco.domain.evaluation.simulation.traders import Trader
from fondaco.kernel.errors import FondacoError, Refused

NICENESS: Final = 10  # who trades comes first
JOBS_MAX: Final = 4  # under way in a house

Key: TypeAlias = tuple[str, str, int]  # tenant, tier, version
Attach: TypeAlias = Callable[[list[TraderOdds]], Awaitable[None]]


class Asked(msgspec.Struct, frozen=True):
    """What is simulated: each trader as it was asked for, and as it is."""

    tier: Tier
    fingerprint: str
    traders: tuple[tuple[str, Trader], ...]
    run: Run
    with_effects: bool = False

    @property
    def changes(self) -> list[tuple[str, str, Tier]]:
        """Tiers with another rule, whose odds say what the rule does."""
        return list(variants(self.tier)) if self.with_effects else []

    @property
    def total(self) -> int:
        return len(self.traders) * self.run.paths * (1 + len(self.changes))


class Job:
    """`state`: running, attached, failed or canceled. `done` are paths of all traders."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.state = "running"
        self.done = 0
        self.error = ""
        self.task: asyncio.Task[None] | None = None


class Simulations:
    """`workers` 0: all cores but one."""

    def __init__(self, workers: int = 0) -> None:
        self._workers = workers or max((os.cpu_count() or 2) - 1, 1)
        self._pool: ProcessPoolExecutor | None = None
        self._jobs: dict[Key, Job] = {}

    def job(self, key: Key) -> Job | None:
        return self._jobs.get(key)

    def begin(self, key: Key, asked: Asked, attach: Attach) -> Job:
        """Raises `Invalid` for what cannot be run, `Refused` while it is run with something else,
        and while too many are."""
        known = self._jobs.get(key)
        if known is not None and known.state == "running":
            if known.asked == asked:
                return known
            raise Refused("it is being simulated already: cancel that first", code="simulating")
        running = sum(each.state == "running" for each in self._jobs.values())
        if running >= JOBS_MAX:
            text = f"{running} simulations are under way, at most {JOBS_MAX} are: try again later"
            raise Refused(text, code="too_many_simulations")
        for _, trader in asked.traders:
            parts_of(asked.tier, trader, asked.run)
        job = self._jobs[key] = Job(asked)
        job.task = asyncio.create_task(self._run(job, attach), name="simulation")
        return job

    def cancel(self, key: Key) -> Job | None:
        """Parts that are walked already are finished, and thrown away."""
        job = self._jobs.get(key)
        if job is not None and job.state == "running" and job.task is not None:
            job.state = "canceled"
            job.task.cancel()
        return job

    async def close(self) -> None:
        for key in self._jobs:
            self.cancel(key)
        tasks = [job.task for job in self._jobs.values() if job.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        self._drop_pool()

    async def _run(self, job: Job, attach: Attach) -> None:
        try:
            found = [await self._of(job, text, trader) for text, trader in job.asked.traders]
            await attach(found)
            job.state = "attached"
        except FondacoError as error:
            job.state, job.error = "failed", error.message
        except BrokenProcessPool as error:
            self._drop_pool()
            job.state, job.error = "failed", f"a process that walked paths has died: {error}"
        finally:
            if not any(each.state == "running" for each in self._jobs.values()):
                self._drop_pool()

    async def _of(self, job: Job, text: str, trader: Trader) -> TraderOdds:
        is_now = await self._odds(job, job.asked.tier, trader)
        effects = [
            effect_of(rule, change, is_now, await self._odds(job, other, trader, with_books=False))
            for rule, change, other in job.asked.changes
        ]
        return TraderOdds(trader=text, title=title_of(text), odds=is_now, effects=effects)

    async def _odds(self, job: Job, tier: Tier, trader: Trader, *, with_books: bool = True) -> Odds:
        loop, run = asyncio.get_running_loop(), job.asked.run
        pool = self._open_pool()
        parts = parts_of(tier, trader, run, with_books=with_books)
        walks = [loop.run_in_executor(pool, walked, each) for each in parts]
        found: list[bytes] = []
        try:
            for part, walk in zip(parts, walks, strict=True):
                found.append(await walk)
                job.done += 0 if part.is_books else part.paths
        finally:
            for each in walks:
                each.cancel()
        return await loop.run_in_executor(pool, odds_of, tier, joined(parts, found), run)

    def _open_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # A house has threads, which a fork of it would not have.
            how = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._workers, how, _begin, (NICENESS,))
        return self._pool

    def _drop_pool(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin(niceness: int) -> None:
    """Called in each process that walks: it is nobody's once the house is gone, and ends."""
    with suppress(OSError):
        os.nice(niceness)
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
