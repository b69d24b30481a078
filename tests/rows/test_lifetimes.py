"""X9: how long things last, where the documents contradict each other. Sessions are in
identity/test_people, what a shared cache keeps in conformance/test_cache."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import build as b
from fondaco.app.kinds import CODEC
from fondaco.domain.market import looks
from fondaco.domain.trading.events import OrderAccepted
from fondaco.domain.trading.model import ClOrdId
from fondaco.domain.trading.rules import decider
from fondaco.gateway.idempotency import Kept
from fondaco.gateway.kept import StoreReplies
from fondaco.kernel.errors import Conflict, Invalid
from fondaco.kernel.event import Instant
from fondaco.ports import cache
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.actor import Host
from fondaco.runtime.committer import Committer
from fondaco.settings import Settings, load
from market.exchange import BTC, MS, Market, diff, snapshot

HOUR = 3_600_000_000_000
YEARS = 10 * 366 * 24 * HOUR


def test_an_order_id_is_kept_in_the_log_for_ever(tmp_path: Path) -> None:
    """Ten years later, in another process, after other orders: a retry has its first answer, other
    content under the same id is a conflict. No table had to be kept for it, the log is enough."""
    first = replace(b.buy("once"), at=Instant(1))
    with closing(SegmentJournal(tmp_path, CODEC, writer=True)) as journal:
        told = ask(journal, b.opened(), b.deposit("100000"), first)
        ask(journal, *(b.buy(f"o{nth}") for nth in range(30)))
    assert isinstance(told[0].event, OrderAccepted)
    with closing(SegmentJournal(tmp_path, CODEC, writer=True)) as journal:
        assert ask(journal, replace(first, at=Instant(YEARS))) == told
        command_id = first.command_id.rpartition("#")[0] + "#other"
        other = replace(first, command_id=command_id, at=Instant(YEARS))
        with pytest.raises(Conflict, match="used before"):
            ask(journal, other)
        named = replace(first.ask, cl_ord_id=ClOrdId("once"), order_qty="2")
        with pytest.raises(Conflict, match="used before"):
            ask(journal, replace(first, command_id=command_id, ask=named, at=Instant(YEARS)))


def ask(journal: SegmentJournal, *commands: Any) -> Any:
    """What the last of them left; the owner has an empty memory at first."""
    committer = Committer(journal, lambda _: None)
    host: Host[Any, Any, Any, Any] = Host(
        decider, lambda _: b.refs(b.mark("100.00")), journal, committer
    )
    for command in commands:
        answer = host.submit(b.A1, command)
        committer.commit()
    return answer.result()


def test_an_answer_under_a_key_is_kept_a_day_at_the_least(tmp_path: Path) -> None:
    """24 hours, or as long as somebody sets; nobody can set less."""
    hours = Settings().retention_idempotency_h
    assert hours * 3_600_000 == cache.IDEMPOTENCY_MS == 24 * 3_600_000
    with pytest.raises(Invalid, match="24"):
        load({"retention_idempotency_h": 23}, {})
    with closing(SqliteStore(tmp_path / "records.db")) as store:
        replies = StoreReplies(store)
        kept = Kept("000000000000000f", 201, "application/json", b"{}")
        replies.put("key", kept, Instant(0))
        assert replies.forget(Instant(24 * HOUR - hours * HOUR)) == 0
        assert replies.get("key") == kept
        assert replies.forget(Instant(24 * HOUR + 1 - hours * HOUR)) == 1


def test_a_book_is_as_new_as_its_last_sequence() -> None:
    """What is shown is never older than what was heard: each sequence is there at once, and no copy
    of an earlier one is. Elsewhere a copy may live a second."""
    market = Market().gets(snapshot(10, bids=[("100.10", "1.5")])).hears(diff(11, 11))
    for sequence in range(12, 40):
        qty = f"{sequence / 10:g}"
        market.hears(diff(sequence, sequence, bids=[("100.10", qty)]))
        shown = looks.orderbook(market.board, BTC, 1, market.now)
        assert shown.sequence == sequence
        assert shown.bids[0].qty == qty
    assert cache.ORDER_BOOK_MS == 1_000


def test_a_session_ends_after_half_an_hour_unused_and_after_a_day_in_any_case() -> None:
    """As set where nobody sets anything else; that they end is in identity/test_people."""
    settings = Settings()
    assert settings.session_idle_min * 60_000 == cache.SESSION_IDLE_MS == 30 * 60_000
    assert settings.session_max_min * 60_000 == cache.SESSION_ABSOLUTE_MS == 24 * 3_600_000


def test_a_quote_says_how_old_it_is() -> None:
    """It is for display: an order is judged by the book's quality, which is no more OK by then."""
    market = Market().gets(snapshot(10, bids=[("100.10", "1.5")])).hears(diff(11, 11))
    for age_ms in (0, 1_000, cache.QUOTE_MS):
        mark = looks.prices(market.board, BTC, Instant(market.now + age_ms * MS)).mark
        assert mark is not None
        assert mark.age_ms == age_ms
    market.board.check(Instant(market.now + cache.QUOTE_MS * MS))
    assert market.board.book(BTC).quality != "ok"
    assert Settings().stale_after_ms < cache.QUOTE_MS == 60_000
