"""Asks about accounts: opening, deposits and withdrawals, limits and trading states."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from fondaco.domain.reference import events as ref
from fondaco.domain.reference.model import (
    RATE_SCALE,
    Limits,
    SelfMatch,
    Symbol,
    SymbolText,
    TradingState,
    wrong_limit,
)
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api.orders import AccountText, ClOrdIdText, RefsNow, own_id
from fondaco.domain.trading.model import RESERVED, AccountType, TradingRefs, account_of
from fondaco.kernel.errors import Corrupt, Invalid, Refused, Taken
from fondaco.kernel.event import Entry, fingerprint, request_id
from fondaco.kernel.money import AssetCode, DecimalText, format_scaled, parse_scaled
from fondaco.kernel.operation import Stamp

AssetText = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,16}$", examples=["USD"])]
ReasonText = Annotated[str, Meta(min_length=1, max_length=200, examples=["agreed today"])]
BasisPoints = Annotated[int, Meta(ge=0, le=1_000_000)]
Count = Annotated[int, Meta(ge=0, le=10**12)]
Milliseconds = Annotated[int, Meta(ge=0, le=86_400_000)]
Direction = Literal["deposit", "withdrawal"]
SOME_LIMITS: Final = {"order_notional_max": "250000", "daily_loss_max": "10000", "orders_max": 100}


class OpenAccountRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account_id: AccountText
    name: Annotated[str, Meta(max_length=100)] = ""
    virtual: bool = False  # nothing in it is anybody's money: it may be reset
    account_type: AccountType = AccountType.CASH  # for good


class _Opening(msgspec.Struct, frozen=True):
    """What a request for a cash account was before there were others; its fingerprint stays."""

    account_id: str
    name: str
    virtual: bool


class AccountOpenedReply(msgspec.Struct, frozen=True):
    account_id: str
    currency: str
    position: int
    account_type: AccountType


class TransferRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`transfer_id` is yours, as a cl_ord_id is: the same transfer sent again moves nothing."""

    account_id: AccountText
    asset: AssetText
    amount: DecimalText
    transfer_id: ClOrdIdText | None = None


class EitherTransferRequest(TransferRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    direction: Direction


class TransferReply(msgspec.Struct, frozen=True):
    account_id: str
    direction: Direction
    asset: str
    amount: str
    position: int


class LimitsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Decimals as text, in units and in the account's currency; what is left out is off."""

    order_qty_max: Annotated[dict[SymbolText, DecimalText], Meta(max_length=1_000)] = {}
    order_notional_max: DecimalText | None = None
    collar_bps: BasisPoints = 0
    position_max: Annotated[dict[SymbolText, DecimalText], Meta(max_length=1_000)] = {}
    concentration_max_bps: BasisPoints = 0
    class_concentration_max_bps: Annotated[dict[str, BasisPoints], Meta(max_length=100)] = {}
    issuer_concentration_max_bps: BasisPoints = 0  # in all that one issuer stands behind
    venue_concentration_max_bps: BasisPoints = 0  # in all that trades at one venue
    daily_loss_max: DecimalText | None = None
    orders_max: Count = 0  # within `rate_window_ms`
    notional_max: DecimalText | None = None  # within `rate_window_ms`
    rate_window_ms: Milliseconds = 1_000
    duplicate_window_ms: Milliseconds = 0
    market_protection_bps: BasisPoints = 500
    self_match_prevention: SelfMatch | None = None  # of orders that do not say; see POST /orders


class AccountLimitsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of this account instead of the house's; null goes back to those."""

    account_id: AccountText
    limits: LimitsBody | None
    reason: ReasonText


class HouseLimitsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limits: LimitsBody
    reason: ReasonText


Ppm = Annotated[int, Meta(gt=-RATE_SCALE, lt=RATE_SCALE)]


class FeeRates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In parts per million, as an instrument's. A maker's may be negative, which is a rebate."""

    maker_fee_ppm: Ppm
    taker_fee_ppm: Annotated[int, Meta(ge=0, lt=RATE_SCALE)]

    def __post_init__(self) -> None:
        if self.maker_fee_ppm < -self.taker_fee_ppm:
            raise ValueError("a rebate is at most what the taker pays")


class AccountFeesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this account pays in place of an instrument's fees; of every instrument that is not
    named, where `symbol` is left out. null: what everybody pays."""

    account_id: AccountText
    fees: FeeRates | None
    reason: ReasonText
    symbol: SymbolText | None = None


class AccountStateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account_id: AccountText
    state: TradingState
    reason: ReasonText


class HouseStateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of the whole house, or of one instrument."""

    state: TradingState
    reason: ReasonText
    symbol: SymbolText | None = None


class KillRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: ReasonText


class DoneReply(msgspec.Struct, frozen=True):
    """It is so from here on; `changed` is false where it was so before."""

    changed: bool
    position: int


def open_account(ask: OpenAccountRequest, stamp: Stamp) -> ev.OpenAccount:
    """Asked again by the same tenant it is the same; by another one it is refused. Raises `Invalid`
    for an id of those that only the house gives."""
    if ask.account_id.startswith(RESERVED):
        raise Invalid(f"ids that begin with {RESERVED} are the house's; choose another one")
    is_cash = ask.account_type is AccountType.CASH
    asked = fingerprint(_Opening(ask.account_id, ask.name, ask.virtual) if is_cash else ask)
    content = asked + fingerprint(KillRequest(stamp.tenant))
    return ev.OpenAccount(
        request_id("!open", content),
        stamp.at,
        stamp.tenant,
        ask.name,
        virtual=ask.virtual,
        account_type=ask.account_type,
    )


def opened(_: OpenAccountRequest, entries: Sequence[Entry]) -> AccountOpenedReply:
    for entry in entries:
        if isinstance(entry.event, ev.AccountOpened):
            account_id = account_of(entry.stream)
            event = entry.event
            return AccountOpenedReply(
                account_id, event.currency, entry.position, event.account_type
            )
    raise Taken("this account is open already; choose another id", code="key_reused")


def check_movable(account_id: str) -> None:
    """Raises `Invalid` for an account whose money is what a tier says, and moves by trading."""
    if account_id.startswith(RESERVED):
        raise Invalid(
            f"{account_id} is of an assessment: its money is what its tier says, and only trading "
            "changes it; a payout is asked of the assessment"
        )


def deposit(ask: TransferRequest, stamp: Stamp) -> ev.RecordDeposit:
    check_movable(ask.account_id)
    return ev.RecordDeposit(_transfer_id(ask, stamp), stamp.at, AssetCode(ask.asset), ask.amount)


def withdraw(ask: TransferRequest, stamp: Stamp) -> ev.Withdraw:
    check_movable(ask.account_id)
    return ev.Withdraw(_transfer_id(ask, stamp), stamp.at, AssetCode(ask.asset), ask.amount)


def transfer(ask: EitherTransferRequest, stamp: Stamp) -> ev.RecordDeposit | ev.Withdraw:
    return (deposit if ask.direction == "deposit" else withdraw)(ask, stamp)


def _transfer_id(ask: TransferRequest, stamp: Stamp) -> Any:
    if ask.transfer_id is None:
        return own_id("transfer", ask, stamp)
    return request_id(f"!transfer/{ask.transfer_id}", fingerprint(ask))


class Transfers:
    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    def moved(self, ask: TransferRequest, entries: Sequence[Entry]) -> TransferReply:
        """Raises `Refused`, with what could have been moved."""
        for entry in entries:
            match entry.event:
                case ev.CashDeposited(asset, units):
                    return self._reply(ask, entry, "deposit", asset, units)
                case ev.CashWithdrawn(asset, units):
                    return self._reply(ask, entry, "withdrawal", asset, units)
                case ev.TransferRefused(_, text, limit):
                    raise Refused(
                        text, code="transfer_refused", limit=limit, position=entry.position
                    )
        raise Corrupt(f"a transfer left {[type(entry.event).__name__ for entry in entries]}")

    def _reply(
        self, ask: TransferRequest, entry: Entry, direction: Direction, asset: AssetCode, units: int
    ) -> TransferReply:
        amount = format_scaled(units, self._refs().assets[asset].decimals)
        return TransferReply(ask.account_id, direction, asset, amount, entry.position)


class LimitsReader:
    """Limits from text to whole lots and ledger units, and back."""

    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    def read(self, body: LimitsBody) -> Limits:
        """Raises `Invalid` for an instrument that is not listed, or a limit nobody can mean."""
        refs = self._refs()
        decimals = _decimals(refs)

        def money(text: str | None, what: str) -> int:
            return 0 if text is None else parse_scaled(text, decimals, what)

        limits = Limits(
            order_qty_max=self._lots(refs, body.order_qty_max, "order_qty_max"),
            order_notional_max=money(body.order_notional_max, "order_notional_max"),
            collar_bps=body.collar_bps,
            position_max=self._lots(refs, body.position_max, "position_max"),
            concentration_max_bps=body.concentration_max_bps,
            class_concentration_max_bps=body.class_concentration_max_bps,
            issuer_concentration_max_bps=body.issuer_concentration_max_bps,
            venue_concentration_max_bps=body.venue_concentration_max_bps,
            daily_loss_max=money(body.daily_loss_max, "daily_loss_max"),
            orders_max=body.orders_max,
            notional_max=money(body.notional_max, "notional_max"),
            rate_window_ms=body.rate_window_ms,
            duplicate_window_ms=body.duplicate_window_ms,
            market_protection_bps=body.market_protection_bps,
            self_match=body.self_match_prevention,
        )
        if wrong := wrong_limit(limits):
            raise Invalid(wrong)
        return limits

    def show(self, limits: Limits) -> LimitsBody:
        refs = self._refs()
        decimals = _decimals(refs)

        def money(units: int) -> str | None:
            return format_scaled(units, decimals) if units else None

        def lots(found: dict[Symbol, int]) -> dict[str, str]:
            return {
                symbol: refs.instruments[symbol].qty_text(count)
                for symbol, count in found.items()
                if symbol in refs.instruments
            }

        return LimitsBody(
            order_qty_max=lots(limits.order_qty_max),
            order_notional_max=money(limits.order_notional_max),
            collar_bps=limits.collar_bps,
            position_max=lots(limits.position_max),
            concentration_max_bps=limits.concentration_max_bps,
            class_concentration_max_bps=limits.class_concentration_max_bps,
            issuer_concentration_max_bps=limits.issuer_concentration_max_bps,
            venue_concentration_max_bps=limits.venue_concentration_max_bps,
            daily_loss_max=money(limits.daily_loss_max),
            orders_max=limits.orders_max,
            notional_max=money(limits.notional_max),
            rate_window_ms=limits.rate_window_ms,
            duplicate_window_ms=limits.duplicate_window_ms,
            market_protection_bps=limits.market_protection_bps,
            self_match_prevention=limits.self_match,
        )

    def _lots(self, refs: TradingRefs, found: dict[str, str], what: str) -> dict[Symbol, int]:
        lots: dict[Symbol, int] = {}
        for name, text in found.items():
            instrument = refs.instruments.get(Symbol(name))
            if instrument is None:
                raise Invalid(f"{what} names {name}, which is not listed here")
            lots[instrument.symbol] = instrument.lots(text, f"{what} of {name} as qty")
        return lots

    # The commands that need it

    def of_account(self, ask: AccountLimitsRequest, stamp: Stamp) -> ev.SetLimits:
        limits = None if ask.limits is None else self.read(ask.limits)
        return ev.SetLimits(own_id("limits", ask, stamp), stamp.at, limits, ask.reason)

    def of_house(self, ask: HouseLimitsRequest, stamp: Stamp) -> ref.SetHouseLimits:
        command_id = own_id("limits", ask, stamp)
        limits = self.read(ask.limits)
        return ref.SetHouseLimits(command_id, stamp.at, limits, ask.reason, stamp.caller)


def set_own_fees(ask: AccountFeesRequest, stamp: Stamp) -> ev.SetOwnFees:
    own = ask.fees
    fees = None if own is None else ev.OwnFees(own.maker_fee_ppm, own.taker_fee_ppm)
    command_id = own_id("fees", ask, stamp)
    return ev.SetOwnFees(command_id, stamp.at, fees, ask.reason, Symbol(ask.symbol or ""))


def set_state(ask: AccountStateRequest, stamp: Stamp) -> ev.SetTradingState:
    return ev.SetTradingState(
        own_id("state", ask, stamp), stamp.at, ask.state, ask.reason, stamp.caller
    )


def set_house_state(ask: HouseStateRequest, stamp: Stamp) -> ref.SetHouseState:
    return ref.SetHouseState(
        own_id("state", ask, stamp),
        stamp.at,
        ask.state,
        ask.reason,
        Symbol(ask.symbol or ""),
        stamp.caller,
    )


def kill(ask: KillRequest, stamp: Stamp) -> ref.Kill:
    return ref.Kill(own_id("kill", ask, stamp), stamp.at, ask.reason, stamp.caller)


def unkill(ask: KillRequest, stamp: Stamp) -> ref.Unkill:
    return ref.Unkill(own_id("unkill", ask, stamp), stamp.at, ask.reason, stamp.caller)


def done(_: Any, entries: Sequence[Entry]) -> DoneReply:
    """Raises `Refused` where the house would not."""
    last = entries[-1]
    match last.event:
        case ref.ChangeRefused(reason, text):
            raise Refused(text, code=reason, position=last.position)
        case ref.NothingChanged() | ev.NothingToDo():
            return DoneReply(False, last.position)
        case _:
            return DoneReply(True, last.position)


def _decimals(refs: TradingRefs) -> int:
    return refs.assets[refs.currency].decimals
