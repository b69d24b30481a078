"""The trace of one entry, worked out when somebody asks: where it began, how long parts took."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from fondaco.kernel.event import Entry, StreamId
from fondaco.ports.journal import Journal
from fondaco.runtime.tracing.noting import Noted
from fondaco.runtime.tracing.rows import Commit, Request, Shown
from fondaco.runtime.tracing.spans import Known, Posts, Span, Turn, known_of, spans_of, turns_of
from fondaco.runtime.tracing.watch import COMMITS, REQUESTS, SHOWN

CAUSES_MAX: Final = 64  # links back; a chain of a house is four or five
KEPT_MAX: Final = 100_000  # turns whose trace is remembered


class Beside:
    """What was noted of one entry, looked up: for those who ask about few."""

    def __init__(self, folder: Path, posts: Posts | None = None) -> None:
        self.posts = posts
        self._commits = Noted(folder, COMMITS, Commit)
        self._requests = Noted(folder, REQUESTS, Request)
        self._shown = Noted(folder, SHOWN, Shown)

    def commit(self, position: int) -> Commit | None:
        rows = self._commits.around(position)
        return next((row for row in rows if row.first <= position <= row.last), None)

    def request(self, at: int) -> Request | None:
        return next((row for row in self._requests.around(at) if row.at == at), None)

    def shown(self, position: int) -> Shown | None:
        """The first time that views showed it: they may have been filled anew since."""
        rows = self._shown.around(position)
        found = [row for row in rows if row.first <= position <= row.last]
        return min(found, key=lambda row: row.ended, default=None)


class Chains:
    """Which trace each turn is part of: remembered of those seen lately, else walked back to."""

    def __init__(
        self,
        journal: Journal,
        commit: Callable[[int], Commit | None],
        request: Callable[[int], Request | None],
    ) -> None:
        self._journal = journal
        self._commit = commit
        self._request = request
        self._kept: dict[tuple[StreamId, int], Known] = {}

    def cause(self, turn: Turn, left: int = CAUSES_MAX) -> Known | None:
        """Of the turn that has caused it; None where it began here, or nothing tells."""
        source = turn.source
        if source is None or not left:
            return None
        kept = self._kept.get(source)
        if kept is None:
            stream, version = source
            found = self._journal.read(stream, version - 1, 1)
            if not found:
                return None
            (before,) = turns_of(found[:1])
            kept = self.keep(before, self._commit(before.position), left - 1)
        return kept

    def keep(self, turn: Turn, commit: Commit | None, left: int = CAUSES_MAX) -> Known:
        known = known_of(turn, commit, self.cause(turn, left), self.request(turn))
        kept = self._kept
        for version in range(turn.version, turn.version + len(turn.kinds)):
            kept[turn.stream, version] = known
        while len(kept) > KEPT_MAX:
            del kept[next(iter(kept))]
        return known

    def request(self, turn: Turn) -> Request | None:
        """What was noted of it, if it is one."""
        return self._request(turn.at) if turn.is_request else None


class Traced:
    """For one question: what is looked up is remembered until it is answered."""

    def __init__(self, journal: Journal, beside: Beside | None) -> None:
        self._beside = beside
        self._chains = Chains(
            journal, beside.commit if beside else _nothing, beside.request if beside else _nothing
        )

    def spans(self, entry: Entry) -> tuple[str, list[Span]]:
        """Its trace id, and the spans of the turn that left it: none where nothing was noted."""
        (turn,) = turns_of([entry])
        beside, chains = self._beside, self._chains
        commit = beside.commit(entry.position) if beside else None
        known = chains.keep(turn, commit)
        if beside is None or commit is None:
            return known.trace_id, []
        spans = spans_of(
            turn,
            known,
            cause=chains.cause(turn),
            commit=commit,
            shown=beside.shown(entry.position),
            request=chains.request(turn),
            posts=beside.posts,
        )
        return known.trace_id, spans


def _nothing(_: int) -> None:
    return None
