"""What an order costs the serving process, in instructions: busy neighbors do not move that.

    python benchmarks/instructions.py [--orders N] [--only DOOR ...] [--spread] [--trace [N]]
                                      [--keep DIR]

A house runs under `valgrind --tool=callgrind` (which must be installed), and nothing is counted but
the serving process while a fixed number of orders is answered. Its market stands still and is deep
enough for all of them, so the work is the same in every run; a fifth of the orders are marketable.
`turn` is `decide` and `evolve` alone, every rule on, as in `account_turn.py`; `traces` is what
tracing adds, alone. Not counted are the
kernel's own instructions, and waiting.

Prints JSON: thousands of instructions an order. What the house does every second, orders or none,
is counted while it idles, and taken off: a machine that others use gives it more seconds. Groups
are as large as time lets them become, so runs still differ by some percent; those of `turn` do not.
`--trace` runs each door N times three ways in turns: nothing noted, times noted as a house does by
itself, and a collector with a `traceparent` on every order; it prints the medians, and the ratio of
the latter two to the first within a turn. `--keep` leaves callgrind's profiles in a folder, which
`callgrind_annotate FILE` shows.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import trace_turn
from house import OTHERS, House, collector, data_directory

from fondaco.bench.orders import Plan, run

# About as many orders under way as a busy house has: they share the costs of their group.
PLANS: Final = {
    "http": Plan(rate=0, seconds=0, warmup=0, door="http", connections=128),
    "ws": Plan(rate=0, seconds=0, warmup=0, door="ws", connections=8, window=16),
    "bulk": Plan(rate=0, seconds=0, warmup=0, door="bulk", connections=2, batch=64),
}
SPREAD: Final = 50  # accounts
ALL: Final = (*PLANS, "turn", "traces")
WORKING: Final = 4_500
IDLE_S: Final = 5
TURNS: Final = 2_000
_TOTALS: Final = re.compile(rb"^(?:totals|summary): (\d+)", re.MULTILINE)
# Python would otherwise mix its hashes anew in every run.
os.environ["PYTHONHASHSEED"] = "0"


class Counted:
    """A process that runs under callgrind, and what it does between two moments."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._dumps = 0

    def command(self) -> list[str]:
        """What the process is started with."""
        out = f"--callgrind-out-file={self._folder}/out"
        return ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", out]

    def begin(self, pid: int) -> None:
        _control("-i", "on", pid)
        _control("-z", "", pid)

    def end(self, pid: int) -> int:
        """Instructions since `begin`, of all threads."""
        _control("-d", "", pid)
        _control("-i", "off", pid)
        self._dumps += 1
        dump = (self._folder / f"out.{self._dumps}").read_bytes()
        return max(map(int, _TOTALS.findall(dump)))


def _control(option: str, value: str, pid: int) -> None:
    asked = ["callgrind_control", option, *([value] if value else []), str(pid)]
    subprocess.run(asked, check=True, capture_output=True)


def standing_market(path: Path) -> str:
    """A recording of one deep book, whose next message comes after a day; as a feed."""
    bids = [(f"{50_000 - n / 2 - 0.05:.2f}", "100000") for n in range(30)]
    asks = [(f"{50_000 + n / 2 + 0.05:.2f}", "100000") for n in range(30)]
    snapshot = {"lastUpdateId": 1_000, "bids": bids, "asks": asks}
    lines = [f"{10**9} {json.dumps(snapshot, separators=(',', ':'))}"]
    for nth, second in enumerate((1.0, 1.1, 86_400.0), 1_001):
        update = {"e": "depthUpdate", "E": int(second * 1_000), "s": "BTCUSD", "U": nth, "u": nth}
        update |= {"b": [bids[0]], "a": [asks[0]]}
        said = {"stream": "btcusd@depth@100ms", "data": update}
        lines.append(f"{int(second * 10**9)} {json.dumps(said, separators=(',', ':'))}")
    path.write_text("".join(f"{line}\n" for line in lines))
    return f"replay:{path}"


def over(
    door: str,
    orders: int,
    accounts: int,
    profiles: Path,
    options: Sequence[str] = (),
    *,
    trace: bool = False,
) -> float:
    """Thousands of instructions of an order that comes over `door`, with a `traceparent` or
    without."""
    os.sched_setaffinity(0, OTHERS)
    counted = Counted(profiles)
    with data_directory() as data:
        feed = standing_market(data.with_name("market"))
        patient = ["--set", "stale_after_ms=600000", "--set", "behind_max_ms=60000", *options]
        house = House(data, patient, feed=feed, under=counted.command())
        try:
            plan = PLANS[door]._replace(url=house.url, accounts=accounts, trace=trace)
            first = run(plan._replace(orders=200, working=WORKING))
            pid = house.process.pid
            time.sleep(2)  # until what they have left to do is done
            began = time.perf_counter()
            counted.begin(pid)
            found = run(plan._replace(orders=orders))
            spent = counted.end(pid)
            took_s = time.perf_counter() - began
            time.sleep(2)
            began = time.perf_counter()
            counted.begin(pid)
            time.sleep(IDLE_S)
            idle = counted.end(pid) / (time.perf_counter() - began)
        finally:
            house.kill()
    for figures in (first, found):
        if figures.accepted != figures.orders:
            raise SystemExit(f"{door}: not all were accepted: {figures}")
    print(
        f"{orders / took_s:.0f} orders/s, {idle / 1e6:.1f} million a second for nothing",
        file=sys.stderr,
    )
    return round((spent - idle * took_s) / orders / 1_000, 2)


def with_traces(
    door: str, orders: int, accounts: int, profiles: Path, times: int
) -> dict[str, float]:
    """Medians of three ways to trace, and of their ratios."""
    found: dict[str, list[float]] = {"untraced": [], "noted": [], "exported": []}
    for nth in range(times):
        for name, kept in found.items():
            folder = profiles / f"{name}-{nth}"
            folder.mkdir()
            with collector() as url:
                options = {
                    "untraced": ["--set", "traces_quota_bytes=0"],
                    "noted": [],
                    "exported": ["--set", f"otlp_endpoint={url}"],
                }[name]
                trace = name == "exported"
                kept.append(over(door, orders, accounts, folder, options, trace=trace))
            print(f"{door:<5} {name:<8} {kept[-1]}", file=sys.stderr, flush=True)
    medians = {name: median(each) for name, each in found.items()}
    for name in ("noted", "exported"):
        ratios = [one / bare for one, bare in zip(found[name], found["untraced"], strict=True)]
        medians[f"{name}_ratio"] = round(median(ratios), 3)
    return medians


def turn(profiles: Path) -> dict[str, float]:
    """Of a placement, an execution and a cancel, each alone."""
    names = ("place", "execute", "cancel")
    return {name: alone(profiles / name, [__file__, "--turns", name], TURNS) for name in names}


def traces(profiles: Path) -> dict[str, float]:
    """What tracing adds to an order: times noted, and traces that callers name; see
    `trace_turn.py`."""
    script = str(Path(__file__).with_name("trace_turn.py"))
    orders = trace_turn.GROUPS * trace_turn.GROUP
    bare, *others = [alone(profiles / way, [script, way], orders) for way in trace_turn.WAYS]
    ways = trace_turn.WAYS[1:]
    return {way: round(each - bare, 2) for way, each in zip(ways, others, strict=True)}


def alone(folder: Path, script: Sequence[str], count: int) -> float:
    """Thousands of instructions, one of `count`, of a script that waits for a line before them and
    after."""
    folder.mkdir()
    counted = Counted(folder)
    with subprocess.Popen(
        [*counted.command(), sys.executable, *script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin  # noqa: S101
        assert process.stdout  # noqa: S101
        process.stdout.readline()
        counted.begin(process.pid)
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        spent = counted.end(process.pid)
        process.stdin.close()
    return round(spent / count / 1_000, 2)


def take_turns(name: str) -> None:
    """In the process that is counted: wait for a line before, and after, `TURNS` turns."""
    import account_turn as at

    state = at.account(WORKING + TURNS if name != "place" else WORKING)
    commands: Sequence[Any]
    match name:
        case "place":
            commands = list(at.orders(WORKING, TURNS))
        case "execute":
            commands = [at.executed(state, number) for number in range(1, TURNS + 1)]
        case _:
            commands = [at.b.cancel(number) for number in range(1, TURNS + 1)]
    print("ready", flush=True)
    sys.stdin.readline()
    for command in commands:
        at.run(state, command)
    print("done", flush=True)
    sys.stdin.readline()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=4_000)
    parser.add_argument("--only", nargs="+", choices=ALL, default=ALL)
    parser.add_argument("--spread", action="store_true", help=f"over {SPREAD} accounts, not one")
    parser.add_argument("--trace", nargs="?", type=int, const=3, default=0, help="and its cost")
    parser.add_argument("--keep", type=Path, help="leave callgrind's profiles in this folder")
    parser.add_argument("--turns", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.turns:
        take_turns(asked.turns)
        return
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed: `apt install valgrind`")
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.only:
            profiles = (asked.keep or Path(folder)) / f"{name}-{time.time_ns()}"
            profiles.mkdir(parents=True)
            if name == "turn":
                found[name] = turn(profiles)
            elif name == "traces":
                found[name] = traces(profiles)
            else:
                accounts = SPREAD if asked.spread else 1
                measured = (name, asked.orders, accounts, profiles)
                found[name] = (
                    with_traces(*measured, asked.trace) if asked.trace else over(*measured)
                )
            print(f"{name:<5} {found[name]}", file=sys.stderr, flush=True)
    print(json.dumps({"thousands_of_instructions": found, "orders": asked.orders}))


if __name__ == "__main__":
    main()
