"""The table of orders a second: each line on a fresh house, three times, the medians.

    python benchmarks/orders.py [--quick] [--peer] [--postgres] [--trace] [--only NAME] [--json]

The house's serving process has core 0; its follower and the load share core 1. `--peer` runs the
same orders through FastAPI, SQLAlchemy and PostgreSQL in the same run and prints the ratio (needs
the dependency group `bench`, or `--peer-python` of an environment that has it). `--postgres` runs
each line also with the journal in a PostgreSQL of its own, every sync on, beside the segments; the
server may use both cores. `--trace` runs each line twice more, in turns: without any note of times,
and with a collector and a `traceparent` on every order, and prints the ratio of the two.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import peer_fastapi
from house import OTHERS, fresh

from fondaco.bench.orders import Plan, run

SPREAD = 200  # accounts
WORKING = 100_000
PEER_CONNECTIONS = 64
TABLE: dict[str, Plan] = {
    "http_10k_hot": Plan(rate=10_000, seconds=30, working=WORKING),
    "http_10k_spread": Plan(rate=10_000, seconds=30, accounts=SPREAD, working=WORKING),
    "http_max_hot": Plan(rate=0, seconds=10, working=WORKING),
    "http_max_spread": Plan(rate=0, seconds=10, accounts=SPREAD, working=WORKING),
    "ws_40k_hot": Plan(rate=40_000, seconds=10, door="ws", working=WORKING),
    "ws_40k_spread": Plan(rate=40_000, seconds=10, door="ws", accounts=SPREAD, working=WORKING),
    "ws_max_hot": Plan(rate=0, seconds=10, door="ws", working=WORKING),
    "bulk_40k_hot": Plan(rate=40_000, seconds=10, door="bulk", working=WORKING),
    "bulk_max_hot": Plan(rate=0, seconds=10, door="bulk", working=WORKING),
}
QUICK = {"seconds": 3, "working": 10_000}


def measure_postgres(plan: Plan) -> dict[str, Any]:
    """The same with the journal in PostgreSQL."""
    os.sched_setaffinity(0, {0, 1})
    with peer_fastapi.postgresql() as folder:
        return measure(plan, ["--journal", f"postgresql://app@/postgres?host={folder}"])


def measure_untraced(plan: Plan) -> dict[str, Any]:
    """Nothing is noted, and the caller names no trace."""
    return measure(plan, ["--set", "traces_quota_bytes=0"])


def measure_traced(plan: Plan) -> dict[str, Any]:
    """With all that tracing can do: every span of every order goes to a collector."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("otlp_sink.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as sink:
        assert sink.stdout  # noqa: S101
        url = sink.stdout.readline().strip()
        found = measure(plan._replace(trace=True), ["--set", f"otlp_endpoint={url}"])
        told, _ = sink.communicate()
    found["span_bytes"] = int(told)
    return found


def compare_traced(name: str, plan: Plan, times: int) -> dict[str, Any]:
    """Both, in turns; the ratios are medians of those within a turn."""
    pairs = [(measure_untraced(plan), measure_traced(plan)) for _ in range(times)]
    results: dict[str, Any] = {}
    for nth, label in enumerate(("untraced", "traced")):
        found = [pair[nth] for pair in pairs]
        results[f"{name}_{label}"] = {"median": medians(found), "runs": found}
        print(shown(f"{name}_{label}", medians(found)), file=sys.stderr)
    rate = median(with_["answered_per_s"] / bare["answered_per_s"] for bare, with_ in pairs)
    cpu = median(serving_us(with_) / serving_us(bare) for bare, with_ in pairs)
    results[f"{name}_traced"]["ratio_to_untraced"] = round(rate, 3)
    results[f"{name}_traced"]["serving_cpu_ratio"] = round(cpu, 3)
    print(
        f"{'':18} {rate:>10.3f} of the untraced rate, {cpu:.3f} of its CPU an order",
        file=sys.stderr,
        flush=True,
    )
    return results


def serving_us(found: dict[str, Any]) -> float:
    """CPU of the serving process for an order, those that were laid out before included."""
    each: float = found["cpu_s"]["serving"] * 1e6 / found["orders"]
    return each


def measure(plan: Plan, options: Sequence[str] = ()) -> dict[str, Any]:
    """One run on a house of its own."""
    with fresh(options) as house:
        before = house.cpu_s()
        figures = run(plan._replace(url=house.url))
        after = house.cpu_s()
        found: dict[str, Any] = msgspec.to_builtins(figures)
        found["rss_mib"] = round(house.rss_bytes() / 2**20)
        found["cpu_s"] = {name: round(after[name] - before[name], 2) for name in after}
    return found


def measure_peer(plan: Plan, python: str) -> dict[str, Any]:
    os.sched_setaffinity(0, {0, 1})
    with peer_fastapi.running(python) as url:
        os.sched_setaffinity(0, OTHERS)
        found: dict[str, Any] = msgspec.to_builtins(run(plan._replace(url=url)))
    return found


def medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Of every figure by itself; what is not a number is taken from the first run."""
    return {
        name: round(median(run[name] for run in runs), 3)
        if isinstance(value, int | float)
        else value
        for name, value in runs[0].items()
        if name != "histogram"
    }


def shown(name: str, found: dict[str, Any]) -> str:
    waits = "  ".join(f"{key[:-3]} {found[key]:.2f}" for key in ("p50_ms", "p99_ms", "p999_ms"))
    refused = f"  refused {found['refused']}" if found["refused"] else ""
    return f"{name:<18} {found['answered_per_s']:>10,.0f}/s  {waits} ms{refused}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 s, once, 10,000 working orders")
    parser.add_argument("--only", action="append", choices=TABLE, help="these lines; repeatable")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer", action="store_true", help="and FastAPI, for the ratio")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--postgres", action="store_true", help="and the journal in PostgreSQL")
    parser.add_argument("--trace", action="store_true", help="and what tracing costs")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    times = 1 if asked.quick else asked.runs
    results: dict[str, Any] = {}
    for name in asked.only or TABLE:
        plan = TABLE[name]._replace(**QUICK) if asked.quick else TABLE[name]
        runs = [measure(plan) for _ in range(times)]
        results[name] = {"median": medians(runs), "runs": runs}
        print(shown(name, results[name]["median"]), file=sys.stderr, flush=True)
        if asked.postgres:
            elsewhere = [measure_postgres(plan) for _ in range(times)]
            results[f"{name}_pg"] = {"median": medians(elsewhere), "runs": elsewhere}
            found = results[f"{name}_pg"]["median"]
            ratio = found["answered_per_s"] / results[name]["median"]["answered_per_s"]
            results[f"{name}_pg"]["ratio_to_segments"] = round(ratio, 2)
            print(shown(f"{name}_pg", found), file=sys.stderr)
            print(f"{'':18} {ratio:>10.2f} of the segments' rate", file=sys.stderr, flush=True)
        if asked.trace:
            results |= compare_traced(name, plan, times)
        if asked.peer and name.startswith("http_max"):
            alike = plan._replace(connections=PEER_CONNECTIONS, working=0)
            peers = [measure_peer(alike, asked.peer_python) for _ in range(times)]
            results[f"{name}_peer"] = {"median": medians(peers), "runs": peers}
            peer = results[f"{name}_peer"]["median"]
            ratio = results[name]["median"]["answered_per_s"] / peer["answered_per_s"]
            results[name]["ratio_to_peer"] = round(ratio, 1)
            print(shown(f"{name}_peer", peer), file=sys.stderr)
            print(f"{'':18} {ratio:>10.1f} times the peer", file=sys.stderr, flush=True)
    if asked.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
