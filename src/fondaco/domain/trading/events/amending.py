"""A venue takes an execution back, or corrects it: FIX Trade Cancel and Trade Correct."""

from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.events.filling import OrderFilled
from fondaco.domain.trading.events.pooling import Fill
from fondaco.domain.trading.model import OrdStatus, Side
from fondaco.kernel.event import Command, Event
from fondaco.kernel.money import AssetCode


class RecordBust(Command, frozen=True, gc=False):
    """A venue says that its execution `ref_number` of an order was none (ExecType H), or that it
    was what `fill` says (G). `exec_number` counts this report among the venue's executions."""

    number: int
    symbol: Symbol
    side: Side
    exec_number: int
    ref_number: int
    fill: Fill | None
    is_maker: bool
    text: str


class FillBusted(Event, frozen=True, gc=False, tag="trading.fill_busted.v1"):
    """An execution is taken back: FIX ExecType (150) = H, `ref_number` is what ExecRefID (19) says.

    Amounts are what comes back: they differ from the fill's own by what its rounding had lent to
    later fills, so that the order has cost what the others cost without it. An order that works has
    that much more to execute; one that was done stays done, and is canceled where it was filled.
    """

    number: int
    symbol: Symbol
    side: Side
    exec_number: int
    ref_number: int
    last_lots: int
    last_px: int
    is_maker: bool
    gross: int  # ledger units of the quote asset: back to a buyer, back from a seller
    base_units: int  # ledger units of the base asset that move the other way
    fee: int
    residue: int
    hold: int  # of the order, after this
    cum_lots: int
    leaves_lots: int
    ord_status: OrdStatus
    base: AssetCode
    quote: AssetCode
    rest: int  # of the order, after this: see Order
    fee_rest: int
    is_contract: bool
    on_margin: bool
    realized: int  # on margin: the gain that was none
    position_cost: int  # on margin: of what is left of the position
    text: str  # what the venue said


class FillCorrected(Event, frozen=True, gc=False, tag="trading.fill_corrected.v1"):
    """An execution was another one: taken back, and booked as it was. FIX ExecType (150) = G."""

    number: int
    symbol: Symbol
    bust: FillBusted
    fill: OrderFilled

    @property
    def ord_status(self) -> OrdStatus:
        return self.fill.ord_status
