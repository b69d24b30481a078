"""What the rules of 10,000 assessments cost at every tick, and how soon a breach is found.

    python benchmarks/assessment_rules.py [--accounts 10000] [--ticks 400] [--step 5000]

Every account holds the one instrument that moves, each in a size of its own, so that every tick
marks all of them and now and then warns or fails one. Two contenders in the same run, on the same
prices:

- the house: `AssessmentWatch.see`, which marks by the kernel and asks the rules of who may have
  left their corridor; what it finds is decided at once by the assessment's own law;
- the plain twin: `rules.mark` for every account at every tick.

Prints JSON: milliseconds a tick of both and their ratio, the share of one core that 20 ticks a
second take, and from the tick to the decision of a breach, p50 and p99. The commit is not in it.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import msgspec

import build as b
from fondaco.app.assessments.looking import look_at
from fondaco.app.assessments.watch import AssessmentWatch
from fondaco.domain.evaluation import rules as law
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.model import (
    AssessmentRefs,
    account_id,
    assessment_id_of,
    assessment_stream,
)
from fondaco.domain.evaluation.assessments.rules import decider, seen_as
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.trading.model import AccountState, AccountType, Position, account_stream
from fondaco.domain.trading.refs import update_rates
from fondaco.kernel.event import CommandId, Instant, StreamId
from fondaco.runtime.loading import Memory

TICKS_PER_S = 20
TIER = tier_of(text_of("two-step-100k"))
BEGAN = Instant(1_790_000_000_000_000_000)
PX = 50_000_00


class Floor:
    """All accounts, and the law that decides at once."""

    def __init__(self, accounts: int) -> None:
        self.refs = b.refs(mark(PX, BEGAN))
        self.now, self.failed_ns = BEGAN, list[int]()
        self.ticked_ns = 0
        self.memories: dict[StreamId, Memory[Any]] = {}
        self.watch = AssessmentWatch(self.refs, self.memories.get, self.ask, lambda: self.now)
        dice, terms = random.Random(7), msgspec.json.encode(TIER).decode()
        for nth in range(accounts):
            name = assessment_id_of(f"b{nth}")
            stream, account = assessment_stream(name), account_stream(account_id(name, 1))
            self.memories[account] = Memory(self.account(dice.randrange(100, 4_000)))
            self.memories[stream] = Memory(decider.initial(stream))
            make = ev.CreateAssessment(CommandId("!#1"), BEGAN, name, "t", "u", "s", terms)
            self.ask(stream, make)
            self.ask(stream, ev.NoteDeposit(CommandId("a@1"), BEGAN, account_id(name, 1)))

    def account(self, lots: int) -> AccountState:
        state = AccountState(opened=True, account_type=AccountType.MARGIN, currency=b.USD)
        instrument = self.refs.instruments[b.BTC_USD]
        cost = instrument.cost_down(PX, lots)
        state.balances = {b.USD: TIER.account - cost, b.BTC: instrument.base_per_lot * lots}
        state.positions = {b.BTC_USD: Position(lots, cost)}
        return state

    def ask(self, stream: StreamId, command: Any) -> None:
        memory = self.memories[stream]
        for event in decider.decide(memory.state, command, AssessmentRefs(0)):
            decider.evolve(memory.state, event)
            if isinstance(event, ev.AssessmentFailed):
                self.failed_ns.append(time.perf_counter_ns() - self.ticked_ns)
        self.watch.load(stream, memory.state)

    def tick(self, px: int, at: Instant) -> int:
        self.now, seen = at, mark(px, at)
        self.refs.marks[b.BTC_USD] = seen
        began = self.ticked_ns = time.perf_counter_ns()
        update_rates(self.refs, seen)
        self.watch.see(seen)
        return time.perf_counter_ns() - began

    def plain(self, standings: dict[StreamId, law.Standing], at: Instant) -> int:
        began = time.perf_counter_ns()
        for account, standing in standings.items():
            look = look_at(self.memories[account].state, self.refs, at)
            if look is not None:
                law.mark(standing, seen_as(look))
        return time.perf_counter_ns() - began


def mark(px: int, at: Instant) -> Mark:
    return Mark(b.BTC_USD, px, Quality.OK, "bench", 1, at)


async def measured(floor: Floor, ticks: int, step: int) -> tuple[list[int], Instant]:
    """Nanoseconds a tick, with everybody looked at before the next."""
    took, px, at, dice = list[int](), PX, BEGAN, random.Random(11)
    for _ in range(ticks):
        px, at = px + dice.randrange(-step, step * 9 // 10), Instant(at + 50_000_000)
        floor.tick(px, at)
        while floor.watch.is_behind:
            await asyncio.sleep(0)
        took.append(time.perf_counter_ns() - floor.ticked_ns)
    return took, at


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--ticks", type=int, default=400)
    parser.add_argument("--step", type=int, default=5_000, help="cents a tick, at most")
    parser.add_argument("--plain-ticks", type=int, default=3)
    asked = parser.parse_args()
    floor = Floor(asked.accounts)
    twins = {
        account: law.begin(TIER, 0, BEGAN) for _, account, _ in floor.watch.watched()
    }  # as many, and as they began
    took, at = asyncio.run(measured(floor, asked.ticks, asked.step))
    plain = [floor.plain(twins, Instant(at + n)) for n in range(asked.plain_ticks)]
    each, twin = statistics.fmean(took), statistics.fmean(plain)
    found = sorted(floor.failed_ns) or [0]
    print(
        json.dumps(
            {
                "accounts": asked.accounts,
                "ms_a_tick": round(each / 1e6, 3),
                "p99_ms_a_tick": round(sorted(took)[len(took) * 99 // 100] / 1e6, 3),
                "share_of_a_core": round(each * TICKS_PER_S / 1e9, 4),
                "plain_ms_a_tick": round(twin / 1e6, 3),
                "ratio": round(twin / each, 1),
                "breaches": len(floor.failed_ns),
                "breach_p50_ms": round(found[len(found) // 2] / 1e6, 3),
                "breach_p99_ms": round(found[len(found) * 99 // 100] / 1e6, 3),
            }
        )
    )


if __name__ == "__main__":
    main()
