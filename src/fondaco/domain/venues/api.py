"""What can be asked of the house's own venue: to list an instrument there, to set its phase, and to
have its phases follow the days of an exchange. And what the gateway tells venues elsewhere."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fondaco.domain.identity.model import Scope
from fondaco.domain.reference.api import check_time_zone
from fondaco.domain.reference.events import ChangeRefused, InstrumentListed, ListInstrument
from fondaco.domain.reference.model import (
    EVENT,
    HOUSE_STREAM,
    RATE_SCALE,
    SETTLE_DAYS_MAX,
    Allocation,
    Instrument,
    InstrumentKind,
    Symbol,
    SymbolText,
    instrument,
)
from fondaco.domain.trading.api.accounts import AssetText, DoneReply, ReasonText, done
from fondaco.domain.trading.api.orders import RefsNow, own_id
from fondaco.domain.trading.api.terms import TimeZoneText
from fondaco.domain.venues.crossing.events import PhaseSet, SetPhase, SetSchedule, Uncrossed
from fondaco.domain.venues.crossing.model import MIC, Phase, Schedule, Step
from fondaco.domain.venues.crossing.schedule import STEPS_MAX, next_step, wrong_schedule
from fondaco.domain.venues.model import symbol_of, venue_stream
from fondaco.domain.venues.routed.events import CancelRouted as CancelRouted
from fondaco.domain.venues.routed.events import ExecutionBusted as ExecutionBusted
from fondaco.domain.venues.routed.events import HearDenial as HearDenial
from fondaco.domain.venues.routed.events import HearNothing as HearNothing
from fondaco.domain.venues.routed.events import HearReport as HearReport
from fondaco.domain.venues.routed.events import NeverLeft as NeverLeft
from fondaco.domain.venues.routed.events import OrderRouted as OrderRouted
from fondaco.domain.venues.routed.events import OrderSilent as OrderSilent
from fondaco.domain.venues.routed.events import ReplaceRouted as ReplaceRouted
from fondaco.domain.venues.routed.events import ReportNoted as ReportNoted
from fondaco.domain.venues.routed.events import TradeDisputed as TradeDisputed
from fondaco.domain.venues.routed.model import Routed as Routed
from fondaco.domain.venues.routed.model import RoutedState as RoutedState
from fondaco.kernel.errors import Invalid, NotFound, Refused
from fondaco.kernel.event import Entry, Instant, StreamId
from fondaco.kernel.money import Asset, AssetCode, DecimalText
from fondaco.kernel.operation import Ask, Do, Operation, Stamp

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
CRYPTO: Final = "crypto"
CASH_DECIMALS: Final = 8
CRYPTO_DECIMALS: Final = 9
AssetClassText = Annotated[str, Meta(pattern=r"^[a-z][a-z_]{0,31}$", examples=["equity"])]
StepText = Annotated[
    str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,9})?$", max_length=22, examples=["0.01"])
]


class PhaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`reference_price` decides an auction that ends by this and leaves its price open; without it
    the last trade does."""

    symbol: SymbolText
    phase: Phase
    reason: ReasonText
    reference_price: DecimalText | None = None


class UncrossedReply(msgspec.Struct, frozen=True):
    """An auction ended at `price`. `surplus` would have bought, or sold where it is negative."""

    price: str
    qty: str
    surplus: str
    trades: int


class PhaseReply(msgspec.Struct, frozen=True):
    """`uncrossed` is null where no auction ended, or nobody met anybody in it."""

    symbol: str
    phase: Phase
    uncrossed: UncrossedReply | None
    position: int


class StepLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`at` is what clocks in the schedule's time zone show."""

    at: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["09:30"])]
    phase: Phase


class ScheduleRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The phases of every day of business, in the order in which they come; the last one closes.
    Without steps the phases follow nobody but those who set them. `calendar` is an exchange's code
    (ISO 10383), WEEKDAYS, or "" for every day; left out, the one by which the instrument settles.
    What an operator has halted stays halted until an operator sets another phase."""

    symbol: SymbolText
    reason: ReasonText
    time_zone: TimeZoneText = "UTC"
    steps: Annotated[list[StepLine], Meta(max_length=STEPS_MAX)] = []
    calendar: Annotated[str, Meta(max_length=8, examples=["XNYS"])] | None = None


class ShowScheduleRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    symbol: SymbolText


class NextStep(msgspec.Struct, frozen=True):
    due: str
    phase: Phase


class ScheduleReply(msgspec.Struct, frozen=True):
    """Without steps there is no schedule, and so no next step."""

    symbol: str
    phase: Phase  # now
    time_zone: str
    calendar: str
    steps: list[StepLine]
    next: NextStep | None


class House(Protocol):
    def peek(self, stream: StreamId) -> Any:
        """The state of a stream's owner, if it is in memory; None if not."""
        ...

    def now(self) -> Instant: ...


class ListInstrumentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An instrument that trades on the house's own book. Tick and lot are for good.

    `reference_price` is what it is taken to be worth until it trades. A base asset that is new here
    is kept at nine decimals if it is of the class crypto, else at those of its lot; a quote asset
    that is new is money, at eight.
    """

    symbol: SymbolText
    base: AssetText
    quote: AssetText
    tick_size: StepText
    lot_size: StepText
    reference_price: DecimalText
    kind: Literal["spot", "linear"] = "spot"  # linear: a contract, for accounts on margin
    mic: Literal["CROSS"] = "CROSS"
    asset_class: AssetClassText = "equity"  # of a base asset that is new
    issuer: Annotated[str, Meta(max_length=64)] = ""
    maker_fee_ppm: Annotated[int, Meta(gt=-RATE_SCALE, lt=RATE_SCALE)] = 0
    taker_fee_ppm: Annotated[int, Meta(ge=0, lt=RATE_SCALE)] = 0
    settle_days: Annotated[int, Meta(ge=0, le=SETTLE_DAYS_MAX)] = 0
    # Who trades first at one price: who came first, or everybody in proportion to their size, after
    # whoever bettered the market ("pro_rata_top") or without such a one ("pro_rata").
    allocation: Allocation = Allocation.FIFO
    settle: AssetText | None = None  # what a linear contract settles in; null: its quote asset
    # What the book trades whole multiples of: smaller and uneven orders are pooled, so that anybody
    # may trade any number of lots. Without it every order goes to the book as it is.
    round_lot: StepText | UnsetType = UNSET


class ListedReply(msgspec.Struct, frozen=True):
    symbol: str
    mic: str
    tick_size: str
    lot_size: str
    position: int


class Venue:
    """Asks that need the house's reference data as they are now."""

    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    def set_phase(self, ask: PhaseRequest, stamp: Stamp) -> SetPhase:
        """Raises `NotFound` or `Invalid` for what does not trade on our own book."""
        terms = self._own(ask.symbol)
        px = 0 if ask.reference_price is None else terms.ticks(ask.reference_price)
        command_id = own_id("phase", ask, stamp)
        return SetPhase(command_id, stamp.at, ask.phase, ask.reason, stamp.caller, px)

    def phase_set(self, ask: PhaseRequest, entries: Sequence[Entry]) -> PhaseReply:
        terms, uncrossed = self._own(ask.symbol), None
        phase, position = ask.phase, entries[-1].position
        for entry in entries:
            match entry.event:
                case PhaseSet(set_to):
                    phase = set_to
                case Uncrossed(px, lots, surplus, trades) if lots:
                    uncrossed = UncrossedReply(
                        terms.px_text(px), terms.qty_text(lots), terms.qty_text(surplus), trades
                    )
        return PhaseReply(symbol_of(entries[0].stream), phase, uncrossed, position)

    def set_schedule(self, ask: ScheduleRequest, stamp: Stamp) -> SetSchedule:
        """Raises `NotFound` or `Invalid` for what does not trade on our own book, and `Invalid` for
        what cannot be followed."""
        terms, schedule = self._own(ask.symbol), None
        if ask.steps:
            check_time_zone(ask.time_zone)
            steps = tuple(Step(_minute(each.at), Phase(each.phase)) for each in ask.steps)
            calendar = terms.calendar if ask.calendar is None else ask.calendar
            schedule = Schedule(ask.time_zone, calendar, steps)
            wrong = wrong_schedule(schedule)
            if wrong:
                raise Invalid(wrong)
        command_id = own_id("schedule", ask, stamp)
        return SetSchedule(command_id, stamp.at, schedule, ask.reason, stamp.caller)

    async def schedule(self, ask: ShowScheduleRequest, stamp: Stamp, house: House) -> ScheduleReply:
        """Raises `NotFound` or `Invalid` for what does not trade on our own book."""
        self._own(ask.symbol)
        state = house.peek(venue_stream(Symbol(ask.symbol), MIC))
        phase = Phase.CONTINUOUS if state is None else state.phase
        schedule = None if state is None else state.schedule
        if schedule is None:
            return ScheduleReply(ask.symbol, phase, "", "", [], None)
        due = next_step(schedule, house.now())
        steps = [StepLine(_clock(each.minute), each.phase) for each in schedule.steps]
        return ScheduleReply(
            ask.symbol,
            phase,
            schedule.time_zone,
            schedule.calendar,
            steps,
            None if due is None else NextStep(_text(due.at), due.phase),
        )

    def list_instrument(self, ask: ListInstrumentRequest, stamp: Stamp) -> ListInstrument:
        """Raises `Invalid` for terms that make no sense."""
        if ask.asset_class == EVENT:
            raise Invalid("event contracts are listed by the feed that says how they end")
        base, quote = self._assets(ask)
        terms = instrument(
            ask.symbol,
            base,
            quote,
            tick=ask.tick_size,
            lot=ask.lot_size,
            maker=ask.maker_fee_ppm,
            taker=ask.taker_fee_ppm,
            kind=InstrumentKind(ask.kind),
        )
        for what, units in (("tick_size", terms.tick_units), ("lot_size", terms.lot_units)):
            if not units:
                raise Invalid(f"{what} is 0, must be positive")
        reference_px = terms.ticks(ask.reference_price, "reference_price")
        if not reference_px:
            raise Invalid("reference_price is 0, must be positive")
        if ask.maker_fee_ppm < -ask.taker_fee_ppm:
            raise Invalid(f"maker_fee_ppm is {ask.maker_fee_ppm}, gives more than the taker pays")
        round_lots = terms.lots(ask.round_lot, "round_lot (qty)") if ask.round_lot else 0
        if ask.round_lot and (not round_lots or ask.kind != "spot"):
            raise Invalid(f"round_lot is {ask.round_lot}, must be positive, and of spot")
        own = msgspec.structs.replace(
            terms,
            mic=MIC,
            round_lots=round_lots,
            issuer=ask.issuer,
            settle_days=ask.settle_days,
            settle=AssetCode(ask.settle or ""),
            reference_px=reference_px,
            allocation=ask.allocation,
        )
        command_id = own_id("list", ask, stamp)
        return ListInstrument(command_id, stamp.at, own, base, quote, stamp.caller)

    def _assets(self, ask: ListInstrumentRequest) -> tuple[Asset, Asset]:
        known, lot_decimals = self._refs().assets, len(ask.lot_size.partition(".")[2])
        is_crypto = ask.asset_class == CRYPTO
        base = Asset(
            AssetCode(ask.base),
            CRYPTO_DECIMALS if is_crypto else lot_decimals,
            8 if is_crypto else lot_decimals,
            ask.asset_class,
        )
        quote = Asset(AssetCode(ask.quote), CASH_DECIMALS, 2, "cash")
        return known.get(base.code, base), known.get(quote.code, quote)

    def _own(self, symbol: str) -> Instrument:
        found = self._refs().instruments.get(Symbol(symbol))
        if found is None:
            raise NotFound(f"{symbol} is not listed here", code="unknown_symbol")
        if found.mic != MIC:
            raise Invalid(f"{symbol} trades at {found.mic}, which has no phases of ours")
        return found


def listed(ask: ListInstrumentRequest, entries: Sequence[Entry]) -> ListedReply:
    """Raises `Refused` where it is listed already."""
    last = entries[-1]
    match last.event:
        case InstrumentListed(terms):
            return ListedReply(
                terms.symbol, terms.mic, terms.px_text(1), terms.qty_text(1), last.position
            )
        case ChangeRefused(reason, text):
            raise Refused(text, code=reason, position=last.position)
        case _:
            text = f"{ask.symbol} is listed already, with these terms"
            raise Refused(text, code="terms_fixed", position=last.position)


def _house(_: Any) -> StreamId:
    return HOUSE_STREAM


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _text(at: Instant) -> str:
    return (_EPOCH + timedelta(microseconds=at // 1_000)).isoformat().replace("+00:00", "Z")


def _own_stream(ask: PhaseRequest | ScheduleRequest) -> StreamId:
    return venue_stream(Symbol(ask.symbol), MIC)


def operations(refs: RefsNow) -> tuple[Operation[Any, Any], ...]:
    venue = Venue(refs)
    return (
        Ask(
            name="reference.list_instrument",
            summary="List an instrument that trades on the house's own book, from now on.",
            method="POST",
            path="/instruments",
            request=ListInstrumentRequest,
            reply=ListedReply,
            example={
                "symbol": "ACME-USD",
                "base": "ACME",
                "quote": "USD",
                "tick_size": "0.01",
                "lot_size": "1",
                "reference_price": "25.00",
            },
            scope=Scope.HOUSE_WRITE,
            errors=(Refused,),
            status=201,
            stream=_house,
            command=venue.list_instrument,
            answer=listed,
        ),
        Ask(
            name="venues.set_phase",
            summary="Set what an instrument does on our own book: auction, trading, halt, close.",
            method="PUT",
            path="/instruments/{symbol}/phase",
            request=PhaseRequest,
            reply=PhaseReply,
            example={"symbol": "FON-USD", "phase": "opening_auction"},
            scope=Scope.HOUSE_WRITE,
            errors=(NotFound,),
            stream=_own_stream,
            command=venue.set_phase,
            answer=venue.phase_set,
        ),
        Ask(
            name="venues.set_schedule",
            summary="Have an instrument's phases on our own book follow the days of a calendar.",
            method="PUT",
            path="/instruments/{symbol}/schedule",
            request=ScheduleRequest,
            reply=DoneReply,
            example={"symbol": "FON-USD", "reason": "no trading hours: it never closes"},
            scope=Scope.HOUSE_WRITE,
            errors=(NotFound,),
            stream=_own_stream,
            command=venue.set_schedule,
            answer=done,
        ),
        Do(
            name="venues.schedule",
            summary="The schedule of an instrument on our own book, and which step comes next.",
            method="GET",
            path="/instruments/{symbol}/schedule",
            request=ShowScheduleRequest,
            reply=ScheduleReply,
            example={"symbol": "FON-USD"},
            scope=Scope.HOUSE_READ,
            errors=(NotFound,),
            source="house",
            answer=venue.schedule,
        ),
    )
