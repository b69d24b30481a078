"""The laws of round trips: no unit is lost, however fills are divided; and what an account's
statistics add up to is what the ledger has."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from build import BTC_USD, btc_usd
from fondaco.domain.ledger.store.postings import ledger_balances
from fondaco.domain.performance.excursions import excursion
from fondaco.domain.performance.model import Method, TripBook
from fondaco.domain.performance.reconciliation import reconcile
from fondaco.domain.performance.round_trips import round_trips
from fondaco.domain.trading.model import BalanceFlow, TradedFill
from fondaco.domain.trading.store.traded import account_history
from fondaco.kernel.event import Instant
from fondaco.kernel.money import AssetCode
from properties.test_account_laws import Story, stories
from properties.test_views_laws import Memory, filled_at_once, laws, told

ONE: Final = btc_usd()
TERMS: Final = {BTC_USD: ONE}

sizes = st.integers(-30, 30).filter(bool)
traded = st.lists(st.tuples(sizes, st.integers(0, 10**6), st.integers(0, 999)), max_size=40)
methods = st.sampled_from(list(Method))


def made(rows: list[tuple[int, int, int]]) -> list[TradedFill]:
    return [
        TradedFill(number, Instant(number), BTC_USD, lots, gross, fee, f"x{number}")
        for number, (lots, gross, fee) in enumerate(rows, 1)
    ]


def left(book: TripBook) -> tuple[int, int]:
    """What trips and positions have gained, less what positions cost; and all fees."""
    gained = sum(trip.gross for trip in book.trips)
    gained += sum(each.realized - each.cost for each in book.held)
    fees = sum(trip.fees for trip in book.trips) + sum(each.fees for each in book.held)
    return gained, fees


@given(traded, methods)
def test_nothing_is_lost_when_fills_are_divided(
    rows: list[tuple[int, int, int]], method: Method
) -> None:
    fills = made(rows)
    book = round_trips(fills, TERMS, method)
    cash = sum(-fill.gross if fill.lots > 0 else fill.gross for fill in fills)
    assert left(book) == (cash, sum(fill.fee for fill in fills))
    assert sum(each.lots for each in book.held) == sum(fill.lots for fill in fills)


@given(traded, methods, st.lists(st.integers(-(10**6), 10**6), max_size=9))
def test_financing_belongs_to_what_is_held_or_to_nothing(
    rows: list[tuple[int, int, int]], method: Method, swaps: list[int]
) -> None:
    fills = made(rows)
    usd = AssetCode("USD")
    flows = [
        BalanceFlow(4 * number + 1, Instant(4 * number + 1), "swap", BTC_USD, usd, units)
        for number, units in enumerate(swaps)
    ]
    book = round_trips(fills, TERMS, method, flows)
    found = sum(trip.financing for trip in book.trips)
    found += sum(each.financing for each in book.held)
    assert found + book.unassigned.get(usd, 0) == sum(swaps)


@given(traded)
def test_both_methods_gain_the_same_once_all_is_sold(rows: list[tuple[int, int, int]]) -> None:
    fills = made(rows)
    if lots := sum(fill.lots for fill in fills):
        fills.append(TradedFill(99, Instant(99), BTC_USD, -lots, 12_345, 7, "end"))
    books = [round_trips(fills, TERMS, method) for method in Method]
    assert [book.held for book in books] == [[], []]
    assert len({sum(trip.net for trip in book.trips) for book in books}) == 1


@given(traded, methods)
def test_a_trip_ends_between_the_worst_and_the_best_of_it(
    rows: list[tuple[int, int, int]], method: Method
) -> None:
    for trip in round_trips(made(rows), TERMS, method).trips:
        found = excursion(trip, ONE)
        assert found.adverse <= min(trip.gross, 0) <= max(trip.gross, 0) <= found.favorable
        assert trip.opened_at <= trip.closed_at
        assert trip.lots > 0


@laws
@given(stories(), methods)
def test_statistics_add_up_to_the_ledger_to_the_unit(story: Story, method: Method) -> None:
    """Opening, transfers, trips, positions and fees are what the account has, in each asset."""
    journal, _ = told(story)
    store: Memory = filled_at_once(journal)
    with store.reading() as conn:
        history = account_history(conn, None, "A1")
        ledger = {asset: units for (_, asset), units in ledger_balances(conn, "account/A1").items()}
    book = round_trips(history.fills, history.instruments, method, history.flows)
    lines = reconcile(history, book, ledger)
    assert [line for line in lines if line.difference] == []
    if method is Method.AVERAGE:  # as the account itself counts
        assert [line for line in lines if line.basis] == []
    assert {line.asset for line in lines} >= set(ledger)
