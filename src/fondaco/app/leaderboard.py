"""What is asked about who is ahead, answered of views and of who wants to be seen by a name.

Ranks are kept on boards of the cache, which several processes share, and brought up to what the
views show at each look. What a board says is never believed for itself: one that is gone, or of
another history of the journal, is worked out again of the views.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from fondaco.domain.evaluation.leaderboard import store
from fondaco.domain.evaluation.leaderboard.api import (
    LeaderboardReply,
    LeaderboardRequest,
    LeaderLine,
    ProfileReply,
)
from fondaco.domain.evaluation.leaderboard.ranking import (
    By,
    Result,
    assessment_of,
    is_ranked,
    member_of,
    ranked,
    value_of,
)
from fondaco.domain.evaluation.model import MONEY_DECIMALS
from fondaco.domain.identity.directory import Directory
from fondaco.kernel.errors import Unavailable
from fondaco.kernel.money import format_scaled
from fondaco.kernel.operation import Stamp
from fondaco.ports.cache import Cache, Ranked, Ranks
from fondaco.ports.journal import Journal
from fondaco.ports.store import Store
from fondaco.runtime.projector import positions

PPM_DECIMALS: Final = 6
BOARD_MS: Final = 24 * 3_600_000  # nobody asked for so long: it is worked out again
MOVES_MAX: Final = 2_000  # more were changed since: it is worked out again
TRIES: Final = 4


class Race(NamedTuple):
    """Which ranks: of a firm, by what, of a tier or of all."""

    tenant: str
    by: By
    currency: str
    tier: str | None

    @property
    def key(self) -> str:
        """Nobody's name holds a slash."""
        of = self.currency if self.by == "payouts" else ""
        return f"leaderboard/{self.tenant}/{self.by}/{of}/{self.tier or '*'}"


class Boards:
    """Ranks as views have them, kept on boards of `cache`."""

    def __init__(self, cache: Cache, journal: Journal) -> None:
        self._cache, self._journal = cache, journal
        self._known: tuple[int, str] = (0, "")

    def ranks(self, conn: Any, board: Race, limit: int, members: Sequence[str]) -> Ranks:
        """As of what `conn` shows, whatever the cache holds, or whether there is one."""
        position = positions(conn)[store.VIEW]
        try:
            for _ in range(TRIES):
                kept = self._cache.ranks(board.key, limit, members)
                stood = 0 if kept is None else int(kept.mark.partition("@")[0])
                is_ours = kept is not None and self._mark(stood) == kept.mark
                if is_ours and stood > position:
                    break  # somebody else's views have seen more than ours
                changes = self._since(conn, board, stood) if is_ours else None
                if kept is None or changes is None:
                    scores = _scores(conn, board)
                    self._cache.put_ranks(board.key, scores, self._mark(position), BOARD_MS)
                elif not changes:
                    return kept
                else:
                    mark = self._mark(position)
                    self._cache.move_ranks(board.key, changes, kept.mark, mark)
        except Unavailable:
            pass  # `/ready` tells of it
        return _of_views(conn, board, limit, members)

    def _since(self, conn: Any, board: Race, stood: int) -> Mapping[str, int | None] | None:
        """What has moved since a position; None for too much of it."""
        moved = store.moved(conn, board.tenant, board.currency, stood, MOVES_MAX + 1)
        if len(moved) > MOVES_MAX:
            return None
        return {member_of(each): _score(each, board) for each in moved}

    def _mark(self, position: int) -> str:
        """A place in the journal, and when it was written: a backup that was gone on with has
        another entry there."""
        known = self._known
        if known[0] != position:
            entries = self._journal.follow(position - 1, 1) if position else []
            known = self._known = (position, f"{position}@{entries[0].at if entries else 0}")
        return known[1]


def _scores(conn: Any, board: Race) -> dict[str, int]:
    found = store.results(conn, board.tenant, board.tier, board.currency)
    return {member_of(each): value_of(each, board.by) for each in found}


def _score(result: Result, board: Race) -> int | None:
    return value_of(result, board.by) if is_ranked(result, board.tier) else None


def _of_views(conn: Any, board: Race, limit: int, members: Sequence[str]) -> Ranks:
    found = ranked(store.results(conn, board.tenant, board.tier, board.currency), board.by)
    lines = [Ranked(each.rank, member_of(each.result), each.value) for each in found]
    wanted = set(members)
    asked = {line.member: line for line in lines if line.member in wanted}
    return Ranks("", len(lines), lines[:limit], asked)


class LeaderboardDesk:
    """`fondaco.domain.evaluation.leaderboard.api.Leaderboard`."""

    def __init__(
        self, directory: Directory, records: Store, reading: Callable[[], Any], boards: Boards
    ) -> None:
        self._directory, self._records, self._reading = directory, records, reading
        self._boards = boards
        records.create(store.records_metadata)

    def _user(self, stamp: Stamp) -> str:
        return str(self._directory.still(stamp.tenant, stamp.caller).user)

    async def ranks(self, ask: LeaderboardRequest, stamp: Stamp) -> LeaderboardReply:
        board = Race(stamp.tenant, ask.by, ask.currency, ask.tier)

        def look() -> LeaderboardReply:
            user = self._user(stamp)
            with self._records.reading() as conn:
                names = store.names(conn, stamp.tenant)
            with self._reading() as conn:
                position = positions(conn)[store.VIEW]
                own = [member_of(each) for each in store.own(conn, stamp.tenant, user)]
                found = self._boards.ranks(conn, board, ask.limit, own)
                mine = sorted(found.asked.values(), key=lambda each: (each.rank, each.member))
                shown = [assessment_of(each.member) for each in (*found.top, *mine)]
                results = store.found(conn, shown, ask.currency)
            lines = list(_lines(found.top, results, ask.by, user, names))
            yours = list(_lines(mine, results, ask.by, user, names))
            return LeaderboardReply(ask.by, lines, yours, found.members, position)

        return await asyncio.to_thread(look)

    async def profile(self, stamp: Stamp) -> ProfileReply:
        def look() -> ProfileReply:
            with self._records.reading() as conn:
                return ProfileReply(store.names(conn, stamp.tenant).get(self._user(stamp), ""))

        return await asyncio.to_thread(look)

    async def set_profile(self, name: str, stamp: Stamp) -> ProfileReply:
        def write() -> ProfileReply:
            user = self._user(stamp)
            with self._records.writing() as conn:
                store.set_name(conn, stamp.tenant, user, name, stamp.at)
            return ProfileReply(name)

        return await asyncio.to_thread(write)


def _lines(
    found: Iterable[Ranked],
    results: Mapping[str, Result],
    by: By,
    user: str,
    names: Mapping[str, str],
) -> Iterable[LeaderLine]:
    decimals = MONEY_DECIMALS if by == "payouts" else PPM_DECIMALS
    for each in found:
        result = results[assessment_of(each.member)]
        is_you = result.user == user
        yield LeaderLine(
            rank=each.rank,
            name=names.get(result.user, ""),
            is_you=is_you,
            tier=result.tier,
            state=result.state,
            value=format_scaled(each.score, decimals),
            assessment_id=result.assessment_id if is_you else None,
        )
