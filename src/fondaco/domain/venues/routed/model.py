"""What the house knows of orders that are at a counterparty: one stream per venue and symbol."""

from typing import Final

import msgspec

from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.model import OrdStatus, Side
from fondaco.kernel.event import Instant, StreamId

PREFIX: Final = "venue/"  # of every venue that is none of the house's own
ENDED_MAX: Final = 1_024  # orders that are done and whose late reports are still placed
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class RouteRefs(msgspec.Struct):
    """What a decision is given: whether the counterparty is logged on at this moment."""

    version: int
    is_up: bool


class Change(msgspec.Struct, gc=False, array_like=True):
    """A cancel, or a replace where `lots` is not 0, that they have not answered. `version` is that
    of the entry that asked."""

    version: int
    lots: int = 0
    px: int = 0
    reason: str = ""
    is_quiet: bool = False


class Ending(msgspec.Struct, gc=False, array_like=True):
    """How an order has ended whose last executions we have not heard yet."""

    ord_status: OrdStatus
    text: str


class Counted(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An execution that was counted, as the account knows it. 0 lots: it was taken back, or
    corrected by the report that `amended_by` names."""

    exec_number: int
    lots: int
    px: int
    is_maker: bool
    amended_by: str = ""


class Routed(msgspec.Struct, gc=False, array_like=True):
    """An order. Only `evolve` changes it. Lots are the account's; they count from `base_lots`."""

    account_stream: StreamId
    number: int
    name: str  # the ClOrdID that it was sent under
    cl_ord_id: str  # that it has now
    side: Side
    px: int
    lots: int
    base_lots: int
    cum_lots: int
    exec_number: int
    version: int  # of the entry that sent it
    order_id: str = ""  # theirs; it is acknowledged where we know one
    is_acknowledged: bool = False
    is_silent: bool = False
    is_done: bool = False
    told_lots: int = 0  # the most that they said has executed
    change_count: int = 0
    changes: dict[str, Change] = {}
    seen: dict[str, bool] = {}  # ExecIDs that were counted
    ending: Ending | None = None
    counted: dict[str, Counted] = {}  # by ExecID
    noted: str = ""  # the ExecID of the report that this turn is about

    @property
    def is_short(self) -> bool:
        """Whether they have executed more than they have told us."""
        return self.told_lots > self.cum_lots


class RoutedState(msgspec.Struct):
    """One symbol at one counterparty. `version` counts entries, as the stream does."""

    symbol: Symbol
    version: int = 0
    serial: int = 0  # orders ever sent
    orders: dict[int, Routed] = {}  # by serial; some that are done
    names: dict[str, int] = {}  # serials by every ClOrdID
    numbers: dict[StreamId, dict[int, int]] = {}  # serials of what works, by account and number
    done: list[int] = []  # serials, oldest first

    def find(self, account_stream: StreamId, number: int) -> Routed | None:
        """One that works."""
        serials = self.numbers.get(account_stream)
        serial = None if serials is None else serials.get(number)
        return None if serial is None else self.orders[serial]

    def named(self, *cl_ord_ids: str) -> Routed | None:
        """By any ClOrdID that it has had, done or not."""
        for each in cl_ord_ids:
            serial = self.names.get(each) if each else None
            if serial is not None:
                return self.orders[serial]
        return None

    def working(self) -> list[Routed]:
        return [order for order in self.orders.values() if not order.is_done]


def new_name(symbol: Symbol, at: Instant, serial: int) -> str:
    """A ClOrdID that this house, or another in its place, has never used: unlike a number alone it
    is not said again where a house begins anew with the same counterparty."""
    left, text = at // 1_000_000, ""
    while left:
        left, digit = divmod(left, 36)
        text = _DIGITS[digit] + text
    return f"{symbol}.{text}.{serial}"
