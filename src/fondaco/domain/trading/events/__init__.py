"""What the trading room accepts and what it publishes. Other rooms may rely on all of it."""

from typing import Final, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from fondaco.domain.market.model import Mark
from fondaco.domain.reference.model import Symbol
from fondaco.domain.trading.events.amending import FillBusted as FillBusted
from fondaco.domain.trading.events.amending import FillCorrected as FillCorrected
from fondaco.domain.trading.events.amending import RecordBust as RecordBust
from fondaco.domain.trading.events.contracts import ContractPaid as ContractPaid
from fondaco.domain.trading.events.contracts import SettleContract as SettleContract
from fondaco.domain.trading.events.costs import Charged as Charged
from fondaco.domain.trading.events.costs import GainConverted as GainConverted
from fondaco.domain.trading.events.costs import OwnFees as OwnFees
from fondaco.domain.trading.events.costs import OwnFeesSet as OwnFeesSet
from fondaco.domain.trading.events.costs import RollSession as RollSession
from fondaco.domain.trading.events.costs import SetOwnFees as SetOwnFees
from fondaco.domain.trading.events.costs import SwapCharged as SwapCharged
from fondaco.domain.trading.events.filling import OrderFilled as OrderFilled
from fondaco.domain.trading.events.finality import FillConfirmed as FillConfirmed
from fondaco.domain.trading.events.finality import FillFailed as FillFailed
from fondaco.domain.trading.events.finality import FillMatched as FillMatched
from fondaco.domain.trading.events.finality import RecordFinality as RecordFinality
from fondaco.domain.trading.events.margin import CheckEquity as CheckEquity
from fondaco.domain.trading.events.margin import Covered as Covered
from fondaco.domain.trading.events.margin import LiquidationBegan as LiquidationBegan
from fondaco.domain.trading.events.margin import LiquidationEnded as LiquidationEnded
from fondaco.domain.trading.events.margin import MarginEased as MarginEased
from fondaco.domain.trading.events.margin import MarginWarned as MarginWarned
from fondaco.domain.trading.events.margin import NegativeBalanceCovered as NegativeBalanceCovered
from fondaco.domain.trading.events.moving import AccountMadeVirtual as AccountMadeVirtual
from fondaco.domain.trading.events.moving import AccountReset as AccountReset
from fondaco.domain.trading.events.moving import FillsSettled as FillsSettled
from fondaco.domain.trading.events.moving import FillUnsettled as FillUnsettled
from fondaco.domain.trading.events.moving import ReceiveTransfer as ReceiveTransfer
from fondaco.domain.trading.events.moving import ResetAccount as ResetAccount
from fondaco.domain.trading.events.moving import ResetBalance as ResetBalance
from fondaco.domain.trading.events.moving import ReturnTransfer as ReturnTransfer
from fondaco.domain.trading.events.moving import SendTransfer as SendTransfer
from fondaco.domain.trading.events.moving import Settled as Settled
from fondaco.domain.trading.events.moving import SettleFills as SettleFills
from fondaco.domain.trading.events.moving import SettleTransfer as SettleTransfer
from fondaco.domain.trading.events.moving import TransferPosted as TransferPosted
from fondaco.domain.trading.events.moving import TransferReceived as TransferReceived
from fondaco.domain.trading.events.moving import TransferReturned as TransferReturned
from fondaco.domain.trading.events.moving import TransferSent as TransferSent
from fondaco.domain.trading.events.moving import TransferVoided as TransferVoided
from fondaco.domain.trading.events.pooling import AllocationBooked as AllocationBooked
from fondaco.domain.trading.events.pooling import BookAllocation as BookAllocation
from fondaco.domain.trading.events.pooling import Fill as Fill
from fondaco.domain.trading.events.trades import CheckCover as CheckCover
from fondaco.domain.trading.events.trades import PositionBared as PositionBared
from fondaco.domain.trading.events.trades import SetTradeRules as SetTradeRules
from fondaco.domain.trading.events.trades import TradeRulesSet as TradeRulesSet
from fondaco.domain.trading.model import (
    AccountType,
    ClOrdId,
    Contingency,
    Excess,
    Headroom,
    Limits,
    Order,
    OrdStatus,
    OrdType,
    Reason,
    SelfMatch,
    Side,
    TimeInForce,
    TradingState,
)
from fondaco.kernel.event import Command, Event, Instant
from fondaco.kernel.money import AssetCode

# What a venue says of an order by cash (CashOrderQty) once its cash buys, or raises, no lot more.
CASH_SPENT: Final = "cash_spent"

# --- What is asked ------------------------------------------------------------------------------


class Ask(msgspec.Struct, frozen=True, gc=False):
    """One order as it is asked for. FIX NewOrderSingle (35=D). Amounts are still text: only the
    account's instrument says what a lot and a tick are. `None` and "" mean: not given."""

    cl_ord_id: ClOrdId
    symbol: Symbol
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    order_qty: str = ""
    price: str = ""
    stop_px: str = ""
    trail_offset: str = ""
    display_qty: str = ""
    cash_order_qty: str = ""
    expire_time: Instant = Instant(0)
    post_only: bool = False
    reduce_only: bool = False
    # Added later: left out of the fingerprint where not given, so that retries stay retries.
    self_match: SelfMatch | UnsetType = UNSET
    midpoint: bool | UnsetType = UNSET
    min_qty: str | UnsetType = UNSET


class OpenAccount(Command, frozen=True, gc=False):
    tenant: str
    name: str = ""
    virtual: bool = False  # nothing in it is anybody's money: it may be reset
    account_type: AccountType = AccountType.CASH


class PlaceOrder(Command, frozen=True, gc=False):
    """Ask to buy or sell. FIX NewOrderSingle (35=D)."""

    ask: Ask


class PlaceOrders(Command, frozen=True, gc=False):
    """All of them or none, in one turn. FIX NewOrderList (35=E). With a contingency they belong
    together: two for an OCO; entry, take-profit and stop-loss for a bracket."""

    asks: tuple[Ask, ...]
    contingency: Contingency | None = None


class CancelOrder(Command, frozen=True, gc=False):
    """FIX OrderCancelRequest (35=F). `number` names the order."""

    number: int
    reason: str = "requested"  # or "news"


class CancelOrders(Command, frozen=True, gc=False):
    """FIX OrderMassCancelRequest (35=q): all working orders, or those of a symbol and/or a side."""

    symbol: Symbol | None = None
    side: Side | None = None
    reason: str = "requested"  # or "kill", "halt"


class ReplaceOrder(Command, frozen=True, gc=False):
    """FIX OrderCancelReplaceRequest (35=G). What is "" stays. `cl_ord_id` names the new terms."""

    number: int
    cl_ord_id: ClOrdId
    order_qty: str = ""
    price: str = ""
    stop_px: str = ""


class ClosePositions(Command, frozen=True, gc=False):
    """Cancel what works, then sell every position (or that of `symbol`) at market, reduce-only."""

    symbol: Symbol | None = None


class RecordDeposit(Command, frozen=True, gc=False):
    asset: AssetCode
    amount: str


class Withdraw(Command, frozen=True, gc=False):
    asset: AssetCode
    amount: str


class SetLimits(Command, frozen=True, gc=False):
    """`None` goes back to those of the house."""

    limits: Limits | None
    reason: str = ""


class SetTradingState(Command, frozen=True, gc=False):
    state: TradingState
    reason: str
    by: str = ""


class RecordExecution(Command, frozen=True, gc=False):
    """A venue executed. FIX ExecutionReport (35=8), ExecType (150) = F. `exec_number` counts this
    venue's executions of this order: 1, 2, 3 …"""

    number: int
    symbol: Symbol
    side: Side
    exec_number: int
    fills: tuple[Fill, ...]
    is_maker: bool


class RecordEnd(Command, frozen=True, gc=False):
    """A venue has done with an order: ExecType 4 (canceled), C (expired) or 8 (rejected)."""

    number: int
    ord_status: OrdStatus  # CANCELED, EXPIRED or REJECTED
    text: str  # CASH_SPENT, "no_liquidity" …


class RecordReplaced(Command, frozen=True, gc=False):
    """A venue took the new terms: ExecType 5. Or (`is_restated`) it took something off an order by
    itself, as self-match prevention does: ExecType D."""

    number: int
    lots: int
    px: int
    is_restated: bool = False


class RecordDenial(Command, frozen=True, gc=False):
    """A venue will not cancel or replace. FIX OrderCancelReject (35=9)."""

    number: int
    text: str  # "too_late", "unknown_order"


class RecordSilence(Command, frozen=True, gc=False):
    """A venue has not answered in time: the order becomes UNKNOWN until a report resolves it."""

    number: int


class RecordStanding(Command, frozen=True, gc=False):
    """A venue that was silent says that the order works there, as far executed as we know."""

    number: int


class TriggerOrder(Command, frozen=True, gc=False):
    """A mark has reached a stop, says the follower that watches; the account decides whether so."""

    number: int
    mark: Mark


class TrailOrder(Command, frozen=True, gc=False):
    """A mark has moved away from a trailing stop, which follows."""

    number: int
    mark: Mark


class ExpireOrders(Command, frozen=True, gc=False):
    """Time has passed: whatever is due at `at` expires."""


# --- What happened ------------------------------------------------------------------------------


class AccountOpened(Event, frozen=True, gc=False, tag="trading.account_opened.v1"):
    tenant: str
    currency: AssetCode
    name: str
    account_type: AccountType = AccountType.CASH


class SessionRolled(Event, frozen=True, gc=False, tag="trading.session_rolled.v1"):
    """A new trading day; daily loss is measured from `equity` on."""

    day: int  # days since 1970, in the session's time zone
    equity: int


class OrderAccepted(Event, frozen=True, gc=False, tag="trading.order_accepted.v1"):
    """The order works from here on. FIX ExecutionReport (35=8), ExecType (150) = 0 (New)."""

    order: Order
    headroom: Headroom
    marks: tuple[Mark, ...]  # that the rules used
    notional: int = 0  # in the account's currency, as the rate rules count it
    pace_ms: int = 0  # width of a slot of the rate window then; 0: no rate rule was on
    duplicate_ms: int = 0  # the duplicate window then; 0: the rule was off


class OrderRejected(Event, frozen=True, gc=False, tag="trading.order_rejected.v1"):
    """We refused; ExecType (150) = 8. `excess` is there for reasons that measure something."""

    number: int
    cl_ord_id: ClOrdId
    symbol: Symbol
    side: Side
    reason: Reason
    text: str
    excess: Excess | None
    headroom: Headroom
    marks: tuple[Mark, ...]
    order_qty: str = ""
    price: str = ""
    ord_type: OrdType = OrdType.LIMIT


class OrderTriggered(Event, frozen=True, gc=False, tag="trading.order_triggered.v1"):
    """A stop goes to the venue: ExecType L. `px` is the limit it goes with."""

    number: int
    mark: Mark
    px: int
    hold: int
    order: Order  # as it goes to the venue, with this `px` and `hold`


class OrderTrailed(Event, frozen=True, gc=False, tag="trading.order_trailed.v1"):
    number: int
    stop_px: int
    mark: Mark


class OrderReleased(Event, frozen=True, gc=False, tag="trading.order_released.v1"):
    """A suspended child begins to work, or works for more: its parent has executed."""

    number: int
    lots: int
    hold: int
    order: Order  # as it works from here on: `lots` are all that were released; `at_venue` is where


class CancelRequested(Event, frozen=True, gc=False, tag="trading.cancel_requested.v1"):
    """ExecType 6 (PendingCancel): the venue must answer. So does an order that expires while it is
    at a venue, with the reason "expired"; the answer is then RecordEnd with EXPIRED."""

    number: int
    reason: str
    symbol: Symbol
    mic: str = "PAPER"  # the venue that is asked


class OrderCanceled(Event, frozen=True, gc=False, tag="trading.order_canceled.v1"):
    """ExecType 4. The whole hold is released."""

    number: int
    reason: str
    cum_lots: int
    symbol: Symbol = Symbol("")  # "": not said


class OrderExpired(Event, frozen=True, gc=False, tag="trading.order_expired.v1"):
    """ExecType C. The whole hold is released."""

    number: int
    cum_lots: int
    symbol: Symbol = Symbol("")  # "": not said


class OrderCompleted(Event, frozen=True, gc=False, tag="trading.order_completed.v1"):
    """An order by cash has executed all that its cash is good for: ExecType D (restated), OrdStatus
    2 (filled). Its OrderQty was what the cash might at best have been good for; from here on it is
    `cum_lots`. The whole hold is released."""

    number: int
    symbol: Symbol
    cum_lots: int


class OrderRefused(Event, frozen=True, gc=False, tag="trading.order_refused.v1"):
    """The venue rejected what the account had accepted: ExecType 8. The hold is released."""

    number: int
    text: str
    symbol: Symbol = Symbol("")  # "": not said


class ReplaceRequested(Event, frozen=True, gc=False, tag="trading.replace_requested.v1"):
    """ExecType E (PendingReplace). `hold` covers the old terms and the new ones."""

    number: int
    cl_ord_id: ClOrdId
    lots: int
    px: int
    hold: int
    symbol: Symbol
    mic: str = "PAPER"  # the venue that is asked


class OrderReplaced(Event, frozen=True, gc=False, tag="trading.order_replaced.v1"):
    """ExecType 5; or D (restated), with the `cl_ord_id` it had, where its group changes it."""

    number: int
    cl_ord_id: ClOrdId
    lots: int
    px: int
    stop_px: int
    hold: int
    ord_status: OrdStatus
    hold_px: int = 0  # see Order; 0: `px`
    spare: int = 0


class ChangeDenied(Event, frozen=True, gc=False, tag="trading.change_denied.v1"):
    """A cancel or replace that will not be: FIX OrderCancelReject (35=9)."""

    number: int
    ord_status: OrdStatus
    text: str
    hold: int = -1  # of the order, after this; -1: as it was


class OrderUnknown(Event, frozen=True, gc=False, tag="trading.order_unknown.v1"):
    """The venue is silent. The whole order counts until a report resolves it."""

    number: int


class OrderResolved(Event, frozen=True, gc=False, tag="trading.order_resolved.v1"):
    """The venue was silent and has said that the order works. What was asked of it stays asked."""

    number: int
    ord_status: OrdStatus


class CashDeposited(Event, frozen=True, gc=False, tag="trading.cash_deposited.v1"):
    asset: AssetCode
    units: int
    value: int  # in the account's currency, so that daily loss does not see it; -1: not known


class CashWithdrawn(Event, frozen=True, gc=False, tag="trading.cash_withdrawn.v1"):
    asset: AssetCode
    units: int
    value: int


class TransferRefused(Event, frozen=True, gc=False, tag="trading.transfer_refused.v1"):
    asset: AssetCode
    text: str
    limit: str  # what could have been moved


class LimitsSet(Event, frozen=True, gc=False, tag="trading.limits_set.v1"):
    limits: Limits | None
    reason: str


class TradingStateSet(Event, frozen=True, gc=False, tag="trading.trading_state_set.v1"):
    state: TradingState
    reason: str
    by: str = ""  # "": not known


class NothingToDo(Event, frozen=True, gc=False, tag="trading.nothing_to_do.v1"):
    """A command that found nothing to act on, such as a mass cancel with no working orders."""

    text: str


class ReportUnmatched(Event, frozen=True, gc=False, tag="trading.report_unmatched.v1"):
    """We were told something this account cannot place: late, twice, not ours. Nothing changed."""

    number: int
    text: str


TradingCommand: TypeAlias = (
    OpenAccount
    | PlaceOrder
    | PlaceOrders
    | CancelOrder
    | CancelOrders
    | ReplaceOrder
    | ClosePositions
    | RecordDeposit
    | Withdraw
    | SendTransfer
    | ReceiveTransfer
    | SettleTransfer
    | ReturnTransfer
    | SettleFills
    | ResetAccount
    | SetLimits
    | SetTradingState
    | RecordExecution
    | RecordBust
    | RecordEnd
    | RecordReplaced
    | RecordDenial
    | RecordSilence
    | RecordStanding
    | TriggerOrder
    | TrailOrder
    | CheckEquity
    | SettleContract
    | SetOwnFees
    | SetTradeRules
    | CheckCover
    | RollSession
    | RecordFinality
    | BookAllocation
    | ExpireOrders
)
TradingEvent: TypeAlias = (
    AccountOpened
    | SessionRolled
    | OrderAccepted
    | OrderRejected
    | OrderFilled
    | FillBusted
    | FillCorrected
    | OrderTriggered
    | OrderTrailed
    | OrderReleased
    | CancelRequested
    | OrderCanceled
    | OrderExpired
    | OrderCompleted
    | OrderRefused
    | ReplaceRequested
    | OrderReplaced
    | ChangeDenied
    | OrderUnknown
    | OrderResolved
    | CashDeposited
    | CashWithdrawn
    | TransferRefused
    | AccountMadeVirtual
    | TransferSent
    | TransferReceived
    | TransferReturned
    | TransferPosted
    | TransferVoided
    | FillUnsettled
    | FillsSettled
    | AccountReset
    | LimitsSet
    | TradingStateSet
    | MarginWarned
    | MarginEased
    | LiquidationBegan
    | LiquidationEnded
    | NegativeBalanceCovered
    | ContractPaid
    | OwnFeesSet
    | TradeRulesSet
    | PositionBared
    | SwapCharged
    | GainConverted
    | FillMatched
    | FillConfirmed
    | FillFailed
    | AllocationBooked
    | NothingToDo
    | ReportUnmatched
)
