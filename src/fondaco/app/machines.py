"""Which adapters a house runs on: what its settings name, and no other place chooses.

A data directory belongs to one journal. Views, snapshots and cursor are worked out of that one, and
would be believed beside another; so a directory remembers which it was, and refuses others.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from fondaco.app.at_rest import at_rest, open_sqlite
from fondaco.app.files import Files, read_cursor
from fondaco.app.journal_sealing import sealing_codec
from fondaco.app.referred import referred
from fondaco.app.say import say
from fondaco.gateway.guard.rates import Rate, Rates
from fondaco.kernel.errors import Conflict, Corrupt, FondacoError, Invalid, NotFound
from fondaco.ports.cache import Cache
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.journal import LastingJournal
from fondaco.ports.journal.segments import SEGMENT_BYTES, SegmentJournal
from fondaco.ports.store import Store
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.runtime.projector import positions
from fondaco.settings import Settings, without_secrets

SEGMENTS: Final = "segments"
MEMORY: Final = "memory"
SQLITE: Final = "sqlite"
PAGE: Final = "docs/beyond-one-machine.md"


def open_journal(
    files: Files, *, writer: bool = False, segment_bytes: int = SEGMENT_BYTES
) -> LastingJournal:
    """The journal of a house. A reader is given what is there, and makes nothing."""
    if files.journal_at != SEGMENTS:
        return _open_postgres(files, files.journal_at, writer=writer)
    if files.journal_mark.exists():
        raise Conflict(
            f"the journal of {files.root} is in PostgreSQL: name it with --journal, or as "
            f"`journal` in its fondaco.toml"
        )
    if not writer and not files.journal.is_dir():
        raise NotFound(
            f"{files.root} holds no journal; name the data directory of a house with --data"
        )
    return SegmentJournal(
        files.journal,
        sealing_codec(files),
        writer=writer,
        segment_bytes=segment_bytes,
        at_rest=at_rest(files),
    )


def _open_postgres(files: Files, address: str, *, writer: bool) -> LastingJournal:
    if (files.journal / "head").exists():
        raise Conflict(
            f"{files.root} holds a journal of its own; name another data directory for one in "
            f"PostgreSQL, or take it there: `fondaco backup`, then `fondaco restore --journal`"
        )
    try:
        from fondaco.ports.journal.postgres import PostgresJournal
    except ImportError as error:
        raise _extra_missing("postgres", error) from error
    address = referred(files, "journal", address)
    journal = PostgresJournal(address, sealing_codec(files), writer=writer)
    try:
        _mark_as_belonging_to(files, journal.house)
    except BaseException:
        journal.close()
        raise
    return journal


def _mark_as_belonging_to(files: Files, house: str) -> None:
    mark = files.journal_mark
    if mark.exists():
        if mark.read_text() != house:
            raise Conflict(
                f"{files.root} belongs to another journal than this one: name another data "
                f"directory, or that journal"
            )
        return
    files.journal.mkdir(parents=True, exist_ok=True)
    mark.write_text(house)


def refuse_lost_end(files: Files, views: Store, position: int) -> None:
    """Raises `Corrupt` where the journal in PostgreSQL ends before what was acknowledged.

    Segments on the same disk cannot: there, views that are ahead are those of a restored backup.
    """
    if files.journal_at == SEGMENTS:
        return
    try:
        with views.reading() as conn:
            known = max(positions(conn).values(), default=0)
    except Corrupt:  # no tables yet
        known = 0
    known = max(known, read_cursor(files.cursor))
    if known > position:
        raise Corrupt(
            f"the journal ends at {position}, and {files.root} has seen position {known}: a "
            f"replica that was behind was promoted, or a backup restored. {PAGE} says what to do"
        )


@contextmanager
def house_lock(files: Files) -> Iterator[None]:
    """One house on a data directory, where its journal, which would see to that, is elsewhere."""
    if files.journal_at == SEGMENTS:
        yield
        return
    files.journal.mkdir(parents=True, exist_ok=True)
    with files.lock.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(f"there is a house on {files.root} already: stop that one") from None
        yield


def open_cache(address: str, clock: Callable[[], int]) -> Cache:
    if address == MEMORY:
        return MemoryCache(clock)
    try:
        from fondaco.ports.cache.redis import RedisCache
    except ImportError as error:
        raise _extra_missing("redis", error) from error
    return RedisCache(address, clock)


def open_records(files: Files) -> Store:
    """Users, keys and kept replies. Views stay in the directory: they are worked out again."""
    if files.store_at == SQLITE:
        return open_sqlite(files, files.records)
    try:
        from fondaco.ports.store.postgres import PostgresStore
    except ImportError as error:
        raise _extra_missing("postgres", error) from error
    return PostgresStore(referred(files, "store", files.store_at))


def rates_of(settings: Settings, cache: Cache, now: Callable[[], int]) -> Rates:
    """How often who may ask; counted together with whoever shares the cache."""
    return Rates(
        now,
        {
            "address": Rate(settings.rate_ip_per_s, settings.rate_ip_burst),
            "user": Rate(settings.rate_user_per_s, settings.rate_user_burst),
            "key": Rate(settings.rate_key_per_s, settings.rate_key_burst),
        },
        None if settings.cache == MEMORY else cache,
    )


def open_views(files: Files) -> SqliteStore:
    """They can be filled anew from the journal, so a file that is broken stops nobody."""
    try:
        return open_sqlite(files, files.views, durable=False)
    except Corrupt as error:
        say(f"{files.views} is broken, and filled anew: {error.message}")
        for path in files.root.glob(f"{files.views.name}*"):
            path.unlink()
        return open_sqlite(files, files.views, durable=False)


def journal_facts(files: Files) -> Iterator[str]:
    """What `doctor` says of a journal that is elsewhere."""
    yield f"  journal at {without_secrets(files.journal_at)}"
    try:
        with closing(open_journal(files)) as opened:
            journal: Any = opened
            position, settings = journal.head(), journal.settings()
    except FondacoError as error:
        yield f"    {error.message}"
        return
    yield f"    position {position}"
    for name, value in settings.items():
        yield f"    {name} {value or '(none)'}"
    if settings.get("fsync") == "off" or settings.get("full_page_writes") == "off":
        yield "    WARNING: a power cut of its server loses what was acknowledged"
    if not settings.get("synchronous_standby_names"):
        yield "    no synchronous replica: what was acknowledged is on one machine only"


def _extra_missing(extra: str, error: ImportError) -> Invalid:
    return Invalid(f"this needs more than is installed: pip install 'fondaco[{extra}]' ({error})")
