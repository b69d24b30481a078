"""The laws of the house's own stream. Pure: no clock, no randomness, no I/O, no await.

A listed instrument keeps its tick and its lot for ever, because whole ticks and lots are written in
every journal entry about it. So does an asset its scale.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from fondaco.domain.reference.events import (
    AnnounceNews,
    ChangeRefused,
    ContractMoved,
    FeesChanged,
    HaircutChanged,
    HouseKilled,
    HouseUnkilled,
    InstrumentListed,
    InstrumentsRestricted,
    IssuerChanged,
    Kill,
    LimitsChanged,
    ListInstrument,
    MarginChanged,
    MarginRulesChanged,
    MoveContract,
    NewsAnnounced,
    NewsRemoved,
    NothingChanged,
    ReferenceCommand,
    ReferenceEvent,
    RemoveNews,
    RestrictInstruments,
    RouteChanged,
    SessionChanged,
    SetFees,
    SetHaircut,
    SetHouseLimits,
    SetHouseState,
    SetIssuer,
    SetMargin,
    SetMarginRules,
    SetRoute,
    SetSession,
    SetSettlement,
    SetSwap,
    SettlementChanged,
    StateChanged,
    SwapChanged,
    Unkill,
)
from fondaco.domain.reference.holidays import CLOSED
from fondaco.domain.reference.model import (
    EVENT,
    NEWS_KEPT_NS,
    NEWS_MAX,
    NEXT,
    NOTIONAL,
    PAPER_MIC,
    RATE_SCALE,
    SETTLE_DAYS_MAX,
    WEEKDAYS,
    HouseState,
    Instrument,
    InstrumentKind,
    Outcome,
    Symbol,
    TradingState,
    wrong_limit,
    wrong_margin,
    wrong_margin_rules,
)
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import StreamId

MINUTES_A_DAY: Final = 1_440
LINEAR: Final = InstrumentKind.LINEAR


def initial(_: StreamId) -> HouseState:
    """A house that trades nothing yet."""
    return HouseState()


def decide(state: HouseState, command: ReferenceCommand, _: Refs) -> tuple[ReferenceEvent, ...]:
    """What happens if this is asked now. Never changes the state; never raises for a refusal."""
    return (_DECIDE[type(command)](state, command),)


def evolve(state: HouseState, event: ReferenceEvent) -> HouseState:
    """The house after this event. Every event makes a new edition of the reference data."""
    state.version += 1
    _EVOLVE[type(event)](state, event)
    return state


def _list(state: HouseState, ask: ListInstrument) -> ReferenceEvent:
    new, known = ask.instrument, state.instruments.get(ask.instrument.symbol)
    if (ask.base.code, ask.quote.code) != (new.base, new.quote) or new.base == new.quote:
        return ChangeRefused(
            "assets_mismatch",
            f"{new.symbol} is {new.base} in {new.quote}, not {ask.base.code} in {ask.quote.code}",
        )
    if min(new.tick_units, new.lot_units, new.cost_num, new.cost_den, new.base_per_lot) <= 0:
        return ChangeRefused("terms_invalid", f"{new.symbol} needs a positive tick and lot")
    if not new.fits_formula:
        return _unfit(new)
    if new.settle and (new.kind is not LINEAR or new.settle not in state.assets):
        return ChangeRefused(
            "terms_invalid",
            f"{new.symbol} cannot settle in {new.settle}: contracts alone do, in an asset that "
            "another instrument has listed",
        )
    for asset in (ask.base, ask.quote):
        if state.assets.get(asset.code, asset) != asset:
            return ChangeRefused(
                "terms_fixed", f"{asset.code} is kept as {state.assets[asset.code]} already"
            )
    if known is None:
        return InstrumentListed(new, ask.base, ask.quote, ask.by)
    # Fees, issuers and settlement have their own commands: a restart must not bring those of the
    # configuration back.
    same = msgspec.structs.replace(
        new,
        maker_fee_ppm=known.maker_fee_ppm,
        taker_fee_ppm=known.taker_fee_ppm,
        fee_formula=known.fee_formula,
        issuer=known.issuer,
        settle_days=known.settle_days,
        calendar=known.calendar,
        confirms=known.confirms,
    )
    if same == known:
        return NothingChanged(f"{new.symbol} is listed")
    return ChangeRefused("terms_fixed", f"{new.symbol} is listed already, as {known}")


def _limits(state: HouseState, ask: SetHouseLimits) -> ReferenceEvent:
    wrong = wrong_limit(ask.limits)
    if wrong:
        return ChangeRefused("limit_invalid", wrong)
    if ask.limits == state.limits:
        return NothingChanged("these are the limits")
    return LimitsChanged(ask.limits, ask.reason, ask.by)


def _state(state: HouseState, ask: SetHouseState) -> ReferenceEvent:
    if ask.symbol:
        if ask.symbol not in state.instruments:
            return _unknown(ask.symbol)
        before = state.states.get(ask.symbol, TradingState.ACTIVE)
    else:
        before = state.state
    if before is ask.state:
        return NothingChanged(f"{ask.symbol or 'the house'} is {before}")
    return StateChanged(ask.symbol, ask.state, ask.reason, ask.by)


def _restrict(state: HouseState, ask: RestrictInstruments) -> ReferenceEvent:
    for symbol in ask.symbols:
        if symbol not in state.instruments:
            return _unknown(symbol)
    symbols = tuple(sorted(frozenset(ask.symbols)))
    if frozenset(symbols) == state.restricted:
        return NothingChanged("this is the restricted list")
    return InstrumentsRestricted(symbols, ask.reason, ask.by)


def _fees(state: HouseState, ask: SetFees) -> ReferenceEvent:
    known = state.instruments.get(ask.symbol)
    if known is None:
        return _unknown(ask.symbol)
    maker, taker = ask.maker_fee_ppm, ask.taker_fee_ppm
    # A rebate beyond the taker's fee would pay people for trading with themselves.
    if not 0 <= taker < RATE_SCALE or not -taker <= maker < RATE_SCALE:
        return ChangeRefused(
            "fee_invalid",
            f"fees are {maker} and {taker} ppm, must be from 0 (maker: -taker) to 1e6",
        )
    formula = known.fee_formula if ask.formula is None else ask.formula
    new = msgspec.structs.replace(known, fee_formula=formula)
    if not new.fits_formula:
        return _unfit(new)
    if formula is not NOTIONAL and maker < 0:
        return ChangeRefused("fee_invalid", f"the formula {formula} knows no rebate for makers")
    before = (known.maker_fee_ppm, known.taker_fee_ppm, known.fee_formula)
    if before == (maker, taker, formula):
        return NothingChanged(f"these are the fees of {ask.symbol}")
    return FeesChanged(ask.symbol, maker, taker, ask.by, ask.formula)


def _swap(state: HouseState, ask: SetSwap) -> ReferenceEvent:
    if ask.symbol not in state.instruments:
        return _unknown(ask.symbol)
    swap = ask.swap
    if swap is not None and max(abs(swap.long_ppm), abs(swap.short_ppm)) >= RATE_SCALE:
        return ChangeRefused("swap_invalid", f"a swap is above -1e6 and below 1e6 ppm, not {swap}")
    if state.swaps.get(ask.symbol) == swap:
        return NothingChanged(f"this is the swap of {ask.symbol}")
    return SwapChanged(ask.symbol, swap, ask.reason, ask.by)


def _announce(state: HouseState, ask: AnnounceNews) -> ReferenceEvent:
    over = tuple(each.news_id for each in state.news.values() if each.at < ask.at - NEWS_KEPT_NS)
    new = tuple(each for each in ask.items if state.news.get(each.news_id) != each)
    strange = sorted({s for each in new for s in each.instruments if s not in state.instruments})
    if strange:
        return _unknown(strange[0])
    if not new:
        return NothingChanged("all of it is in the calendar")
    left = len({*state.news, *(each.news_id for each in new)} - {*over})
    if left > NEWS_MAX:
        text = f"the calendar would have {left} announcements, at most {NEWS_MAX}: remove some"
        return ChangeRefused("too_much_news", text)
    return NewsAnnounced(new, over, ask.reason, ask.by)


def _remove_news(state: HouseState, ask: RemoveNews) -> ReferenceEvent:
    if ask.news_id not in state.news:
        text = f"the calendar has no announcement {ask.news_id[:64]}; list it to see which"
        return ChangeRefused("unknown_news", text)
    return NewsRemoved(ask.news_id, ask.reason, ask.by)


def _route(state: HouseState, ask: SetRoute) -> ReferenceEvent:
    known = state.instruments.get(ask.symbol)
    if known is None:
        return _unknown(ask.symbol)
    if ask.mic and known.mic != PAPER_MIC:
        text = f"{ask.symbol} trades on the house's own book, {known.mic}, and stays there"
        return ChangeRefused("route_invalid", text)
    if state.routes.get(ask.symbol, "") == ask.mic:
        return NothingChanged(f"orders in {ask.symbol} go there already")
    return RouteChanged(ask.symbol, ask.mic, ask.reason, ask.by)


def _unfit(new: Instrument) -> ChangeRefused:
    return ChangeRefused(
        "fee_invalid",
        f"the formula {new.fee_formula} is for event contracts in steps of 0.0001 of a currency "
        f"kept to 6 decimals at least, which {new.symbol} is not",
    )


def _contract(state: HouseState, ask: MoveContract) -> ReferenceEvent:
    known = state.instruments.get(ask.symbol)
    if known is None:
        return _unknown(ask.symbol)
    if known.asset_class != EVENT:
        return ChangeRefused("no_event_contract", f"{ask.symbol} does not pay on an outcome")
    before = state.contracts.get(ask.symbol, Outcome())
    if ask.stage is before.stage and ask.payout in (-1, before.payout):
        return NothingChanged(f"{ask.symbol} is {before.stage}")
    after = before.moved(ask.stage, ask.payout, known.payout_ticks)
    if after is None:
        return ChangeRefused("contract_stage", _cannot(ask, known, before))
    return ContractMoved(ask.symbol, after.stage, after.payout, ask.reason, ask.by)


def _cannot(ask: MoveContract, known: Instrument, before: Outcome) -> str:
    """Why a contract cannot move so, and how it can."""
    if ask.stage not in NEXT[before.stage]:
        after = ", ".join(sorted(NEXT[before.stage])) or "nothing: it has paid"
        return f"{ask.symbol} is {before.stage}, after which comes {after}"
    if ask.payout >= 0 and before.payout >= 0:
        said = known.px_text(before.payout)
        return f"{ask.symbol} was determined to pay {said}; determine it anew before it is settled"
    return f"payout must be from 0 to {known.px_text(known.payout_ticks)} where it is determined"


def _settlement(state: HouseState, ask: SetSettlement) -> ReferenceEvent:
    known = state.instruments.get(ask.symbol)
    if known is None:
        return _unknown(ask.symbol)
    if not 0 <= ask.settle_days <= SETTLE_DAYS_MAX:
        return ChangeRefused(
            "settlement_invalid",
            f"settle_days is {ask.settle_days}, must be from 0 to {SETTLE_DAYS_MAX}",
        )
    if ask.calendar not in (None, "", WEEKDAYS, *CLOSED):
        known_ones = ", ".join(CLOSED)
        text = f"calendar is {ask.calendar}, must be empty, {WEEKDAYS} or one of {known_ones}"
        return ChangeRefused("settlement_invalid", text)
    same = ask.calendar in (None, known.calendar) and ask.confirms in (None, known.confirms)
    if known.settle_days == ask.settle_days and same:
        return NothingChanged(f"{ask.symbol} settles so")
    return SettlementChanged(ask.symbol, ask.settle_days, ask.by, ask.calendar, ask.confirms)


def _session(state: HouseState, ask: SetSession) -> ReferenceEvent:
    session = ask.session
    if not session.time_zone or not 0 <= session.opens_minute < MINUTES_A_DAY:
        return ChangeRefused(
            "session_invalid",
            f"a session opens at minute 0 to {MINUTES_A_DAY - 1} of a time zone, not {session}",
        )
    return (
        NothingChanged("so it is") if session == state.session else SessionChanged(session, ask.by)
    )


def _margin(state: HouseState, ask: SetMargin) -> ReferenceEvent:
    if ask.symbol not in state.instruments:
        return _unknown(ask.symbol)
    wrong = "" if ask.margin is None else wrong_margin(ask.margin)
    if wrong:
        return ChangeRefused("margin_invalid", wrong)
    if state.margins.get(ask.symbol) == ask.margin:
        return NothingChanged(f"these are the margin rates of {ask.symbol}")
    return MarginChanged(ask.symbol, ask.margin, ask.reason, ask.by)


def _haircut(state: HouseState, ask: SetHaircut) -> ReferenceEvent:
    if ask.asset not in state.assets:
        return ChangeRefused("unknown_asset", f"{ask.asset} is of no instrument that is listed")
    if not 0 <= ask.haircut_ppm <= RATE_SCALE:
        text = f"haircut_ppm is {ask.haircut_ppm}, must be from 0 to {RATE_SCALE}"
        return ChangeRefused("haircut_invalid", text)
    if state.haircuts.get(ask.asset, 0) == ask.haircut_ppm:
        return NothingChanged(f"this is the haircut of {ask.asset}")
    return HaircutChanged(ask.asset, ask.haircut_ppm, ask.reason, ask.by)


def _margin_rules(state: HouseState, ask: SetMarginRules) -> ReferenceEvent:
    wrong = wrong_margin_rules(ask.rules)
    if wrong:
        return ChangeRefused("margin_invalid", wrong)
    if ask.rules == state.margin_rules:
        return NothingChanged("these are the rules")
    return MarginRulesChanged(ask.rules, ask.reason, ask.by)


def _issuer(state: HouseState, ask: SetIssuer) -> ReferenceEvent:
    known = state.instruments.get(ask.symbol)
    if known is None:
        return _unknown(ask.symbol)
    if known.issuer == ask.issuer:
        return NothingChanged(f"this is the issuer of {known.base}")
    return IssuerChanged(ask.symbol, ask.issuer, ask.by)


def _kill(state: HouseState, ask: Kill) -> ReferenceEvent:
    if state.killed:
        return NothingChanged(f"the house is killed: {state.killed}")
    return HouseKilled(ask.reason or "requested", ask.by)


def _unkill(state: HouseState, ask: Unkill) -> ReferenceEvent:
    return (
        HouseUnkilled(ask.reason, ask.by) if state.killed else NothingChanged("nothing is killed")
    )


def _unknown(symbol: Symbol) -> ChangeRefused:
    return ChangeRefused("unknown_instrument", f"{symbol} is not listed here")


def _on_listed(state: HouseState, event: InstrumentListed) -> None:
    state.instruments = {**state.instruments, event.instrument.symbol: event.instrument}
    state.assets = {**state.assets, event.base.code: event.base, event.quote.code: event.quote}


def _on_limits(state: HouseState, event: LimitsChanged) -> None:
    state.limits = event.limits


def _on_state(state: HouseState, event: StateChanged) -> None:
    if event.symbol:
        state.states = {**state.states, event.symbol: event.state}
    else:
        state.state = event.state


def _on_restricted(state: HouseState, event: InstrumentsRestricted) -> None:
    state.restricted = frozenset(event.symbols)


def _on_fees(state: HouseState, event: FeesChanged) -> None:
    known: Instrument | None = state.instruments.get(event.symbol)
    if known is not None:
        changed = msgspec.structs.replace(
            known,
            maker_fee_ppm=event.maker_fee_ppm,
            taker_fee_ppm=event.taker_fee_ppm,
            fee_formula=event.formula or known.fee_formula,
        )
        state.instruments = {**state.instruments, event.symbol: changed}


def _on_settlement(state: HouseState, event: SettlementChanged) -> None:
    known = state.instruments.get(event.symbol)
    if known is not None:
        calendar = known.calendar if event.calendar is None else event.calendar
        changed = msgspec.structs.replace(
            known,
            settle_days=event.settle_days,
            calendar=calendar,
            confirms=known.confirms if event.confirms is None else event.confirms,
        )
        state.instruments = {**state.instruments, event.symbol: changed}


def _on_session(state: HouseState, event: SessionChanged) -> None:
    state.session = event.session


def _on_margin(state: HouseState, event: MarginChanged) -> None:
    others = {symbol: each for symbol, each in state.margins.items() if symbol != event.symbol}
    state.margins = others if event.margin is None else {**others, event.symbol: event.margin}


def _on_haircut(state: HouseState, event: HaircutChanged) -> None:
    state.haircuts = {**state.haircuts, event.asset: event.haircut_ppm}


def _on_margin_rules(state: HouseState, event: MarginRulesChanged) -> None:
    state.margin_rules = event.rules


def _on_issuer(state: HouseState, event: IssuerChanged) -> None:
    known: Instrument | None = state.instruments.get(event.symbol)
    if known is not None:
        changed = msgspec.structs.replace(known, issuer=event.issuer)
        state.instruments = {**state.instruments, event.symbol: changed}


def _on_swap(state: HouseState, event: SwapChanged) -> None:
    others = {symbol: each for symbol, each in state.swaps.items() if symbol != event.symbol}
    state.swaps = others if event.swap is None else {**others, event.symbol: event.swap}


def _on_announced(state: HouseState, event: NewsAnnounced) -> None:
    kept = {name: each for name, each in state.news.items() if name not in event.over}
    state.news = {**kept, **{each.news_id: each for each in event.items}}


def _on_news_removed(state: HouseState, event: NewsRemoved) -> None:
    state.news = {name: each for name, each in state.news.items() if name != event.news_id}


def _on_route(state: HouseState, event: RouteChanged) -> None:
    others = {symbol: each for symbol, each in state.routes.items() if symbol != event.symbol}
    state.routes = {**others, event.symbol: event.mic} if event.mic else others


def _on_contract(state: HouseState, event: ContractMoved) -> None:
    outcome = Outcome(event.stage, event.payout)
    state.contracts = {**state.contracts, event.symbol: outcome}


def _on_killed(state: HouseState, event: HouseKilled) -> None:
    state.killed = event.reason


def _on_unkilled(state: HouseState, _: HouseUnkilled) -> None:
    state.killed = ""


def _on_nothing(_: HouseState, __: NothingChanged | ChangeRefused) -> None:
    """The trace that a command left; the house is as it was."""


_DECIDE: Final[dict[type, Callable[[HouseState, Any], ReferenceEvent]]] = {
    ListInstrument: _list,
    SetHouseLimits: _limits,
    SetHouseState: _state,
    RestrictInstruments: _restrict,
    SetFees: _fees,
    SetSettlement: _settlement,
    SetSession: _session,
    SetMargin: _margin,
    SetHaircut: _haircut,
    SetMarginRules: _margin_rules,
    SetIssuer: _issuer,
    SetSwap: _swap,
    AnnounceNews: _announce,
    RemoveNews: _remove_news,
    SetRoute: _route,
    MoveContract: _contract,
    Kill: _kill,
    Unkill: _unkill,
}
_EVOLVE: Final[dict[type, Callable[[HouseState, Any], None]]] = {
    InstrumentListed: _on_listed,
    LimitsChanged: _on_limits,
    StateChanged: _on_state,
    InstrumentsRestricted: _on_restricted,
    FeesChanged: _on_fees,
    SettlementChanged: _on_settlement,
    SessionChanged: _on_session,
    MarginChanged: _on_margin,
    HaircutChanged: _on_haircut,
    MarginRulesChanged: _on_margin_rules,
    IssuerChanged: _on_issuer,
    SwapChanged: _on_swap,
    NewsAnnounced: _on_announced,
    NewsRemoved: _on_news_removed,
    RouteChanged: _on_route,
    ContractMoved: _on_contract,
    HouseKilled: _on_killed,
    HouseUnkilled: _on_unkilled,
    NothingChanged: _on_nothing,
    ChangeRefused: _on_nothing,
}

decider: Final = Decider(initial, decide, evolve, HouseState)
