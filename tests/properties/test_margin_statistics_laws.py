"""What the statistics of an account on margin add up to is what its ledger has: that is how the
accounts of assessments trade, long and short, spot and contracts."""

from hypothesis import given
from hypothesis import strategies as st

from build import A1, ASSETS
from fondaco.domain.ledger.store.postings import ledger_balances
from fondaco.domain.performance.model import Method, Trip
from fondaco.domain.performance.reconciliation import reconcile
from fondaco.domain.performance.round_trips import round_trips
from fondaco.domain.performance.statistics import Tally
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.trading.store.traded import account_history
from fondaco.kernel.event import CommandId, Decision, Event, Instant
from fondaco.ports.journal.memory import MemoryJournal
from ledger.history import CODEC
from properties.test_margin_laws import Turn, played, stories
from properties.test_views_laws import Memory, filled_at_once, laws


def journal_of(turns: list[Turn]) -> MemoryJournal:
    journal, version = MemoryJournal(CODEC), 0
    listed: tuple[Event, ...] = tuple(
        InstrumentListed(terms, ASSETS[terms.base], ASSETS[terms.quote], "")
        for terms in turns[0][0].instruments.values()
    )
    journal.append([Decision(HOUSE_STREAM, 0, CommandId("up#0"), Instant(1), 7, listed)])
    for number, (_, _, _, events, _) in enumerate(played(turns), 2):
        cause = CommandId(f"{number}#0")
        journal.append([Decision(A1, version, cause, Instant(number), 7, tuple(events))])
        version += len(events)
    return journal


@laws
@given(stories(), st.sampled_from(list(Method)))
def test_statistics_of_a_margin_account_add_up_to_the_ledger_to_the_unit(
    turns: list[Turn], method: Method
) -> None:
    store: Memory = filled_at_once(journal_of(turns))
    with store.reading() as conn:
        history = account_history(conn, None, "A1")
        ledger = {asset: units for (_, asset), units in ledger_balances(conn, "account/A1").items()}
    book = round_trips(history.fills, history.instruments, method, history.flows)
    assert [line for line in reconcile(history, book, ledger) if line.difference] == []
    by_currency: dict[str, list[Trip]] = {}
    for trip in book.trips:
        by_currency.setdefault(trip.currency, []).append(trip)
    for trips in by_currency.values():
        found, nets = Tally(), [trip.net for trip in trips]
        for trip in trips:
            found.add(trip)
        assert (found.net, found.fees) == (sum(nets), sum(trip.fees for trip in trips))
        assert (found.wins, found.losses) == (
            sum(net > 0 for net in nets), sum(net < 0 for net in nets),
        )  # fmt: skip
        lost = -sum(net for net in nets if net < 0)
        if lost:
            assert found.profit_factor == sum(net for net in nets if net > 0) / lost
        assert found.win_rate == found.wins / len(nets)
