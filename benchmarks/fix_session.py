"""FIX round trips over one session on loopback: orders to a diagnostic acceptor, and back.

    python benchmarks/fix_session.py [--seconds 5] [--rate 5000] [--peer] [--json]

`max` keeps a window of orders under way; `open` sends at a rate whatever comes back, and takes each
latency from when the order was due, not from when it could be sent. The acceptor has core 0, the
load core 1; what the load does is in the figures. `--peer` runs the same against QuickFIX (PyPI
quickfix, dependency group `bench`) with its Python application in the same run, and prints the
ratio. Both check CompIDs, times, length, checksum and, where the dictionary is there, every field.
"""

import argparse
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from fondaco.domain.fix import encode

WINDOW = 256
RUNS = 3
LOGONS = 20  # attempts
HERE = Path(__file__).resolve().parent
ECHO = ("-m", "fondaco", "fix", "echo", "--port", "0")
PEER = (str(HERE / "peer_quickfix.py"),)
MARK = b"\x0135=D\x01"
BODY = [
    (11, b"ORDER-000001"),
    (21, b"1"),
    (38, b"100"),
    (40, b"2"),
    (44, b"101.25"),
    (54, b"1"),
    (55, b"EURUSD"),
    (59, b"0"),
    (60, b"20260102-10:11:12.123"),
]


class Client:
    """One session, from its logon on. Echoes come back in order: counting them is enough."""

    mark = MARK

    def __init__(self, port: int) -> None:
        self.number = 0
        self._tail = b""
        self._out = bytearray()
        for _ in range(LOGONS):  # the session before may still be ending
            self.socket = socket.create_connection(("127.0.0.1", port))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.number = 0
            self.socket.sendall(self._message(b"A", [(98, b"0"), (108, b"30")]))
            if b"\x0135=A\x01" in self.socket.recv(4_096):
                self.socket.setblocking(False)
                return
            time.sleep(0.1)
        raise SystemExit("the acceptor does not let us log on")

    def _message(self, msg_type: bytes, body: list[tuple[int, bytes]]) -> bytes:
        self.number += 1
        now = time.gmtime()
        head = [
            (35, msg_type),
            (34, b"%d" % self.number),
            (49, b"TW44"),
            (52, time.strftime("%Y%m%d-%H:%M:%S", now).encode()),
            (56, b"ISLD"),
        ]
        return encode("FIX.4.4", head + body)

    def order(self) -> None:
        self._out += self._message(b"D", BODY)

    def exchange(self, wait_s: float) -> int:
        """Send what can be sent; how many orders came back."""
        wants = [self.socket] if self._out else []
        readable, writable, _ = select.select([self.socket], wants, [], wait_s)
        if writable:
            sent = self.socket.send(self._out)
            del self._out[:sent]
        if not readable:
            return 0
        chunk = self.socket.recv(1 << 18)
        if not chunk:
            raise SystemExit("the acceptor has hung up")
        seen = self._tail + chunk
        if b"\x0135=j\x01" in seen:
            text = seen.partition(b"\x0158=")[2].partition(b"\x01")[0].decode("latin-1")
            raise SystemExit(f"an order is refused: {text}")
        self._tail = seen[-(len(self.mark) - 1) :]
        return seen.count(self.mark)


def run_max(port: int, seconds: float) -> dict[str, float]:
    client, under_way, done = Client(port), 0, 0
    began = time.perf_counter()
    while (now := time.perf_counter()) - began < seconds:
        while under_way < WINDOW:
            client.order()
            under_way += 1
        back = client.exchange(1.0)
        under_way -= back
        done += back
    client.socket.close()
    return {"round_trips_per_s": done / (now - began)}


def open_load(client: Any, seconds: float, rate: float) -> list[float]:
    """Orders of `client` at a rate, whatever comes back: seconds from when each was due to when its
    answer was read, the shortest first."""
    count = int(seconds * rate)
    due: deque[float] = deque()
    latencies: list[float] = []
    began, sent = time.perf_counter(), 0
    while len(latencies) < count:
        now = time.perf_counter() - began
        while sent < count and sent / rate <= now:
            due.append(sent / rate)
            client.order()
            sent += 1
        next_s = max(sent / rate - (time.perf_counter() - began), 0.0) if sent < count else 1.0
        back = client.exchange(min(next_s, 0.05))
        at = time.perf_counter() - began
        latencies += [at - due.popleft() for _ in range(back)]
    return sorted(latencies)


def run_open(port: int, seconds: float, rate: float) -> dict[str, float]:
    client = Client(port)
    latencies = open_load(client, seconds, rate)
    client.socket.close()
    return {
        "rate_per_s": rate,
        "p50_ms": 1e3 * latencies[len(latencies) // 2],
        "p99_ms": 1e3 * latencies[int(0.99 * len(latencies))],
        "p999_ms": 1e3 * latencies[int(0.999 * len(latencies))],
    }


@contextmanager
def acceptor(command: Sequence[str]) -> Iterator[int]:
    def pin() -> None:
        os.sched_setaffinity(0, {0})

    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, preexec_fn=pin)
    try:
        assert process.stdout  # noqa: S101
        yield int(process.stdout.readline().decode().rpartition(":")[2])
    finally:
        process.terminate()
        process.wait()


def measure(command: Sequence[str], seconds: float, rate: float) -> dict[str, float]:
    """Medians of several runs, each against an acceptor of its own."""
    found: dict[str, list[float]] = {}
    for _ in range(RUNS):
        with acceptor(command) as port:
            run_max(port, min(seconds, 1.0))  # to warm it up
            time.sleep(0.2)
            values = run_max(port, seconds)
            time.sleep(0.2)
            values |= run_open(port, seconds, rate)
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
    os.sched_setaffinity(0, {os.cpu_count() - 1 if os.cpu_count() else 0})
    table: dict[str, dict[str, Any]] = {"fondaco": measure(ECHO, asked.seconds, asked.rate)}
    if asked.peer:
        table["quickfix"] = measure(PEER, asked.seconds, asked.rate)
        ours, theirs = table["fondaco"], table["quickfix"]
        table["ratio"] = {
            "round_trips_per_s": round(ours["round_trips_per_s"] / theirs["round_trips_per_s"], 2),
            "p99_ms": round(theirs["p99_ms"] / ours["p99_ms"], 2),
        }
    if asked.json:
        print(json.dumps(table))
        return
    for name, values in table.items():
        print(f"{name:10}", "  ".join(f"{key} {value:g}" for key, value in values.items()))


if __name__ == "__main__":
    main()
