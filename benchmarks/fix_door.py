"""Durable orders over one FIX session on loopback, each acknowledged after its commit.

    python benchmarks/fix_door.py [--seconds 5] [--rate 5000] [--peer] [--json]

A demo house has core 0; its followers and the load share core 1, and what the load does is in the
figures. `max` keeps a window of orders under way, each a new one that rests far from the market;
`open` sends at a rate whatever comes back, and takes each latency from when the order was due to
when its ExecutionReport (ExecType 0) was read. `--peer` sends as many to QuickFIX's Python binding
(PyPI quickfix, dependency group `bench`) in the same run, which sends each back and keeps nothing
on a disk, has no account and no rule: what a door without a house could reach.
"""

import argparse
import json
import os
import socket
import sys
import time
from statistics import median
from typing import Any, Final

import fix_session
from house import OTHERS, fresh

from fondaco.domain.fix import encode

RUNS: Final = 3
WARM_S: Final = 1.0
TIME: Final = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime()).encode()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
    return port


class Client(fix_session.Client):
    """The session FONDACO with DEMO, from its first number on."""

    mark = b"\x01150=0\x01"

    def _message(self, msg_type: bytes, body: list[tuple[int, bytes]]) -> bytes:
        self.number += 1
        now = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime()).encode()
        head = [(35, msg_type), (34, b"%d" % self.number), (49, b"DEMO"), (52, now)]
        return encode("FIX.4.4", [*head, (56, b"FONDACO"), *body])

    def order(self) -> None:
        body = [
            (11, b"bench-%d" % self.number),
            (38, b"0.001"),
            (40, b"2"),
            (44, b"1000.00"),
            (54, b"1"),
            (55, b"BTC-USD"),
            (59, b"1"),
            (60, TIME),
        ]
        self._out += self._message(b"D", body)


def run_max(client: Client, seconds: float) -> float:
    """Orders acknowledged in a second."""
    under_way, done = 0, 0
    began = time.perf_counter()
    while (now := time.perf_counter()) - began < seconds:
        while under_way < fix_session.WINDOW:
            client.order()
            under_way += 1
        back = client.exchange(1.0)
        under_way -= back
        done += back
    while under_way:
        under_way -= client.exchange(1.0)
    return done / (now - began)


def run_open(client: Client, seconds: float, rate: float) -> dict[str, float]:
    latencies = fix_session.open_load(client, seconds, rate)
    return {
        "p50_ms": 1e3 * latencies[len(latencies) // 2],
        "p99_ms": 1e3 * latencies[int(0.99 * len(latencies))],
    }


def measure(seconds: float, rate: float) -> dict[str, float]:
    """Medians of several runs, each against a house of its own."""
    found: dict[str, list[float]] = {}
    for _ in range(RUNS):
        port = free_port()
        with fresh(("--fix-port", str(port))):
            client = Client(port)
            run_max(client, WARM_S)
            values = {"orders_per_s": run_max(client, seconds), **run_open(client, seconds, rate)}
            client.socket.close()
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    return {name: round(median(values), 3) for name, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=5_000.0)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    os.sched_setaffinity(0, OTHERS)
    table: dict[str, dict[str, Any]] = {"fondaco": measure(asked.seconds, asked.rate)}
    if asked.peer:
        echoed = fix_session.measure(fix_session.PEER, asked.seconds, asked.rate)
        table["quickfix echo"] = {
            "orders_per_s": echoed["round_trips_per_s"],
            "p50_ms": echoed["p50_ms"],
            "p99_ms": echoed["p99_ms"],
        }
        ratio = table["fondaco"]["orders_per_s"] / echoed["round_trips_per_s"]
        table["ratio"] = {"orders_per_s": round(ratio, 2)}
    if asked.json:
        sys.stdout.write(json.dumps(table) + "\n")
        return
    for name, values in table.items():
        said = "  ".join(f"{key} {value:g}" for key, value in values.items())
        sys.stdout.write(f"{name:14} {said}\n")


if __name__ == "__main__":
    main()
