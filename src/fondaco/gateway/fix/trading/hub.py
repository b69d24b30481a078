"""Which sessions are told of which accounts: committed entries in, reports out.

Nothing is said before it is durable: the kernel gives its listeners the entries of a commit.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from fondaco.domain.trading.model import AccountId, TradingRefs, account_stream
from fondaco.gateway.fix.trading.blotter import Blotter, Told
from fondaco.gateway.house import House
from fondaco.kernel.event import Entry, StreamId


class Hearer(Protocol):
    """A session that is told what happens to its accounts."""

    def tell(self, told: Sequence[Told]) -> None: ...


class Journal(Protocol):
    def read(self, stream: StreamId, after_version: int = 0, limit: int = -1) -> list[Entry]: ...


class Hub:
    """One for a house. `publish` is a listener of its kernel; `position` where that stands now."""

    def __init__(
        self, house: House, refs: Callable[[], TradingRefs], journal: Journal, position: int
    ) -> None:
        self.house = house
        self.refs = refs
        self.position = position
        self._journal = journal
        self._blotters: dict[StreamId, Blotter] = {}
        self._hearers: dict[StreamId, list[Hearer]] = {}

    def blotter(self, account: str) -> Blotter:
        """Of an account, read from the journal at its first use."""
        stream = account_stream(AccountId(account))
        found = self._blotters.get(stream)
        if found is None:
            found = self._blotters[stream] = Blotter(stream, self.refs)
            for entry in self._journal.read(stream):
                if entry.position <= self.position:
                    found.hear(entry)
        return found

    def missed(self, accounts: Sequence[str], after: int) -> list[Told]:
        """What entries behind a position say, in order: to a session that was not told yet."""
        found: list[Told] = []
        for account in accounts:
            stream = account_stream(AccountId(account))
            again = Blotter(stream, self.refs)
            for entry in self._journal.read(stream):
                if entry.position > self.position:
                    break
                told = again.hear(entry)
                if entry.position > after:
                    found += told
        found.sort(key=lambda told: told.position)
        return found

    def subscribe(self, account: str, hearer: Hearer) -> None:
        self.blotter(account)
        hearers = self._hearers.setdefault(account_stream(AccountId(account)), [])
        if hearer not in hearers:
            hearers.append(hearer)

    def publish(self, entries: Sequence[Entry]) -> None:
        """The entries of a commit."""
        said: dict[int, tuple[Hearer, list[Told]]] = {}
        for entry in entries:
            blotter = self._blotters.get(entry.stream)
            if blotter is None:
                continue
            told = blotter.hear(entry)
            if not told:
                continue
            for hearer in self._hearers.get(entry.stream, ()):
                said.setdefault(id(hearer), (hearer, []))[1].extend(told)
        self.position = entries[-1].position
        for hearer, found in said.values():
            hearer.tell(found)
