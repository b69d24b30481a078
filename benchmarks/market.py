"""Messages a second from the exchange's wire bytes to an updated book, on one core.

    python benchmarks/market.py [--recording FOLDER] [--runs 3]

The recorded session of both instruments goes, message by message as it was received, through four
contenders in turn: the house with its compiled kernel, the same with the segment tape in front, the
same file uncompiled, and a naive peer (standard `json`, dicts and `Decimal`). All keep the book and
compare the tickers that can be compared, and must agree on how many those are; the house also keeps
marks, bars and counts. Each contender has a process of its own, pinned to one core. Prints one JSON
object: medians of the runs by the clock, and by the time that the core gave the reading thread,
which is what remains of them on a busy machine.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:1] = [str(ROOT / "src"), str(ROOT / "tests")]  # not this folder: it has a `market` too

RECORDING = ROOT / "../shared/data/market/crypto/binance_spot_20240808"
UNCOMPILED_SHARE = 10  # the slow ones see a tenth of the session
CONTENDERS = {  # name: (FONDACO_PURE, share of the session)
    "compiled": ("0", 1),
    "compiled_with_tape": ("0", 1),
    "uncompiled": ("1", UNCOMPILED_SHARE),
    "naive_peer": ("0", UNCOMPILED_SHARE),
}


def house(session: list[tuple[int, str, bytes]], *, with_tape: bool) -> tuple[float, float, int]:
    from fondaco.domain.market.board import Board
    from fondaco.domain.market.intake import Arrival, Intake
    from fondaco.domain.market.listings import listed
    from fondaco.kernel.event import Instant
    from fondaco.ports.tape.segments import SegmentTape

    listings = listed(["BTCUSDT", "ETHUSDT"])
    board = Board({each.symbol: each.instrument for each in listings})
    with tempfile.TemporaryDirectory(dir=".") as folder:  # a disk, where /tmp may be memory
        tape = SegmentTape(Path(folder))
        intake = Intake(board, tape, listings)
        arrivals = [Arrival(source, Instant(at), raw) for at, source, raw in session]
        take = intake.normaliser.take
        began, began_cpu = time.perf_counter(), time.thread_time()
        if with_tape:
            for nth in range(0, len(arrivals), 64):  # as a busy connection hands them over
                intake(arrivals[nth : nth + 64])
        else:
            for position, (source, at, raw) in enumerate(arrivals, 1):
                take(source, at, position, raw)
        took, cpu = time.perf_counter() - began, time.thread_time() - began_cpu
        tape.close()
    seen = [book.tallies for book in board.books.values()]
    if sum(each.gaps + each.tickers_different for each in seen):
        raise SystemExit("the books are wrong: no figure")
    return took, cpu, sum(each.tickers_compared for each in seen)


def naive(session: list[tuple[int, str, bytes]]) -> tuple[float, float, int]:
    from market.naive import NaiveBook

    books = {"BTCUSDT": NaiveBook(), "ETHUSDT": NaiveBook()}
    routed = [
        (books["BTCUSDT" if b"BTCUSDT" in raw or source.endswith("BTCUSDT") else "ETHUSDT"], raw)
        for _, source, raw in session
    ]
    began, began_cpu = time.perf_counter(), time.thread_time()
    for book, raw in routed:
        book.take(raw)
    took, cpu = time.perf_counter() - began, time.thread_time() - began_cpu
    return took, cpu, sum(book.compared for book in books.values())


def contend(name: str, recording: Path, runs: int) -> None:
    """One contender, in this process; prints what it did."""
    from fondaco.domain.market import book
    from fondaco.domain.market.feeds.replay import Recording

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    session = [(at, source, raw) for at, source, raw in Recording(recording).read()]
    del session[len(session) // CONTENDERS[name][1] :]
    gc.collect()
    gc.freeze()
    taken, cpus, compared = list[float](), list[float](), 0
    for _ in range(runs):
        took, cpu, compared = (
            naive(session)
            if name == "naive_peer"
            else house(session, with_tape=name.endswith("tape"))
        )
        taken.append(took)
        cpus.append(cpu)
    rates = sorted(len(session) / took for took in taken)
    result: dict[str, object] = {
        "messages_per_s": round(statistics.median(rates)),
        "messages_per_cpu_s": round(len(session) / statistics.median(cpus)),
        "slowest": round(rates[0]),
        "fastest": round(rates[-1]),
        "messages": len(session),
        "bytes": sum(len(raw) for _, _, raw in session),
        "tickers_compared": compared,
    }
    if name != "naive_peer":
        result["kernel"] = "compiled" if book.COMPILED else "source"
    print(json.dumps(result))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--recording", type=Path, default=RECORDING)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.contender:
        contend(chosen.contender, chosen.recording, chosen.runs)
        return
    results = {}
    for name, (pure, _) in CONTENDERS.items():
        command = [sys.executable, __file__, "--contender", name, "--runs", str(chosen.runs)]
        environment = {**os.environ, "FONDACO_PURE": pure}
        answer = subprocess.run(
            [*command, "--recording", str(chosen.recording)],
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        results[name] = json.loads(answer.stdout)
    if results["uncompiled"]["tickers_compared"] != results["naive_peer"]["tickers_compared"]:
        raise SystemExit("the contenders disagree on what the exchange said")
    peer = results["naive_peer"]["messages_per_cpu_s"]
    ratios = {
        f"{name}_to_naive_peer": round(result["messages_per_cpu_s"] / peer, 1)
        for name, result in results.items()
        if name != "naive_peer"
    }
    print(json.dumps({**results, **ratios, "python": sys.version.split()[0]}, indent=2))


if __name__ == "__main__":
    main()
