"""What is asked about who is ahead, answered of views and of who wants to be seen by a name."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from fondaco.domain.evaluation.leaderboard import store
from fondaco.domain.evaluation.leaderboard.api import (
    LeaderboardReply,
    LeaderboardRequest,
    LeaderLine,
    ProfileReply,
)
from fondaco.domain.evaluation.leaderboard.ranking import By, Ranked, ranked
from fondaco.domain.evaluation.model import MONEY_DECIMALS
from fondaco.domain.identity.directory import Directory
from fondaco.domain.trading.store.holdings import shows
from fondaco.kernel.money import format_scaled
from fondaco.kernel.operation import Stamp
from fondaco.ports.store import Store

PPM_DECIMALS: Final = 6


class LeaderboardDesk:
    """`fondaco.domain.evaluation.leaderboard.api.Leaderboard`."""

    def __init__(self, directory: Directory, records: Store, reading: Callable[[], Any]) -> None:
        self._directory, self._records, self._reading = directory, records, reading
        records.create(store.records_metadata)

    def _user(self, stamp: Stamp) -> str:
        return str(self._directory.still(stamp.tenant, stamp.caller).user)

    async def ranks(self, ask: LeaderboardRequest, stamp: Stamp) -> LeaderboardReply:
        def look() -> LeaderboardReply:
            user = self._user(stamp)
            with self._records.reading() as conn:
                names = store.names(conn, stamp.tenant)
            with self._reading() as conn:
                position = shows(conn)
                found = store.results(conn, stamp.tenant, ask.tier, ask.currency)
            lines = list(_lines(ranked(found, ask.by), ask.by, user, names))
            mine = [line for line in lines if line.is_you]
            return LeaderboardReply(ask.by, lines[: ask.limit], mine, len(lines), position)

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
    found: Iterable[Ranked], by: By, user: str, names: Mapping[str, str]
) -> Iterable[LeaderLine]:
    decimals = MONEY_DECIMALS if by == "payouts" else PPM_DECIMALS
    for each in found:
        result = each.result
        is_you = result.user == user
        yield LeaderLine(
            rank=each.rank,
            name=names.get(result.user, ""),
            is_you=is_you,
            tier=result.tier,
            state=result.state,
            value=format_scaled(each.value, decimals),
            assessment_id=result.assessment_id if is_you else None,
        )
