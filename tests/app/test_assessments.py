"""Assessments in a house that lives: from the gift to the verdict, on accounts of the core."""

import asyncio
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from app.test_margin import BTC, BTC_USD, RATES, USD, Floor
from app.test_restart import wait_for
from build import ask as order_ask
from build import cancel, close, listed, placed
from fondaco.app.clock import Clock
from fondaco.app.files import Files
from fondaco.app.house import Kernel
from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.model import (
    Assessment,
    account_id,
    assessment_id_of,
    assessment_stream,
)
from fondaco.domain.evaluation.model import NewsWindow, Tier
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.market.feeds.synthetic import SyntheticFeed
from fondaco.domain.reference.events import AnnounceNews, SetMargin
from fondaco.domain.reference.model import HOUSE_STREAM, Importance, NewsItem
from fondaco.domain.trading import events as tev
from fondaco.domain.trading.model import (
    Contingency,
    OrdType,
    Side,
    TimeInForce,
    TradingState,
    account_stream,
)
from fondaco.kernel.event import CommandId, Instant
from fondaco.settings import load
from running import house

DOLLAR: Final = 10**8
ASM: Final = assessment_id_of("test")
STREAM: Final = assessment_stream(ASM)
FIRST: Final = account_stream(account_id(ASM, 1))
SECOND: Final = account_stream(account_id(ASM, 2))


def tier(**changes: Any) -> Tier:
    """Two steps, 100,000 dollars, 5 % a day from the higher of both, 10 % in all."""
    return msgspec.structs.replace(tier_of(text_of("two-step-100k")), **changes)


def created(floor: Floor, terms: Tier, name: str = "test") -> Any:
    command = ev.CreateAssessment(
        CommandId(f"!{name}#1"), floor.kernel.now(), assessment_id_of(name), "acme", "tim",
        name, msgspec.json.encode(terms).decode(),
    )  # fmt: skip
    return floor.kernel.submit(assessment_stream(assessment_id_of(name)), command)


def standing(floor: Floor, stream: Any = STREAM) -> Assessment:
    memory = floor.kernel.peek(stream)
    assert memory is not None
    state: Assessment = memory.state
    return state


def lived(
    data: Path,
    story: Callable[[Floor], Awaitable[None]],
    terms: Tier | None = None,
    now: Clock | None = None,
) -> None:
    """A house with an assessment, bitcoin at 50,000 and five times one's money on margin."""

    async def live() -> None:
        quiet = {"data": str(data), "paper_latency_ms": 0, "stale_after_ms": 600_000}
        kernel = Kernel(load(quiet, {}), Files(data), SyntheticFeed(), now=now)
        floor = Floor(kernel)
        await kernel.start(lambda _: None)
        try:
            floor.trades_at(50_000)
            rates = SetMargin(CommandId("rates#1"), kernel.now(), BTC_USD, RATES, "test")
            await kernel.submit(HOUSE_STREAM, rates)
            await created(floor, terms or tier())
            await floor.until(lambda: standing(floor).state == "active")
            await story(floor)
        finally:
            await kernel.stop()

    asyncio.run(live())


async def trades(
    floor: Floor, qty: str, px: str, name: str, side: Side = Side.BUY, stream: Any = FIRST
) -> None:
    before = floor.state(stream).balances.get(BTC, 0)
    ioc = TimeInForce.IOC
    ask = order_ask(name, order_qty=qty, price=px, side=side, time_in_force=ioc)
    await floor.kernel.submit(stream, placed(ask, at=floor.kernel.now()))
    await floor.until(lambda: floor.state(stream).balances.get(BTC, 0) != before)
    await floor.until(lambda: not floor.kernel.reactor.open_count)


def test_an_assessment_has_an_account_of_the_tiers_size_and_counts_its_trades(
    tmp_path: Path,
) -> None:
    async def story(floor: Floor) -> None:
        account = floor.state(FIRST)
        assert (account.tenant, account.virtual, account.balances) == (
            "acme", True, {"USD": 100_000 * DOLLAR},
        )  # fmt: skip
        await trades(floor, "1", "50000.01", "a")
        await trades(floor, "1", "50000.01", "b")
        await trades(floor, "2", "49999.99", "c", Side.SELL)
        numbers = standing(floor).numbers
        assert numbers is not None
        assert (numbers.trades, numbers.days_traded, numbers.open_positions) == (2, 1, 0)
        assert numbers.balance == numbers.equity == floor.state(FIRST).balances[USD]
        again = await created(floor, tier())
        assert again == tuple(e for e in floor.said if e.stream == STREAM)[: len(again)]
        assert len(floor.heard(ev.AssessmentCreated, STREAM)) == 1

    lived(tmp_path, story)


def test_one_that_is_given_up_is_stopped_closed_and_halted(tmp_path: Path) -> None:
    async def story(floor: Floor) -> None:
        await trades(floor, "1", "50000.01", "a")
        given_up = ev.AbandonAssessment(CommandId("!x#1"), floor.kernel.now(), "tim", "enough")
        await floor.kernel.submit(STREAM, given_up)
        await floor.until(lambda: floor.state(FIRST).trading_state is not TradingState.ACTIVE)
        await floor.until(lambda: not floor.state(FIRST).balances.get(BTC))
        [abandoned] = floor.heard(ev.AssessmentAbandoned, STREAM)
        assert (abandoned.by, standing(floor).state) == ("tim", "abandoned")
        ask = placed(order_ask("late", order_qty="1"), at=floor.kernel.now())
        [told] = await floor.kernel.submit(FIRST, ask)
        assert isinstance(told.event, tev.OrderRejected)

    lived(tmp_path, story)


def test_an_admin_gives_one_away_and_the_trader_trades_on_it(tmp_path: Path) -> None:
    with house(tmp_path) as running:
        client = running.client()
        gift = {"tier": "two-step-100k", "user": "demo", "reference": "prize"}
        given = client.ask("POST", "/api/assessments", gift)
        assert given.status == 201, given.body
        again = client.ask("POST", "/api/assessments", gift)
        assert again.body == given.body
        name, account = given.body["assessment_id"], given.body["account_id"]
        order = {
            "account_id": account, "cl_ord_id": "first", "symbol": "BTC-USD", "side": "buy",
            "ord_type": "market", "order_qty": "0.1", "time_in_force": "ioc",
        }  # fmt: skip
        assert client.ask("POST", "/api/orders", order).status == 201
        shown = client.get(f"/api/assessments/{name}")
        assert (shown["user"], shown["state"], shown["size"]) == ("demo", "active", "100000")
        assert {line["rule"] for line in shown["headroom"]} == {"daily_loss", "overall_loss"}
        taken = {"account_id": f"{account}x", "name": "mine"}
        assert client.ask("POST", "/api/accounts", taken).status == 422
        moved = {"asset": "USD", "amount": "1000"}
        for path, body in (
            (f"{account}/deposits", moved),
            (f"{account}/withdrawals", moved),
            (f"{account}/transfers", {**moved, "direction": "deposit"}),
            (f"{account}/reset", {"balances": {"USD": "200000"}}),
        ):
            refused = client.ask("POST", f"/api/accounts/{path}", body)
            assert refused.status == 422, (path, refused.body)
            assert "of an assessment" in refused.body["message"], (path, refused.body)
        for one, other in ((account, "demo"), ("demo", account)):
            sent = {"account_id": one, "to_account_id": other, "asset": "USD", "amount": "1"}
            refused = client.ask("POST", "/api/transfers", sent)
            assert refused.status == 422, refused.body
            assert "of an assessment" in refused.body["message"]
        missing = client.ask("GET", "/api/assessments/asm-0000000000000000")
        assert missing.status == 404


def test_a_tick_that_breaks_a_rule_is_kept_with_its_marks_and_closes_the_account(
    tmp_path: Path,
) -> None:
    async def story(floor: Floor) -> None:
        await trades(floor, "5", "50000.01", "a")
        floor.trades_at(49_190)  # 4,050 and a little are lost: four fifths of a day's 5,000
        await floor.until(lambda: floor.heard(ev.RuleWarned, STREAM))
        [warned] = floor.heard(ev.RuleWarned, STREAM)
        assert (warned.rule, warned.limit) == ("daily_loss", 95_000 * DOLLAR)
        floor.trades_at(49_000)  # 5,000 and what the trade has cost
        await floor.until(lambda: floor.heard(ev.AssessmentFailed, STREAM))
        [broken] = floor.heard(ev.RuleViolated, STREAM)
        assert (broken.rule, broken.limit, broken.day_from) == (
            "daily_loss", 95_000 * DOLLAR, 100_000 * DOLLAR,
        )  # fmt: skip
        [mark] = broken.marks
        assert (mark.symbol, mark.px) == (BTC_USD, 49_000 * 100)
        assert broken.value == broken.equity < broken.limit
        await floor.until(lambda: floor.heard(ev.AccountRetired, STREAM))
        await floor.until(lambda: floor.state(FIRST).trading_state is TradingState.HALTED)
        account = floor.state(FIRST)
        assert not account.working
        assert not account.balances.get(BTC)
        assert standing(floor).state == "failed"
        assert not floor.kernel.assessments

    lived(tmp_path, story)


def test_a_rule_of_trades_refuses_the_order_and_breaks_nothing(tmp_path: Path) -> None:
    """One half of a percent at risk: bare, an order is refused and told which stop to have; with
    that stop in its bracket it trades; and the stop stays."""
    short = tier()
    ruled = msgspec.structs.replace(
        short.phases[0], max_risk_per_trade=500 * DOLLAR, max_positions=1, max_lots=2 * 10_000
    )
    terms = tier(phases=(ruled, *short.phases[1:]))

    async def story(floor: Floor) -> None:
        async def told(command: Any) -> Any:
            return [each.event for each in await floor.kernel.submit(FIRST, command)]

        await floor.until(lambda: floor.state(FIRST).trade_rules is not None)
        bare = order_ask("bare", order_qty="1", price="50000.01")
        [refused] = await told(placed(bare, at=floor.kernel.now()))
        assert (refused.reason, refused.excess.limit) == ("exceeds_trade_risk", "500")
        assert "or give it a stop at 49500.01 or higher" in refused.text
        [large] = await told(placed(order_ask("large", order_qty="3", price="50000.01")))
        assert large.reason == "exceeds_trade_risk"
        sells: dict[str, Any] = {"side": Side.SELL, "order_qty": "1"}
        stop: dict[str, Any] = {"price": "", "stop_px": "49500.01", "ord_type": OrdType.STOP}
        asks = (
            order_ask("e", order_qty="1", price="50000.01"),
            order_ask("t", price="60000", **sells),
            order_ask("s", **stop, **sells),
        )
        bracket = listed(*asks, contingency=Contingency.BRACKET, at=floor.kernel.now())
        accepted = await told(bracket)
        assert all(isinstance(each, tev.OrderAccepted) for each in accepted)
        await floor.until(lambda: floor.heard(ev.TradeCounted, STREAM))
        [counted] = floor.heard(ev.TradeCounted, STREAM)
        assert counted.risk <= 500 * DOLLAR
        [denied] = await told(cancel(accepted[2].order.number))
        assert isinstance(denied, tev.ChangeDenied)
        assert standing(floor).state == "active"
        assert not floor.heard(ev.RuleViolated, STREAM)

    lived(tmp_path, story, terms)


def test_a_position_that_the_house_has_bared_is_closed(tmp_path: Path) -> None:
    """All that works is canceled as a halt does it. What the target still reserves at its venue
    cannot be closed at once: the house comes back for it."""
    short = tier()
    ruled = msgspec.structs.replace(short.phases[0], max_risk_per_trade=500 * DOLLAR)
    terms = tier(phases=(ruled, *short.phases[1:]))

    async def story(floor: Floor) -> None:
        await floor.until(lambda: floor.state(FIRST).trade_rules is not None)
        sells: dict[str, Any] = {"side": Side.SELL, "order_qty": "1"}
        stop: dict[str, Any] = {"price": "", "stop_px": "49600", "ord_type": OrdType.STOP}
        asks = (
            order_ask("e", order_qty="1", price="50000.01"),
            order_ask("t", price="60000", **sells),
            order_ask("s", **stop, **sells),
        )
        at = floor.kernel.now()
        await floor.kernel.submit(FIRST, listed(*asks, contingency=Contingency.BRACKET, at=at))
        await floor.until(lambda: floor.heard(ev.TradeCounted, STREAM))
        taken = tev.CancelOrders(CommandId("halt/9/"), floor.kernel.now(), reason="halt")
        await floor.kernel.submit(FIRST, taken)
        await floor.until(lambda: not floor.state(FIRST).positions)
        assert floor.heard(tev.PositionBared, FIRST)
        assert standing(floor).state == "active"
        assert not floor.heard(ev.RuleViolated, STREAM)

    lived(tmp_path, story, terms)


def test_nothing_is_opened_around_an_announcement(tmp_path: Path) -> None:
    """What works is canceled when the window begins, what comes in it is
    refused, what is open may be closed, and nobody fails."""
    short = tier()
    ruled = msgspec.structs.replace(short.phases[0], news=NewsWindow(2, 2))
    terms = tier(phases=(ruled, *short.phases[1:]))

    async def story(floor: Floor) -> None:
        async def told(command: Any) -> Any:
            return [each.event for each in await floor.kernel.submit(FIRST, command)]

        await floor.until(lambda: floor.state(FIRST).trade_rules is not None)
        await trades(floor, "1", "50000.01", "a")
        waits = order_ask("waits", order_qty="1", price="40000")
        [accepted] = await told(placed(waits, at=floor.kernel.now()))
        assert isinstance(accepted, tev.OrderAccepted)
        exits = order_ask("exits", side=Side.SELL, order_qty="1", price="60000")
        await told(placed(exits, at=floor.kernel.now()))
        assert len(floor.state(FIRST).working) == 2
        at = Instant(floor.kernel.now() + 120_000_000_000 + 300_000_000)  # begins in 0.3 s
        cpi = NewsItem("cpi", at, "US CPI", Importance.HIGH, (USD,))
        announced = AnnounceNews(CommandId("news#1"), floor.kernel.now(), (cpi,), "test")
        await floor.kernel.submit(HOUSE_STREAM, announced)
        await floor.until(lambda: len(floor.state(FIRST).working) == 1)
        [left] = floor.state(FIRST).working.values()
        assert left.cl_ord_id == "exits"
        await floor.until(lambda: floor.heard(tev.OrderCanceled, FIRST))
        [canceled] = floor.heard(tev.OrderCanceled, FIRST)
        assert (canceled.number, canceled.reason) == (accepted.order.number, "news")
        late = order_ask("late", order_qty="1", price="50000.01")
        [refused] = await told(placed(late, at=floor.kernel.now()))
        assert refused.reason == "news_window"
        await told(cancel(left.number))
        await floor.until(lambda: not floor.state(FIRST).working)
        await told(close(key="out"))
        await floor.until(lambda: not floor.state(FIRST).positions)
        assert standing(floor).state == "active"
        assert not floor.heard(ev.RuleViolated, STREAM)

    lived(tmp_path, story, terms)


def test_a_phase_that_is_passed_is_followed_by_a_fresh_account(tmp_path: Path) -> None:
    short = tier()
    first = msgspec.structs.replace(short.phases[0], min_trading_days=0, min_trades=0)
    terms = tier(phases=(first, *short.phases[1:]))

    async def story(floor: Floor) -> None:
        await trades(floor, "5", "50000.01", "a")
        floor.trades_at(53_000)  # 15,000: the target is reached, and something is open
        await asyncio.sleep(0.1)
        assert not floor.heard(ev.StagePassed, STREAM)
        await trades(floor, "5", "52999.99", "b", Side.SELL)
        await floor.until(lambda: floor.heard(ev.AssessmentStarted, STREAM)[1:])
        assert floor.state(SECOND).balances == {"USD": 100_000 * DOLLAR}
        state = standing(floor)
        assert (state.state, state.stage, state.account) == ("active", 1, account_id(ASM, 2))
        await floor.until(lambda: floor.state(FIRST).trading_state is TradingState.HALTED)

    lived(tmp_path, story, terms)


def test_what_is_paid_for_at_the_checkout_is_an_assessment_at_once(tmp_path: Path) -> None:
    with house(tmp_path) as running:
        client = running.client()
        bought = client.ask("POST", "/api/purchases", {"tier": "one-step-50k"})
        assert bought.status == 201, bought.body
        purchase = bought.body["purchase_id"]
        checkout = urlsplit(bought.body["checkout_url"]).path
        http = HTTPConnection("127.0.0.1", running.port, timeout=20)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        http.request("POST", checkout, b"button=pay", form)
        assert http.getresponse().status == 303
        name = assessment_id_of(purchase)
        wait_for(lambda: client.ask("GET", f"/api/assessments/{name}").status == 200)
        wait_for(lambda: client.get(f"/api/assessments/{name}")["state"] == "active")
        shown = client.get(f"/api/assessments/{name}")
        assert (shown["tier"], shown["size"], shown["user"]) == ("one-step-50k", "50000", "demo")
        assert shown["fingerprint"] == bought.body["fingerprint"]
        assert bought.body["assessment_id"] is None
        assert client.get(f"/api/purchases/{purchase}")["assessment_id"] == name
        gift = {"tier": "two-step-100k", "user": "demo", "reference": "no limit of time"}
        given = client.ask("POST", "/api/assessments", gift).body["assessment_id"]
        wait_for(lambda: len(client.get("/api/assessments")["items"]) == 2)
        for purpose, tier, of, code in (
            ("reset", "one-step-50k", name, None),
            ("extension", "one-step-50k", name, None),
            ("upgrade", "two-step-100k", name, None),
            ("reset", "instant-10k", given, "other_tier"),  # which is cheaper
            ("upgrade", "one-step-50k", name, "other_tier"),
            ("extension", "two-step-100k", given, "no_time_limit"),
        ):
            query = f"tier={tier}&purpose={purpose}&assessment_id={of}"
            offer = client.ask("GET", f"/api/purchases/offer?{query}")
            assert offer.body.get("code") == code, (purpose, tier, offer.body)
