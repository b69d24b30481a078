"""Somebody who trades with a house over FIX 4.4, so that its pages have something to show."""

import socket
import time
from datetime import UTC, datetime
from typing import Final

from playwright.sync_api import FilePayload

from fondaco.domain.fix import encode

ORDERS: Final = 24
GUESSES: Final = 8


class Counterparty:
    """Speaks and hardly listens: gaps are answered with the numbers that were left out."""

    def __init__(self, port: int, name: str) -> None:
        self.name, self.number = name, 1
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)

    def log_on(self, password: str = "") -> None:
        more = ((554, password),) if password else ()
        self.send("A", (98, "0"), (108, "30"), (141, "Y"), *more)

    def send(self, msg_type: str, *body: tuple[int, str]) -> None:
        now = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
        head = ((35, msg_type), (49, self.name), (56, "FONDACO"), (34, str(self.number)), (52, now))
        fields = [(tag, value.encode()) for tag, value in (*head, *body)]
        self.socket.sendall(encode("FIX.4.4", fields))
        self.number += 1

    def order(self, name: str, **terms: str) -> None:
        now = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
        said = {11: name, 21: "1", 55: "BTC-USD", 54: "1", 60: now, 38: "0.05", 40: "2",
                44: "49950.00", 59: "1"}  # fmt: skip
        said |= {int(tag[1:]): value for tag, value in terms.items()}
        self.send("D", *((tag, value) for tag, value in said.items() if value))


def a_morning_over_fix(port: int) -> list[Counterparty]:
    """Fills, working orders, cancels, refusals, a gap that stays open, and somebody who guesses
    passwords. Who trades and who watches stay logged on while they are held."""
    for _ in range(GUESSES):
        stranger = Counterparty(port, "WATCHER")
        stranger.number = 4_000  # ahead of everything that was said
        stranger.send("A", (98, "0"), (108, "30"), (553, "watcher"), (554, "guess"))
        stranger.socket.close()
    watcher, trader = Counterparty(port, "WATCHER"), Counterparty(port, "DEMO")
    watcher.log_on()
    trader.log_on()
    time.sleep(1)
    for nth in range(ORDERS):
        if nth % 4 == 1:
            trader.order(f"fix-{nth}", t40="1", t44="", t59="3", t54="12"[nth % 8 // 4])
        elif nth % 7 == 3:
            trader.order(f"fix-{nth}", t55="EUR-XXX", t58="is it listed yet?")
        else:
            trader.order(f"fix-{nth}", t44=f"{49_900 + nth}.00")
        if nth % 6 == 5:
            trader.send("F", (11, f"fix-{nth}-c"), (41, f"fix-{nth}"), (55, "BTC-USD"), (54, "1"),
                        (60, "20261122-02:00:00.000"))  # fmt: skip
        time.sleep(0.25)
    trader.number += 4
    trader.send("0")
    return [watcher, trader]


def yesterday() -> FilePayload:
    """A log of two sessions, one of which asks for what it has missed."""
    lines = []
    for nth in range(1, 60):
        ours, theirs = ("BROKER", "VENUE") if nth % 3 else ("DESK", "VENUE")
        time_ = f"20261121-14:{nth:02}:00.000"
        kind, *more = ("2", (7, "4"), (16, "0")) if nth == 41 else ("D", (11, f"y-{nth}"))
        said = ((35, kind), (49, ours), (56, theirs), (34, str(nth)), (52, time_), *more)
        lines.append(encode("FIX.4.4", [(tag, value.encode()) for tag, value in said]))
    return {"name": "yesterday.log", "mimeType": "text/plain", "buffer": b"\n".join(lines)}
