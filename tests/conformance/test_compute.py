"""The promises of the port `compute`, numbered as there: processes of this machine, and a real Ray
cluster, which the tests begin."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
from msgspec.structs import replace

from fondaco.app.simulating import Run, sensitivity, simulate
from fondaco.app.simulation_work import answered
from fondaco.app.simulations import open_pool
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.evaluation.simulation.traders import trader_of
from fondaco.domain.evaluation.simulations.model import (
    OddsInputs,
    ProjectionInputs,
    Question,
    SimulationKind,
    ValidationInputs,
    question,
)
from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.compute import Pool
from fondaco.ports.compute.processes import Processes
from working import PATIENCE_S, dies, fails, twice, waits, writes

TESTS = Path(__file__).parents[1]
DAYS = tuple((nth * 7919) % 4001 - 1950 for nth in range(60))


Opens = Callable[[int], Pool]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Where a cluster of two workers is, which lives in this process."""
    import ray

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Workers find what they are given by name, as this process does.
    paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    begun = ray.init(
        num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False
    )
    address = begun.address_info["address"]  # type: ignore[attr-defined]  # not of Ray's client
    try:
        yield f"ray:{address}"
    finally:
        ray.shutdown()


@pytest.fixture(scope="module")
def joined(cluster: str) -> Iterator[Opens]:
    """To join takes seconds: once. The cluster has two workers, whoever joins it."""
    pool = open_pool(cluster, 2)
    yield lambda _: pool
    pool.close()


@pytest.fixture(params=["processes", "ray"])
def opens(request: pytest.FixtureRequest) -> Iterator[Opens]:
    if request.param == "ray":
        yield request.getfixturevalue("joined")
        return
    pools: list[Pool] = []

    def opened(workers: int) -> Pool:
        pools.append(open_pool("processes", workers))
        return pools[-1]

    yield opened
    for each in pools:
        each.close()


def asked() -> list[Question]:
    """One of each kind."""
    tier = tier_of(text_of("one-step-50k"))
    odds = OddsInputs(
        tier=tier.name, version=1, terms=msgspec.json.encode(tier).decode(),
        traders=(("fair", trader_of("fair")), ("skilled", trader_of("skilled"))), paths=60, seed=7,
        days=10, funded_days=10, sales=20, sales_a_day=5, crowd=0.5, capital=50_000.0,
    )  # fmt: skip
    return [
        question(SimulationKind.TIER_ODDS, odds),
        question(SimulationKind.SENSITIVITY, replace(odds, traders=odds.traders[:1])),
        question(
            SimulationKind.PROJECTION,
            ProjectionInputs(
                journal="journal:d", results=DAYS, days=20, paths=1_100, seed=3, block=5.0
            ),
        ),
        question(
            SimulationKind.VALIDATION,
            ValidationInputs(
                journal="journal:d",
                results=DAYS,
                others=(DAYS[::-1],),
                trials=4,
                seed=3,
                block=5.0,
                bootstraps=100,
            ),
        ),
    ]


def test_1_the_same_comes_back_whoever_works_it_out(opens: Opens) -> None:
    """Each kind of simulation, too: bit by bit what this process finds by itself."""
    pools = [opens(1), opens(2)]
    for pool in pools:
        found = [pool.submit(twice, nth, "x" * nth) for nth in range(20)]
        assert [each.result(PATIENCE_S) for each in found] == [twice(n, "x" * n) for n in range(20)]
    for each in asked():
        here = answered(each)
        assert [answered(each, pool) for pool in pools] == [here, here], each.kind


def test_1_a_tier_has_the_same_odds_and_effects_in_any_pool(opens: Opens) -> None:
    tier, trader = tier_of(text_of("two-step-100k")), trader_of("skilled:risk=1%")
    run = Run(paths=40_500, seed=5, days=5, funded_days=5, workers=1, sales=100)
    pool = opens(2)
    assert simulate(tier, trader, run, pool=pool) == simulate(tier, trader, run)
    few = replace(run, paths=100)
    assert sensitivity(tier, trader, few, pool=pool) == sensitivity(tier, trader, few)


def test_2_an_error_of_ours_is_raised_as_it_was(opens: Opens) -> None:
    pool = opens(1)
    found = pool.submit(fails, "that is too many")
    with pytest.raises(Invalid, match="that is too many") as raised:
        found.result(PATIENCE_S)
    assert raised.value.code == "narrower"
    assert pool.submit(twice, 1, "a").result(PATIENCE_S) == (2, "a"), "the pool goes on"


def test_3_a_worker_that_dies_is_unavailable_and_another_pool_goes_on(opens: Opens) -> None:
    found = opens(1).submit(dies)
    with pytest.raises(Unavailable, match="has died"):
        found.result(PATIENCE_S)
    assert opens(1).submit(twice, 1, "a").result(PATIENCE_S) == (2, "a")


def test_4_what_has_not_begun_can_be_canceled(opens: Opens, tmp_path: Path) -> None:
    pool, gate, file = opens(2), tmp_path / "gate", tmp_path / "ran"
    busy = [pool.submit(waits, str(gate)) for _ in range(12)]  # more than wait for a worker
    late = pool.submit(writes, str(file))
    assert late.cancel()
    gate.touch()
    assert [each.result(PATIENCE_S) for each in busy] == [1] * 12
    assert pool.submit(twice, 1, "a").result(PATIENCE_S) == (2, "a")
    assert not file.exists()


OWN_CLUSTER: Final = """
import os
from fondaco.app.simulations import open_pool
if __name__ == "__main__":
    pool = open_pool("ray:local", 1)
    print(pool.submit(os.getpid).result(60))
    pool.close()
"""


@pytest.mark.parametrize("kind", ["processes", "ray"])
def test_5_nothing_is_left_once_it_is_closed(kind: str) -> None:
    """Of a cluster that is the pool's own, too, in a process of its own: here is one already."""
    if kind == "ray":
        told = subprocess.run(
            [sys.executable, "-c", OWN_CLUSTER], check=True, capture_output=True, text=True
        )
        workers = {int(told.stdout.split()[-1])}
    else:
        pool = Processes(2)
        workers = {pool.submit(os.getpid).result(PATIENCE_S) for _ in range(4)}
        pool.close()
    deadline = time.monotonic() + PATIENCE_S
    while any(is_there(each) for each in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_cluster_that_was_there_is_left_as_it_is(cluster: str) -> None:
    for _ in range(2):
        pool = open_pool(cluster, 1)
        assert pool.submit(twice, 1, "a").result(PATIENCE_S) == (2, "a")
        pool.close()
