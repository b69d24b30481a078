"""An account's history as its statistics are made of: the fills that stand, and what else moved its
balances. Nothing is rounded, and nothing that moved a balance is left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from fondaco.domain.trading.model import AccountHistory, BalanceFlow, Refusal, TradedFill
from fondaco.domain.trading.replies import Terms, exec_id
from fondaco.domain.trading.store import days as d
from fondaco.domain.trading.store import tables as t
from fondaco.domain.trading.store.queries import owned_account, terms
from fondaco.kernel.event import Instant
from fondaco.kernel.money import AssetCode, half_even_div
from fondaco.runtime.projector import positions as stands_at

_UNDONE: Final = frozenset({"busted", "failed"})
_TRADED: Final = frozenset({"contract", "allocated"})


def account_history(conn: sa.Connection, tenant: str | None, account_id: str) -> AccountHistory:
    """Since it was opened or last reset. Raises `NotFound`, also for another tenant's."""
    row = owned_account(conn, tenant, account_id)
    printing = terms(conn)
    x = t.executions.c
    executed = conn.execute(
        sa.select(t.executions).where(x.account_id == account_id).order_by(x.position)
    ).all()
    flows = sorted(_flows(conn, account_id), key=lambda each: each.position)
    begins = max((each for each in flows if each.kind == "reset"), key=_position, default=None)
    since = begins.position if begins else -1
    opening: dict[AssetCode, int] = defaultdict(int)
    for flow in flows:
        if flow.position <= since:
            opening[flow.asset] += flow.units
    for each in executed:
        if each.position <= since:
            for asset, units in _moved(each, printing).items():
                opening[asset] += units
    lasting = [each for each in executed if each.position > since]
    found = _Sorting(printing, lasting)
    for flow in flows:
        if flow.position > since:
            found.take(flow)
    o = t.orders.c
    mine = (o.account_id == account_id, o.position > since)
    refused = conn.execute(
        sa.select(o.created_at, o.symbol, o.reason)
        .where(*mine, o.reason.is_not(None))
        .order_by(o.position)
    )
    return AccountHistory(
        account_id=account_id,
        name=row.name,
        currency=AssetCode(row.currency),
        opened_at=Instant(row.opened_at),
        begins_at=begins.at if begins else Instant(row.opened_at),
        opening=dict(opening),
        fills=found.fills(),
        flows=found.flows(),
        balances=_balances(conn, account_id),
        orders=_count(conn, *mine),
        canceled=_count(conn, *mine, o.ord_status == "canceled"),
        refusals=[Refusal(Instant(at), symbol, reason) for at, symbol, reason in refused],
        instruments={each.symbol: each for each in printing.listed()},
        assets=printing.assets(),
        position=stands_at(conn)[t.VIEW],
    )


def _position(flow: BalanceFlow) -> int:
    return flow.position


def _count(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(t.orders).where(*where)
    return int(conn.execute(query).scalar_one())


def _balances(conn: sa.Connection, account_id: str) -> dict[AssetCode, int]:
    b = t.balances.c
    rows = conn.execute(sa.select(b.asset, b.balance).where(b.account_id == account_id))
    return {AssetCode(asset): int(units) for asset, units in rows}


def _flows(conn: sa.Connection, account_id: str) -> Iterable[BalanceFlow]:
    m = t.transfers.c
    query = sa.select(m.position, m.at, m.asset, m.units).where(m.account_id == account_id)
    for position, at, asset, units in conn.execute(query):
        kind = "deposit" if int(units) > 0 else "withdrawal"
        yield BalanceFlow(position, Instant(at), kind, "", AssetCode(asset), int(units))
    v = d.movements.c
    rows = conn.execute(
        sa.select(v.position, v.at, v.kind, v.about, v.asset, v.units)
        .where(v.account_id == account_id)
        .order_by(v.position, v.leg)
    )
    for position, at, kind, about, asset, units in rows:
        yield BalanceFlow(position, Instant(at), kind, about, AssetCode(asset), int(units))


def _moved(row: Any, printing: Terms) -> dict[AssetCode, int]:
    """What an execution moved in balances."""
    of = printing.instrument(row.symbol)
    if row.is_contract:
        return {of.quote: int(row.realized) - int(row.fee)}
    sign = 1 if row.side == "buy" else -1
    paid = -sign * int(row.gross) - int(row.fee)
    return {of.base: sign * row.last_lots * of.base_per_lot, of.quote: paid}


class _Sorting:
    """Tells fills that stand from those that were none, and finds the fills among other flows."""

    def __init__(self, printing: Terms, executed: Sequence[Any]) -> None:
        self._printing = printing
        self._rows = executed
        self._left: dict[tuple[int, str], dict[AssetCode, int]] = {}  # of what was undone
        self._at: dict[tuple[int, str], Instant] = {}
        self._legs: dict[tuple[int, str, str], list[BalanceFlow]] = {}
        self._flows: list[BalanceFlow] = []
        self._undone: set[str] = set()

    def take(self, flow: BalanceFlow) -> None:
        if flow.kind in _UNDONE:
            key = (flow.position, flow.about)
            of = self._left.setdefault(key, defaultdict(int))
            of[flow.asset] += flow.units
            self._at[key] = flow.at
            self._undone.add(flow.about)
        elif flow.kind in _TRADED:
            self._legs.setdefault((flow.position, flow.kind, flow.about), []).append(flow)
        else:
            self._flows.append(flow)

    def fills(self) -> list[TradedFill]:
        """Those that stand, with what was traded otherwise, in the order of the journal."""
        found: list[TradedFill | tuple[str, list[BalanceFlow]]] = []
        by_about: dict[str, list[Any]] = defaultdict(list)
        for row in self._rows:
            about = f"{row.number}.{row.exec_number}"
            if about in self._undone:
                by_about[about].append(row)
            else:
                found.append(_fill(row))
        self._settle(by_about)
        found += [(kind, legs) for (_, kind, _), legs in self._legs.items()]
        found.sort(key=lambda each: _first(each))
        return self._with_legs(found)

    def _settle(self, by_about: dict[str, list[Any]]) -> None:
        """What was undone and came back differently is a flow of its own."""
        for (position, about), left in self._left.items():
            for row in by_about.pop(about, ()):
                for asset, units in _moved(row, self._printing).items():
                    left[asset] += units
            at = self._at[position, about]
            self._flows += [
                BalanceFlow(position, at, "adjustment", about, asset, units)
                for asset, units in sorted(left.items())
                if units
            ]

    def _with_legs(self, found: Sequence[Any]) -> list[TradedFill]:
        lots: dict[str, int] = defaultdict(int)
        made: list[TradedFill] = []
        for each in found:
            fill = each if isinstance(each, TradedFill) else self._of_legs(each[0], each[1], lots)
            if fill is not None:
                lots[fill.symbol] += fill.lots
                made.append(fill)
        return made

    def _of_legs(
        self, kind: str, legs: Sequence[BalanceFlow], lots: dict[str, int]
    ) -> TradedFill | None:
        """A block's share, or an event contract that has paid: only what was traded is a fill, what
        was paid in is none."""
        first = legs[0]
        symbol = first.about if kind == "contract" else first.about.rpartition(".")[0]
        of = self._printing.instrument(symbol)
        base = sum(each.units for each in legs if each.asset == of.base)
        cash = sum(each.units for each in legs if each.asset == of.quote)
        moved = base // of.base_per_lot if kind == "allocated" else -lots[symbol]
        gross = cash
        if base and moved * of.base_per_lot != base:
            gross = half_even_div(cash * abs(moved) * of.base_per_lot, abs(base))
        if not base or moved * base <= 0:
            moved = gross = 0
        rest = ((of.base, base - moved * of.base_per_lot), (of.quote, cash - gross))
        self._flows += [
            BalanceFlow(first.position, first.at, kind, symbol, asset, units)
            for asset, units in rest
            if units
        ]
        if not moved:
            return None
        return TradedFill(
            first.position, first.at, of.symbol, moved, abs(gross), 0, f"{kind}.{first.position}"
        )

    def flows(self) -> list[BalanceFlow]:
        """The others; once `fills` were asked for."""
        return sorted(self._flows, key=_position)


def _first(each: Any) -> int:
    position: int = each.position if isinstance(each, TradedFill) else each[1][0].position
    return position


def _fill(row: Any) -> TradedFill:
    lots = row.last_lots if row.side == "buy" else -row.last_lots
    name = exec_id(row.account_id, row.number, row.exec_number, row.part)
    return TradedFill(
        row.position, Instant(row.at), row.symbol, lots, int(row.gross), int(row.fee), name,
        int(row.realized),
    )  # fmt: skip
