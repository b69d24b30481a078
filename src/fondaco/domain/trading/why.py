"""Why an order is as it is: its life across streams, each step walked back to what caused it.

Views say where the entries about an order stand; what is told comes from the journal alone.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.market.model import Mark
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.checked import RuleLine, limits_then, rule_lines
from fondaco.domain.trading.model import PREFIX, Side
from fondaco.domain.trading.postings import Postings
from fondaco.domain.trading.replies import Terms
from fondaco.domain.trading.store import queries
from fondaco.kernel.errors import NotFound
from fondaco.kernel.event import (
    MESSAGE_MARK,
    REQUEST_MARK,
    CommandId,
    Entry,
    Event,
    Instant,
    StreamId,
)
from fondaco.kernel.instants import moment
from fondaco.ports.journal import Journal
from fondaco.runtime.history import kind_of, plain
from fondaco.runtime.projector import positions as stands_at
from fondaco.runtime.tracing.looking import Beside, Traced

_MARKED: Final = (
    ev.OrderAccepted,
    ev.OrderRejected,
    ev.MarginWarned,
    ev.MarginEased,
    ev.LiquidationBegan,
    ev.LiquidationEnded,
    ev.NegativeBalanceCovered,
)
STEPS_MAX: Final = 1_000
FILLS_SAID: Final = 3
_CAUSES_MAX: Final = 16
_VENUES: Final = "venue/"


class MarkUsed(msgspec.Struct, frozen=True, gc=False):
    symbol: str
    px: str
    quality: str
    source: str
    tape_position: int
    at: str


class Cause(msgspec.Struct, frozen=True, gc=False):
    """One link back. `by` is "request" (of a client), "entry" (of a stream) or "watcher" (of time
    or marks); only an entry has a position."""

    by: str
    id: str
    position: int | None = None
    kind: str | None = None
    said: str = ""  # of a decision by people: who agreed, when and why


class PostingLine(msgspec.Struct, frozen=True, gc=False):
    """`amount` of `asset` goes from `credit` to `debit`."""

    debit: str
    credit: str
    amount: str
    asset: str


class WhyStep(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    position: int
    at: str
    stream: str
    version: int
    kind: str
    said: str  # in words
    causes: list[Cause]  # nearest first; the last is where it began
    refs_version: int
    # Microseconds since the nearest step that caused it, or else the one before, by the clock that
    # every stamp of the journal is from: that of the house, which never goes back.
    after_us: int | None = None
    headroom: dict[str, str] = {}  # what was left of each rule, before the order
    checks: list[RuleLine] = []  # the same with limit, use, and what the order asked for
    postings: list[PostingLine] = []  # in the ledger
    marks: list[MarkUsed] = []  # that the rules used
    event: Any = None  # as it was written
    trace_id: str = ""  # of the request or the watcher that it all began with
    spans: list["SpanShown"] = []  # of the turn that left it, as far as they were noted


class SpanShown(msgspec.Struct, frozen=True, gc=False):
    """How long one part took: "request", "watch" or "deliver", then "decide", "commit", "postings"
    and "views", each with the kind of the stream behind it."""

    name: str
    at: str
    took_us: int


class Why(msgspec.Struct, frozen=True, gc=False):
    """`position` is how far the views had come that say which entries there are: later ones may be
    missing."""

    about: str  # an order_id, or a position
    account_id: str
    steps: list[WhyStep]
    trace_id: str = ""  # of the first step
    position: int = 0


def why(
    conn: sa.Connection,
    journal: Journal,
    about: str,
    *,
    tenant: str | None = None,
    account_id: str = "",
    beside: Beside | None = None,
) -> Why:
    """`about` is an order_id, a cl_ord_id, or a position of the journal. Of a tenant, or of all.
    `beside` knows when what was written happened.

    Raises `NotFound` for what is not there, and for what is another tenant's.
    """
    currencies = queries.currencies(conn, tenant)
    telling = _Telling(journal, queries.terms(conn), currencies, Traced(journal, beside))
    if about.isdecimal() and about.isascii():
        entry = telling.entry_at(int(about))
        key = None if entry is None else _order_of(entry)
        if key is None:
            return telling.entry_alone(entry, about, tenant)
    else:
        key = queries.find_order(conn, tenant, about, account_id)
    account, number = key
    places = queries.life(conn, tenant, account, number, STEPS_MAX)
    found = [entry for place in places if (entry := telling.entry_at(place)) is not None]
    steps = _timed([(entry.at, telling.step(entry, number)) for entry in found])
    trace_id = steps[0].trace_id if steps else ""
    return Why(f"{account}.{number}", account, steps, trace_id, _stands(conn))


def _stands(conn: sa.Connection) -> int:
    return min(stands_at(conn).values(), default=0)


def _timed(told: list[tuple[int, WhyStep]]) -> list[WhyStep]:
    """With how long each took."""
    at = {step.position: when for when, step in told}
    timed: list[WhyStep] = []
    before: int | None = None
    for when, step in told:
        causes = (at[each.position] for each in step.causes if each.position in at)
        since = next(causes, before)
        after_us = None if since is None else max(when - since, 0) // 1_000
        timed.append(msgspec.structs.replace(step, after_us=after_us))
        before = when
    return timed


def text_of(found: Why) -> str:
    """For people: a line per step, indented lines for what was behind it."""
    lines = [f"{found.about}: {len(found.steps)} steps, trace {found.trace_id}"]
    for step in found.steps:
        lines.append(f"{step.at}  @{step.position}  {step.stream}  {step.said}")
        for cause in step.causes:
            where = f" (@{cause.position}, {cause.kind})" if cause.position is not None else ""
            said = f": {cause.said}" if cause.said else ""
            lines.append(f"    because of {cause.by} {cause.id}{where}{said}")
        if step.trace_id != found.trace_id:
            lines.append(f"    of trace {step.trace_id}")
        if step.spans:
            took = ", ".join(f"{each.name} {each.took_us / 1e3:.3f}" for each in step.spans)
            lines.append(f"    took, ms: {took}")
        if step.headroom:
            left = ", ".join(f"{name} {text}" for name, text in step.headroom.items())
            lines.append(f"    left before it: {left}")
        lines += [
            f"    mark {mark.symbol} {mark.px} {mark.quality}, {mark.source}, {mark.at}"
            for mark in step.marks
        ]
    if found.steps:
        lines.append("each @position can be proven: fondaco proof POSITION")
    return "\n".join(lines)


def _order_of(entry: Entry) -> tuple[str, int] | None:
    event: Any = entry.event
    stream = getattr(event, "account_stream", entry.stream)
    if not stream.startswith(PREFIX):
        return None
    if isinstance(event, ev.OrderAccepted):
        number: int = event.order.number
    else:
        number = getattr(event, "number", 0)
    return (stream.removeprefix(PREFIX), number) if number else None


class _Telling:
    """What it takes to put entries into words."""

    def __init__(
        self, journal: Journal, printing: Terms, currencies: dict[str, str], traced: Traced
    ) -> None:
        self._journal = journal
        self._traced = traced
        self._printing = printing
        self._currencies = currencies  # of the accounts that the reader may see
        listed = journal.read(HOUSE_STREAM)
        self._poster = Postings(each for each in listed if isinstance(each.event, InstrumentListed))

    def entry_at(self, position: int) -> Entry | None:
        found = self._journal.follow(position - 1, 1) if position > 0 else []
        return found[0] if found and found[0].position == position else None

    def entry_alone(self, entry: Entry | None, about: str, tenant: str | None) -> Why:
        """An entry that is about no order, such as a deposit."""
        account = entry.stream.removeprefix(PREFIX) if entry is not None else ""
        if entry is None or (tenant is not None and account not in self._currencies):
            raise NotFound(f"there is nothing at position {about[:20]}")
        is_account = entry.stream.startswith(PREFIX)
        step = self.step(entry, 0)
        account_id = account if is_account else ""
        return Why(about, account_id, [step], step.trace_id, entry.position)

    def step(self, entry: Entry, number: int) -> WhyStep:
        event = entry.event
        account = getattr(event, "account_stream", entry.stream).removeprefix(PREFIX)
        trace_id, spans = self._traced.spans(entry)
        checks = self._checks(entry, account)
        return WhyStep(
            position=entry.position,
            at=moment(entry.at),
            stream=entry.stream,
            version=entry.version,
            kind=kind_of(event),
            said=self._said(event),
            causes=list(self._causes(entry.caused_by)),
            refs_version=entry.refs_version,
            headroom={each.name: f"{each.left} {each.unit}" for each in checks},
            checks=checks,
            postings=self._postings(entry),
            marks=[self._mark(mark) for mark in _marks(event)],
            event=plain(event),
            trace_id=trace_id,
            spans=[
                SpanShown(span.name, moment(Instant(span.start)), (span.end - span.start) // 1_000)
                for span in spans
            ],
        )

    def _causes(self, command_id: CommandId) -> Iterator[Cause]:
        """Back from entry to entry, to what no entry says."""
        for _ in range(_CAUSES_MAX):
            source, mark, version = command_id.rpartition(MESSAGE_MARK)
            if not mark or not version.isdecimal():
                key, asked, _ = command_id.rpartition(REQUEST_MARK)
                if MESSAGE_MARK not in key:
                    yield Cause("request", key) if asked else Cause("watcher", command_id)
                    return
                command_id = CommandId(key)  # what an entry has the house ask of itself
                source, mark, version = command_id.rpartition(MESSAGE_MARK)
            found = self._journal.read(StreamId(source), int(version) - 1, 1)
            if not found:
                yield Cause("entry", command_id)
                return
            (entry,) = found
            said = _agreed(entry.event)
            yield Cause("entry", command_id, entry.position, kind_of(entry.event), said)
            command_id = entry.caused_by

    def _mark(self, mark: Mark) -> MarkUsed:
        px = self._printing.instrument(mark.symbol).px_text(mark.px)
        return MarkUsed(
            mark.symbol, px, mark.quality.value, mark.source, mark.tape_position, moment(mark.at)
        )

    def _checks(self, entry: Entry, account: str) -> list[RuleLine]:
        if not isinstance(entry.event, ev.OrderAccepted | ev.OrderRejected):
            return []
        currency = self._currencies.get(account, "")
        limits = limits_then(self._journal, entry)
        return rule_lines(entry, limits, self._printing, currency)

    def _postings(self, entry: Entry) -> list[PostingLine]:
        """What the entry posted in the ledger."""
        event = entry.event
        kind = type(event)
        is_venue = entry.stream.startswith(_VENUES)
        executed = kind if is_venue and hasattr(event, "fills") else None
        busted = kind if is_venue and _is_bust(event) else None
        poster = self._poster.posters(executed, busted).get(kind)
        if poster is None or kind is InstrumentListed:
            return []
        return [
            PostingLine(
                each.debit, each.credit, self._printing.amount(each.units, each.asset), each.asset
            )
            for each in poster(entry)
        ]

    def _said(self, event: Event) -> str:
        match event:
            case ev.OrderAccepted(order):
                of = self._printing.instrument(order.symbol)
                at = f" at {of.px_text(order.px)}" if order.px else ""
                held = of.quote if order.side is Side.BUY or order.ref_px else of.base
                amount = self._printing.amount(order.hold, held)
                return (
                    f"accepted as {order.ord_status}: {order.side} {of.qty_text(order.lots)} "
                    f"{order.symbol} {order.ord_type}{at} {order.time_in_force}; "
                    f"holds {amount} {held}"
                )
            case ev.OrderRejected():
                return f"refused, {event.reason}: {event.text}"
            case ev.OrderFilled():
                of = self._printing.instrument(event.symbol)
                role = "maker" if event.is_maker else "taker"
                fee = self._printing.amount(event.fee, of.quote)
                return (
                    f"{event.ord_status}: {of.qty_text(event.last_lots)} at "
                    f"{of.px_text(event.last_px)} as {role}, fee {fee} {of.quote}; "
                    f"{of.qty_text(event.leaves_lots)} left"
                )
            case ev.FillBusted():
                return self._taken_back(event)
            case ev.FillCorrected(_, _, bust, fill):
                return f"{self._taken_back(bust)}; it was: {self._said(fill)}"
            case ev.OrderCompleted():
                of = self._printing.instrument(event.symbol)
                return f"filled: its cash is spent on {of.qty_text(event.cum_lots)}"
            case ev.OrderCanceled() | ev.CancelRequested():
                return f"{_words(event)}, {event.reason}"
            case ev.OrderRefused() | ev.ChangeDenied() | ev.ReportUnmatched():
                return f"{_words(event)}, {event.text}"
            case _ if hasattr(event, "symbol") and (hasattr(event, "fills") or _is_bust(event)):
                return self._at_venue(event)
            case _:
                told = plain(event)
                shown = {n: told[n] for n in ("ord_status", "text", "queue_ahead") if told.get(n)}
                words = ", ".join(f"{name} {value}" for name, value in shown.items())
                return f"{_words(event)}{': ' if words else ''}{words}"

    def _at_venue(self, event: Any) -> str:
        """What a venue has executed, or takes back."""
        of = self._printing.instrument(event.symbol)

        def shown(fill: ev.Fill) -> str:
            return f"{of.qty_text(fill.lots)} at {of.px_text(fill.px)}"

        if _is_bust(event):
            what = f"execution {event.ref_number}: {shown(event.busted)}"
            if event.fill is None:
                return f"the venue takes back {what}"
            return f"the venue corrects {what} was {shown(event.fill)}"
        fills = [shown(fill) for fill in event.fills[:FILLS_SAID]]
        more = f" and {len(event.fills) - FILLS_SAID} more" if len(event.fills) > FILLS_SAID else ""
        return f"{_words(event)}: {', '.join(fills)}{more}"

    def _taken_back(self, event: ev.FillBusted) -> str:
        of = self._printing.instrument(event.symbol)
        fee = self._printing.amount(event.fee, of.quote)
        text = f", {event.text}" if event.text else ""
        return (
            f"execution {event.ref_number} taken back by its venue{text}: "
            f"{of.qty_text(event.last_lots)} at {of.px_text(event.last_px)}, fee {fee} "
            f"{of.quote}; {event.ord_status}, {of.qty_text(event.cum_lots)} executed"
        )


def _agreed(event: Event) -> str:
    """What people say who let something be done: the events of four eyes, which are below us."""
    asked_by = getattr(event, "asked_by", "")
    if not asked_by:
        return ""
    told = plain(event)
    return f"asked by {asked_by}, agreed by {told['by']} ({told['how']}): {told['reason']}"


def _is_bust(event: Event) -> bool:
    return hasattr(event, "busted")


def _words(event: Event) -> str:
    """ "order booked" of "venues.order_booked.v1"."""
    return kind_of(event).split(".")[-2].replace("_", " ")


def _marks(event: Event) -> tuple[Mark, ...]:
    if isinstance(event, _MARKED):
        return event.marks
    if isinstance(event, ev.OrderTriggered | ev.OrderTrailed):
        return (event.mark,)
    return ()
