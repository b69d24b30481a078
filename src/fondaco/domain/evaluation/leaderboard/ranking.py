"""Ranks, worked out anew of what accounts are now: what is kept of them elsewhere is derived of it,
so that a correction that comes late is right at the next look. Pure."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import msgspec

from fondaco.domain.evaluation.model import PPM

By: TypeAlias = Literal["return", "payouts"]
RANKED: Final = ("active", "passed", "funded")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """An assessment as it is ranked: whole 10^-8 of its currency. `taken` is profit that payouts
    have taken out of it, `paid` what of that went to the trader."""

    assessment_id: str
    user: str
    tier: str
    state: str
    size: int
    balance: int
    taken: int = 0
    paid: int = 0
    created_at: int = 0  # ns: equals stand in the order in which they came


class Ranked(msgspec.Struct, frozen=True):
    rank: int
    value: int  # millionths of the account's size, or whole 10^-8 of the currency
    result: Result


def value_of(result: Result, by: By) -> int:
    """The profit of the stage in parts of its account, rounded down; or what was paid."""
    if by == "payouts":
        return result.paid
    return (result.balance - result.size + result.taken) * PPM // result.size


def ranked(results: Iterable[Result], by: By) -> list[Ranked]:
    """The best first. Equals share a rank, and the next one's counts them all: 1, 2, 2, 4
    (standard competition ranking); they stand in the order in which they came."""
    valued = [(value_of(each, by), each) for each in results]
    losses = sorted(-value for value, _ in valued)
    valued.sort(key=lambda pair: -pair[0])
    return [Ranked(bisect_left(losses, -value) + 1, value, each) for value, each in valued]


def is_ranked(result: Result, tier: str | None) -> bool:
    """Who failed, gave up or ran out of time is not; nor is anybody before the money is there."""
    return result.state in RANKED and result.size > 0 and tier in (None, result.tier)


def member_of(result: Result) -> str:
    """Under which a board has it: in the order of these texts equals are shown."""
    return f"{result.created_at:019d}/{result.assessment_id}"


def assessment_of(member: str) -> str:
    return member.partition("/")[2]
