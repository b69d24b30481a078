"""What statistics of accounts are made of in a house: views, ledger, and the bars of its board."""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from fondaco.domain.ledger.store.postings import ledger_balances
from fondaco.domain.market.bars import INTERVALS, KEPT
from fondaco.domain.market.board import Board
from fondaco.domain.market.model import Bar
from fondaco.domain.performance.api import Sheets
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import PREFIX
from fondaco.domain.trading.store.traded import account_history
from fondaco.kernel.errors import FondacoError
from fondaco.kernel.money import AssetCode


def sheets(board: Callable[[], Board]) -> Sheets:
    """Of an instrument that the board does not show there are no bars."""

    def bars(symbol: Symbol, interval: str) -> Sequence[Bar]:
        try:
            return board().bars(symbol, interval, KEPT)
        except FondacoError:
            return ()

    return Sheets(QUERIES, INTERVALS, bars)


def _ledger(conn: Any, account_id: str) -> Mapping[AssetCode, int]:
    found = ledger_balances(conn, PREFIX + account_id)
    return {asset: units for (_, asset), units in found.items()}


QUERIES: Any = SimpleNamespace(history=account_history, ledger=_ledger)
