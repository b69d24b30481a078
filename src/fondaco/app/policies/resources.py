"""What a request is about: the instrument and notional of each of its orders."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from fondaco.app.house import Kernel
from fondaco.domain.identity.policy.model import Resource
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import AccountId, Order, account_stream

UNKNOWN: Final = "?"  # the instrument of an order that is not there


class Resources:
    """Looks at requests of any operation. What it cannot know it says so: a notional of None."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def of(self, accounts: Iterable[tuple[str, bool]], ask: Any) -> list[Resource]:
        """One for each order, or each account; `accounts` are with whether they are the caller's
        own."""
        owned = dict(accounts)
        orders = getattr(ask, "orders", None)
        if isinstance(orders, list):
            return [self._order(each, owned) for each in orders]
        if getattr(ask, "symbol", None) or getattr(ask, "order_id", None):
            account = next(iter(owned), "")
            return [self._order(ask, owned, account)]
        return [Resource(account, own) for account, own in owned.items()]

    def _order(self, ask: Any, owned: dict[str, bool], account: str = "") -> Resource:
        account = account or getattr(ask, "account_id", "") or ""
        own = owned.get(account, True)
        placed = None
        symbol: str = getattr(ask, "symbol", None) or ""
        if not symbol and getattr(ask, "order_id", None):
            placed = self._placed(account, ask.order_id)
            symbol = placed.symbol if placed else UNKNOWN
        return Resource(account, own, symbol, self._notional(symbol, ask, placed))

    def _placed(self, account: str, order_id: str) -> Order | None:
        """A working order by its id."""
        number = order_id.rpartition(".")[2]
        memory = self._kernel.peek(account_stream(AccountId(account)))
        if memory is None or not number.isdigit():
            return None
        found: Order | None = memory.state.working.get(int(number))
        return found

    def _notional(self, symbol: str, ask: Any, placed: Order | None) -> int | None:
        """In whole units of the quote asset, rounded up; 0 where nothing is bought or sold."""
        cash = _amount(getattr(ask, "cash_order_qty", None))
        if cash is not None:
            return _up(cash)
        qty = _amount(getattr(ask, "order_qty", None))
        px = _amount(getattr(ask, "price", None)) or _amount(getattr(ask, "stop_px", None))
        if qty is None and px is None:
            return 0
        listed = self._kernel.refs.instruments.get(Symbol(symbol))
        if listed is not None and placed is not None:
            qty = Decimal(listed.qty_text(placed.lots)) if qty is None else qty
            px = Decimal(listed.px_text(placed.px)) if px is None and placed.px else px
        if px is None:
            px = self._mark(symbol)
        return None if px is None or qty is None else _up(qty * px)

    def _mark(self, symbol: str) -> Decimal | None:
        mark = self._kernel.board.marks.get(Symbol(symbol))
        listed = self._kernel.refs.instruments.get(Symbol(symbol))
        if mark is None or listed is None:
            return None
        return Decimal(listed.px_text(mark.px))


def _amount(value: Any) -> Decimal | None:
    return Decimal(value) if isinstance(value, str) and value else None


def _up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))
