"""Event contracts: closed is not settled, matched is not settled, and how books are read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.market import looks
from fondaco.domain.market.contracts import Contract, Stage
from fondaco.domain.market.model import Finality
from fondaco.domain.market.wires import kalshi, polymarket
from fondaco.domain.reference.model import NEXT, Symbol
from fondaco.kernel.event import Instant
from market.recorded import LISTED, MS, Heard, encoded
from market.recorded import said_by_kalshi as said

TICKER, TOKEN = LISTED["kalshi-2026"].name, LISTED["polymarket-2026"].name
YES = LISTED["kalshi-2026"].symbol
UP = LISTED["polymarket-2026"].symbol
X = Symbol("X")

# The law of stages

LIVES = [
    ("open closed determined:1 settled", Stage.SETTLED, 1),
    ("open closed", Stage.CLOSED, None),
    ("open closed determined:1", Stage.DETERMINED, None),
    ("open determined:0 settled", Stage.SETTLED, 0),
    ("open closed settled", Stage.CLOSED, None),  # nobody said what it pays
    ("open closed determined:1 disputed settled", Stage.DISPUTED, None),
    ("open closed determined:1 disputed determined:0 settled", Stage.SETTLED, 0),
    ("open closed determined:1 determined:0 settled", Stage.SETTLED, 0),  # amended
    ("open closed determined:1 settled:0", Stage.DETERMINED, None),  # they do not agree
    ("open closed determined:1 settled:1", Stage.SETTLED, 1),
    ("open closed determined:2", Stage.CLOSED, None),  # more than it can pay
    ("open closed determined", Stage.CLOSED, None),  # without an outcome
    ("open paused open", Stage.OPEN, None),
    ("open closed determined:1 settled open determined:0", Stage.SETTLED, 1),  # for ever
    ("open closed determined:1 open", Stage.DETERMINED, None),
]


def lived(words: str) -> Contract:
    contract = Contract(X, payout_ticks=1)
    for nth, word in enumerate(words.split()):
        stage, _, pays = word.partition(":")
        contract.move(Stage(stage), Instant(nth + 1), int(pays or -1))
    return contract


@pytest.mark.parametrize(("words", "stage", "payout"), LIVES)
def test_a_contract_pays_when_it_is_settled_and_not_before(
    words: str, stage: Stage, payout: int | None
) -> None:
    contract = lived(words)
    assert (contract.stage, contract.payout) == (stage, payout)


@given(st.lists(st.tuples(st.sampled_from(Stage), st.integers(-1, 101)), max_size=30))
def test_whatever_is_said_a_payout_was_determined_before_and_never_changes(
    said: list[tuple[Stage, int]],
) -> None:
    contract, paid = Contract(X, payout_ticks=100), None
    for nth, (stage, pays) in enumerate(said):
        before = contract.stage
        if contract.move(stage, Instant(nth), pays):
            assert stage in NEXT[before]
        else:
            assert contract.stage is before
        if paid is not None:
            assert (contract.stage, contract.payout) == (Stage.SETTLED, paid)
        paid = contract.payout
        if paid is not None:
            assert 0 <= paid <= 100
            assert Stage.DETERMINED in [each for each, _ in contract.history]


def test_a_contract_closes_when_its_time_has_come() -> None:
    contract = lived("open")
    contract.close_at = Instant(50)
    assert not contract.closes(Instant(49))
    assert contract.closes(Instant(50))
    assert not contract.closes(Instant(51))
    assert contract.payout is None


# Finality (S5): what it does to an account is in trading/test_finality


@pytest.mark.parametrize("status", ["MATCHED", "TRADE_STATUS_FAILED", "CONFIRMED"])
def test_the_user_channel_of_polymarket_tells_the_state_of_a_trade(status: str) -> None:
    heard, told = outcome(), list[tuple[str, Finality]]()
    heard.board.on_finality.append(lambda name, finality: told.append((name, finality)))
    heard.hears(encoded(token("trade", id="A1.5.1", status=status, price="0.5", side="BUY")))
    assert told == [("A1.5.1", Finality(status.rpartition("_")[2]))]
    heard.hears(encoded(token("trade", id="A1.5.1", status="LIVE")))
    assert len(told) == 1
    assert (heard.normaliser.unknown, heard.state) == (1, ("ok", "open"))


# Kalshi


def full(seq: int = 1, **body: Any) -> bytes:
    ordinary = {"yes_dollars_fp": [["0.0700", "3195.84"], ["0.1000", "111.00"]],
                "no_dollars_fp": [["0.8500", "10.00"], ["0.8800", "162.09"]]}  # fmt: skip
    return said("orderbook_snapshot", seq, **(body or ordinary))


def delta(seq: int, px: str, by: str, side: str = "yes") -> bytes:
    return said("orderbook_delta", seq, price_dollars=px, delta_fp=by, side=side)


def lives(kind: str, **body: Any) -> bytes:
    return said("market_lifecycle_v2", event_type=kind, **body)


class Asked(Heard):
    """One contract's book, in texts."""

    @property
    def symbol(self) -> Symbol:
        return YES if self.source.startswith("kalshi") else UP

    def top(self) -> list[tuple[str, str]]:
        book = self.board.book(self.symbol)
        it = book.instrument
        return [(it.px_text(px), it.qty_text(qty)) for px, qty in book.bids(1) + book.asks(1)]

    @property
    def state(self) -> tuple[str, str]:
        return self.board.quality(self.symbol).value, self.board.contracts[self.symbol].stage.value


def kalshi_market() -> Asked:
    return Asked("kalshi-2026")


def test_what_is_bid_for_no_is_offered_of_yes() -> None:
    heard = kalshi_market().hears(full())
    assert heard.top() == [("0.1", "111"), ("0.12", "162.09")]
    assert heard.state == ("ok", "open")


def test_deltas_add_to_a_level_and_take_it_away() -> None:
    heard = kalshi_market().hears(full(), delta(2, "0.1100", "5.00"), delta(3, "0.1100", "-1.50"))
    assert heard.top()[0] == ("0.11", "3.5")
    heard.hears(delta(4, "0.1100", "-3.50"), delta(5, "0.8800", "-162.09", "no"))
    assert heard.top() == [("0.1", "111"), ("0.15", "10")]


@pytest.mark.parametrize(
    "wrong",
    [
        delta(3, "0.1000", "1.00"),  # one is left out
        delta(2, "0.1000", "-111.01"),  # more than there is
        delta(2, "1.1000", "1.00"),
        delta(2, "0.1000", "1.00", "maybe"),
        delta(2, "0.1000", "1.001x"),
        said("orderbook_delta", 2),
    ],
)
def test_what_does_not_fit_the_book_is_a_hole(wrong: bytes) -> None:
    heard = kalshi_market().hears(full(), wrong)
    assert heard.state[0] == "gapped"
    assert heard.hears(full(9)).state[0] == "ok"


def test_numbers_of_other_subscriptions_are_no_hole() -> None:
    trade = said("trade", 7, sid=2, yes_price_dollars="0.11", count_fp="2.50", taker_side="no",
                 trade_id="a49ab66f-bbd6-6290-0085-23bd9204602f", ts=1_700_000_000)  # fmt: skip
    heard = kalshi_market().hears(full(), trade, delta(2, "0.1100", "5.00"))
    assert heard.state[0] == "ok"
    [seen] = heard.trades
    assert (seen.px, seen.qty, seen.aggressor) == (1_100, 250, "sell")
    assert seen.trade_id == 0xA49AB66FBBD6


def test_who_asked_for_no_book_has_the_touch_of_the_ticker() -> None:
    ticker = said("ticker", yes_bid_dollars="0.0400", yes_ask_dollars="0.9500",
                  yes_bid_size_fp="14.00", yes_ask_size_fp="0.00")  # fmt: skip
    heard = kalshi_market().hears(ticker)
    assert heard.top() == [("0.04", "14")]  # none is offered
    assert heard.hears(full(), ticker).top()[0] == ("0.1", "111")


def test_closed_is_not_settled() -> None:
    heard = kalshi_market().hears(full(), lives("closed"))
    contract = heard.board.contracts[YES]
    assert (heard.state, contract.payout) == (("closed", "closed"), None)
    assert heard.top() == []
    heard.hears(lives("determined", result="yes", settlement_value="1.0000"))
    assert (heard.state, contract.payout) == (("closed", "determined"), None)
    heard.hears(lives("disputed"))
    assert contract.payout is None
    heard.hears(lives("amended", result="no"), lives("settled"))
    assert heard.state == ("closed", "settled")
    assert looks.contracts(heard.board)[0].payout == "0"
    assert heard.board.ready  # there is nothing more to come
    [line] = looks.contracts(heard.board)
    assert (line.stage, line.determined, line.payout) == (Stage.SETTLED, "0", "0")
    assert line.format == "recorded format of 2026"
    assert [each.stage for each in line.history] == [
        "open", "closed", "determined", "disputed", "determined", "settled",
    ]  # fmt: skip


def test_a_paused_market_keeps_its_book_and_an_open_one_needs_none_anew() -> None:
    heard = kalshi_market().hears(full(), lives("deactivated", is_deactivated=True))
    assert heard.state == ("closed", "paused")
    assert heard.hears(lives("deactivated", is_deactivated=False)).state == ("ok", "open")


def test_a_market_closes_by_the_clock_that_its_exchange_named() -> None:
    heard = kalshi_market().hears(full())
    closes = heard.now // (1_000 * MS) + 60
    heard.hears(lives("close_date_updated", close_ts=closes))
    heard.board.check(Instant(closes * 1_000 * MS))
    assert heard.state == ("closed", "closed")


@pytest.mark.parametrize(
    ("status", "result", "stage"),
    [
        ("active", "", "open"),
        ("inactive", "", "paused"),
        ("closed", "", "closed"),
        ("determined", "yes", "determined"),
        ("finalized", "yes", "settled"),
        ("finalized", "", "open"),  # nobody said the outcome
    ],
)
def test_the_answer_about_a_market_moves_it(status: str, result: str, stage: str) -> None:
    about = {"ticker": TICKER, "status": status, "result": result, "close_time": None}
    answer = encoded({"market": about})
    heard = kalshi_market().hears(full()).hears(answer, part=TICKER)
    assert heard.state[1] == stage


# Polymarket


def token(kind: str, **body: Any) -> dict[str, Any]:
    return {"event_type": kind, "asset_id": TOKEN, "timestamp": "1700000000000", **body}


def polymarket_book(bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    sides = [[{"price": px, "size": qty} for px, qty in side] for side in (bids, asks)]
    return token("book", bids=sides[0], asks=sides[1])


def changed(px: str, qty: str, side: str, bid: str = "", ask: str = "") -> dict[str, Any]:
    change = {"asset_id": TOKEN, "price": px, "size": qty, "side": side}
    return token("price_change", price_changes=[{**change, "best_bid": bid, "best_ask": ask}])


START = polymarket_book([[".01", "7"], [".46", "38.13"]], [["0.99", "5"], ["0.47", "1401.82"]])


def outcome(*messages: object) -> Asked:
    return Asked("polymarket-2026").hears(encoded(START), *(encoded(each) for each in messages))


def test_a_book_of_polymarket_has_its_best_levels_last() -> None:
    assert outcome().top() == [("0.46", "38.13"), ("0.47", "1401.82")]
    assert Asked("polymarket-2026").hears(json.dumps([START]).encode()).state == ("ok", "open")


@pytest.mark.parametrize(
    ("message", "quality", "top"),
    [
        (changed("0.465", "5", "BUY", "0.465", "0.47"), "ok", ("0.465", "5")),
        (changed("0.46", "0", "BUY", "0.01", "0.47"), "ok", ("0.01", "7")),
        (changed("0.46", "0", "BUY", "0.45", "0.47"), "gapped", None),  # one is missing
        (changed("0.465", "5", "BUY"), "ok", ("0.465", "5")),  # nothing to compare
        (changed("0.465", "5", "HOLD"), "gapped", None),
        (changed("0.46501", "5", "BUY"), "gapped", None),
        (token("tick_size_change", new_tick_size="0.001"), "ok", ("0.46", "38.13")),
    ],
)
def test_changes_must_leave_the_touch_that_they_name(
    message: dict[str, Any], quality: str, top: tuple[str, str] | None
) -> None:
    heard = outcome(message)
    assert heard.state[0] == quality
    if top is not None:
        assert heard.top()[0] == top


def test_an_empty_side_is_named_by_zero_or_one() -> None:
    heard = outcome(
        changed("0.47", "0", "SELL", "0.46", "0.99"), changed("0.99", "0", "SELL", "0.46", "1")
    )
    assert (heard.state[0], heard.top()) == ("ok", [("0.46", "38.13")])


def test_a_resolved_market_pays_when_the_closed_one_names_the_same_winner() -> None:
    resolved = {"event_type": "market_resolved", "assets_ids": [TOKEN], "winning_asset_id": TOKEN}
    closed = {"closed": True, "accepting_orders": False}
    winner = {**closed, "tokens": [{"token_id": TOKEN, "winner": True}]}
    other = {
        **closed,
        "tokens": [{"token_id": TOKEN, "winner": False}, {"token_id": "9", "winner": True}],
    }
    heard = outcome({**closed, "tokens": [{"token_id": TOKEN, "winner": False}]})
    contract = heard.board.contracts[UP]
    assert (heard.state, contract.payout) == (("closed", "closed"), None)
    heard.hears(encoded(resolved))
    assert (contract.stage, contract.payout) == (Stage.DETERMINED, None)
    heard.hears(encoded(other))  # it was decided otherwise
    assert (contract.stage, contract.determined, contract.payout) == (Stage.DETERMINED, 0, None)
    heard.hears(encoded(winner))
    assert contract.payout is None
    heard.hears(encoded(winner))
    assert contract.payout == contract.payout_ticks == 10_000


def test_trades_of_polymarket_are_read_to_the_millionth() -> None:
    heard = outcome(token("last_trade_price", price="0.47", side="BUY", size="11.276594"))
    [seen] = heard.trades
    assert (seen.px, seen.qty, seen.aggressor) == (4_700, 11_276_594, "buy")


def test_symbols_and_assets_of_contracts_fit_the_houses_names() -> None:
    for listed in (kalshi.contract("KXXRP-26FEB1317-B1.3899500"), polymarket.contract("7" * 77)):
        it = listed.instrument
        assert (it.asset_class, len(it.base), it.quote[:3]) == ("event", 14, "USD")
        assert it.px_text(10_000) == "1"
    assert polymarket.contract("7" * 77).symbol == "PM-" + "7" * 20
