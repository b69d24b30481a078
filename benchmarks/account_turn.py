"""What one account turn costs: `decide` and `evolve` of a limit order, with every rule on.

    python benchmarks/account_turn.py [--orders 100000] [--turns 20000] [--rounds 5]
    FONDACO_PURE=1 python benchmarks/account_turn.py

The account works `--orders` orders before the clock starts, on both sides of two instruments. A
turn is the placement of one more; then, measured apart, its execution and the cancel of another.
Prints JSON: microseconds per turn, median and best of the rounds, and whether the rules ran
compiled.
"""

import argparse
import gc
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import build as b
from fondaco.domain.reference.model import Limits
from fondaco.domain.trading import rules
from fondaco.domain.trading.events import OrderAccepted, TradingCommand
from fondaco.domain.trading.model import AccountState, Side
from fondaco.domain.trading.rules import decide, evolve, initial, risk

MUCH = 10**15
EVERY_RULE = Limits(
    order_qty_max={b.BTC_USD: MUCH, b.ETH_USD: MUCH},
    order_notional_max=MUCH,
    collar_bps=5_000,
    position_max={b.BTC_USD: MUCH, b.ETH_USD: MUCH},
    concentration_max_bps=9_999,
    class_concentration_max_bps={"crypto": 9_999},
    daily_loss_max=MUCH,
    orders_max=10**9,
    notional_max=10**18,
    duplicate_window_ms=100,
)
PAIR = b.btc_usd(maker=100, taker=1_000, tick="0.01", lot="0.000001")
REFS = b.refs(btc=PAIR, limits=EVERY_RULE)
STEP = 100_000  # nanoseconds between two orders: 10,000 a second


def account(working: int) -> AccountState:
    """With `working` orders, none of which can execute against another."""
    state = initial(b.A1)
    funds: list[TradingCommand] = [
        b.opened(), b.deposit("100000000"), b.deposit("10000", b.BTC), b.deposit("10000", b.ETH),
    ]  # fmt: skip
    for command in funds:
        run(state, command)
    for command in orders(0, working):
        run(state, command)
    if len(state.working) != working:
        raise SystemExit(f"{working} orders were placed, {len(state.working)} work")
    return state


def orders(first: int, count: int) -> Iterator[TradingCommand]:
    """No two alike within the duplicate window."""
    for n in range(first, first + count):
        side = Side.SELL if n % 2 else Side.BUY
        symbol = b.ETH_USD if n % 4 > 1 else b.BTC_USD
        price = f"{105 if n % 2 else 95}.{n % 100:02}"
        qty = f"0.0{n % 9973 + 1:04}"
        asked = b.ask(f"o{n}", side=side, symbol=symbol, price=price, order_qty=qty)
        yield b.placed(asked, at=b.SECOND + n * STEP)


def run(state: AccountState, command: TradingCommand) -> None:
    for event in decide(state, command, REFS):
        evolve(state, event)


def executed(state: AccountState, number: int) -> TradingCommand:
    """All of an order that works, at its price."""
    order = state.working[number]
    return b.fill(number, order.lots, order.px, side=order.side, symbol=order.symbol)


def timed(state: AccountState, rounds: Sequence[Sequence[TradingCommand]]) -> dict[str, float]:
    """Microseconds of this thread per command: what else the machine does is not in them."""
    spent = []
    for commands in rounds:
        started = time.thread_time_ns()
        for command in commands:
            for event in decide(state, command, REFS):
                evolve(state, event)
        spent.append((time.thread_time_ns() - started) / len(commands) / 1_000)
    return {"median_us": round(statistics.median(spent), 2), "best_us": round(min(spent), 2)}


def measured(working: int, turns: int, rounds: int) -> dict[str, object]:
    state = account(working)
    gc.collect()
    gc.freeze()
    first = state.order_count

    def each(make: Callable[[int], TradingCommand]) -> list[list[TradingCommand]]:
        return [[make(first + 1 + r * turns + n) for n in range(turns)] for r in range(rounds)]

    place = timed(state, [list(orders(first + r * turns, turns)) for r in range(rounds)])
    if state.order_count != first + turns * rounds or len(state.working) != state.order_count:
        raise SystemExit("an order was refused: this does not measure what it says")
    half = turns // 2
    ways = each(partial(executed, state))
    fill = timed(state, [way[:half] for way in ways])
    cancels = each(b.cancel)
    cancel = timed(state, [way[half:] for way in cancels])
    return {
        "what": "one account turn, decide and evolve, every rule on",
        "compiled": not str(risk.__file__).endswith(".py"),
        "rules": rules.__name__,
        "python": platform.python_version(),
        "working_orders": working,
        "turns": turns * rounds,
        "event": OrderAccepted.__name__,
        "place": place,
        "execute": fill,
        "cancel": cancel,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print(json.dumps(measured(given.orders, given.turns, given.rounds), indent=2))


if __name__ == "__main__":
    main()
