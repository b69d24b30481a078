"""What the house decides about trading: what it lists, what it allows, what it charges."""

from typing import TypeAlias

from fondaco.domain.reference.model import (
    FeeFormula,
    Instrument,
    Limits,
    Margin,
    MarginRules,
    NewsItem,
    Session,
    Stage,
    Swap,
    Symbol,
    TradingState,
)
from fondaco.kernel.event import Command, Event
from fondaco.kernel.money import Asset, AssetCode

# --- What is asked. `by` is who asks, as the door knows them --------------------------------------


class ListInstrument(Command, frozen=True, gc=False):
    """Trade it from now on. Asked again at every start, with what the configuration says."""

    instrument: Instrument
    base: Asset
    quote: Asset
    by: str = ""


class SetHouseLimits(Command, frozen=True, gc=False):
    limits: Limits
    reason: str
    by: str = ""


class SetHouseState(Command, frozen=True, gc=False):
    """Of one instrument, or of the whole house where `symbol` is ""."""

    state: TradingState
    reason: str
    symbol: Symbol = Symbol("")
    by: str = ""


class RestrictInstruments(Command, frozen=True, gc=False):
    """The whole restricted list as it is to be."""

    symbols: tuple[Symbol, ...]
    reason: str
    by: str = ""


class SetFees(Command, frozen=True, gc=False):
    """In parts per million of the notional, or as the formula of an event contract has it; of the
    notional a maker's may be negative, which is a rebate. None: the formula that it has."""

    symbol: Symbol
    maker_fee_ppm: int
    taker_fee_ppm: int
    by: str = ""
    formula: FeeFormula | None = None


class SetSettlement(Command, frozen=True, gc=False):
    """When fills of an instrument settle from now on; those before keep their day. `calendar` None:
    the one that it has."""

    symbol: Symbol
    settle_days: int
    by: str = ""
    calendar: str | None = None
    confirms: bool | None = None


class SetSession(Command, frozen=True, gc=False):
    """Whoever asks has checked that the time zone exists: `api.check_time_zone`."""

    session: Session
    by: str = ""


class SetMargin(Command, frozen=True, gc=False):
    """Margin rates of an instrument; None: it must be paid for in full again."""

    symbol: Symbol
    margin: Margin | None
    reason: str
    by: str = ""


class SetHaircut(Command, frozen=True, gc=False):
    """How much of an asset's worth does not count as collateral, in parts per million."""

    asset: AssetCode
    haircut_ppm: int
    reason: str
    by: str = ""


class SetMarginRules(Command, frozen=True, gc=False):
    rules: MarginRules
    reason: str
    by: str = ""


class SetIssuer(Command, frozen=True, gc=False):
    """Who stands behind the base asset of an instrument; "": nobody."""

    symbol: Symbol
    issuer: str
    by: str = ""


class SetSwap(Command, frozen=True, gc=False):
    """What keeping a position costs overnight; None: nothing."""

    symbol: Symbol
    swap: Swap | None
    reason: str
    by: str = ""


class SetRoute(Command, frozen=True, gc=False):
    """Which venue new orders in an instrument go to, whatever its own is; "": its own."""

    symbol: Symbol
    mic: str
    reason: str
    by: str = ""


class AnnounceNews(Command, frozen=True, gc=False):
    """Announcements that are expected; one with an id that is known takes its place."""

    items: tuple[NewsItem, ...]
    reason: str
    by: str = ""


class RemoveNews(Command, frozen=True, gc=False):
    news_id: str
    reason: str
    by: str = ""


class MoveContract(Command, frozen=True, gc=False):
    """An event contract is in another stage, says its exchange or an operator. `payout`, in ticks a
    contract, is needed where it is determined; -1: not said."""

    symbol: Symbol
    stage: Stage
    reason: str
    payout: int = -1
    by: str = ""


class Kill(Command, frozen=True, gc=False):
    """Nothing new is accepted anywhere, whatever the states say, until `Unkill`."""

    reason: str
    by: str = ""


class Unkill(Command, frozen=True, gc=False):
    reason: str
    by: str = ""


# --- What happened ------------------------------------------------------------------------------


class InstrumentListed(Event, frozen=True, gc=False, tag="reference.instrument_listed.v1"):
    instrument: Instrument
    base: Asset
    quote: Asset
    by: str


class LimitsChanged(Event, frozen=True, gc=False, tag="reference.limits_changed.v1"):
    limits: Limits
    reason: str
    by: str


class StateChanged(Event, frozen=True, gc=False, tag="reference.state_changed.v1"):
    """`symbol` is "" where it is the house's own state."""

    symbol: Symbol
    state: TradingState
    reason: str
    by: str


class InstrumentsRestricted(
    Event, frozen=True, gc=False, tag="reference.instruments_restricted.v1"
):
    """The whole restricted list as it is from here on."""

    symbols: tuple[Symbol, ...]
    reason: str
    by: str


class FeesChanged(Event, frozen=True, gc=False, tag="reference.fees_changed.v1"):
    symbol: Symbol
    maker_fee_ppm: int
    taker_fee_ppm: int
    by: str
    formula: FeeFormula | None = None  # None: the one that it had


class SettlementChanged(Event, frozen=True, gc=False, tag="reference.settlement_changed.v1"):
    symbol: Symbol
    settle_days: int
    by: str
    calendar: str | None = None  # None: the one that it had
    confirms: bool | None = None  # None: as it was


class SessionChanged(Event, frozen=True, gc=False, tag="reference.session_changed.v1"):
    session: Session
    by: str


class MarginChanged(Event, frozen=True, gc=False, tag="reference.margin_changed.v1"):
    """Requirements are worked out by these rates from here on; None: the whole notional."""

    symbol: Symbol
    margin: Margin | None
    reason: str
    by: str


class HaircutChanged(Event, frozen=True, gc=False, tag="reference.haircut_changed.v1"):
    asset: AssetCode
    haircut_ppm: int
    reason: str
    by: str


class MarginRulesChanged(Event, frozen=True, gc=False, tag="reference.margin_rules_changed.v1"):
    rules: MarginRules
    reason: str
    by: str


class IssuerChanged(Event, frozen=True, gc=False, tag="reference.issuer_changed.v1"):
    symbol: Symbol
    issuer: str
    by: str


class NewsAnnounced(Event, frozen=True, gc=False, tag="reference.news_announced.v1"):
    """Announcements, new ones or in place of those with the same id; `over` are ids that are long
    over, and forgotten."""

    items: tuple[NewsItem, ...]
    over: tuple[str, ...]
    reason: str
    by: str


class NewsRemoved(Event, frozen=True, gc=False, tag="reference.news_removed.v1"):
    """It is not expected any more."""

    news_id: str
    reason: str
    by: str


class SwapChanged(Event, frozen=True, gc=False, tag="reference.swap_changed.v1"):
    """From the next session day that begins on; None: nothing is charged."""

    symbol: Symbol
    swap: Swap | None
    reason: str
    by: str


class RouteChanged(Event, frozen=True, gc=False, tag="reference.route_changed.v1"):
    """New orders in it go to the venue `mic`; "": to the instrument's own. Those that work stay."""

    symbol: Symbol
    mic: str
    reason: str
    by: str


class ContractMoved(Event, frozen=True, gc=False, tag="reference.contract_moved.v1"):
    """An event contract is in this stage from here on. Once it is settled, every position in it is
    paid `payout` ticks a contract, and what is open in it is canceled."""

    symbol: Symbol
    stage: Stage
    payout: int  # ticks a contract; -1: nobody has said
    reason: str
    by: str


class HouseKilled(Event, frozen=True, gc=False, tag="reference.house_killed.v1"):
    reason: str
    by: str


class HouseUnkilled(Event, frozen=True, gc=False, tag="reference.house_unkilled.v1"):
    """The states that were set before, or since, hold again."""

    reason: str
    by: str


class NothingChanged(Event, frozen=True, gc=False, tag="reference.nothing_changed.v1"):
    """It was so already."""

    text: str


class ChangeRefused(Event, frozen=True, gc=False, tag="reference.change_refused.v1"):
    """`reason` is permanent: "unknown_instrument", "terms_fixed", "limit_invalid" …"""

    reason: str
    text: str


ReferenceCommand: TypeAlias = (
    ListInstrument
    | SetHouseLimits
    | SetHouseState
    | RestrictInstruments
    | SetFees
    | SetSettlement
    | SetSession
    | SetMargin
    | SetHaircut
    | SetMarginRules
    | SetIssuer
    | SetSwap
    | AnnounceNews
    | RemoveNews
    | SetRoute
    | MoveContract
    | Kill
    | Unkill
)
ReferenceEvent: TypeAlias = (
    InstrumentListed
    | LimitsChanged
    | StateChanged
    | InstrumentsRestricted
    | FeesChanged
    | SettlementChanged
    | SessionChanged
    | MarginChanged
    | HaircutChanged
    | MarginRulesChanged
    | IssuerChanged
    | SwapChanged
    | NewsAnnounced
    | NewsRemoved
    | RouteChanged
    | ContractMoved
    | HouseKilled
    | HouseUnkilled
    | NothingChanged
    | ChangeRefused
)
