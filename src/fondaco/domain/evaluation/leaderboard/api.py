"""What may be asked about who is ahead."""

from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.evaluation.assessments.api import TierName
from fondaco.domain.evaluation.leaderboard.ranking import By
from fondaco.domain.identity.model import Scope
from fondaco.kernel.errors import Conflict
from fondaco.kernel.operation import Do, Operation, Stamp

CurrencyText = Annotated[str, Meta(pattern=r"^[A-Z]{3,6}$", examples=["USD"])]
PublicName = Annotated[
    str, Meta(pattern=r"^\w[\w .'-]{1,38}\w$", max_length=40, examples=["Night Heron"])
]


class LeaderboardRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`by` "return": the profit of the stage in parts of its account; "payouts": what was paid in
    `currency`. Without `tier`, of all of them."""

    by: By = "return"
    tier: TierName | None = None
    currency: CurrencyText = "USD"
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class LeaderLine(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is the one that its trader has chosen, "" of who wants none; `value` is a part of 1,
    or an amount. `assessment_id` is there for one's own only."""

    rank: int
    name: str
    is_you: bool
    tier: str
    state: str
    value: str
    assessment_id: str | None


class LeaderboardReply(msgspec.Struct, frozen=True):
    """`items` are the first of `ranked` assessments; `you` are all of your own, wherever they
    stand. Who failed, gave up or ran out of time is not ranked."""

    by: By
    items: list[LeaderLine]
    you: list[LeaderLine]
    ranked: int
    position: int  # of the journal, as far as this shows it


class ProfileRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class SetProfileRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To be seen by everybody of the firm who looks at the ranks."""

    public_name: PublicName


class ProfileReply(msgspec.Struct, frozen=True):
    """ "": you are seen by no name, which is how it begins."""

    public_name: str


class Leaderboard(Protocol):
    """What the door is given to answer from."""

    async def ranks(self, ask: LeaderboardRequest, stamp: Stamp) -> LeaderboardReply: ...

    async def profile(self, stamp: Stamp) -> ProfileReply: ...

    async def set_profile(self, name: str, stamp: Stamp) -> ProfileReply: ...


async def _ranks(ask: LeaderboardRequest, stamp: Stamp, on: Leaderboard) -> LeaderboardReply:
    return await on.ranks(ask, stamp)


async def _profile(_: ProfileRequest, stamp: Stamp, on: Leaderboard) -> ProfileReply:
    return await on.profile(stamp)


async def _set(ask: SetProfileRequest, stamp: Stamp, on: Leaderboard) -> ProfileReply:
    return await on.set_profile(ask.public_name, stamp)


async def _withdraw(_: ProfileRequest, stamp: Stamp, on: Leaderboard) -> ProfileReply:
    return await on.set_profile("", stamp)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="leaderboard.ranks",
        summary="Who is ahead, and where you stand.",
        method="GET",
        path="/leaderboard",
        request=LeaderboardRequest,
        reply=LeaderboardReply,
        scope=Scope.EVALUATION_READ,
        source="leaderboard",
        answer=_ranks,
    ),
    Do(
        name="leaderboard.profile",
        summary="The name under which you are seen there.",
        method="GET",
        path="/leaderboard/profile",
        request=ProfileRequest,
        reply=ProfileReply,
        scope=Scope.EVALUATION_READ,
        source="leaderboard",
        answer=_profile,
    ),
    Do(
        name="leaderboard.set_profile",
        summary="Be seen there by a name of your choice.",
        method="PUT",
        path="/leaderboard/profile",
        request=SetProfileRequest,
        reply=ProfileReply,
        scope=Scope.EVALUATION_ASK,
        errors=(Conflict,),
        source="leaderboard",
        answer=_set,
    ),
    Do(
        name="leaderboard.withdraw_profile",
        summary="Be seen there by no name any more, from now on.",
        method="DELETE",
        path="/leaderboard/profile",
        request=ProfileRequest,
        reply=ProfileReply,
        scope=Scope.EVALUATION_ASK,
        source="leaderboard",
        answer=_withdraw,
    ),
)
