"""The matching kernel beside NautilusTrader's book and a plain Python one, in one run.

    python benchmarks/crossing.py [--commands N] [--rounds N] [--peer PYTHON]

The flow: 60 % orders that rest, 35 % cancels, 5 % that take. NautilusTrader's order book keeps
orders and matches none, so it is given adds and deletes alone, built beforehand; and so is ours, in
a row of its own. `--peer` is the Python of an environment that has nautilus_trader: it is run as a
process of its own, in turns with ours. Rates are per second of CPU, medians of the rounds.
"""

import argparse
import gc
import random
import statistics
import subprocess
import sys
import time
from array import array
from collections.abc import Callable
from pathlib import Path

TAKE = 30  # ticks through the middle


def flow(count: int, *, taking: bool) -> "array[int]":
    """Commands as `MatchingBook.run` takes them."""
    dice, commands, live = random.Random(1), array("q"), list[int]()
    for number in range(1, count + 1):
        what, side = dice.random(), dice.getrandbits(1)
        if what < 0.35 and live:
            nth = dice.randrange(len(live))
            live[nth], live[-1] = live[-1], live[nth]
            commands.extend((2, live.pop(), 0, 0, 0, 0, 0, 0))
            continue
        lots, away = dice.randrange(1, 100), min(int(dice.expovariate(1 / 40)) + 1, 225)
        px, manner = 100_000 + (away if side else -away), side
        if what < 0.40 and taking:
            px, manner, lots = 100_000 + (-TAKE if side else TAKE), side | 2, 3 * lots
        else:
            live.append(number)
        commands.extend((1, number, 1 + number % 199, manner, px, lots, 0, 0))
    return commands


def rate(count: int, run: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    began = time.process_time()
    run()
    took = time.process_time() - began
    gc.enable()
    return count / took


def ours(count: int) -> dict[str, float]:
    from fondaco.domain.venues.crossing.matching import MatchingBook
    from fondaco.domain.venues.crossing.one_by_one import Engine

    mixed, resting = flow(count, taking=True), flow(count, taking=False)
    results = array("q", bytes(8 * count))
    books = [MatchingBook(1 << 18) for _ in range(2)]
    engine = Engine()
    enter, cancel = engine.enter, engine.cancel
    calls = [
        (enter, (mixed[at + 1], *mixed[at + 2 : at + 6]))
        if mixed[at] == 1
        else (cancel, (mixed[at + 1],))
        for at in range(0, len(mixed), 8)
    ]

    def one_by_one() -> None:
        for call, terms in calls:
            call(*terms)

    return {
        "batch, matching": rate(count, lambda: books[0].run(mixed, results)),
        "batch, adds and deletes": rate(count, lambda: books[1].run(resting, results)),
        "one by one with events, matching": rate(count, one_by_one),
    }


def theirs(count: int) -> dict[str, float]:
    from nautilus_trader.core.rust.model import BookType
    from nautilus_trader.model.book import OrderBook
    from nautilus_trader.model.data import BookOrder, OrderBookDelta
    from nautilus_trader.model.enums import BookAction, OrderSide
    from nautilus_trader.model.identifiers import InstrumentId
    from nautilus_trader.model.objects import Price, Quantity

    name = InstrumentId.from_str("FON-USD.CROSS")
    book, kept, deltas = OrderBook(name, BookType.L3_MBO), {}, []
    resting = flow(count, taking=False)
    for at in range(0, len(resting), 8):
        kind, number, _, side, px, lots = resting[at : at + 6]
        if kind == 1:
            kept[number] = BookOrder(
                OrderSide.SELL if side else OrderSide.BUY,
                Price(px / 100, 2),
                Quantity(lots, 0),
                number,
            )
        action = BookAction.ADD if kind == 1 else BookAction.DELETE
        deltas.append(OrderBookDelta(name, action, kept[number], 0, at, 0, 0))

    def run() -> None:
        for delta in deltas:
            book.apply_delta(delta)

    return {"nautilus_trader, adds and deletes": rate(count, run)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--once", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.once:
        for name, found in (ours if args.once == "ours" else theirs)(args.commands).items():
            print(f"{name}\t{found}")
        return
    pythons = {"ours": sys.executable} | ({"theirs": str(args.peer)} if args.peer else {})
    found: dict[str, list[float]] = {}
    for _ in range(args.rounds):
        for which, python in pythons.items():
            told = subprocess.run(
                [python, __file__, "--once", which, "--commands", str(args.commands)],
                check=True, capture_output=True, text=True,
            ).stdout  # fmt: skip
            for line in told.splitlines():
                name, _, value = line.partition("\t")
                found.setdefault(name, []).append(float(value))
    medians = {name: statistics.median(values) for name, values in found.items()}
    for name, value in medians.items():
        print(f"{name:36} {value / 1e6:8.2f} M/s")
    peer = medians.get("nautilus_trader, adds and deletes")
    if peer:
        print(f"ratio, adds and deletes: {medians['batch, adds and deletes'] / peer:.1f}")


if __name__ == "__main__":
    main()
