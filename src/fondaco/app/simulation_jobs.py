"""Simulations that are under way in a house: in workers of their own, with their progress.

One that is under way when the house ends is cut off, and is asked for again: what it would have
found is in its inputs. Belongs to the loop's thread.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from fondaco.app.simulation_work import Step, result_of, steps, total
from fondaco.domain.evaluation.simulations.model import Question
from fondaco.kernel.errors import FondacoError
from fondaco.ports.compute import Pool

JOBS_MAX: Final = 4  # under way in a house

Key: TypeAlias = tuple[str, str]  # tenant, simulation


class Ended(NamedTuple):
    """`result` where it is done, `error` where it failed."""

    state: Literal["done", "failed", "canceled", "interrupted"]
    result: str = ""
    error: str = ""


Tell: TypeAlias = Callable[[Ended], Awaitable[None]]


class Job:
    """`done` of `total` steps of work."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.total = total(question)
        self.done = 0
        self.tells: list[Tell] = []
        self.task: asyncio.Task[None] | None = None
        self.is_canceled = False


class Jobs:
    def __init__(self, open_pool: Callable[[], Pool]) -> None:
        self._open = open_pool
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()
        self._closing: set[asyncio.Future[None]] = set()
        self._jobs: dict[Key, Job] = {}

    def job(self, key: Key) -> Job | None:
        return self._jobs.get(key)

    def of(self, tenant: str) -> set[str]:
        """Ids of what is under way."""
        return {simulation_id for owner, simulation_id in self._jobs if owner == tenant}

    @property
    def is_full(self) -> bool:
        return len(self._jobs) >= JOBS_MAX

    def reserve(self, key: Key, question: Question) -> Job:
        job = self._jobs[key] = Job(question)
        return job

    def forget(self, key: Key) -> None:
        self._jobs.pop(key, None)
        if not self._jobs:
            self._drop_pool()

    def begin(self, key: Key, tell: Tell) -> None:
        """`tell` hears first how it ended, before those that are in `tells`."""
        job = self._jobs[key]
        job.tells.insert(0, tell)
        job.task = asyncio.create_task(self._run(key, job), name="simulation")

    def cancel(self, key: Key) -> bool:
        """Parts that are walked already are finished, and thrown away."""
        job = self._jobs.get(key)
        if job is None or job.task is None:
            return False
        job.is_canceled = True
        job.task.cancel()
        return True

    async def close(self) -> None:
        tasks = [job.task for job in self._jobs.values() if job.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._drop_pool()
        await asyncio.gather(*self._closing)

    async def _run(self, key: Key, job: Job) -> None:
        try:
            ends = [await self._walked(job, each) for each in steps(job.question)]
            ended = Ended("done", result_of(job.question, ends))
        except FondacoError as error:
            self._drop_pool()  # a worker may have died; what is under way elsewhere says so, too
            ended = Ended("failed", error=error.message)
        except asyncio.CancelledError:
            ended = Ended("canceled" if job.is_canceled else "interrupted")
        try:
            for tell in job.tells:
                await tell(ended)
        finally:
            self.forget(key)

    async def _walked(self, job: Job, step: Step) -> Any:
        pool = await self._opened()
        walks = [asyncio.wrap_future(pool.submit(step.walk, *each)) for each in step.parts]
        found = []
        try:
            for weight, each in zip(step.weights, walks, strict=True):
                found.append(await each)
                job.done += weight
        finally:
            for each in walks:
                each.cancel()
        return await asyncio.wrap_future(pool.submit(step.end, *step.of, found))

    async def _opened(self) -> Pool:
        """In a thread: a cluster takes seconds to begin, and who trades does not wait for it."""
        async with self._opening:
            if self._pool is None:
                await asyncio.gather(*self._closing)
                self._pool = await asyncio.to_thread(self._open)
            return self._pool

    def _drop_pool(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            closing = asyncio.get_running_loop().run_in_executor(None, pool.close)
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
