"""From the tick that breaks a rule to what is done about it, committed, in a house that lives.

    python benchmarks/breach.py [--accounts 10000] [--seconds 30] [--rate 20] [--crash 10]
        [--breaches-a-second 5]

A house with its journal on the disk, its paper venue and no door, on the loop and with the settings
of one that serves: every account of an assessment holds the one instrument that moves, each in a
size of its own. Ticks come by the clock, `rate` a second, whether or not the house is done with the
last one (an open loop): each is counted from when it was due, so a tick that waits is as late as it
is (no coordinated omission).

Three parts, told apart: *paced* falls just as fast as breaks so many accounts a second, as a firm
may see; *spread* walks down by 4 % in all, which breaks about half of them, some hundreds a second;
*crash* falls by `crash` percent in one tick, which breaks all that are left, at once. Of each part,
in milliseconds from the tick until it is synced in the journal: `failed` (the verdict with its
evidence), `stopped` (the account takes nothing new), `closing` (its position is being closed). And
`others`: from when the order of an account of no assessment was due, 20 a second, to its answer.
Prints JSON with p50, p90, p99, p99.9 and the longest of each. Of *crash* also `computed`: the same
in the processor's time of this process, which holds on a machine that has other work too; and
`cpu_ms`, what it computes for each breach until its account is closed and halted.

There is no peer here: nobody else publishes one that commits. The plain twin of *paced* is a bare
journal on the same disk that appends, for each breach, the same verdict and then the same stop, and
does nothing else: `ratio` is the house over it. `assessment_rules.py` has the twin of the rules.
"""

import argparse
import asyncio
import contextlib
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
from build import BTC_USD, ask, deposit, opened, placed, tiers
from fondaco.app.assessments.looking import look_at
from fondaco.app.files import Files
from fondaco.app.greeting import freeze
from fondaco.app.house import Kernel
from fondaco.app.kinds import CODEC
from fondaco.app.listening import run as serve
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
from fondaco.domain.trading.model import (
    AccountId,
    AccountType,
    TimeInForce,
    TradingState,
    account_of,
    account_stream,
)
from fondaco.kernel.errors import FondacoError
from fondaco.kernel.event import CommandId, Decision, Entry, Event, Instant, StreamId
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.settings import load

PX = 50_000
OTHER = account_stream(AccountId("other"))  # of no assessment
OTHER_S = 0.05  # between its orders
TWINS = 500  # breaches that the twin writes
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
        self.others: list[int] = []
        self.refused = 0  # of their orders
        self.verdicts: list[list[Event]] = []  # what was written, for the twin
        self.stops: list[Event] = []
        # What the process has computed since it began, until each; the machine's other work is not
        # in there.
        self.computed: dict[str, list[int]] = {"failed": [], "stopped": [], "closing": []}
        self.cpu_began = time.process_time_ns()
        self.cpu_ns = 0

    def hear(self, entries: Sequence[Entry]) -> None:
        now = time.perf_counter_ns()
        if len(self.stops) < TWINS:
            self._keep(entries)
        for entry in entries:
            event = entry.event
            if isinstance(event, ev.RuleViolated):
                nth = max(bisect_right(self.at, event.at) - 1, 0)
                name = str(assessment_of(event.account))
                self.broke[name] = self.due[nth]
                self.found["failed"].append(now - self.due[nth])
                self.computed["failed"].append(time.process_time_ns() - self.cpu_began)
            elif isinstance(event, tev.TradingStateSet) and event.state is TradingState.REDUCING:
                self._add("stopped", entry, now)
            elif isinstance(event, tev.OrderAccepted) and event.order.reduce_only:
                self._add("closing", entry, now)

    def _add(self, what: str, entry: Entry, now: int) -> None:
        due = self.broke.get(str(assessment_of(account_of(entry.stream))))
        if due is not None:
            self.found[what].append(now - due)
            self.computed[what].append(time.process_time_ns() - self.cpu_began)

    def _keep(self, entries: Sequence[Entry]) -> None:
        causes = {e.caused_by for e in entries if isinstance(e.event, ev.RuleViolated)}
        kept: dict[tuple[str, str], list[Event]] = {}
        for each in entries:
            if each.caused_by in causes:
                kept.setdefault((each.stream, each.caused_by), []).append(each.event)
            elif isinstance(each.event, tev.TradingStateSet):
                self.stops.append(each.event)
        self.verdicts += kept.values()

    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = {what: percentiles(each) for what, each in self.found.items()}
        others = {**percentiles(self.others), "refused": self.refused}
        return {**told, "others": others}


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
        qty = f"{dice.randrange(100_000, 400_000) / 100_000:.5f}"
        order = ask(f"o{nth}", order_qty=qty, price=f"{PX}.01", time_in_force=TimeInForce.IOC)
        await kernel.submit(stream, placed(order, at=kernel.now()))

    for first in range(0, accounts, AT_ONCE):
        floor.trades_at(PX, bids=DEEP)
        await asyncio.gather(*map(one, range(first, min(first + AT_ONCE, accounts))))
    while kernel.reactor.open_count:
        await asyncio.sleep(0.05)


def breaking(floor: Floor) -> list[int]:
    """At which price, in cents, each account breaks a rule; the first first."""
    kernel, found = floor.kernel, list[int]()
    px = kernel.refs.marks[BTC_USD].px
    for _, stream, standing in kernel.assessments.watched():
        memory = kernel.peek(stream)
        look = None if memory is None else look_at(memory.state, kernel.refs, kernel.now())
        if look is None or not look.notional:
            continue
        limit = max(standing.day_limit, standing.overall_limit)
        found.append(int(px - (look.equity - limit) * px / look.notional))
    return sorted(found, reverse=True)


def paces(floor: Floor, asked: argparse.Namespace) -> list[int]:
    """Prices that break so many a second, and rise a little in between."""
    dice, levels = random.Random(13), breaking(floor)
    count, prices = int(asked.seconds * asked.rate), list[int]()
    for nth in range(count):
        broken = min(int(nth * asked.breaches_a_second / asked.rate), len(levels) - 1)
        prices.append(levels[broken] + 1 + dice.choice((0, 0, 500)))
    return prices


def slopes(asked: argparse.Namespace) -> list[int]:
    dice, px, count = random.Random(11), float(PX), int(asked.seconds * asked.rate)
    prices = list[int]()
    for _ in range(count):
        px += dice.uniform(-25, 25) - PX * 0.04 / count  # four percent in all
        prices.append(int(px) * 100)
    return prices


def tick(floor: Floor, heard: Heard, due: int, cents: int) -> None:
    heard.due.append(due)
    heard.at.append(floor.kernel.now())
    floor.quotes(cents, bids=DEEP)


async def walked(floor: Floor, heard: Heard, prices: Sequence[int], rate: int) -> None:
    """Ticks by the clock."""
    began, gap = time.perf_counter_ns(), 1_000_000_000 // rate
    for nth, cents in enumerate(prices):
        due = began + nth * gap
        await asyncio.sleep(max((due - time.perf_counter_ns()) / 1e9, 0))
        tick(floor, heard, due, cents)


async def asks(floor: Floor, heard: Heard) -> None:
    """Orders of somebody who has nothing to do with it, by the clock."""
    began = time.perf_counter_ns()
    answered: list[asyncio.Task[None]] = []

    async def one(nth: int, due: int) -> None:
        order = ask(f"{id(heard)}-{nth}", order_qty="0.01", price="1.00")
        try:
            await floor.kernel.submit(OTHER, placed(order, at=floor.kernel.now()))
        except FondacoError:
            heard.refused += 1
        else:
            heard.others.append(time.perf_counter_ns() - due)

    for nth in range(1_000_000):
        due = began + int(nth * OTHER_S * 1e9)
        await asyncio.sleep(max((due - time.perf_counter_ns()) / 1e9, 0))
        answered.append(asyncio.create_task(one(nth, due)))


async def part(floor: Floor, prices: Sequence[int], rate: int) -> Heard:
    heard = Heard()
    floor.kernel.listeners.append(heard.hear)
    asking = asyncio.create_task(asks(floor, heard))
    await walked(floor, heard, prices, rate)
    await quiet(floor, heard)
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    heard.cpu_ns = time.process_time_ns() - heard.cpu_began
    floor.kernel.listeners.remove(heard.hear)
    return heard


def twin(heard: Heard, folder: Path) -> list[int]:
    """How long a bare journal takes for a verdict and its stop, one after the other."""
    journal, took = SegmentJournal(folder, CODEC), list[int]()
    for nth, (verdict, stop) in enumerate(zip(heard.verdicts, heard.stops, strict=False)):
        began = time.perf_counter_ns()
        for what, events in (("verdict", verdict), ("stop", [stop])):
            stream, cause = StreamId(f"{what}/{nth}"), CommandId(f"twin#{nth}")
            journal.append([Decision(stream, 0, cause, Instant(1), 0, tuple(events))])
        took.append(time.perf_counter_ns() - began)
    journal.close()
    return took


def beside(heard: Heard, folder: Path) -> dict[str, Any]:
    plain, told = percentiles(twin(heard, folder)), percentiles(heard.found["stopped"])
    if not plain["count"]:
        return {"twin": plain}
    ratio = {each: round(told[each] / plain[each], 1) for each in ("p50", "p99")}
    return {"twin": plain, "ratio": ratio}


async def quiet(floor: Floor, heard: Heard) -> None:
    """Until nothing more has been heard for a while, and no message is on its way."""
    until, before = time.monotonic() + DONE_S, -1
    while time.monotonic() < until:
        count = sum(map(len, heard.found.values()))
        if count == before and not floor.kernel.reactor.open_count:
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
        await kernel.submit(OTHER, opened(AccountType.MARGIN))
        await kernel.submit(OTHER, deposit("10000000"))
        began = time.monotonic()
        await ready(floor, asked.accounts)
        told: dict[str, Any] = {"accounts": asked.accounts, "rate": asked.rate}
        told["ready_s"] = round(time.monotonic() - began, 1)
        freeze()  # as a house does that is ready to serve
        if asked.breaches_a_second:
            paced = await part(floor, paces(floor, asked), asked.rate)
            plain = await asyncio.to_thread(beside, paced, data / "twin")
            told["paced"] = {**paced.told(), **plain}
        floor.trades_at(PX, bids=DEEP)
        prices = slopes(asked)
        told["spread"] = (await part(floor, prices, asked.rate)).told()
        fallen = int(prices[-1] * (1 - asked.crash / 100))
        crash = await part(floor, [fallen], asked.rate)
        each = round(crash.cpu_ns / 1e6 / max(len(crash.found["failed"]), 1), 3)
        computed = {what: percentiles(took) for what, took in crash.computed.items()}
        return {**told, "crash": {**crash.told(), "computed": computed, "cpu_ms": each}}
    finally:
        await kernel.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=int, default=20, help="ticks a second")
    parser.add_argument("--crash", type=float, default=10, help="percent, in one tick")
    parser.add_argument("--breaches-a-second", type=float, default=5, help="of paced; 0: no paced")
    asked = parser.parse_args()

    async def told() -> int:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(await run(asked, Path(folder) / "house")))
        return 0

    sys.exit(serve(told()))


if __name__ == "__main__":
    main()
