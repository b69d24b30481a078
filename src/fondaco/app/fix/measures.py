"""FIX messages over time, as a house and the command line tell them."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from fondaco.app.at_rest import at_rest
from fondaco.app.files import Files
from fondaco.app.fix.columns import has_lake, open_lake, series_of
from fondaco.app.fix.store import open_messages
from fondaco.domain.fix.measuring import SeriesPoint, SeriesReply, SeriesRequest
from fondaco.domain.fix.series import Point
from fondaco.domain.fix.store import messages as kept
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.kernel.instants import instant_of, moment
from fondaco.ports.lake import Lake

SECOND_NS: Final = 1_000_000_000
HOUR_NS: Final = 3_600 * SECOND_NS
SPANS_MAX: Final = 10_000


def lake_of(files: Files) -> Lake | None:
    """None where Polars is not installed, or nothing was carried yet."""
    return (
        open_lake(files.fix_lake, at_rest(files))
        if files.fix_lake.exists() and has_lake()
        else None
    )


def series_reply(files: Files, conn: Any, asked: SeriesRequest, now: int) -> SeriesReply:
    """`conn` reads the index of messages."""
    width = asked.width_s * SECOND_NS
    before = instant_of(asked.before) if asked.before else (now // width + 1) * width
    after = instant_of(asked.after) if asked.after else (before - HOUR_NS) // width * width
    if not 0 <= after < before < 2**63:
        raise Invalid(
            f"after is {moment(after)} and before {moment(before)}, must be later, both between "
            f"1970 and 2262"
        )
    if (before - after) // width > SPANS_MAX:
        raise Invalid(
            f"there are {(before - after) // width:,} spans of {asked.width_s} s between after and "
            f"before, must be at most {SPANS_MAX:,}: ask for less time, or a greater width_s"
        )
    points, columns = series_of(lake_of(files), conn, after, before, width, asked.session)
    return SeriesReply(
        moment(after), moment(before), asked.width_s, list(map(_shown, points)), columns
    )


def _shown(point: Point) -> SeriesPoint:
    times = (None if each < 0 else each / 1_000 for each in (point.p50, point.p99, point.longest))
    return SeriesPoint(
        moment(point.at),
        point.session,
        point.received,
        point.sent,
        point.rejects,
        point.answered,
        *times,
    )


def series_in(files: Files, asked: SeriesRequest, now: int) -> SeriesReply:
    """Of a data directory, whether a house runs on it or not."""
    if not files.messages.exists():
        raise NotFound(f"{files.root} holds no messages; name the data directory of a house")
    with closing(open_messages(files)) as store, store.writing() as conn:
        kept.create(conn)
    with closing(open_messages(files)) as store, store.reading() as conn:
        return series_reply(files, conn, asked, now)


def lines_of(reply: SeriesReply) -> Iterator[str]:
    """A table for a terminal."""
    width = max((len(each.session) for each in reply.points), default=7)
    yield (
        f"{'at':<20}  {'session':<{width}}  received    sent  rejects  answered    p50 µs    p99 µs"
    )
    for each in reply.points:
        p50, p99 = ("-" if us is None else f"{us:,.0f}" for us in (each.p50_us, each.p99_us))
        yield (
            f"{each.at[:19]}Z  {each.session:<{width}}  {each.received:8} {each.sent:7}"
            f"  {each.rejects:7}  {each.answered:8}  {p50:>8}  {p99:>8}"
        )
