"""What an account's balances should be by its statistics, beside what the ledger has.

For each asset: what it began with, what came and went, what round trips and open positions have
gained, less fees, less what open positions cost, is what the ledger's account holds. To the unit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from fondaco.domain.performance.model import TripBook
from fondaco.domain.reference.model import InstrumentKind
from fondaco.domain.trading.model import AccountHistory
from fondaco.kernel.money import AssetCode

PAID: Sequence[str] = ("deposit", "withdrawal")
MOVED: Sequence[str] = ("transfer_in", "transfer_out", "transfer_returned")


class AssetLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One asset, in ledger units. `difference` is nought, or something is wrong."""

    asset: AssetCode
    opening: int
    deposits: int  # less withdrawals
    transfers: int  # from other accounts, less those to them
    trips: int  # gained in round trips that have ended, before fees
    held: int  # gained so far by parts of positions that are closed
    fees: int  # taken
    financing: int  # received less paid
    other: int  # covered, converted, adjusted …
    cost: int  # less what open positions cost; of a base asset: what of it was bought and is held
    basis: int  # of contracts: what was paid out at once less what this method says was realized
    closing: int  # all of it
    ledger: int
    difference: int


def reconcile(
    history: AccountHistory, book: TripBook, ledger: Mapping[AssetCode, int]
) -> list[AssetLine]:
    """By asset. `ledger` is what the ledger has for this account."""
    sums: dict[AssetCode, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for asset, units in history.opening.items():
        sums[asset]["opening"] += units
    for flow in history.flows:
        sums[flow.asset][_column(flow.kind)] += flow.units
    realized: dict[AssetCode, int] = defaultdict(int)  # of contracts, by this method
    for trip in book.trips:
        of = sums[trip.currency]
        of["trips"] += trip.gross
        of["fees"] -= trip.fees
        if history.instruments[trip.symbol].kind is InstrumentKind.LINEAR:
            realized[trip.currency] += trip.gross
    for each in book.held:
        of, terms = sums[each.currency], history.instruments[each.symbol]
        of["held"] += each.realized
        of["fees"] -= each.fees
        if terms.kind is InstrumentKind.LINEAR:
            realized[each.currency] += each.realized
        else:
            of["cost"] -= each.cost
            sums[terms.base]["cost"] += each.lots * terms.base_per_lot
    for fill in history.fills:
        terms = history.instruments[fill.symbol]
        if terms.kind is InstrumentKind.LINEAR:
            sums[terms.quote]["basis"] += fill.realized
    for asset, units in realized.items():
        sums[asset]["basis"] -= units
    return [_line(asset, sums[asset], ledger.get(asset, 0)) for asset in sorted({*sums, *ledger})]


def _column(kind: str) -> str:
    if kind in PAID:
        return "deposits"
    if kind in MOVED:
        return "transfers"
    return "financing" if kind == "swap" else "other"


def _line(asset: AssetCode, of: Mapping[str, int], ledger: int) -> AssetLine:
    closing = sum(of.values())
    return AssetLine(
        asset=asset,
        opening=of.get("opening", 0),
        deposits=of.get("deposits", 0),
        transfers=of.get("transfers", 0),
        trips=of.get("trips", 0),
        held=of.get("held", 0),
        fees=of.get("fees", 0),
        financing=of.get("financing", 0),
        other=of.get("other", 0),
        cost=of.get("cost", 0),
        basis=of.get("basis", 0),
        closing=closing,
        ledger=ledger,
        difference=closing - ledger,
    )
