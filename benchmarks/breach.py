"""From the tick that breaks a rule to what is done about it, committed, in a house that lives.

    python benchmarks/breach.py [--accounts 10000] [--seconds 30] [--rate 20] [--crash 10]

A house with its journal on the disk, its paper venue and no door: every account of an assessment
holds the one instrument that moves, each in a size of its own. Ticks come by the clock, `rate` a
second, whether or not the house is done with the last one (an open loop): each is counted from
when it was due, so a tick that waits is as late as it is (no coordinated omission).

Two parts, told apart: *spread* walks down slowly, so that a few accounts break a rule now and then;
*crash* falls by `crash` percent in one tick, which breaks all that are left, at once. Of each part,
in milliseconds from the tick until it is synced in the journal: `failed` (the verdict with its
evidence), `stopped` (the account takes nothing new), `closing` (its position is being closed).
Prints JSON with p50, p90, p99, p99.9 and the longest of each.

There is no peer here: nobody else publishes one that commits. `assessment_rules.py` has the plain
twin of the rules beside it.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import msgspec

from app.test_margin import Floor
from build import BTC_USD, ask, placed, tiers
from fondaco.app.files import Files
from fondaco.app.house import Kernel
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.model import (
    account_id,
    assessment_id_of,
    assessment_of,
    assessment_stream,
)
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.market.feeds.synthetic import SyntheticFeed
from fondaco.domain.reference.events import SetMargin
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.trading import events as tev
from fondaco.domain.trading.model import TimeInForce, TradingState, account_of, account_stream
from fondaco.kernel.event import CommandId, Entry, Instant
from fondaco.settings import load

PX = 50_000
AT_ONCE = 20  # accounts that are made ready, from one book
DEEP = 10**12  # lots: the market takes all that is closed
DONE_S = 60.0


class Heard:
    """When what was committed of whom, and which tick it was about."""

    def __init__(self) -> None:
        self.due: list[int] = []  # of each tick, by the monotonic clock
        self.at: list[Instant] = []  # by the house's
        self.broke: dict[str, int] = {}  # the due time of the tick that broke it, by assessment
        self.found: dict[str, list[int]] = {"failed": [], "stopped": [], "closing": []}

    def hear(self, entries: Sequence[Entry]) -> None:
        now = time.perf_counter_ns()
        for entry in entries:
            event = entry.event
            if isinstance(event, ev.RuleViolated):
                nth = max(bisect_right(self.at, event.at) - 1, 0)
                name = str(assessment_of(event.account))
                self.broke[name] = self.due[nth]
                self.found["failed"].append(now - self.due[nth])
            elif isinstance(event, tev.TradingStateSet) and event.state is TradingState.REDUCING:
                self._add("stopped", entry, now)
            elif isinstance(event, tev.OrderAccepted) and event.order.reduce_only:
                self._add("closing", entry, now)

    def _add(self, what: str, entry: Entry, now: int) -> None:
        due = self.broke.get(str(assessment_of(account_of(entry.stream))))
        if due is not None:
            self.found[what].append(now - due)

    def told(self) -> dict[str, Any]:
        return {what: percentiles(each) for what, each in self.found.items()}


def percentiles(took: list[int]) -> dict[str, float]:
    if not took:
        return {"count": 0}
    took.sort()
    found: dict[str, float] = {"count": len(took)}
    for name, part in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)):
        found[name] = round(took[min(int(len(took) * part), len(took) - 1)] / 1e6, 2)
    return {**found, "max": round(took[-1] / 1e6, 2)}


async def ready(floor: Floor, accounts: int) -> None:
    """As many assessments, each with a position of its own size."""
    kernel, dice = floor.kernel, random.Random(7)
    tier = tier_of(text_of("two-step-100k"))
    terms = msgspec.json.encode(tier).decode()

    async def one(nth: int) -> None:
        name = assessment_id_of(f"b{nth}")
        made = ev.CreateAssessment(
            CommandId(f"!{nth}#1"), kernel.now(), name, "t", "u", f"b{nth}", terms
        )
        await kernel.submit(assessment_stream(name), made)
        stream = account_stream(account_id(name, 1))
        while (found := kernel.peek(assessment_stream(name))) is None or not found.state.numbers:
            await asyncio.sleep(0.01)
        qty = f"{dice.randrange(100, 400) / 100:.2f}"
        order = ask(f"o{nth}", order_qty=qty, price=f"{PX}.01", time_in_force=TimeInForce.IOC)
        await kernel.submit(stream, placed(order, at=kernel.now()))

    for first in range(0, accounts, AT_ONCE):
        floor.trades_at(PX, bids=DEEP)
        await asyncio.gather(*map(one, range(first, min(first + AT_ONCE, accounts))))
    while kernel.reactor.open_count:
        await asyncio.sleep(0.05)


def tick(floor: Floor, heard: Heard, due: int, px: int) -> None:
    heard.due.append(due)
    heard.at.append(floor.kernel.now())
    floor.trades_at(px, bids=DEEP)


async def walked(floor: Floor, heard: Heard, seconds: float, rate: int) -> int:
    """Ticks by the clock; the last price."""
    dice, px, began = random.Random(11), float(PX), time.perf_counter_ns()
    gap = 1_000_000_000 // rate
    count = int(seconds * rate)
    for nth in range(count):
        due = began + nth * gap
        wait = (due - time.perf_counter_ns()) / 1e9
        await asyncio.sleep(max(wait, 0))
        px += dice.uniform(-25, 25) - PX * 0.04 / count  # four percent in all
        tick(floor, heard, due, int(px))
    return int(px)


async def quiet(heard: Heard) -> None:
    """Until nothing more has been heard for a while."""
    until, before = time.monotonic() + DONE_S, -1
    while time.monotonic() < until:
        count = sum(map(len, heard.found.values()))
        if count == before:
            return
        before = count
        await asyncio.sleep(2.0)


async def run(asked: argparse.Namespace, data: Path) -> dict[str, Any]:
    settings = load({"data": str(data), "paper_latency_ms": 0, "stale_after_ms": 600_000}, {})
    kernel = Kernel(settings, Files(data), SyntheticFeed())
    floor = Floor(kernel)
    kernel.listeners.remove(
        floor.said.extend
    )  # what tests remember of everything is not ours to pay for
    await kernel.start(lambda _: None)
    try:
        floor.trades_at(PX, bids=DEEP)
        rates = SetMargin(
            CommandId("rates#1"), kernel.now(), BTC_USD, tiers((0, 100_000, 50_000, 0)), "bench"
        )
        await kernel.submit(HOUSE_STREAM, rates)
        began = time.monotonic()
        await ready(floor, asked.accounts)
        told: dict[str, Any] = {"accounts": asked.accounts, "rate": asked.rate}
        told["ready_s"] = round(time.monotonic() - began, 1)
        spread, crash = Heard(), Heard()
        kernel.listeners.append(spread.hear)
        px = await walked(floor, spread, asked.seconds, asked.rate)
        await quiet(spread)
        kernel.listeners.remove(spread.hear)
        kernel.listeners.append(crash.hear)
        tick(floor, crash, time.perf_counter_ns(), int(px * (1 - asked.crash / 100)))
        await quiet(crash)
        return {**told, "spread": spread.told(), "crash": crash.told()}
    finally:
        await kernel.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=int, default=20, help="ticks a second")
    parser.add_argument("--crash", type=float, default=10, help="percent, in one tick")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(run(asked, Path(folder) / "house"))))


if __name__ == "__main__":
    main()
