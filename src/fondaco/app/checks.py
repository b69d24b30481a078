"""Standing checks, made every so often by the process that fills the views, and told to the house.

They look at one state of the views. What they found lies in a file of a few lines, which the house
reads: the process that decides does none of the work.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from fondaco.app.at_rest import at_rest
from fondaco.app.files import Files
from fondaco.app.kinds import build_digest
from fondaco.app.machines import open_journal
from fondaco.app.say import say
from fondaco.domain.ledger import checks as standing
from fondaco.domain.ledger.model import (
    DAYS,
    OWN_VENUE,
    READABLE,
    REPLAY,
    STANDING,
    Found,
    market,
)
from fondaco.domain.ledger.store.postings import clearing_since, ledger_balances
from fondaco.domain.reference.model import EVENT, InstrumentKind
from fondaco.domain.trading.model import AccountId, AccountState, account_stream
from fondaco.domain.trading.rules import decider
from fondaco.domain.trading.store.queries import client_balances, terms
from fondaco.domain.trading.store.replayed import account_amiss, account_ids
from fondaco.domain.trading.store.statements import days_amiss
from fondaco.domain.venues.crossing.model import MIC as CROSSING
from fondaco.kernel.errors import Corrupt, FondacoError
from fondaco.kernel.event import Instant, StreamId
from fondaco.ports.journal import Journal
from fondaco.ports.store import Store
from fondaco.runtime.loading import Memory, Snapshots
from fondaco.runtime.projector import Stop, positions

STANDS_MAX_S: Final = 60.0  # on a clearing account, while messages are on their way
REPLAYED_AT_ONCE: Final = 50  # accounts
REPLAY_S: Final = 0.5  # after which a round replays no further account
STEP: Final = 2_000


class Round(msgspec.Struct, frozen=True):
    """What one round found, of the views as they stood at `position`."""

    at: Instant
    position: int
    took_ms: int
    found: tuple[Found, ...]  # of the checks that were made


class Checker:
    """Belongs to one thread; what it has summed and whom it has replayed it remembers."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        snapshots: Snapshots,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._journal = journal
        self._store = store
        self._snapshots = snapshots
        self._now = now
        self._sums = standing.Sums()
        self._replayed = ""  # the last account that was
        self._differ: dict[str, bool] = {}  # accounts that must be looked at again

    def round(self) -> Round | None:
        """None while the views stand at different positions: one of them is filling."""
        began = self._now()
        with self._store.reading() as conn:
            stands = set(positions(conn).values())
            if len(stands) != 1:
                return None
            position = stands.pop()
            found = standing.of_balances(conn, client_balances(conn))
            found.append(standing.found(DAYS, days_amiss(conn)))
            summed = self._sums.check(conn, position)
            if summed is not None:
                found.append(summed)
            found.append(standing.found(STANDING, list(self._stuck(conn))))
            found.append(standing.found(OWN_VENUE, list(_one_sided(conn))))
            found.append(standing.found(REPLAY, list(self._replay(conn, position))))
            found.append(standing.found(READABLE, ()))
        ended = self._now()
        return Round(Instant(ended), position, (ended - began) // 1_000_000, tuple(found))

    def _stuck(self, conn: Any) -> Iterator[str]:
        for account, asset, units, position in clearing_since(conn):
            [entry] = self._journal.follow(position - 1, 1)[:1]
            stands_s = (self._now() - entry.at) / 1e9
            if stands_s > STANDS_MAX_S:
                yield f"{units} units of {asset} have stood on {account} for {stands_s:.0f} s"

    def _replay(self, conn: Any, position: int) -> Iterator[str]:
        """Accounts that differed, and the next few, as many as there is time for."""
        for name in list(self._differ):
            yield from self._compare(conn, name, position)
        until = time.monotonic() + REPLAY_S
        names = account_ids(conn, self._replayed, REPLAYED_AT_ONCE)
        if not names and self._replayed:
            names = account_ids(conn, "", REPLAYED_AT_ONCE)
        for name in names:
            self._replayed = name
            if name not in self._differ:
                yield from self._compare(conn, name, position)
            if time.monotonic() > until:
                return

    def _compare(self, conn: Any, name: str, position: int) -> list[str]:
        state = self._state_at(account_stream(AccountId(name)), position)
        if state is None:
            return []
        wrong = account_amiss(conn, name, state)
        if wrong:
            self._differ[name] = True
        else:
            self._differ.pop(name, None)
        return wrong

    def _state_at(self, stream: StreamId, position: int) -> AccountState | None:
        """From the last snapshot on; None where that lies beyond the position."""
        memory = self._snapshots.load(stream, decider) or Memory(decider.initial(stream))
        state, version = memory.state, memory.version
        if version:
            last = self._journal.read(stream, version - 1, 1)
            if not last or last[0].position > position:
                return None
        while entries := self._journal.read(stream, version, STEP):
            for entry in entries:
                if entry.position > position:
                    return state
                state = decider.evolve(state, entry.event)  # type: ignore[arg-type]
            version = entries[-1].version
        return state


def _one_sided(conn: Any) -> Iterator[str]:
    """What the house's own book has executed for one side and not for the other: nothing ever is,
    since both are written together. Money of contracts is left out: what they gain and pay is on
    the same account."""
    own = [each for each in terms(conn).listed() if each.mic == CROSSING]
    contracts = {
        each.quote
        for each in own
        if each.kind is not InstrumentKind.SPOT or each.asset_class == EVENT
    }
    for (account, asset), units in sorted(ledger_balances(conn, market(CROSSING)).items()):
        if units and asset not in contracts:
            yield f"{units} units of {asset} stand on {account}"


def keep_checking(files: Files, store: Store, every_s: float, stop: Stop) -> None:
    """Until `stop` is set. What goes wrong in a round is said, and the next one tries again."""
    with ExitStack() as stack:
        checker: Checker | None = None
        while not stop.wait(every_s):
            try:
                if checker is None:
                    journal = stack.enter_context(closing(open_journal(files)))
                    checker = Checker(
                        journal, store, Snapshots(files.snapshots, build_digest(), at_rest(files))
                    )
                made = checker.round()
            except Corrupt as error:
                made = Round(Instant(time.time_ns()), 0, 0, (_unreadable(error),))
            except FondacoError as error:
                say(f"no standing checks: {error.message}")
                continue
            if made is not None:
                _leave(files.checks, made)


def _unreadable(error: Corrupt) -> Found:
    return standing.found(READABLE, (error.message,))


def _leave(path: Path, made: Round) -> None:
    partial = path.with_suffix(".part")
    with suppress(OSError):  # a full disk: the next round tries again
        partial.write_bytes(msgspec.json.encode(made))
        partial.replace(path)


class Heard:
    """The last round, as the process that decides reads it."""

    def __init__(self, files: Files) -> None:
        self._path = files.checks
        self._stamp = 0
        self.last: Round | None = None

    def read(self) -> Round | None:
        """A round that is news."""
        try:
            stamp = self._path.stat().st_mtime_ns
            if stamp == self._stamp:
                return None
            self.last = msgspec.json.decode(self._path.read_bytes(), type=Round)
        except (OSError, msgspec.MsgspecError):
            return None
        self._stamp = stamp
        return self.last
