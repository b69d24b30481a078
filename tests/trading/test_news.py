"""Nothing is opened around an announcement, by an account with such a rule."""

from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

import build as b
from build import BTC, BTC_USD, ETH_USD, USD, Scenario
from fondaco.app.assessments.news import next_news
from fondaco.domain.reference.model import Importance, NewsItem, Symbol
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.api import news as api
from fondaco.domain.trading.model import (
    AccountState,
    AccountType,
    NewsRule,
    Reason,
    Side,
    TradeRules,
    TradingRefs,
)
from fondaco.domain.trading.refs import by_instrument
from fondaco.domain.trading.rules.news import around
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import CommandId, Instant
from fondaco.kernel.money import AssetCode

MINUTE = 60 * b.SECOND
AT = 1_000 * MINUTE
HIGH, LOW, MEDIUM = Importance.HIGH, Importance.LOW, Importance.MEDIUM
RULE = NewsRule(2 * MINUTE, 3 * MINUTE, MEDIUM)
RATES = b.tiers((0, 10_000, 5_000, 0))


def item(at: int = AT, importance: Importance = HIGH, **more: Any) -> NewsItem:
    return NewsItem(f"n{at}", Instant(at), "US CPI", importance, **more)


def house(*items: NewsItem) -> TradingRefs:
    refs = b.refs(b.mark(), b.mark(symbol=ETH_USD), margins={BTC_USD: RATES, ETH_USD: RATES})
    refs.announced = {each.news_id: each for each in items}
    refs.news = by_instrument(refs.announced, refs.instruments)
    return refs


def story(*items: NewsItem, rule: NewsRule | None = RULE) -> Scenario:
    own = ev.SetTradeRules(CommandId("r"), Instant(1), TradeRules(news=rule), "test")
    return Scenario(house(*items)).when(b.opened(AccountType.MARGIN), b.deposit("10000"), own)


def asked(at: int, **more: Any) -> ev.PlaceOrder:
    return b.placed(b.ask(price="100.00", order_qty=more.pop("qty", "1"), **more), at=at)


@pytest.mark.parametrize(
    ("away", "is_refused"),
    [(-2 * MINUTE - 1, False), (-2 * MINUTE, True), (0, True), (3 * MINUTE, True),
     (3 * MINUTE + 1, False)],
)  # fmt: skip
def test_a_window_has_both_of_its_ends(away: int, is_refused: bool) -> None:
    told = story(item()).when(asked(AT + away)).events
    assert isinstance(told[0], ev.OrderRejected) is is_refused
    if isinstance(told[0], ev.OrderRejected):
        assert told[0].reason is Reason.NEWS_WINDOW


def test_a_refusal_says_what_how_near_and_until_when() -> None:
    refused = story(item()).when(asked(AT - 90 * b.SECOND)).only(ev.OrderRejected)
    assert refused.text == (
        "US CPI (high) is at 1970-01-01T16:40:00Z: 90 s before it, limit 120 s; nothing is opened "
        "in BTC-USD until 1970-01-01T16:43:00Z"
    )


@pytest.mark.parametrize(
    ("what", "is_refused"),
    [
        ({}, True),  # it touches all
        ({"currencies": (USD,)}, True),
        ({"currencies": (BTC,)}, True),
        ({"currencies": (AssetCode("JPY"),)}, False),
        ({"instruments": (BTC_USD,)}, True),
        ({"instruments": (ETH_USD,)}, False),
        ({"importance": MEDIUM}, True),
        ({"importance": LOW}, False),
    ],
)
def test_what_an_announcement_touches(what: dict[str, Any], is_refused: bool) -> None:
    told = story(item(**what)).when(asked(AT)).events
    assert isinstance(told[0], ev.OrderRejected) is is_refused


def test_what_closes_passes_and_what_turns_round_does_not() -> None:
    told = story(item()).when(asked(1, qty="5")).when(b.fill(lots=5_000))
    told.when(asked(AT, side=Side.SELL, qty="5.001", cl_ord_id="turn"))
    assert told.only(ev.OrderRejected).reason is Reason.NEWS_WINDOW
    told.when(asked(AT, side=Side.SELL, qty="5", cl_ord_id="close")).then(ev.OrderAccepted)
    without = story(item(), rule=None)
    without.when(asked(AT)).then(ev.OrderAccepted)


instants = st.integers(0, 40).map(lambda minutes: Instant(AT + minutes * MINUTE))


@hypothesis_given(
    times=st.lists(instants, max_size=6, unique=True),
    importances=st.lists(st.sampled_from(Importance), min_size=6, max_size=6),
    at=instants,
    before=st.integers(0, 5),
    after=st.integers(0, 5),
    least=st.sampled_from(Importance),
)
def test_a_window_is_open_exactly_where_some_announcement_is_near(
    times: list[Instant],
    importances: list[Importance],
    at: Instant,
    before: int,
    after: int,
    least: Importance,
) -> None:
    """The oracle looks at every announcement; what it says of the end is the first instant at
    which none of them is near."""
    items = [item(time, how) for time, how in zip(times, importances, strict=False)]
    refs, rule = house(*items), NewsRule(before * MINUTE, after * MINUTE, least)
    ranks = [LOW, MEDIUM, HIGH]
    mine = [each.at for each in items if ranks.index(each.importance) >= ranks.index(least)]

    def near(when: int) -> bool:
        return any(-before * MINUTE <= when - each <= after * MINUTE for each in mine)

    found = around(rule, BTC_USD, refs, at)
    assert (found is not None) is near(at)
    if found is not None:
        assert near(found[1])
        assert not near(found[1] + 1)


def test_the_next_window_is_of_what_the_account_may_open() -> None:
    items = (
        item(AT, LOW), item(AT + 1, HIGH, instruments=(ETH_USD,)), item(AT + MINUTE, MEDIUM),
    )  # fmt: skip
    refs = house(*items)
    state = AccountState(trade_rules=TradeRules(news=RULE, instruments=(Symbol(BTC_USD),)))
    found = next_news(state, refs, Instant(AT))
    assert found is not None
    assert (found.id, found.is_open, found.symbols) == (f"n{AT + MINUTE}", True, [BTC_USD])
    assert (found.begins_at, found.ends_at) == (str(AT - MINUTE), str(AT + 4 * MINUTE))
    assert next_news(state, refs, Instant(AT + 4 * MINUTE + 1)) is None
    assert next_news(AccountState(), refs, Instant(AT)) is None


CSV = """time,importance,currencies,instruments,title,source,id
2026-12-10T13:30:00Z,high,USD EUR,,US CPI,bls.gov,cpi
2026-12-10T14:30:00+01:00,low,,BTC-USD,"Upgrade, of the chain",,
"""


def read(text: str = "", **more: Any) -> tuple[NewsItem, ...]:
    return api.items_of(api.ImportNewsRequest(reason="test", csv=text, **more))


def test_a_calendar_is_read_from_csv() -> None:
    cpi, upgrade = read(CSV)
    assert (cpi.news_id, cpi.currencies, cpi.source) == ("cpi", ("EUR", "USD"), "bls.gov")
    assert cpi.at == upgrade.at == 1_796_909_400 * b.SECOND
    assert (upgrade.instruments, upgrade.title) == ((BTC_USD,), "Upgrade, of the chain")
    assert read(CSV)[1].news_id == upgrade.news_id, "what has no id has always the same"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("importance,", "weight,", "the header of csv"),
        (",id\n", ",title\n", "the header of csv"),
        ("high", "huge", "line 2 of csv: Invalid enum value 'huge'"),
        ("13:30:00Z", "13:30:00", "must say its zone"),
        ("2026-12-10T13:30:00Z", "tomorrow", "line 2 of csv: time is tomorrow"),
        ("bls.gov,cpi", "bls.gov", "not as many fields"),
        ("USD EUR", "usd", "line 2 of csv"),
        (",,\n", ",,cpi\n", "line 3 of csv has the id cpi"),
        ('"Upgrade', '"Up"grade', "csv after line 2: "),
    ],
)
def test_what_is_wrong_with_a_calendar_is_said_with_its_line(old: str, new: str, said: str) -> None:
    assert old in CSV
    with pytest.raises(Invalid) as raised:
        read(CSV.replace(old, new, 1))
    assert said in raised.value.message


def test_one_of_items_and_csv_is_needed() -> None:
    for given in ({}, {"text": CSV, "items": [api.NewsAsked(time="x", importance=LOW, title="t")]}):
        with pytest.raises(Invalid):
            read(**given)  # type: ignore[arg-type]
