"""Messages kept for search: written by whoever follows the tape, read by whoever asks."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.fix.message import loose
from fondaco.domain.fix.search.model import All, Asked, Direction, Query, When
from fondaco.domain.fix.search.redaction import redacted
from fondaco.domain.fix.search.rules import answers
from fondaco.domain.fix.search.terms import narrowed, terms
from fondaco.domain.fix.store import tables
from fondaco.domain.fix.store.tables import create as create
from fondaco.ports.bulk import insert_into

EXAMINED_MAX: Final = 20_000  # messages that one answer looks at
_STEP: Final = 256  # looked at together, more and more of them
_STEP_MAX: Final = 4_096
_DELETED_AT_ONCE: Final = 1_000
_HOUSE_BITS: Final = 40
_HOUSE: Final = 0  # the house's own messages; captures are numbered from 1

_INSERT: Final = insert_into(tables.messages)
_MESSAGES: Final = tables.messages.c


class Kept(msgspec.Struct, frozen=True, gc=False):
    """A message of the store. `raw` is without its secrets."""

    id: int
    at: int
    session: str
    direction: Direction
    msg_type: str
    seq_num: int  # -1: it has none
    raw: bytes

    @property
    def asked(self) -> Asked:
        return Asked(self.at, self.session, self.direction, self.raw)


class Found(msgspec.Struct, frozen=True):
    """A page. `next` goes into `below` for what is older; None: that was all. Not `complete`: so
    many were looked at that the rest is left to the next page."""

    items: tuple[Kept, ...]
    next: int | None
    complete: bool
    examined: int


class Span(msgspec.Struct, frozen=True, gc=False):
    """Which ids are looked at: those between, without the ends."""

    above: int
    below: int


def span_of(capture: int = _HOUSE) -> Span:
    """The ids of the house's own messages, or of a capture's."""
    return Span((capture << _HOUSE_BITS) - 1, (capture + 1) << _HOUSE_BITS)


def id_of(number: int, capture: int = _HOUSE) -> int:
    """Of the message at a position of the tape, or of the nth of a capture."""
    return (capture << _HOUSE_BITS) + number


def capture_of(id: int) -> int:
    """0: the house's own."""
    return id >> _HOUSE_BITS


def name_of(id: int) -> str:
    """As it is told: the position on the tape, or the capture and the number in it."""
    capture, number = divmod(id, 1 << _HOUSE_BITS)
    return f"c{capture}-{number}" if capture else str(number)


def id_named(name: str) -> int:
    """Back again; -1 for what names none."""
    capture, dash, number = name.removeprefix("c").partition("-")
    if not dash:
        capture, number = "0", name
    elif not name.startswith("c"):
        return -1
    if not (capture.isdecimal() and number.isdecimal() and len(name) < 30):
        return -1
    return id_of(int(number), int(capture)) if int(number) < 1 << _HOUSE_BITS else -1


class Keeper:
    """Writes messages. Belongs to the one who follows."""

    def __init__(self) -> None:
        self._sessions: dict[str, int] = {}

    def keep(self, conn: sa.Connection, rows: Sequence[tuple[int, Asked]]) -> list[Kept]:
        """Messages under their ids, none of which is there yet. What is kept has no secrets."""
        kept = [_kept(id, each) for id, each in rows]
        _INSERT.run(
            conn,
            [
                (
                    each.id,
                    each.at,
                    self._session(conn, each.session),
                    int(each.direction == "out"),
                    each.msg_type,
                    each.seq_num,
                    each.raw,
                )
                for each in kept
            ],
        )
        tables.keep_terms(conn, ((each.id, terms(each.asked)) for each in kept))
        return kept

    def forget_names(self) -> None:
        """After a transaction that was not committed."""
        self._sessions.clear()

    def _session(self, conn: sa.Connection, name: str) -> int:
        number = self._sessions.get(name)
        if number is None:
            table = tables.sessions
            row = conn.execute(sa.select(table.c.number).where(table.c.session == name)).first()
            if row is None:
                made = conn.execute(table.insert().values(session=name))
                number = int((made.inserted_primary_key or (0,))[0])
            else:
                number = int(row[0])
            self._sessions[name] = number
        return number


def _kept(id: int, asked: Asked) -> Kept:
    raw = redacted(asked.raw)
    message = loose(raw)
    number = message.text(34) or ""
    seq_num = int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else -1
    return Kept(id, asked.at, asked.session, asked.direction, message.text(35) or "", seq_num, raw)


def followed(conn: sa.Connection) -> dict[str, int]:
    """How far each source of the tape was followed."""
    table = tables.followed
    rows = conn.execute(sa.select(table.c.source, table.c.position))
    return {str(source): int(position) for source, position in rows}


def follow(conn: sa.Connection, positions: dict[str, int]) -> None:
    """Note how far, in the block that keeps the messages."""
    table = tables.followed
    for source, position in positions.items():
        moved = conn.execute(
            table.update().where(table.c.source == source).values(position=position)
        )
        if not moved.rowcount:
            conn.execute(table.insert().values(source=source, position=position))


def search(
    conn: sa.Connection,
    query: Query,
    span: Span,
    limit: int,
    *,
    examined_max: int = EXAMINED_MAX,
) -> Found:
    """Messages that answer, the newest first. A page never holds what the one before held, however
    many messages came in between."""
    items: list[Kept] = []
    examined = 0
    below = span.below
    for page in _pages(conn, query, span, examined_max):
        for each in page:
            examined += 1
            below = each.id
            if answers(each.asked, query):
                items.append(each)
                if len(items) == limit:
                    return Found(tuple(items), below, True, examined)
            if examined >= examined_max:
                return Found(tuple(items), below, False, examined)
    return Found(tuple(items), None, True, examined)


def one(conn: sa.Connection, id: int) -> Kept | None:
    return next(_read(conn, _select().where(_MESSAGES.id == id)), None)


def _pages(
    conn: sa.Connection, query: Query, span: Span, examined_max: int
) -> Iterator[list[Kept]]:
    """What may answer, the newest first, in pieces."""
    wanted, step, below = narrowed(query), _STEP, span.below
    while True:
        step = min(step, examined_max)
        selected = _select()
        for bound in _bounds(query):
            selected = selected.where(bound)
        if wanted is None:
            selected = selected.where(_MESSAGES.id > span.above, _MESSAGES.id < below).limit(step)
            page = list(_read(conn, selected))
            is_last = len(page) < step
            below = page[-1].id if page else below
        else:
            ids = tables.found(conn, wanted, span.above, below, step)
            page = list(_read(conn, selected.where(_MESSAGES.id.in_(ids)))) if ids else []
            is_last = len(ids) < step
            below = ids[-1] if ids else below
        if page:
            yield page
        if is_last:
            return
        step = min(step * 2, _STEP_MAX)


def _bounds(query: Query) -> Iterator[Any]:
    """What every answer's time must be, for the database to leave out the others."""
    for each in query.queries if isinstance(query, All) else (query,):
        if isinstance(each, All):
            yield from _bounds(each)
        elif isinstance(each, When):
            column = _MESSAGES.at
            yield {
                "<": column < each.at,
                "<=": column <= each.at,
                ">": column > each.at,
                ">=": column >= each.at,
            }[each.operator]


def _select() -> sa.Select[Any]:
    return (
        sa.select(
            _MESSAGES.id,
            _MESSAGES.at,
            tables.sessions.c.session,
            _MESSAGES.is_out,
            _MESSAGES.msg_type,
            _MESSAGES.seq_num,
            _MESSAGES.raw,
        )
        .join_from(tables.messages, tables.sessions, _MESSAGES.session == tables.sessions.c.number)
        .order_by(_MESSAGES.id.desc())
    )


def _read(conn: sa.Connection, selected: sa.Select[Any]) -> Iterator[Kept]:
    for id, at, session, is_out, msg_type, seq_num, raw in conn.execute(selected):
        yield Kept(id, at, session, "out" if is_out else "in", msg_type, seq_num, bytes(raw))


def forget(conn: sa.Connection, span: Span, limit: int) -> int:
    """Take away messages of a span; how many that were."""
    selected = _select().where(_MESSAGES.id > span.above, _MESSAGES.id < span.below)
    found = list(_read(conn, selected.limit(limit)))
    forget_these(conn, found)
    return len(found)


def forget_these(conn: sa.Connection, found: Sequence[Kept]) -> None:
    tables.forget_terms(conn, ((each.id, terms(each.asked)) for each in found))
    ids = [each.id for each in found]
    for at in range(0, len(ids), _DELETED_AT_ONCE):
        some = ids[at : at + _DELETED_AT_ONCE]
        conn.execute(tables.messages.delete().where(_MESSAGES.id.in_(some)))


def oldest(conn: sa.Connection, span: Span, is_admin: bool, limit: int) -> list[Kept]:
    """The first messages of a span: heartbeats and test requests, or all others."""
    beats = _MESSAGES.msg_type.in_(("0", "1"))
    selected = _select().where(
        _MESSAGES.id > span.above, _MESSAGES.id < span.below, beats if is_admin else ~beats
    )
    return list(_read(conn, selected.order_by(None).order_by(_MESSAGES.id).limit(limit)))


def last_at(conn: sa.Connection, session: str) -> int | None:
    """When the newest message of a session was; None where there is none."""
    selected = sa.select(sa.func.max(_MESSAGES.at)).where(
        _MESSAGES.session == _number_of(session), *_of_house()
    )
    found = conn.execute(selected).scalar()
    return None if found is None else int(found)


def beats(
    conn: sa.Connection, session: str, after: int, before: int, width: int
) -> list[tuple[int, int, int]]:
    """How many messages were received and sent in each span of `width` nanoseconds from `after`
    on; spans without any are left out."""
    bucket = ((_MESSAGES.at - after) // width).label("bucket")
    sent = sa.func.sum(_MESSAGES.is_out)
    selected = (
        sa.select(bucket, sa.func.count() - sent, sent)
        .where(
            _MESSAGES.session == _number_of(session),
            _MESSAGES.at >= after,
            _MESSAGES.at < before,
            *_of_house(),
        )
        .group_by(bucket)
        .order_by(bucket)
    )
    return [(int(number), int(came), int(went)) for number, came, went in conn.execute(selected)]


def of_types(
    conn: sa.Connection, session: str, after: int, before: int, types: Sequence[str], limit: int
) -> list[Kept]:
    """Messages of some types, the newest first."""
    selected = _select().where(
        _MESSAGES.session == _number_of(session),
        _MESSAGES.at >= after,
        _MESSAGES.at < before,
        _MESSAGES.msg_type.in_(types),
        *_of_house(),
    )
    return list(_read(conn, selected.limit(limit)))


def _number_of(session: str) -> Any:
    table = tables.sessions
    return sa.select(table.c.number).where(table.c.session == session).scalar_subquery()


def _of_house() -> tuple[Any, Any]:
    span = span_of()
    return _MESSAGES.id > span.above, _MESSAGES.id < span.below


def within(conn: sa.Connection, after: int, before: int, session: str | None) -> Iterator[Kept]:
    """The house's messages of that time, in the order of their ids."""
    selected = _select().where(_MESSAGES.at >= after, _MESSAGES.at < before, *_of_house())
    if session is not None:
        selected = selected.where(_MESSAGES.session == _number_of(session))
    yield from _read(conn, selected.order_by(None).order_by(_MESSAGES.id))
