"""Which views this build keeps: the only list."""

from collections.abc import Iterable, Sequence
from typing import Final

from fondaco.domain.evaluation.assessments.store import AssessmentsView
from fondaco.domain.evaluation.leaderboard.store import LeaderboardView
from fondaco.domain.evaluation.simulations.store import SimulationsView
from fondaco.domain.identity.audit.store import AuditView
from fondaco.domain.ledger.model import Posters
from fondaco.domain.ledger.postings import POSTERS
from fondaco.domain.ledger.store import BooksView, LedgerView
from fondaco.domain.ledger.store.postings import VIEW as LEDGER
from fondaco.domain.payments.disputes.store import DisputesView
from fondaco.domain.payments.postings import POSTERS as PAID
from fondaco.domain.payments.store import PaymentsView
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.trading.postings import Postings
from fondaco.domain.trading.store import TradingView
from fondaco.domain.trading.store.busts import BustsView
from fondaco.domain.trading.store.days import DaysView
from fondaco.domain.trading.store.settlements import SettlementsView
from fondaco.domain.trading.store.standing import StandingView
from fondaco.domain.venues.api import ExecutionBusted
from fondaco.domain.venues.events import OrderExecuted
from fondaco.kernel.event import Entry
from fondaco.ports.journal import Journal
from fondaco.runtime.projector import View
from fondaco.runtime.tracing.spans import Posts, tag_of


def _posters(listed: Iterable[Entry]) -> Posters:
    """Who posts what, in one place."""
    trading = Postings(listed).posters(OrderExecuted, ExecutionBusted)
    return {**trading, **POSTERS, **PAID}


# Instruments matter to what is posted, not to what posts.
POSTS: Final = Posts(
    LEDGER,
    frozenset(map(tag_of, _posters(()))),
)


def every_view(journal: Journal) -> Sequence[View]:
    """New ones each time: a view remembers rows of the store that it fills, and what was listed."""
    listed = journal.read(HOUSE_STREAM)
    posters = _posters(listed)
    return (
        TradingView(), LedgerView(posters), BooksView(), DaysView(listed), SettlementsView(),
        StandingView(), BustsView(), AuditView(), AssessmentsView(), PaymentsView(),
        LeaderboardView(), DisputesView(), SimulationsView(),
    )  # fmt: skip
