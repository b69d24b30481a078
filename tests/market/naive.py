"""The obvious way to keep an exchange's book: dicts, decimals and the standard library. An oracle,
and the peer of the benchmark."""

import json
from decimal import Decimal
from typing import Any

Side = dict[Decimal, Decimal]


class NaiveBook:
    """One instrument. Keeps every ticker, to be asked whether it agrees with the book."""

    def __init__(self) -> None:
        self.bids: Side = {}
        self.asks: Side = {}
        self.last = 0
        self.compared = 0
        self.different = 0
        self._early: list[dict[str, Any]] = []
        self._tickers: dict[int, tuple[Decimal, ...]] = {}

    def take(self, raw: bytes) -> None:
        message = json.loads(raw)
        data = message.get("data", message)
        if "lastUpdateId" in data:
            self._start(data)
        elif data.get("e") == "depthUpdate":
            if self.last:
                self._update(data)
            else:
                self._early.append(data)
        elif "B" in data:
            ticker = tuple(Decimal(data[key]) for key in "bBaA")
            self._tickers[data["u"]] = ticker
            if data["u"] == self.last:
                self._compare(ticker)

    def touch(self) -> tuple[Decimal, ...]:
        bid, ask = max(self.bids), min(self.asks)
        return bid, self.bids[bid], ask, self.asks[ask]

    def _start(self, snapshot: dict[str, Any]) -> None:
        self.last = snapshot["lastUpdateId"]
        for side, levels in ((self.bids, snapshot["bids"]), (self.asks, snapshot["asks"])):
            side |= {Decimal(px): Decimal(qty) for px, qty in levels}
        for update in self._early:
            if update["u"] > self.last:
                self._update(update)

    def _update(self, update: dict[str, Any]) -> None:
        if update["u"] <= self.last:
            return
        for side, levels in ((self.bids, update["b"]), (self.asks, update["a"])):
            for px_text, qty_text in levels:
                px, qty = Decimal(px_text), Decimal(qty_text)
                if qty:
                    side[px] = qty
                else:
                    side.pop(px, None)
        self.last = update["u"]
        if self.last in self._tickers:
            self._compare(self._tickers[self.last])

    def _compare(self, ticker: tuple[Decimal, ...]) -> None:
        self.compared += 1
        self.different += ticker != self.touch()
