"""What `/metrics` shows of the house itself, beside what its doors count."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from fondaco.gateway.metrics import Metric
from fondaco.gateway.streams import Streams
from fondaco.kernel.errors import FondacoError

if TYPE_CHECKING:
    from fondaco.app.live import House


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
    yield from _margin(house)
    yield from _checks(house)
    yield _sum("fondaco_times_lost_total", "Times that no disk took.", house.watch.lost)
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
