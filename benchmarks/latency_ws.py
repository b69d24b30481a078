"""From an order's due time to the message that it was filled, on a WebSocket of its account.

    python benchmarks/latency_ws.py [--rate 2000] [--seconds 20] [--working 10000]

Orders come in over HTTP, 20 % of them marketable; one client watches the account's executions. The
time includes the decision, its commit, the way to the venue (whose stated latency is set to 0), the
match and its commit, the fill on the account and its commit, and the message.
"""

import argparse
import json
import time

import msgspec
from house import fresh

from fondaco.bench.client import Client, market_of
from fondaco.bench.doors import Http, Target, WebSocket
from fondaco.bench.figures import Tally
from fondaco.bench.flow import CYCLE, Flow, terms
from fondaco.bench.load import Load
from fondaco.bench.orders import TRADING, Plan, course, lay_out

PREFIX = "latency-"


class Message(msgspec.Struct):
    """What is needed of the messages of both channels."""

    channel: str = ""
    order_id: str = ""
    cl_ord_id: str = ""
    liquidity: str = ""


class Watching:
    """Notes when each message came; what they say is read after the run."""

    def __init__(self, target: Target) -> None:
        self.came: list[tuple[float, bytes]] = []
        self._socket = WebSocket(target, lambda *_: None, window=1, path=TRADING, heard=self._heard)
        self.sock = self._socket.sock
        channels = ["orders", "executions"]
        ask = {"op": "subscribe", "id": "watch", "accounts": ["demo"], "channels": channels}
        self._socket.say(msgspec.json.encode(ask))

    def _heard(self, message: bytes) -> None:
        self.came.append((time.perf_counter(), message))

    def until_live(self, quiet_s: float = 1.0) -> None:
        """Wait for the snapshot and what follows it: what is told late then is not a wait."""
        heard, since = 0, time.perf_counter()
        while not heard or time.perf_counter() - since < quiet_s:
            self.read()
            if len(self.came) > heard:
                heard, since = len(self.came), time.perf_counter()
            time.sleep(0.01)

    def look(self, now: float) -> None:
        """Asks nothing."""

    def read(self) -> None:
        if not self._socket.read():
            raise SystemExit("the house has cut off the one who watches")

    def first_fills(self) -> dict[int, float]:
        """When the first taker's execution of each order was told, by the order's number."""
        decode = msgspec.json.Decoder(Message).decode
        numbers: dict[str, int] = {}
        told: dict[str, float] = {}
        for at, text in self.came:
            message = decode(text)
            if message.cl_ord_id.startswith(PREFIX):
                numbers[message.order_id] = int(message.cl_ord_id.removeprefix(PREFIX))
            elif message.channel == "executions" and message.liquidity == "taker":
                told.setdefault(message.order_id, at)
        return {numbers[order]: at for order, at in told.items() if order in numbers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=2_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--working", type=int, default=10_000)
    asked = parser.parse_args()
    with fresh(["--set", "paper_latency_ms=0"]) as house:
        target = Target.parse(house.url, "demo")
        market = market_of(Client(target))
        plan = Plan(url=house.url, rate=asked.rate, working=asked.working)
        lay_out(plan, market, ["demo"], "w-")
        flow = Flow(market, accounts=["demo"], marketable=plan.marketable, prefix=PREFIX)
        watching = Watching(target)
        watching.until_live()
        load = Load(flow, watch=watching)
        tally = load.run(
            course(plan, asked.seconds), lambda answered: Http(target, answered), plan.carriers
        )
        until = time.perf_counter() + 0.5
        while time.perf_counter() < until:
            watching.read()
            time.sleep(0.001)
    fills = Tally()
    fills.waits.extend(
        at - (load.started + nth / asked.rate) for nth, at in watching.first_fills().items()
    )
    crossing = sum(terms(nth, market, plan.marketable).marketable for nth in range(CYCLE))
    print(
        json.dumps(
            {
                "orders": load.offered,
                "accepted": tally.accepted,
                "marketable": round(load.offered * crossing / CYCLE),
                "filled": fills.answered,
                "ack": tally.percentiles(),
                "order_to_fill_message": fills.percentiles(),
            }
        )
    )


if __name__ == "__main__":
    main()
