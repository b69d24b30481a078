"""Asks about announcements: what the house expects, and when nothing is opened because of it."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.reference import events as ref
from fondaco.domain.reference.model import (
    HOUSE_STREAM,
    NEWS_MAX,
    Importance,
    NewsItem,
    Symbol,
    SymbolText,
)
from fondaco.domain.trading.api.accounts import DoneReply, ReasonText, done
from fondaco.domain.trading.api.house import House
from fondaco.domain.trading.api.orders import RefsNow, own_id
from fondaco.kernel.errors import Invalid, Refused
from fondaco.kernel.event import Entry, Instant, StreamId
from fondaco.kernel.money import AssetCode
from fondaco.kernel.operation import Ask, Do, Operation, Stamp

COLUMNS: Final = ("time", "importance", "currencies", "instruments", "title", "source", "id")
NEEDED: Final = ("time", "importance", "title")
CSV_MAX: Final = 4_000_000  # characters
LISTED_MAX: Final = 1_000
_SECOND_NS: Final = 1_000_000_000

NewsIdText = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples=["us-cpi-2026-12"])
]
TimeText = Annotated[str, Meta(max_length=40, examples=["2026-12-10T13:30:00Z"])]
TitleText = Annotated[str, Meta(min_length=1, max_length=200, examples=["US CPI"])]
CurrencyText = Annotated[str, Meta(pattern=r"^[A-Z0-9]{2,12}$", examples=["USD"])]


class NewsAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`time` has a zone: Z, or an offset. It touches the instruments that it names and all that
    have one of its currencies; without either it touches all. Without `id` it has one made of its
    time and its title."""

    time: TimeText
    importance: Importance
    title: TitleText
    currencies: Annotated[list[CurrencyText], Meta(max_length=50)] = []
    instruments: Annotated[list[SymbolText], Meta(max_length=1_000)] = []
    source: Annotated[str, Meta(max_length=200)] = ""
    id: NewsIdText | None = None


class ImportNewsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`items`, or the same as `csv` with a header: time, importance, title, and if wanted
    currencies and instruments (with spaces between them), source, id. One with an id that is known
    takes its place; all of it is taken, or nothing."""

    reason: ReasonText
    items: Annotated[list[NewsAsked], Meta(max_length=NEWS_MAX)] = []
    csv: Annotated[str, Meta(max_length=CSV_MAX)] = ""
    dry_run: bool = False


class NewsLine(msgspec.Struct, frozen=True, kw_only=True):
    """`touches` are the instruments of this house that it concerns; `at` in nanoseconds since 1970,
    UTC."""

    id: str
    at: str
    time: str
    importance: Importance
    title: str
    currencies: Sequence[str]
    instruments: Sequence[str]
    touches: Sequence[str]
    source: str


class ImportNewsReply(msgspec.Struct, frozen=True, kw_only=True):
    """`position` 0: nothing was written, as it was only tried, or all of it was known."""

    new: int
    changed: int
    same: int
    touching_none: int
    over: int
    items: Sequence[NewsLine]
    position: int


class NewsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From now on, where `after` does not say otherwise; the next ones first."""

    after: TimeText | None = None
    importance: Importance = Importance.LOW
    symbol: SymbolText | None = None
    limit: Annotated[int, Meta(ge=1, le=LISTED_MAX)] = 100


class NewsReply(msgspec.Struct, frozen=True):
    items: Sequence[NewsLine]


class RemoveNewsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    news_id: NewsIdText
    reason: ReasonText = "removed"


def _house(_: Any) -> StreamId:
    return HOUSE_STREAM


def instant_of(text: str, what: str) -> Instant:
    """Raises `Invalid` for what is no time, or has no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{what} is {text[:40]}, must be such as 2026-12-10T13:30:00Z") from error
    if found.tzinfo is None:
        raise Invalid(f"{what} is {text[:40]}, must say its zone: Z for UTC, or an offset")
    seconds = int(found.timestamp())
    if not 0 < seconds < 1 << 33:
        raise Invalid(f"{what} is {text[:40]}, must be after 1970 and before 2242")
    return Instant(seconds * _SECOND_NS)


def items_of(ask: ImportNewsRequest) -> tuple[NewsItem, ...]:
    """Raises `Invalid`, which names the item or the line."""
    if bool(ask.items) == bool(ask.csv):
        raise Invalid("give either items or csv, and something in it")
    if ask.items:
        named = [(f"items[{nth}]", each) for nth, each in enumerate(ask.items)]
    else:
        named = _rows(ask.csv)
    found: dict[str, NewsItem] = {}
    for what, each in named:
        item = _item(each, what)
        if item.news_id in found:
            raise Invalid(f"{what} has the id {item.news_id} as one before it has")
        found[item.news_id] = item
    return tuple(found.values())


def _rows(text: str) -> list[tuple[str, NewsAsked]]:
    rows = csv.DictReader(io.StringIO(text), strict=True)
    found: list[tuple[str, NewsAsked]] = []
    try:
        names = [(name or "").strip().lower() for name in rows.fieldnames or ()]
        strange = [name for name in names if name not in COLUMNS]
        missing = [name for name in NEEDED if name not in names]
        if strange or missing or len({*names}) < len(names):
            raise Invalid(
                f"the header of csv is {','.join(names)[:200]}, must have {', '.join(NEEDED)} and "
                f"nothing but {', '.join(COLUMNS)}, each once"
            )
        rows.fieldnames = names
        for row in rows:
            what = f"line {rows.line_num} of csv"
            if None in row or None in row.values():
                raise Invalid(f"{what} has not as many fields as the header")
            found.append((what, _row(row, what)))
            if len(found) > NEWS_MAX:
                raise Invalid(f"csv has more than {NEWS_MAX} announcements")
    except csv.Error as error:
        raise Invalid(f"csv after line {rows.line_num}: {error}") from error
    if not found:
        raise Invalid("csv has a header, and no announcement")
    return found


def _row(row: dict[str, str], what: str) -> NewsAsked:
    said: dict[str, Any] = {name: text.strip() for name, text in row.items() if text.strip()}
    for name in ("currencies", "instruments"):
        if name in said:
            said[name] = said[name].split()
    try:
        return msgspec.convert(said, NewsAsked)
    except msgspec.ValidationError as error:
        raise Invalid(f"{what}: {error}") from error


def _item(ask: NewsAsked, what: str) -> NewsItem:
    at = instant_of(ask.time, f"{what}: time")
    made = blake2b(f"{at}|{ask.title}".encode(), digest_size=8).hexdigest()
    return NewsItem(
        ask.id or made,
        at,
        ask.title,
        ask.importance,
        tuple(map(AssetCode, sorted({*ask.currencies}))),
        tuple(map(Symbol, sorted({*ask.instruments}))),
        ask.source,
    )


class Calendar:
    """What of the house's state the asks about announcements need."""

    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    def line(self, item: NewsItem) -> NewsLine:
        instruments = self._refs().instruments
        return NewsLine(
            id=item.news_id,
            at=str(item.at),
            time=f"{datetime.fromtimestamp(item.at // _SECOND_NS, UTC):%Y-%m-%dT%H:%M:%SZ}",
            importance=item.importance,
            title=item.title,
            currencies=item.currencies,
            instruments=item.instruments,
            touches=[symbol for symbol, each in instruments.items() if item.touches(each)],
            source=item.source,
        )

    async def listed(self, ask: NewsRequest, stamp: Stamp, _: House) -> NewsReply:
        refs = self._refs()
        after = stamp.at if ask.after is None else instant_of(ask.after, "after")
        if ask.symbol is not None and Symbol(ask.symbol) not in refs.instruments:
            raise Invalid(f"symbol is {ask.symbol}, which does not trade here")
        least = list(Importance).index(ask.importance)
        found = sorted(
            (
                each
                for each in refs.announced.values()
                if each.at >= after
                and list(Importance).index(each.importance) >= least
                and (ask.symbol is None or each.touches(refs.instruments[Symbol(ask.symbol)]))
            ),
            key=lambda each: (each.at, each.news_id),
        )
        return NewsReply([self.line(each) for each in found[: ask.limit]])

    async def add(self, ask: ImportNewsRequest, stamp: Stamp, house: House) -> ImportNewsReply:
        """Raises `Refused` where the house would not."""
        items, known = items_of(ask), self._refs().announced
        fresh = [each for each in items if known.get(each.news_id) != each]
        lines = [self.line(each) for each in fresh]
        changed = sum(each.news_id in known for each in fresh)
        command = ref.AnnounceNews(
            own_id("news", ask, stamp), stamp.at, items, ask.reason, stamp.caller
        )
        over = position = 0
        if ask.dry_run:
            self._try(items)
        else:
            last = (await house.submit(HOUSE_STREAM, command))[-1]
            found = done(ask, (last,))
            position = found.position if found.changed else 0
            over = len(last.event.over) if isinstance(last.event, ref.NewsAnnounced) else 0
        return ImportNewsReply(
            new=len(fresh) - changed,
            changed=changed,
            same=len(items) - len(fresh),
            touching_none=sum(not each.touches for each in lines),
            over=over,
            items=lines[:LISTED_MAX],
            position=position,
        )

    def _try(self, items: Sequence[NewsItem]) -> None:
        known = self._refs().instruments
        for each in items:
            for symbol in each.instruments:
                if symbol not in known:
                    text = f"{symbol} does not trade here ({each.title})"
                    raise Refused(text, code="unknown_instrument")


def remove(ask: RemoveNewsRequest, stamp: Stamp) -> ref.RemoveNews:
    command_id = own_id("news", ask, stamp)
    return ref.RemoveNews(command_id, stamp.at, ask.news_id, ask.reason, stamp.caller)


def removed(ask: RemoveNewsRequest, entries: Sequence[Entry]) -> DoneReply:
    return done(ask, entries)


def operations(refs: RefsNow) -> tuple[Operation[Any, Any], ...]:
    calendar = Calendar(refs)
    return (
        Do(
            name="reference.news",
            summary="The announcements that the house expects, the next ones first.",
            method="GET",
            path="/news",
            request=NewsRequest,
            reply=NewsReply,
            scope=Scope.MARKET_READ,
            source="house",
            answer=calendar.listed,
        ),
        Do(
            name="reference.import_news",
            summary="Put announcements into the calendar: around them tiers let nothing be opened.",
            method="POST",
            path="/news",
            request=ImportNewsRequest,
            reply=ImportNewsReply,
            scope=Scope.EVALUATION_WRITE,
            errors=(Refused,),
            source="house",
            answer=calendar.add,
            example={
                "items": [
                    {
                        "time": "2026-12-10T13:30:00Z",
                        "importance": "high",
                        "title": "US CPI",
                        "currencies": ["USD"],
                        "source": "bls.gov",
                    }
                ],
                "reason": "the calendar of December",
            },
        ),
        Ask(
            name="reference.remove_news",
            summary="Take an announcement out of the calendar.",
            method="DELETE",
            path="/news/{news_id}",
            request=RemoveNewsRequest,
            reply=DoneReply,
            scope=Scope.EVALUATION_WRITE,
            errors=(Refused,),
            stream=_house,
            command=remove,
            answer=removed,
        ),
    )
