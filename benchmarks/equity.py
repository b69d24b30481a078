"""What it costs to keep the equity of 10,000 margin accounts at 20 ticks a second.

    python benchmarks/equity.py [--accounts 10000] [--instruments 20] [--lines 5] [--ticks 2000]
    FONDACO_PURE=1 python benchmarks/equity.py --ticks 40

Every account has cash and `--lines` of the instruments, long and short; instrument 0 is held by
everybody, so that its ticks are the worst there is. Two contenders in the same run and process, in
turns, on the same prices:

- the house: one tick is `fixed` and `Equity.set_price`, whose answer is the accounts with another
  level;
- the peer: numpy, as risk engines in Python are mostly written: each tick revalues all accounts
  from the matrix of their positions, in doubles, with one tier, and compares them with the levels
  before.

Then the whole follower as the house runs it, on accounts that all hold the one instrument that
moves: rates, kernel, and the rule of every account that is suspected.

Both must name the same accounts wherever the doubles of the peer are sure of it. Prints JSON: what
one tick of instrument 0 and of all instruments in turn costs, the share of one core that 20 ticks a
second take, the ratio to the peer, and what a change of one position costs.
"""

import argparse
import gc
import json
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np

import build as b
from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.trading import equity as kernel_file
from fondaco.domain.trading.equity import Equity, fixed
from fondaco.domain.trading.margin_watch import MarginWatch
from fondaco.domain.trading.model import AccountState, AccountType
from fondaco.domain.trading.refs import update_rates
from fondaco.kernel.event import Instant, StreamId

TICKS_PER_S = 20
WARNINGS = [8_000, 9_000]
INITIAL_PPM, MAINTENANCE_PPM = 100_000, 50_000
TIERS = [(1 << 51, INITIAL_PPM, MAINTENANCE_PPM, 0)]
PRICE_DEN = 1_000  # prices are thousandths of a marking unit per unit of quantity
ROUNDS = 5


class Flow:
    """Positions, cash and a walk of prices, the same for both."""

    def __init__(self, accounts: int, instruments: int, lines: int, seed: int = 7) -> None:
        dice = random.Random(seed)
        self.accounts, self.instruments = accounts, instruments
        self.px = [dice.randrange(10**4, 10**8) for _ in range(instruments)]
        self.qty = np.zeros((accounts, instruments))
        self.cash: list[int] = []
        for account in range(accounts):
            gross = worth = 0.0
            for nth in [0, *dice.sample(range(1, instruments), lines - 1)]:
                value = dice.randrange(10**6, 10**9) * dice.choice((-1, 1))
                qty = value * PRICE_DEN // self.px[nth]
                self.qty[account, nth] = qty
                worth += qty * self.px[nth] / PRICE_DEN
                gross += abs(qty) * self.px[nth] / PRICE_DEN
            # From close to its maintenance to many times that.
            self.cash.append(int(gross * dice.uniform(0.06, 0.6) - worth))

    def walk(self, ticks: int, slots: int, seed: int) -> list[tuple[int, int]]:
        dice, px, walked = random.Random(seed), self.px.copy(), list[tuple[int, int]]()
        for tick in range(ticks):
            nth = tick % slots
            px[nth] = max(px[nth] + round(px[nth] * dice.gauss(0, 0.002)), 1)
            walked.append((nth, px[nth]))
        return walked


class House:
    name = "house"

    def __init__(self, flow: Flow) -> None:
        self.kernel = Equity(WARNINGS)
        for nth in range(flow.instruments):
            self.kernel.add_slot(TIERS)
            self.tick(nth, flow.px[nth])
        for account in range(flow.accounts):
            self.kernel.add_account()
            self.kernel.set_cash(account, flow.cash[account])
            for nth in np.flatnonzero(flow.qty[account]):
                self.kernel.set_qty(account, int(nth), int(flow.qty[account, nth]))

    def tick(self, nth: int, px: int) -> list[int]:
        changed: list[int] = self.kernel.set_price(nth, *fixed(px, PRICE_DEN))
        return changed

    def levels(self, accounts: int) -> list[int]:
        return [self.kernel.level(each) for each in range(accounts)]


class Peer:
    name = "numpy"

    def __init__(self, flow: Flow) -> None:
        self.qty, self.gross = flow.qty, np.abs(flow.qty)
        self.cash = np.array(flow.cash, dtype=float)
        self.px = np.array(flow.px) / PRICE_DEN
        self.shares = np.array(WARNINGS) / 10_000
        self.before = self.judged()

    def judged(self) -> Any:
        equity = self.cash + self.qty @ self.px
        needs = (self.gross @ self.px) * (MAINTENANCE_PPM / 1e6)
        self.room = equity - needs
        levels = np.zeros(len(equity), dtype=int)
        for share in self.shares:
            levels += needs >= equity * share
        return np.where(equity <= needs, len(WARNINGS) + 1, levels)

    def tick(self, nth: int, px: int) -> Any:
        self.px[nth] = px / PRICE_DEN
        levels = self.judged()
        changed = np.flatnonzero(levels != self.before)
        self.before = levels
        return changed

    def levels(self, accounts: int) -> list[int]:
        return [int(each) for each in self.before[:accounts]]


def timed(contender: House | Peer, walked: list[tuple[int, int]]) -> float:
    """Microseconds of this thread per tick."""
    began = time.thread_time_ns()
    for nth, px in walked:
        contender.tick(nth, px)
    return (time.thread_time_ns() - began) / len(walked) / 1_000


def in_turns(flow: Flow, house: House, peer: Peer, ticks: int, slots: int) -> dict[str, object]:
    spent: dict[str, list[float]] = {"house": [], "numpy": []}
    for nth in range(ROUNDS):
        walked = flow.walk(ticks, slots, nth)
        for contender in (house, peer):
            spent[contender.name].append(timed(contender, walked))
        ours, theirs = house.levels(flow.accounts), peer.levels(flow.accounts)
        # A double is sure of a sum of billions to a hundred thousandth; the house adds a few units.
        wrong = sum(a != b and not _is_near(peer, n) for n, (a, b) in enumerate(_zip(ours, theirs)))
        if wrong:
            raise SystemExit(f"{wrong} accounts have another level at the peer: no figure")
    ours_us, theirs_us = (statistics.median(spent[name]) for name in ("house", "numpy"))
    return {
        "house_us_per_tick": round(ours_us, 2),
        "numpy_us_per_tick": round(theirs_us, 2),
        "house_core_share_at_20_ticks": f"{ours_us * TICKS_PER_S / 1e4:.3f} %",
        "numpy_core_share_at_20_ticks": f"{theirs_us * TICKS_PER_S / 1e4:.3f} %",
        "numpy_to_house": round(theirs_us / ours_us, 2),
    }


def _zip(ours: list[int], theirs: list[int]) -> list[tuple[int, int]]:
    return list(zip(ours, theirs, strict=True))


def _is_near(peer: Peer, account: int) -> bool:
    """Whether a level begins within 50 marking units of where the account stands."""
    needs = (peer.gross[account] @ peer.px) * (MAINTENANCE_PPM / 1e6)
    equity = float(peer.room[account]) + needs
    edges = [needs, *(needs * 10_000 / bps for bps in WARNINGS)]
    return any(abs(equity - edge) < 50 for edge in edges)


def changes(flow: Flow, house: House, count: int) -> float:
    """Microseconds per position that changes: a fill moves a line and the cash."""
    dice = random.Random(3)
    asked = [(dice.randrange(flow.accounts), dice.randrange(10**6)) for _ in range(count)]
    kernel = house.kernel
    began = time.thread_time_ns()
    for account, by in asked:
        kernel.set_qty(account, 0, int(flow.qty[account, 0]) + by)
        kernel.set_cash(account, flow.cash[account] - by)
    return (time.thread_time_ns() - began) / count / 1_000


def followed(count: int, ticks: int) -> dict[str, object]:
    """A short of each account, some of them near to what they may; nobody answers."""
    dice, unit = random.Random(5), 10**8
    margins = {b.BTC_USD: b.tiers((0, 200_000, 100_000, 0))}
    refs = b.refs(b.mark(), margins=margins)
    states = {
        StreamId(f"account/{nth}"): AccountState(
            opened=True,
            account_type=AccountType.MARGIN,
            balances={b.USD: dice.randrange(5_600, 9_000) * unit, b.BTC: -50 * 10**9},
        )
        for nth in range(count)
    }
    watch = MarginWatch(refs, states.get)
    for stream, state in states.items():
        watch.load(stream, state)
    asked, px, spent = 0, 10_000, 0
    for tick in range(ticks):
        px += dice.randrange(-20, 21)
        mark = Mark(b.BTC_USD, px, Quality.OK, "test", tick, Instant(tick))
        began = time.thread_time_ns()
        refs.marks[mark.symbol] = mark
        update_rates(refs, mark)
        watch.see(mark)
        asked += len(watch.due(Instant(tick * 10**9 // TICKS_PER_S), mark))
        spent += time.thread_time_ns() - began
    us = spent / ticks / 1_000
    return {
        "us_per_tick": round(us, 1),
        "core_share_at_20_ticks": f"{us * TICKS_PER_S / 1e4:.2f} %",
        "asked": asked,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--instruments", type=int, default=20)
    parser.add_argument("--lines", type=int, default=5)
    parser.add_argument("--ticks", type=int, default=2_000)
    given = parser.parse_args()
    flow = Flow(given.accounts, given.instruments, given.lines)
    house, peer = House(flow), Peer(flow)
    gc.collect()
    gc.freeze()
    measure: Callable[[int], dict[str, object]] = lambda slots: in_turns(  # noqa: E731
        flow, house, peer, given.ticks, slots
    )
    result = {
        "what": "equity and requirements of every account, kept at every tick",
        "compiled": bool(kernel_file.COMPILED),
        "accounts": given.accounts,
        "instruments": given.instruments,
        "lines_per_account": given.lines,
        "ticks": given.ticks,
        "instrument_that_everybody_holds": measure(1),
        "all_instruments_in_turn": measure(given.instruments),
        "followed_in_the_house": followed(given.accounts, given.ticks),
        "us_per_changed_position": round(changes(flow, house, 20_000), 2),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
