"""Who trades where size ranks instead of time, as published (figures.md, O1 and O2)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.reference.model import Allocation
from fondaco.domain.trading.model import SelfMatch, Side, TimeInForce
from fondaco.domain.venues.crossing.pro_rata import allocate
from fondaco.domain.venues.events import OrderBooked, OrderEnded, OrderExecuted
from fondaco.domain.venues.model import VenueRefs
from fondaco.kernel.event import StreamId
from venues.paper import A, B, Market, cancel, enter
from venues.test_crossing import Crossing

PX = 97


class Shared(Crossing):
    """A book of our own with an allocation. Buyer `nth` is account/N with its order `nth`."""

    def __init__(self, allocation: Allocation) -> None:
        super().__init__()
        book = Market().book
        book.instrument = msgspec.structs.replace(book.instrument, allocation=allocation)
        self.refs = VenueRefs(1, book)

    def bid(self, nth: int, lots: int, px: int = PX, display: int = 0) -> None:
        booked = self.ask(enter(nth, Side.BUY, px, lots, account=buyer(nth), display=display))
        assert isinstance(booked[-1], OrderBooked)

    def sell(self, lots: int, px: int = PX) -> list[int]:
        """What each buyer has of it, by their numbers."""
        events = self.ask(enter(1, Side.SELL, px, lots, TimeInForce.IOC, account=A))
        had = {
            event.number: sum(fill.lots for fill in event.fills)
            for event in events
            if isinstance(event, OrderExecuted) and event.is_maker
        }
        return [had.get(nth, 0) for nth in range(1, 6)]


def buyer(nth: int) -> StreamId:
    return StreamId(f"account/{nth}")


def test_o1_pro_rata_with_a_top_order_at_globex() -> None:
    """CME Globex notice 020705-1 (2005): bids at 97.04 in time order 10 (TOP), 5, 20, 50, 75; of a
    sale of 60 they have 10, 3, 6, 16, 25."""
    venue = Shared(Allocation.PRO_RATA_TOP)
    for nth, lots in enumerate((10, 5, 20, 50, 75), 1):
        venue.bid(nth, lots)
    assert venue.sell(60) == [10, 3, 6, 16, 25]


def test_o2_pro_rata_at_derive() -> None:
    """Resting 10 and 30, taker 20: 5 and 15; by time it would be 10 and 10."""
    for allocation, expected in ((Allocation.PRO_RATA, [5, 15]), (Allocation.FIFO, [10, 10])):
        venue = Shared(allocation)
        venue.bid(1, 10)
        venue.bid(2, 30)
        assert venue.sell(20)[:2] == expected


def test_top_is_who_bettered_the_market_last_and_is_nobody_once_that_order_has_gone() -> None:
    venue = Shared(Allocation.PRO_RATA_TOP)
    venue.bid(1, 10, PX)
    venue.bid(2, 10, PX + 1)
    venue.bid(3, 30, PX + 1)
    venue.ask(cancel(2, account=buyer(2)))
    venue.bid(4, 30, PX)
    assert venue.sell(40)[:4] == [3, 0, 30, 7], "the first is top no more: 10 x 10 / 40, and one"


def test_an_iceberg_has_its_part_of_what_it_shows_and_the_rest_behind_all_others() -> None:
    venue = Shared(Allocation.PRO_RATA)
    venue.bid(1, 100, display=10)
    venue.bid(2, 30)
    assert venue.sell(20)[:2] == [5, 15]
    assert venue.sell(40)[:2] == [25, 15], "5 are shown, 15 are shown, and 20 are hidden"


@pytest.mark.parametrize(
    ("mode", "had", "own"),
    [
        (SelfMatch.CANCEL_NEWEST, [10, 0, 30], []),
        (SelfMatch.CANCEL_OLDEST, [10, 0, 30], [2]),
        (SelfMatch.CANCEL_BOTH, [10, 0, 30], [2]),
    ],
)
def test_who_would_meet_itself_meets_all_others_at_the_price_first(
    mode: SelfMatch, had: list[int], own: list[int]
) -> None:
    venue = Shared(Allocation.PRO_RATA)
    for nth, lots in enumerate((10, 20, 30), 1):
        venue.bid(nth, lots)
    sale = enter(9, Side.SELL, PX, 50, account=buyer(2), self_match=mode)
    events = venue.ask(sale)
    fills = {e.number: sum(f.lots for f in e.fills) for e in events if isinstance(e, OrderExecuted)}
    assert [fills.get(nth, 0) for nth in (1, 2, 3)] == had
    ended = [each.number for each in events if isinstance(each, OrderEnded) and each.number != 9]
    assert ended == own


def test_a_sale_beyond_a_level_goes_on_to_the_next() -> None:
    venue = Shared(Allocation.PRO_RATA)
    venue.bid(1, 10, PX + 1)
    venue.bid(2, 30, PX)
    venue.bid(3, 10, PX)
    assert venue.sell(30)[:3] == [10, 15, 5]
    assert venue.ask(enter(7, Side.SELL, PX, 99, TimeInForce.FOK, account=B))[-1].text != ""


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=8),
    st.integers(1, 10**7),
    st.sampled_from([1, 2]),
)
def test_all_of_it_is_shared_out_and_nobody_has_more_than_they_asked_for(
    resting: list[int], lots: int, least: int
) -> None:
    parts = allocate(lots, resting, least=least)
    total = sum(resting)
    assert sum(parts) == min(lots, total)
    for part, each in zip(parts, resting, strict=True):
        share = lots * each // total
        assert (share if share >= least else 0) <= part <= each or part == each
