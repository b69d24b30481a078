"""`fondaco bench orders`: an open load of orders on a running house, and what it showed."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from fondaco.bench.client import Asked, Client, Quotes, market_of, open_accounts
from fondaco.bench.doors import Answered, Connection, Http, Target, WebSocket
from fondaco.bench.figures import Figures, Tally
from fondaco.bench.flow import Flow, Market
from fondaco.bench.load import Course, Load

Door = Literal["http", "ws", "bulk"]
DOORS: Final = ("http", "ws", "bulk")
TRADING: Final = "/ws/trading"
_PRELOAD: Final = 100  # orders a bulk request while working orders are laid out
_WINDOW_OPEN: Final = 16_384  # messages under way on a WebSocket whose load does not wait


class Plan(NamedTuple):
    """What to do; the defaults are those of the command line."""

    url: str = "http://127.0.0.1:8000"
    token: str = "demo"  # noqa: S105  the demo's, which listens on loopback only
    door: Door = "http"
    rate: float = 10_000
    seconds: float = 10
    warmup: float = 1
    connections: int = 0
    accounts: int = 1
    marketable: float = 0.2
    working: int = 0
    symbol: str = ""
    batch: int = 100
    window: int = 64
    orders: int = 0
    trace: bool = False

    @property
    def carriers(self) -> int:
        """As many connections as were asked for, or as suit the door."""
        return self.connections or {"http": 128, "ws": 8, "bulk": 16}[self.door]


def options(parser: argparse.ArgumentParser) -> None:
    """Every field of `Plan` as an option."""
    plan = Plan()
    parser.add_argument("--url", default=plan.url)
    parser.add_argument("--token", default=plan.token)
    parser.add_argument("--door", choices=DOORS, default=plan.door)
    for name, kind, text in (
        ("rate", float, "orders a second; 0: a closed loop, as fast as answers come"),
        ("seconds", float, "how long orders are offered"),
        ("warmup", float, "seconds of the same load before anything is counted"),
        ("connections", int, "0: 128 for http, 8 for ws, 16 for bulk"),
        ("accounts", int, "1: the account demo; else bench-0 … are opened and funded"),
        ("marketable", float, "share of orders that cross the touch"),
        ("working", int, "orders laid out at rest before the load"),
        ("batch", int, "orders of one bulk request"),
        ("window", int, "messages under way on each WebSocket of a closed loop"),
        ("orders", int, "this many, however long they take, rather than for --seconds"),
    ):
        parser.add_argument(f"--{name}", type=kind, default=getattr(plan, name), help=text)
    parser.add_argument("--trace", action="store_true", help="a traceparent on every order")
    parser.add_argument("--symbol", default=plan.symbol, help="the first that is listed")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def main(argv: Sequence[str] | None = None) -> int:
    """What the command line runs."""
    parser = argparse.ArgumentParser(prog="fondaco bench orders", description=__doc__)
    options(parser)
    return run_asked(parser.parse_args(argv))


def run_asked(asked: argparse.Namespace) -> int:
    """0: all were answered; 1: some were not, or there is no house."""
    plan = Plan(**{name: getattr(asked, name) for name in Plan._fields})
    try:
        figures = run(plan)
    except (Asked, OSError) as error:
        sys.stderr.write(f"{plan.url}: {error}\n")
        return 1
    text = msgspec.json.encode(figures).decode() if asked.json else shown(figures)
    sys.stdout.write(text + "\n")
    return 1 if figures.unanswered else 0


def run(plan: Plan) -> Figures:
    """Prepare accounts and working orders, warm up, and measure."""
    target = Target.parse(plan.url, plan.token, trace=plan.trace)
    client = Client(target)
    market = market_of(client, plan.symbol)
    accounts = open_accounts(client, plan.accounts, market.symbol)
    client.close()
    prefix = f"b{time.time_ns() // 1_000_000:x}-"
    flow = Flow(market, accounts=accounts, marketable=plan.marketable, prefix=prefix)
    if plan.working:
        lay_out(plan, market, accounts, prefix + "w")
    opens = opener(plan, target)
    sent = 0
    if plan.warmup:
        warm = Load(flow)
        warm.run(course(plan, plan.warmup), opens, plan.carriers)
        sent = warm.offered
    load = Load(flow, first=sent, watch=Quotes(target, flow, market))
    before = time.process_time()
    tally = load.run(course(plan, plan.seconds, plan.orders), opens, plan.carriers)
    cpu_s = time.process_time() - before
    return figures_of(plan, market, load, tally, cpu_s)


def lay_out(plan: Plan, market: Market, accounts: list[str], prefix: str) -> None:
    """Place the working orders; raises `Asked` where the house does not take them."""
    resting = Flow(market, accounts=accounts, marketable=0.0, prefix=prefix)
    bulk = plan._replace(door="bulk", batch=_PRELOAD, connections=4)
    load = Load(resting)
    whole = Course(rate=0, seconds=0, most=plan.working, together=_PRELOAD, drain_s=30)
    tally = load.run(whole, opener(bulk, Target.parse(plan.url, plan.token)), 4)
    if tally.accepted < plan.working:
        raise Asked(
            f"of {plan.working} working orders {tally.accepted} were accepted, "
            f"{load.offered - tally.answered} not answered, refused: {dict(tally.refused)}"
        )


def course(plan: Plan, seconds: float, most: int = 0) -> Course:
    """`most` orders, if that is not 0, else for `seconds`."""
    seconds = 0.0 if most else seconds
    match plan.door:
        case "http":
            return Course(plan.rate, seconds, most)
        case "bulk":
            return Course(plan.rate, seconds, most, together=plan.batch)
        case "ws":
            return Course(plan.rate, seconds, most, writes_max=plan.window, tick_s=0.001)


def opener(plan: Plan, target: Target) -> Callable[[Answered], Connection]:
    """How a connection of the asked kind is made."""

    def opens(answered: Answered) -> Connection:
        if plan.door == "ws":
            window = _WINDOW_OPEN if plan.rate else plan.window
            return WebSocket(target, answered, window=window, path=TRADING)
        return Http(target, answered, batch=plan.batch if plan.door == "bulk" else 0)

    return opens


def figures_of(plan: Plan, market: Market, load: Load, tally: Tally, cpu_s: float) -> Figures:
    took = max(tally.last - load.started, 1e-9)
    return Figures(
        door=plan.door,
        symbol=market.symbol,
        accounts=plan.accounts,
        connections=plan.carriers,
        rate=round(plan.rate),
        seconds=round(took, 3),
        offered_per_s=round(plan.rate or load.offered / took, 1),
        answered_per_s=round(tally.answered / took, 1),
        orders=load.offered,
        accepted=tally.accepted,
        unanswered=load.offered - tally.answered,
        refused=dict(tally.refused),
        histogram=tally.histogram(),
        cpu_us_per_order=round(cpu_s * 1e6 / max(tally.answered, 1), 1),
        **tally.percentiles(),
    )


def shown(figures: Figures) -> str:
    """For people: one fact a line, then a bar for each bucket of waits."""
    asked = f"{figures.rate}/s" if figures.rate else "as fast as answered"
    lines = [
        f"{figures.orders} orders of {figures.symbol} over {figures.door}, {asked}, "
        f"{figures.connections} connections, {figures.accounts} account(s)",
        f"answered   {figures.answered_per_s:>12,.1f} /s",
        f"accepted   {figures.accepted:>12,}",
        *(f"refused    {count:>12,} {code}" for code, count in sorted(figures.refused.items())),
        f"unanswered {figures.unanswered:>12,}",
        f"waits, ms  p50 {figures.p50_ms}  p95 {figures.p95_ms}  p99 {figures.p99_ms}  "
        f"p99.9 {figures.p999_ms}  max {figures.max_ms}  mean {figures.mean_ms}",
        f"load       {figures.cpu_us_per_order} µs of CPU an order",
    ]
    most = max((bucket.count for bucket in figures.histogram), default=1)
    lines += [
        f"{bucket.up_to_ms:>10.3f} ms {bucket.count:>9,} {'█' * round(40 * bucket.count / most)}"
        for bucket in figures.histogram
    ]
    return os.linesep.join(lines)
