"""Rows of the trading room's tables while they are worked out."""

from typing import Any

import msgspec

from fondaco.domain.trading.store import tables as t
from fondaco.kernel.money import half_even_div
from fondaco.ports.bulk import INT64_MAX, stored


class Row(msgspec.Struct, gc=False):
    """One row of `orders`, its fields in the order of the columns."""

    position: int
    account_id: str
    number: int
    tenant: str
    cl_ord_id: str
    symbol: str
    side: str
    ord_type: str
    time_in_force: str | None
    ord_status: str
    lots: int
    px: int
    stop_px: int
    trail: int
    display_lots: int
    cash_qty: int
    expire_time: int
    exec_inst: str | None
    group_number: int
    contingency: str | None
    at_venue: int
    is_open: int
    hold: int
    cum_lots: int
    leaves_lots: int
    cum_cost: int
    fees: int
    last_exec: int
    last_part: int
    reason: str | None
    text: str | None
    asked_qty: str | None
    asked_px: str | None
    created_at: int
    updated_at: int
    last_position: int
    on_margin: int

    def values(self) -> tuple[Any, ...]:
        self.is_open = 0 if self.ord_status in t.DONE else 1
        if self.hold > INT64_MAX or self.cum_cost > INT64_MAX or self.cash_qty > INT64_MAX:
            return tuple(stored(value) for value in msgspec.structs.astuple(self))
        return msgspec.structs.astuple(self)

    def changes(self) -> tuple[Any, ...]:
        self.is_open = 0 if self.ord_status in t.DONE else 1
        return (
            self.ord_status, self.lots, self.px, self.stop_px, self.at_venue, self.is_open,
            stored(self.hold), self.cum_lots, self.leaves_lots, stored(self.cum_cost),
            stored(self.fees), self.last_exec, self.last_part, self.text, self.updated_at,
            self.last_position, self.position,
        )  # fmt: skip


class Balance(msgspec.Struct, gc=False):
    balance: int = 0
    held: int = 0
    last_position: int = 0
    is_new: bool = True  # there is no row yet


class Position(msgspec.Struct, gc=False):
    lots: int = 0
    cost: int = 0
    realized: int = 0
    fees: int = 0
    last_position: int = 0
    is_new: bool = True

    def trade(self, lots: int, gross: int) -> None:
        """`lots` are negative for a sale. Closes at average cost first, opens with the rest."""
        sign = 1 if lots > 0 else -1
        if self.lots * sign < 0:
            closing = min(abs(self.lots), abs(lots))
            at_cost = half_even_div(self.cost * closing, abs(self.lots))
            proceeds = half_even_div(gross * closing, abs(lots))
            self.realized -= sign * proceeds + at_cost
            self.cost -= at_cost
            gross -= proceeds
        self.cost += sign * gross
        self.lots += lots

    def untrade(self, lots: int, gross: int) -> None:
        """A trade of so many `lots` was none. What it had opened and is still there is gone at what
        it cost; else it is as if it had been traded back."""
        sign = 1 if lots > 0 else -1
        if self.lots * sign < abs(lots):
            self.trade(-lots, gross)
            return
        self.lots -= lots
        self.cost -= sign * gross
        if not self.lots:
            self.realized, self.cost = self.realized - self.cost, 0
