"""An account as its state shows it: valued at marks, and limits with what of them is used."""

from msgspec.structs import replace

import build as b
from build import A1, ASSETS, BTC, BTC_USD, USD
from fondaco.domain.reference.model import Limits
from fondaco.domain.trading.events import TradingCommand
from fondaco.domain.trading.looks import account_reply, limit_lines
from fondaco.domain.trading.model import AccountState, TradingRefs
from fondaco.domain.trading.replies import Terms, rounded
from fondaco.domain.trading.rules import decide, evolve, initial
from fondaco.kernel.instants import moment

LIMITS = Limits(
    order_qty_max={BTC_USD: 6_000},
    order_notional_max=500_00_000_000,
    collar_bps=1_000,
    position_max={BTC_USD: 14_000},
    daily_loss_max=300_00_000_000,
    orders_max=6,
    rate_window_ms=1_000,
)


def after(refs: TradingRefs, *commands: TradingCommand) -> AccountState:
    state = initial(A1)
    for command in commands:
        for event in decide(state, command, refs):
            evolve(state, event)
    return state


def printing(refs: TradingRefs) -> Terms:
    return Terms(dict(refs.instruments), dict(ASSETS))  # type: ignore[arg-type]


def test_balances_are_valued_at_marks_and_held_by_orders() -> None:
    refs = b.refs()
    state = after(refs, b.opened(), b.deposit("1000"), b.deposit("2", BTC), b.buy(price="99.50"))
    reply = account_reply("A1", state, refs.rates, printing(refs), 9)
    btc, usd = reply.balances
    assert (btc.balance, btc.held, btc.free, btc.value) == ("2", "0", "2", "200")
    assert btc.mark is not None
    assert (btc.mark.px, btc.mark.quality) == ("100", "ok")
    assert (usd.balance, usd.held, usd.free, usd.value) == ("1000", "99.5", "900.5", "1000")
    assert (reply.equity, reply.open_orders, reply.position) == ("1200", 1, 9)


def test_equity_is_not_said_where_a_holding_has_no_price() -> None:
    refs = b.refs()
    state = after(refs, b.opened(), b.deposit("1000"), b.deposit("2", BTC))
    reply = account_reply("A1", state, {USD: refs.rates[USD]}, printing(refs), 9)
    assert (reply.balances[0].value, reply.equity) == (None, None)


def test_an_account_that_was_never_opened_shows_nothing() -> None:
    refs = b.refs()
    reply = account_reply("A1", initial(A1), refs.rates, printing(refs), 0)
    assert (reply.balances, reply.equity, reply.currency) == ([], None, "")


def test_limits_come_with_what_of_them_is_used() -> None:
    refs = b.refs(limits=LIMITS)
    state = after(refs, b.opened(), b.deposit("1000"), b.deposit("2", BTC), b.buy(at=b.SECOND))
    state.session_equity = 1500_00_000_000
    lines = {line.name: line for line in limit_lines(state, refs, b.SECOND)}
    assert set(lines) == {
        "order_qty_max",
        "order_notional_max",
        "collar_bps",
        "position_max",
        "daily_loss_max",
        "orders_max",
    }
    assert (lines["position_max"].limit, lines["position_max"].used) == ("14", "3")
    assert (lines["daily_loss_max"].limit, lines["daily_loss_max"].used) == ("300", "300")
    assert (lines["orders_max"].limit, lines["orders_max"].used) == ("6", "1")
    later = {line.name: line for line in limit_lines(state, refs, 3 * b.SECOND)}
    assert later["orders_max"].used == "0"


def test_display_rounds_half_to_even_and_keeps_the_minor_digits() -> None:
    usd = ASSETS[USD]
    shown = [rounded(units, usd) for units in (500_000, 1_500_000, -500_001, 100_000_000, 0)]
    assert shown == ["0.00", "0.02", "-0.01", "1.00", "0.00"]
    assert rounded(150, replace(usd, minor_decimals=0, decimals=2)) == "2"


def test_moments_are_exact_to_the_microsecond() -> None:
    assert moment(1_700_000_000_123_456_789) == "2023-11-14T22:13:20.123456Z"
