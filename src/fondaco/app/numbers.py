"""What `/metrics` shows of the house itself, beside what its doors count."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from fondaco.app.outbound import outbound_numbers
from fondaco.app.tracing import hops_of, progress_of
from fondaco.gateway.metrics import Metric
from fondaco.gateway.streams import Streams
from fondaco.kernel.errors import FondacoError
from fondaco.runtime.tracing.hops import EDGES_US

if TYPE_CHECKING:
    from fondaco.app.answering import House


def numbers(house: "House", streams: Streams) -> Iterator[Metric]:
    """Read when somebody scrapes; nothing is added up for it."""
    kernel = house.kernel
    committer, reactor = kernel.committer, kernel.reactor
    try:
        views_at = house.views_at()
    except FondacoError:
        views_at = 0
    yield _now("fondaco_journal_position", "The last durable position.", committer.position)
    yield _now("fondaco_views_position", "The position that all views show.", views_at)
    yield _now("fondaco_proofs_position", "The last entry that is hashed.", house.proofs.size)
    yield _now("fondaco_commit_queue", "Turns that wait for the disk.", committer.queued_count)
    yield _sum("fondaco_commits_total", "Groups written.", committer.group_count)
    yield _sum("fondaco_commit_seconds_total", "Time in which they were.", committer.busy_s)
    yield _now(
        "fondaco_messages_open", "Entries whose messages are on their way.", reactor.open_count
    )
    yield _now("fondaco_targets_stopped", "Streams that must be mended.", len(reactor.stopped))
    yield _now("fondaco_follower_up", "1 while views are filled.", not house.follower.trouble)
    yield _sum("fondaco_follower_deaths_total", "Times it was missed.", house.follower.deaths)
    yield _sum("fondaco_feed_deaths_total", "Times the feed had to begin again.", house.feed_deaths)
    yield _sum("fondaco_tape_lost_total", "Frames that no disk took.", house.tape_lost())
    yield _now("fondaco_accounts", "Accounts that are open.", len(kernel.accounts))
    yield _now("fondaco_owners", "Streams in memory.", kernel.owner_count)
    yield _now("fondaco_stops_waiting", "Stops that wait for a mark.", len(kernel.triggers))
    yield _sum("fondaco_rate_limited_total", "Requests that came too often.", house.rates.refused)
    yield from _margin(house)
    yield from _checks(house)
    yield _sum("fondaco_times_lost_total", "Times that no disk took.", house.watch.lost)
    yield from _hops(house)
    yield from _spans(house)
    yield from outbound_numbers(house.outbound)
    yield from house.payments.numbers()
    yield _now("fondaco_websockets", "Open WebSockets.", streams.open_count)
    yield from _market(house)


def _margin(house: "House") -> Iterator[Metric]:
    for level, count in house.kernel.margins.counts().items():
        label = (("level", level),)
        yield _now("fondaco_margin_accounts", "Margin accounts by level.", count, label)


def _checks(house: "House") -> Iterator[Metric]:
    """Alert on any that is 0, and on an age of more than a few rounds."""
    made, failing = house.checked.last, house.failing()
    if made is None:
        return
    for each in made.found:
        label = (("check", each.name),)
        holds = float(each.name not in failing and not each.wrong)
        yield _now("fondaco_check_holds", "1 while a standing check holds.", holds, label)
    age_s = (house.now() - made.at) / 1e9
    yield _now("fondaco_checks_age_seconds", "Since the last round of standing checks.", age_s)
    yield _now("fondaco_checks_round_seconds", "How long it took.", made.took_ms / 1e3)


def _hops(house: "House") -> Iterator[Metric]:
    """Request, decided, durable, routed, filled, told: docs/tracing.md."""
    name, text = "fondaco_hop_seconds", "How long each hop of what is asked took."
    found = {**hops_of(house.kernel.files), **house.kernel.board.path.histograms}
    for hop, histogram in found.items():
        own, total = ("hop", hop), 0
        edges = [*(f"{edge / 1e6:g}" for edge in EDGES_US), "+Inf"]
        for edge, count in zip(edges, histogram.buckets, strict=True):
            total += count
            yield Metric(name, text, "histogram", total, (own, ("le", edge)), "_bucket")
        yield Metric(name, text, "histogram", histogram.sum_us / 1e6, (own,), "_sum")
        yield Metric(name, text, "histogram", total, (own,), "_count")
    text = "The same as a percentile, since the process that sums them up began."
    for hop, histogram in found.items():
        for share in ("0.5", "0.99"):
            value = histogram.quantile_us(float(share)) / 1e6
            labels = (("hop", hop), ("quantile", share))
            yield _now("fondaco_hop_quantile_seconds", text, value, labels)


def _spans(house: "House") -> Iterator[Metric]:
    """Alert where anything is dropped, or where the position falls behind the journal's."""
    if house.tracer is None:
        return
    made = progress_of(house.kernel.files)
    yield _sum("fondaco_spans_sent_total", "Spans that a collector took.", made.sent)
    yield _sum("fondaco_spans_dropped_total", "Spans that it would not have.", made.dropped)
    text = "Entries of which no spans were made, being too far behind."
    yield _sum("fondaco_spans_skipped_entries_total", text, made.skipped)
    yield _now("fondaco_spans_position", "The last entry that is told.", made.position)
    text = "1 while the collector answers."
    yield _now("fondaco_spans_up", text, not (made.trouble or house.tracer.trouble))


def _market(house: "House") -> Iterator[Metric]:
    board = house.kernel.board
    for symbol, book in board.books.items():
        label = (("symbol", str(symbol)),)
        tallies = book.tallies
        yield _now("fondaco_book_ok", "1 while the book is OK.", book.quality == "ok", label)
        yield _sum("fondaco_feed_messages_total", "Received.", tallies.messages, label)
        yield _sum("fondaco_feed_gaps_total", "Holes in the sequence.", tallies.gaps, label)
        yield _sum("fondaco_feed_stale_total", "Silences.", tallies.stale, label)
        yield _sum("fondaco_feed_crossed_total", "Crossed books.", tallies.crossed, label)
        delay = board.detection_delay_ns[symbol] / 1e9
        yield _now(
            "fondaco_detection_delay_seconds", "Longest time a bad book looked good.", delay, label
        )


def _now(name: str, text: str, value: float, labels: tuple[tuple[str, str], ...] = ()) -> Metric:
    return _metric(name, text, "gauge", value, labels)


def _sum(name: str, text: str, value: float, labels: tuple[tuple[str, str], ...] = ()) -> Metric:
    return _metric(name, text, "counter", value, labels)


def _metric(
    name: str,
    text: str,
    kind: Literal["counter", "gauge"],
    value: float,
    labels: tuple[tuple[str, str], ...],
) -> Metric:
    return Metric(name, text, kind, float(value), labels)
