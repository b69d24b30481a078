"""What it costs to know the odds of a tier before it is sold: assessments of 60 days, 5 trades a
day and 20 ticks a trade.

    python benchmarks/tier_simulation.py [--paths 1000000] [--peer-paths 20000] [--workers 0]

Three contenders in the same run, on the same phase, whose trades end at their last tick:

- the house: `fondaco.app.simulating`, on all cores;
- the peer: numpy, as such simulations are mostly written: all paths side by side, one day, trade
  and tick after the other, in doubles, and those that have ended are taken out each day;
- the rules themselves (`evaluation.rules`), a mark at every tick: what the kernel is held to.

The peer has other dice, so that both must say the same pass rate within four standard errors.
Prints JSON: seconds of the house for all paths, ticks walked a second, and how many times as long
each of the others takes for an assessment on one core.
"""

import argparse
import json
import platform
import resource
import sys
import time
from array import array
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
from msgspec.structs import replace

from evaluation.naive_paths import Walk
from fondaco.app.simulating import Run, simulate
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.evaluation.simulation import paths as kernel
from fondaco.domain.evaluation.simulation.traders import paths_of, trader_of

DAYS, TRADES, TICKS = 60, 5, 20
ACCOUNT, TARGET, DAILY, OVERALL, RISK, MIN_DAYS = 100_000.0, 10_000.0, 5_000.0, 10_000.0, 250.0, 4
EDGE = 0.05
# So little is risked that nearly every assessment lasts all its days: the most there is to walk.
TRADER = f"fair:risk=0.25%,edge={EDGE},stop=0,aim=0,week=7"


def peer(paths: int, seed: int = 7) -> float:
    """The share of paths that pass."""
    dice = np.random.default_rng(seed)
    balance = np.full(paths, ACCOUNT)
    passed = 0
    for day in range(DAYS):
        start = balance.copy()
        floor = np.maximum(start - DAILY, ACCOUNT - OVERALL)
        alive = np.ones(len(balance), dtype=bool)
        done = np.zeros(len(balance), dtype=bool)
        for _ in range(TRADES):
            goes = alive & ~done & (balance < ACCOUNT + TARGET)
            steps = dice.standard_normal((TICKS, len(balance)))
            walk = np.cumsum(steps * (RISK / TICKS**0.5) + EDGE * RISK / TICKS, axis=0)
            walk = np.where(goes, walk, 0.0)
            alive &= ~((balance + walk.min(axis=0)) < floor)
            balance += np.where(alive, walk[-1], 0.0)
            done |= alive & (balance >= ACCOUNT + TARGET) & (day + 1 >= MIN_DAYS)
        passed += int(done.sum())
        balance = balance[alive & ~done]
    return passed / paths


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--paths", type=int, default=1_000_000)
    asked.add_argument("--peer-paths", type=int, default=20_000)
    asked.add_argument("--workers", type=int, default=0)
    given = asked.parse_args()
    whole = tier_of(text_of("two-step-100k"))
    tier = replace(
        whole, time_zone="UTC", phases=whole.phases[:1], funded=None, payout=None, scaling=()
    )
    trader = trader_of(TRADER)
    run = Run(paths=given.paths, days=DAYS, workers=given.workers)  # nothing is paid: no books

    began = time.perf_counter()
    found = simulate(tier, trader, run)
    seconds = time.perf_counter() - began
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    core_seconds = sum(each.ru_utime + each.ru_stime for each in used)

    alone, few = paths_of(tier, trader, days=DAYS, funded_days=1), given.peer_paths
    rows = array("q", bytes(8 * 6 * few))
    began = time.process_time()
    ticks = alone.run(1, 0, few, rows, array("q", [0]))
    house_s = (time.process_time() - began) / few
    began = time.process_time()
    theirs = peer(few)
    peer_s = (time.process_time() - began) / few
    slow = Walk(tier, trader, DAYS, 1)
    began = time.process_time()
    same = [slow.path(1, number) for number in range(5)] == [
        list(rows[at : at + 6]) for at in range(0, 30, 6)
    ]
    rules_s = (time.process_time() - began) / 5

    apart = abs(found.pass_probability - theirs)
    agrees = apart <= 4 * (theirs * (1 - theirs) / few) ** 0.5
    said: dict[str, Any] = {
        "compiled": kernel.COMPILED,
        "python": platform.python_version(),
        "paths": given.paths,
        "seconds_all_cores": round(seconds, 2),
        "core_seconds": round(core_seconds, 2),  # on a busy machine the steadier figure
        "ticks_per_path": round(ticks / few, 1),
        "ticks_per_s_one_core": round(ticks / few / house_s),
        "pass_probability": found.pass_probability,
        "pass_probability_peer": theirs,
        "agrees_with_peer": agrees,
        "agrees_with_rules": same,
        "times_faster_than_numpy": round(peer_s / house_s, 1),
        "times_faster_than_rules": round(rules_s / house_s),
    }
    print(json.dumps(said, indent=2))
    return 0 if agrees and same else 1


if __name__ == "__main__":
    sys.exit(main())
