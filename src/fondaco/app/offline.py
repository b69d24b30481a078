"""What can be asked of a data directory without a door: some of it while a house runs on it."""

import asyncio
import os
import platform
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from fondaco.app import proofs
from fondaco.app.at_rest import at_rest, open_sqlite
from fondaco.app.clock import Clock
from fondaco.app.files import Files, files_at, is_served, make_root, tape_lock
from fondaco.app.fix.copying import copy_fix
from fondaco.app.fix.copying import wrong as fix_wrong
from fondaco.app.kinds import room_of
from fondaco.app.listening import on_signals
from fondaco.app.machines import SEGMENTS, SQLITE, journal_facts, open_journal, open_records
from fondaco.app.secrets import AT_REST, copy_keys
from fondaco.app.views import POSTS, every_view
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.key_terms import Terms, networks_of
from fondaco.domain.identity.model import Key, Role
from fondaco.domain.ledger.checks import standing_checks
from fondaco.domain.ledger.store.books import pending_amiss
from fondaco.domain.market.feeds import Feed
from fondaco.domain.market.feeds.spec import chosen, feed
from fondaco.domain.market.intake import Emit
from fondaco.domain.market.record import record as record_feed
from fondaco.domain.trading.store.queries import client_balances
from fondaco.domain.trading.why import Why, text_of, why
from fondaco.gateway import terminal
from fondaco.kernel import compiled
from fondaco.kernel.errors import Conflict, Corrupt, Invalid, Unavailable
from fondaco.kernel.event import Instant, StreamId
from fondaco.ports.cache.memory import MemoryCache
from fondaco.ports.journal import LastingJournal
from fondaco.ports.store.sqlite import SqliteStore
from fondaco.ports.tape.segments import SegmentTape
from fondaco.runtime.loading import Memory
from fondaco.runtime.loading import replay as replay_decision
from fondaco.runtime.projector import Projector, positions, views_equal_replay
from fondaco.runtime.proofs import roots, signing
from fondaco.runtime.tracing.looking import Beside
from fondaco.settings import Settings, without_secrets

FOREVER_S: Final = 1e9
DAY_NS: Final = 86_400_000_000_000
FOLLOWER_WAIT_S: Final = 10.0
CARRIED: Final = 2_000  # decisions restored together


@contextmanager
def _journal(where: Path | Files) -> Iterator[LastingJournal]:
    with closing(open_journal(files_at(where))) as journal:
        yield journal


def replay(root: Path | Files, until: int, only: str) -> Iterator[str]:
    """A line for each stream: its version and a digest of its state as of a position.

    Two replays of the same journal by the same build say the same, whatever ran in between.
    """
    memories: dict[StreamId, Memory[Any]] = {}
    position = 0
    with _journal(root) as journal:
        for decision, first in journal.decisions(0):
            last = first + len(decision.events) - 1
            if 0 <= until < last:
                break
            stream = decision.stream
            decider = room_of(stream).decider
            if decider is None or (only and stream != only):
                continue
            memory = memories.get(stream)
            if memory is None:
                memory = memories[stream] = Memory(decider.initial(stream))
            replay_decision(memory, decider, decision)
            position = last
    for stream, memory in sorted(memories.items()):
        named = msgspec.to_builtins(memory.state, str_keys=True)
        content = msgspec.json.encode(named, order="deterministic")
        if only:
            yield msgspec.json.format(content).decode()
        yield f"{stream}  version {memory.version}  sha256 {sha256(content).hexdigest()}"
    yield f"position {position}"


def explain(root: Path | Files, name: str, *, as_json: bool) -> str:
    """The life of an order, or of whatever a position was caused by."""
    files = files_at(root)
    with _journal(files) as journal, _caught_up(files, journal) as store, store.reading() as conn:
        found = why(conn, journal, name, beside=Beside(files.traces, POSTS))
        return msgspec.json.encode(found).decode() if as_json else text_of(found)


@contextmanager
def explaining(files: Files) -> Iterator[Callable[[str], Why]]:
    """Explains orders and positions, one after the other."""
    with _journal(files) as journal, _caught_up(files, journal) as store, store.reading() as conn:
        yield lambda about: why(conn, journal, about, beside=Beside(files.traces, POSTS))


@contextmanager
def _caught_up(files: Files, journal: LastingJournal) -> Iterator[SqliteStore]:
    """The views at the journal's end: carried there, or waited for where a house is running."""
    with closing(open_sqlite(files, files.views, durable=False)) as store:
        if is_served(files):
            _wait_for_follower(store, journal.head())
        else:
            Projector(journal, store, every_view(journal)).catch_up()
        yield store


def _wait_for_follower(store: SqliteStore, position: int) -> None:
    deadline = time.monotonic() + FOLLOWER_WAIT_S
    while time.monotonic() < deadline:
        with store.reading() as conn:
            if min(positions(conn).values(), default=0) >= position:
                return
        time.sleep(0.01)
    raise Unavailable(f"the views have not reached position {position} in {FOLLOWER_WAIT_S:.0f} s")


def verify(
    where: Path | Files, given: Sequence[str] = (), *, progress: bool = False
) -> dict[str, Any]:
    """Every byte of the journal against every root that was published or is `given`, every sealed
    segment of the tape, and the standing checks."""
    files = files_at(where)
    wrong: list[str] = []
    with _journal(files) as journal:
        verdict = proofs.check(files, [roots.named(each) for each in given], progress=progress)
        found: dict[str, Any] = {
            "journal_entries": verdict.entries,
            "root": f"{verdict.root}@{verdict.entries}",
            "roots": verdict.roots,
            "wrong": wrong,
        }
        if verdict.finding is not None:
            found["first"] = msgspec.to_builtins(verdict.finding)
            wrong.append(str(verdict.finding))
            return found
        wrong += signing.unsigned(roots.published(files.proofs))
        with _caught_up(files, journal) as store, store.reading() as conn:
            wrong += standing_checks(conn, client_balances(conn)) + pending_amiss(conn)
    for folder in (files.tape, files.fix):
        if folder.is_dir():
            with closing(SegmentTape(folder, at_rest=at_rest(files))) as tape:
                wrong += tape.verify()
    wrong += fix_wrong(files)
    return found


def rebuild(root: Path | Files) -> dict[str, Any]:
    """Fill all views again from nothing, beside those that serve, and compare them row by row."""
    files = files_at(root)
    beside = files.root / "views.rebuilt.db"
    if is_served(files):
        raise Unavailable(
            f"{files.root} is being served; stop that house, or rebuild a backup of it"
        )
    with _journal(files) as journal, _caught_up(files, journal) as store:
        with closing(open_sqlite(files, beside, durable=False)) as rebuilt:
            different = views_equal_replay(journal, store, rebuilt, partial(every_view, journal))
        entries = journal.head()
    for path in files.root.glob("views.rebuilt.db*"):
        path.unlink()
    return {"entries": entries, "different": different}


def backup(root: Path | Files, to: Path, keys: Path | None = None) -> dict[str, Any]:
    """Copy what cannot be worked out again: the journal, the records, the tape of FIX sessions with
    its archive, its columns and uploads, and the files of settings. The keys go to a folder of
    their own, or nowhere.

    Consistent while a house runs: the records of one moment, then the journal up to what is durable
    after it. What those records still had to tell is told again by the restored house, to no
    further effect; the other way round, it might have been told in between, and be in neither.
    """
    files = files_at(root)
    copy = Files(to, keys_at=files.secrets)
    for folder in (to, keys):
        if folder is not None and folder.exists():
            raise Invalid(f"{folder} exists already; name a folder that does not")
    with _journal(root) as journal:
        to.mkdir(parents=True)
        if files.store_at != SQLITE or files.records.exists():
            with closing(open_records(files)) as records:
                records.copy(copy.records)
        for name in (
            "reports",
            "webhooks",
            "notices",
        ):  # before the journal, in which their places must be
            if getattr(files, name).exists():
                with closing(open_sqlite(files, getattr(files, name))) as queue:
                    queue.copy(getattr(copy, name))
        proofs.copy(files, copy)
        journal.backup(copy.journal)
        copy_fix(files, copy)
        if files.payments.is_dir():  # the evidence of what was paid
            shutil.copytree(files.payments, copy.payments, dirs_exist_ok=True)
    for each in ("fondaco.toml", files.agreements.name):
        with suppress(FileNotFoundError):
            shutil.copyfile(files.root / each, copy.root / each)
    if keys is not None:  # behind what they have sealed
        copy_keys(files, keys)
    return {"to": str(to), "entries": _checked(copy), "bytes": _size(to)}


def restore(
    source: Path, root: Path, journal_at: str = SEGMENTS, keys: Path | None = None
) -> dict[str, Any]:
    """Make `root` out of a backup, which is checked first. Nothing that exists is overwritten.
    `keys` are the newest that there are, so that who was forgotten stays so.

    Elsewhere than in segments the journal must be empty; every entry keeps its position.
    """
    if root.exists() and any(
        root.iterdir()
    ):  # views or a cursor of another house would be believed
        raise Invalid(f"{root} is not empty; restore into a new folder and use that")
    sealed = keys is not None and (keys / AT_REST).exists()
    entries = _checked(Files(source, keys_at=keys if sealed else None))
    partial = root.with_name(f"{root.name}.partial")  # never half a house under its name
    if journal_at == SEGMENTS:
        shutil.copytree(source, partial)
    else:
        shutil.copytree(source, partial, ignore=_all_but(source / "journal"))
        _carry_journal(source, Files(partial, journal_at))
    if keys is not None:
        shutil.copytree(keys, Files(partial).secrets)
    partial.replace(root)
    return {"data": str(root), "entries": entries, "bytes": _size(root)}


def _all_but(folder: Path) -> Callable[[str, list[str]], list[str]]:
    return lambda path, names: names if Path(path) == folder else []


def _carry_journal(source: Path, files: Files) -> None:
    with _journal(source) as journal, closing(open_journal(files, writer=True)) as to:
        if to.head():
            raise Conflict(f"the journal at {without_secrets(files.journal_at)} is not empty")
        decisions = (decision for decision, _ in journal.decisions())
        while together := list(islice(decisions, CARRIED)):
            to.append(together)


def _checked(files: Files) -> int:
    """How many entries a backup has. Raises `Corrupt` where they are not what was written."""
    verdict = proofs.check(files, (), progress=False)
    if verdict.finding is not None:
        raise Corrupt(f"{files.root} is no good backup: {verdict.finding}")
    return verdict.entries


def prove(where: Path | Files, position: int, size: int) -> str:
    """That an entry is in the log of `size` entries, as JSON for `verifier`."""
    files = files_at(where)
    with _journal(files) as journal, closing(proofs.proofs(files, journal)) as log:
        return _json(log.inclusion(position, size))


def prove_consistency(where: Path | Files, old: int, size: int) -> str:
    """That the log of `size` entries begins with that of `old`."""
    files = files_at(where)
    with _journal(files) as journal, closing(proofs.proofs(files, journal)) as log:
        return _json(log.consistency(old, size))


def published(where: Path | Files) -> list[str]:
    """A line for each root, with the key that signed it."""
    return [
        f"{each} {each.at} {each.why}{_signed(each)}"
        for each in roots.published(files_at(where).proofs)
    ]


def _signed(root: roots.Root) -> str:
    if not root.signature:
        return " not signed"
    return f" signed by {root.key}" if signing.is_root_signed(root) else " WRONGLY SIGNED"


def _json(found: msgspec.Struct) -> str:
    return msgspec.json.format(msgspec.json.encode(found)).decode()


def record(root: Path, spec: str, seconds: float) -> dict[str, Any]:
    """Write what a feed says to the tape of `root`, for `seconds` or until interrupted."""
    files, clock = Files(root), Clock()
    make_root(files)

    async def run() -> Any:
        source = _Until(feed(await chosen(spec), open_tape=SegmentTape))
        on_signals(source.stop)
        with tape_lock(files), closing(SegmentTape(files.tape)) as tape:
            return await record_feed(source, tape, seconds or FOREVER_S, clock)

    recorded: dict[str, Any] = msgspec.to_builtins(asyncio.run(run()))
    return recorded


class _Until:
    """A feed that ends when it is told to."""

    def __init__(self, source: Feed) -> None:
        self.label, self.listings, self.wire = source.label, source.listings, source.wire
        self.instruments, self.assets = source.instruments, source.assets
        self._source = source
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self._stopped.set()

    async def run(self, clock: Callable[[], Instant], emit: Emit) -> None:
        running = asyncio.create_task(self._source.run(clock, emit))
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            running.cancel()
            await asyncio.wait({running})
        if not running.cancelled():
            running.result()  # raises what it died of


def create_key(
    root: Path | Files, tenant: str, user: str, name: str, roles: Sequence[str],
    accounts: Iterable[str] | None, *, networks: Iterable[str] = (), days: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A key for a user, who is made, or given these roles, where roles are named."""
    with _directory(root) as directory:
        if roles:
            directory.create_user(tenant, user, [_role(role) for role in roles])
        terms = Terms(networks_of(networks))
        ends = None if days is None else Instant(directory.clock() + int(days * DAY_NS))
        key, token = directory.create_key(
            tenant, user, name, accounts=accounts, expires_at=ends, terms=terms
        )
    return {"key_id": key.key_id, "token": token, "scopes": sorted(key.scopes)}


def add_person(
    root: Files, settings: Settings, who: tuple[str, str], roles: Sequence[str], password: str,
    email: str, name: str,
) -> dict[str, Any]:  # fmt: skip
    """Somebody who signs in with a password, verified by whoever is at the machine. Again: a new
    password, without the second factor, and every session ended."""
    from fondaco.app.people import people_part

    tenant, user = who
    with _directory(root) as directory:
        if roles:
            directory.create_user(tenant, user, [_role(role) for role in roles])
        cache = MemoryCache(directory.clock)
        part = people_part(settings, root, directory.records, directory, cache)
        part.desk.add(tenant, user, password, email, name)
    return {"tenant": tenant, "user": user, "sign_in": "with this password"}


def list_keys(root: Path | Files, tenant: str) -> list[str]:
    with _directory(root) as directory:
        return [
            f"{key.key_id}  {key.user}/{key.name}  {_state(key, directory.clock())}"
            f"{'  ' + ', '.join(key.networks) if key.networks else ''}"
            for key in directory.keys(tenant)
        ]


def _state(key: Key, now: Instant) -> str:
    if key.revoked_at:
        return "revoked"
    return "expired" if now >= key.ends_at else "valid"


def revoke_key(root: Path | Files, tenant: str, key_id: str) -> None:
    with _directory(root) as directory:
        directory.revoke_key(tenant, key_id)


@contextmanager
def _directory(where: Path | Files) -> Iterator[Directory]:
    files, clock = files_at(where), Clock()
    files.root.mkdir(parents=True, exist_ok=True)
    with closing(open_records(files)) as records:
        yield Directory(records, MemoryCache(clock), clock, os.urandom)


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise Invalid(f"role is {name[:40]}, must be one of {', '.join(Role)}") from None


def examine(root: Path | Files) -> Iterator[str]:
    """What there is to run with, and what lies in the data directory."""
    yield f"python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield f"sqlite {sqlite3.sqlite_version}"
    yield "kernels"
    for name, state in compiled.in_use():
        yield f"  {name}: {state}"
    yield f"page {terminal.state()}"
    files = files_at(root)
    yield f"data {files.root.resolve()}"
    if not files.journal.is_dir():
        yield "  no house yet; `fondaco up` makes one"
        return
    if files.journal_at == SEGMENTS:
        with _journal(files) as journal:
            yield f"  journal at position {journal.head()}, {_size(files.journal):,} bytes"
    else:
        yield from journal_facts(files)
    yield f"  free on its disk: {shutil.disk_usage(files.root).free:,} bytes"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
