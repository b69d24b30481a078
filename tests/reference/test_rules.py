"""What the house may decide, one refusal a row, and the laws of its stream."""

from copy import deepcopy

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.reference.events import (
    ChangeRefused,
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
    NothingChanged,
    ReferenceCommand,
    ReferenceEvent,
    RestrictInstruments,
    SessionChanged,
    SetFees,
    SetHaircut,
    SetHouseLimits,
    SetHouseState,
    SetIssuer,
    SetMargin,
    SetMarginRules,
    SetSession,
    StateChanged,
    Unkill,
)
from fondaco.domain.reference.model import (
    HOUSE_STREAM,
    HouseState,
    Instrument,
    InstrumentKind,
    Limits,
    Margin,
    MarginRules,
    MarginTier,
    Session,
    Symbol,
    TradingState,
    instrument,
)
from fondaco.domain.reference.rules import decide, decider
from fondaco.kernel.codec import Codec
from fondaco.kernel.event import CommandId, Decision, Instant
from fondaco.kernel.money import Asset, AssetCode

BTC = Asset(AssetCode("BTC"), 9, 8, "crypto")
ETH = Asset(AssetCode("ETH"), 9, 8, "crypto")
USD = Asset(AssetCode("USD"), 8, 2, "cash")
BTC_USD = instrument("BTC-USD", BTC, USD, tick="0.01", lot="0.00001", maker=100, taker=200)
ETH_USD = instrument("ETH-USD", ETH, USD, tick="0.01", lot="0.0001")
ETH_PERP = instrument("ETH-PERP", ETH, USD, tick="0.01", lot="0.0001", kind=InstrumentKind.LINEAR)
CAUSE, NOW = CommandId("test#0"), Instant(1)
CODEC = Codec(ReferenceEvent)
NONE, BTC_SYMBOL, ETH_SYMBOL = Symbol(""), Symbol("BTC-USD"), Symbol("ETH-USD")


class NoRefs(msgspec.Struct):
    version: int = 0


def listing(what: Instrument = BTC_USD, base: Asset = BTC, quote: Asset = USD) -> ListInstrument:
    return ListInstrument(CAUSE, NOW, what, base, quote, "ops")


def limits(**changed: object) -> SetHouseLimits:
    return SetHouseLimits(CAUSE, NOW, msgspec.convert(changed, Limits), "because", "ops")


def state(to: TradingState, symbol: Symbol = NONE) -> SetHouseState:
    return SetHouseState(CAUSE, NOW, to, "because", symbol, "ops")


def restrict(*symbols: Symbol) -> RestrictInstruments:
    return RestrictInstruments(CAUSE, NOW, symbols, "because", "ops")


def fees(maker: int, taker: int, symbol: Symbol = BTC_SYMBOL) -> SetFees:
    return SetFees(CAUSE, NOW, symbol, maker, taker, "ops")


def session(zone: str, minute: int) -> SetSession:
    return SetSession(CAUSE, NOW, Session(zone, minute), "ops")


def tiers(*each: tuple[int, int, int, int]) -> Margin:
    return Margin(tuple(MarginTier(*tier) for tier in each))


def margin(rates: Margin | None, symbol: Symbol = BTC_SYMBOL) -> SetMargin:
    return SetMargin(CAUSE, NOW, symbol, rates, "because", "ops")


def haircut(ppm: int, asset: str = "BTC") -> SetHaircut:
    return SetHaircut(CAUSE, NOW, AssetCode(asset), ppm, "because", "ops")


def margin_rules(*levels: int, hysteresis: int = 500) -> SetMarginRules:
    return SetMarginRules(CAUSE, NOW, MarginRules(levels, hysteresis), "because", "ops")


def issuer(name: str, symbol: Symbol = BTC_SYMBOL) -> SetIssuer:
    return SetIssuer(CAUSE, NOW, symbol, name, "ops")


# 10 % and 5 % up to 1,000, 20 % and 10 % beyond: what is deducted makes the two meet at 1,000.
RATES = tiers((1_000, 100_000, 50_000, 0), (0, 200_000, 100_000, 50))


def run(*history: ReferenceCommand) -> tuple[HouseState, list[ReferenceEvent]]:
    house, journal = decider.initial(HOUSE_STREAM), list[ReferenceEvent]()
    for command in history:
        for event in decide(house, command, NoRefs()):
            journal.append(event)
            decider.evolve(house, event)
    return house, journal


KILL, UNKILL = Kill(CAUSE, NOW, "fat finger", "ops"), Unkill(CAUSE, NOW, "found it", "ops")
HALTED, REDUCING, ACTIVE = TradingState.HALTED, TradingState.REDUCING, TradingState.ACTIVE
replaced = msgspec.structs.replace


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (listing(ETH_USD, ETH), InstrumentListed(ETH_USD, ETH, USD, "ops")),
        (listing(), NothingChanged("BTC-USD is listed")),
        # Configured fees do not come back with a restart.
        (listing(replaced(BTC_USD, maker_fee_ppm=7)), NothingChanged("BTC-USD is listed")),
        (listing(replaced(BTC_USD, tick_units=5)), "terms_fixed"),
        (listing(replaced(BTC_USD, mic="XNYS")), "terms_fixed"),
        (listing(ETH_USD, ETH, replaced(USD, decimals=2)), "terms_fixed"),
        (listing(ETH_USD, BTC), "assets_mismatch"),
        (listing(ETH_USD, ETH, BTC), "assets_mismatch"),
        (listing(replaced(ETH_USD, lot_units=0), ETH), "terms_invalid"),
        (listing(replaced(ETH_USD, settle=BTC.code), ETH), "terms_invalid"),  # a spot pair
        (listing(replaced(ETH_PERP, settle=AssetCode("XXX")), ETH), "terms_invalid"),
        (
            listing(replaced(ETH_PERP, settle=BTC.code), ETH),
            InstrumentListed(replaced(ETH_PERP, settle=BTC.code), ETH, USD, "ops"),
        ),
        (limits(collar_bps=500), LimitsChanged(Limits(collar_bps=500), "because", "ops")),
        (limits(), NothingChanged("these are the limits")),
        (limits(daily_loss_max=-1), "limit_invalid"),
        (limits(position_max={"BTC-USD": -1}), "limit_invalid"),
        (limits(orders_max=5, rate_window_ms=0), "limit_invalid"),
        (state(HALTED), StateChanged(NONE, HALTED, "because", "ops")),
        (state(ACTIVE), NothingChanged("the house is active")),
        (state(REDUCING, BTC_SYMBOL), StateChanged(BTC_SYMBOL, REDUCING, "because", "ops")),
        (state(ACTIVE, BTC_SYMBOL), NothingChanged("BTC-USD is active")),
        (state(HALTED, ETH_SYMBOL), "unknown_instrument"),
        (restrict(BTC_SYMBOL), InstrumentsRestricted((BTC_SYMBOL,), "because", "ops")),
        (restrict(), NothingChanged("this is the restricted list")),
        (restrict(BTC_SYMBOL, ETH_SYMBOL), "unknown_instrument"),
        (fees(0, 1_000), FeesChanged(BTC_SYMBOL, 0, 1_000, "ops")),
        (fees(-1_000, 1_000), FeesChanged(BTC_SYMBOL, -1_000, 1_000, "ops")),
        (fees(100, 200), NothingChanged("these are the fees of BTC-USD")),
        (fees(-1_001, 1_000), "fee_invalid"),
        (fees(0, -1), "fee_invalid"),
        (fees(0, 1_000_000), "fee_invalid"),
        (fees(0, 1, ETH_SYMBOL), "unknown_instrument"),
        (session("Europe/Zurich", 540), SessionChanged(Session("Europe/Zurich", 540), "ops")),
        (session("UTC", 0), NothingChanged("so it is")),
        (session("UTC", 1_440), "session_invalid"),
        (session("", 0), "session_invalid"),
        (margin(RATES), MarginChanged(BTC_SYMBOL, RATES, "because", "ops")),
        (margin(None), NothingChanged("these are the margin rates of BTC-USD")),
        (margin(RATES, ETH_SYMBOL), "unknown_instrument"),
        (margin(tiers()), "margin_invalid"),
        (margin(tiers((0, 0, 0, 0))), "margin_invalid"),
        (margin(tiers((0, 50_000, 100_000, 0))), "margin_invalid"),
        (margin(tiers((0, 1_000_001, 50_000, 0))), "margin_invalid"),
        (margin(tiers((1_000, 100_000, 50_000, 0))), "margin_invalid"),
        (margin(tiers((0, 100_000, 50_000, 0), (0, 100_000, 50_000, 0))), "margin_invalid"),
        (
            margin(tiers((9, 1, 1, 0), (9, 1, 1, 0), (0, 1, 1, 0))),
            "margin_invalid",
        ),
        (margin(tiers((9, 200, 100, 0), (0, 100, 100, 0))), "margin_invalid"),
        (margin(tiers((9, 200, 100, 0), (0, 200, 50, 0))), "margin_invalid"),
        (margin(tiers((1_000, 200_000, 50_000, 0), (0, 200_000, 100_000, -1))), "margin_invalid"),
        (margin(tiers((1_000, 200_000, 50_000, 0), (0, 200_000, 100_000, 51))), "margin_invalid"),
        (margin(tiers((0, 200_000, 50_000, 1))), "margin_invalid"),
        (haircut(50_000), HaircutChanged(BTC.code, 50_000, "because", "ops")),
        (haircut(0), NothingChanged("this is the haircut of BTC")),
        (haircut(-1), "haircut_invalid"),
        (haircut(1_000_001), "haircut_invalid"),
        (haircut(1, "DOGE"), "unknown_asset"),
        (
            margin_rules(7_000, 9_500),
            MarginRulesChanged(MarginRules((7_000, 9_500)), "because", "ops"),
        ),
        (margin_rules(8_000, 9_000), NothingChanged("these are the rules")),
        (margin_rules(9_000, 8_000), "margin_invalid"),
        (margin_rules(8_000, 8_000), "margin_invalid"),
        (margin_rules(10_001), "margin_invalid"),
        (margin_rules(500), "margin_invalid"),
        (issuer("Satoshi"), IssuerChanged(BTC_SYMBOL, "Satoshi", "ops")),
        (issuer(""), NothingChanged("this is the issuer of BTC")),
        (issuer("Vitalik", ETH_SYMBOL), "unknown_instrument"),
        (KILL, HouseKilled("fat finger", "ops")),
        (Kill(CAUSE, NOW, "", "ops"), HouseKilled("requested", "ops")),
        (UNKILL, NothingChanged("nothing is killed")),
    ],
)
def test_a_house_that_lists_btc_usd_answers(
    command: ReferenceCommand, expected: ReferenceEvent | str
) -> None:
    house, _ = run(listing())
    (event,) = decide(house, command, NoRefs())
    if isinstance(expected, str):
        assert isinstance(event, ChangeRefused)
        assert event.reason == expected
    else:
        assert event == expected


def test_the_house_is_what_was_decided() -> None:
    house, journal = run(
        listing(),
        listing(ETH_USD, ETH),
        limits(collar_bps=500),
        state(REDUCING),
        state(HALTED, ETH_SYMBOL),
        restrict(ETH_SYMBOL, BTC_SYMBOL),
        fees(-10, 20),
        session("Asia/Tokyo", 60),
        margin(RATES),
        margin(RATES, ETH_SYMBOL),
        margin(None, ETH_SYMBOL),
        haircut(50_000),
        margin_rules(7_000),
        issuer("Satoshi"),
        listing(),
    )
    assert house == HouseState(
        version=15,
        instruments={
            BTC_SYMBOL: replaced(BTC_USD, maker_fee_ppm=-10, taker_fee_ppm=20, issuer="Satoshi"),
            ETH_SYMBOL: ETH_USD,
        },
        assets={BTC.code: BTC, ETH.code: ETH, USD.code: USD},
        limits=Limits(collar_bps=500),
        state=REDUCING,
        states={ETH_SYMBOL: HALTED},
        restricted=frozenset({BTC_SYMBOL, ETH_SYMBOL}),
        session=Session("Asia/Tokyo", 60),
        margins={BTC_SYMBOL: RATES},
        haircuts={BTC.code: 50_000},
        margin_rules=MarginRules((7_000,)),
    )
    assert len(journal) == house.version


def test_the_kill_switch_stands_over_the_state_and_gives_it_back() -> None:
    house, _ = run(state(REDUCING), KILL)
    assert house.effective_state is HALTED
    (again,) = decide(house, KILL, NoRefs())
    assert isinstance(again, NothingChanged)
    house, journal = run(state(REDUCING), KILL, UNKILL)
    assert house.effective_state is REDUCING
    assert journal[-1] == HouseUnkilled("found it", "ops")


def test_what_was_handed_out_does_not_change() -> None:
    house, _ = run(listing())
    given_out = house.instruments, house.assets, house.states, house.limits
    before = deepcopy(given_out)
    for command in (listing(ETH_USD, ETH), fees(1, 2), state(HALTED, BTC_SYMBOL), limits()):
        for event in decide(house, command, NoRefs()):
            decider.evolve(house, event)
    assert given_out == before
    assert house.instruments != before[0]


@pytest.mark.parametrize(
    ("notional", "initial", "maintenance"),
    [
        (0, 0, 0),
        (1, 1, 1),  # rounded up
        (1_000, 100, 50),
        (1_001, 201, 51),  # the whole position at the rate of its tier, less what is deducted
        (10_000, 2_000, 950),
    ],
)
def test_a_position_must_be_covered_by_the_rates_of_its_tier(
    notional: int, initial: int, maintenance: int
) -> None:
    assert RATES.required(notional) == (initial, maintenance)


def test_a_refused_margin_says_which_tier_and_what_must_hold() -> None:
    house, _ = run(listing())
    (event,) = decide(house, margin(tiers((9, 200, 100, 0), (0, 100, 100, 0))), NoRefs())
    assert isinstance(event, ChangeRefused)
    assert event.text == "tier 2: rates must not be below those of the tier before"


rising = st.lists(
    st.tuples(st.integers(1, 500), st.integers(0, 300_000), st.integers(0, 300_000)),
    min_size=1,
    max_size=3,
)


@given(rising, st.lists(st.integers(0, 60), min_size=3, max_size=3), st.integers(0, 2_000))
def test_what_is_accepted_never_needs_less_for_more(
    steps: list[tuple[int, int, int]], deductions: list[int], notional: int
) -> None:
    most, initial, maintenance, each = 0, 1, 1, list[tuple[int, int, int, int]]()
    for (width, more_initial, more), deduction in zip(steps, deductions, strict=False):
        most, maintenance = most + width, maintenance + more
        initial = max(initial, maintenance) + more_initial
        each.append((most, min(initial, 1_000_000), min(maintenance, 1_000_000), deduction))
    each[-1] = (0, *each[-1][1:])
    rates = tiers(*each)
    house, _ = run(listing(), margin(rates))
    if house.margins:
        one, more_of_it = rates.required(notional), rates.required(notional + 1)
        assert one[0] <= more_of_it[0]
        assert one[1] <= more_of_it[1]
        assert one[1] <= one[0]


commands: st.SearchStrategy[ReferenceCommand] = st.one_of(
    st.builds(margin, st.sampled_from([RATES, None, tiers()])),
    st.builds(haircut, st.sampled_from([-1, 0, 10])),
    st.builds(margin_rules, st.sampled_from([8_000, 20_000])),
    st.builds(issuer, st.sampled_from(["", "Satoshi"])),
    st.sampled_from([listing(), listing(ETH_USD, ETH), listing(ETH_USD, BTC), KILL, UNKILL]),
    st.builds(state, st.sampled_from(TradingState), st.sampled_from([NONE, BTC_SYMBOL])),
    st.builds(fees, st.integers(-5, 5), st.integers(-5, 5)),
    st.builds(lambda bps: limits(collar_bps=bps), st.integers(-1, 2)),
    st.builds(session, st.sampled_from(["UTC", "Europe/Zurich"]), st.integers(-1, 2)),
    st.sampled_from([restrict(), restrict(BTC_SYMBOL), restrict(BTC_SYMBOL, ETH_SYMBOL)]),
)


@given(st.lists(commands, max_size=30), commands)
def test_one_trace_repeatable_replayed_and_each_a_new_edition(
    history: list[ReferenceCommand], command: ReferenceCommand
) -> None:
    house, journal = run(*history)
    assert house.version == len(journal) == len(history)
    replayed = decider.initial(HOUSE_STREAM)
    for event in journal:
        (copy,) = CODEC.decode(CODEC.encode([Decision(HOUSE_STREAM, 0, CAUSE, NOW, 0, (event,))]))
        decider.evolve(replayed, *copy.events)  # type: ignore[arg-type]
    assert replayed == house
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(house), type=HouseState) == house
    before = deepcopy(house)
    first = decide(house, command, NoRefs())
    assert first == decide(house, command, NoRefs())
    assert house == before
    assert len(first) == 1
