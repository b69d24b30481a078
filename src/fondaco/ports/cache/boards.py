"""A board of ranks in memory, and what every board takes. Pure."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from fondaco.kernel.errors import Invalid
from fondaco.ports.cache import SCORE_MAX, Ranked, Ranks

BOARDS_MAX: Final = 256  # in one process


def checked(scores: Iterable[int | None]) -> None:
    """Raises `Invalid` for what no board would keep to the unit."""
    for score in scores:
        if score is not None and not -SCORE_MAX < score < SCORE_MAX:
            raise Invalid(f"score is {score}, must be between -2**126 and 2**126")


def lasting(ttl_ms: int) -> int:
    """Raises `Invalid` for a time that is none."""
    if ttl_ms <= 0:
        raise Invalid(f"ttl_ms is {ttl_ms}, must be more than 0: delete what must not stay")
    return ttl_ms


def counted(found: Iterable[tuple[str, int]]) -> list[Ranked]:
    """Members and scores from the highest down, each with its rank."""
    ranked: list[Ranked] = []
    for place, (member, score) in enumerate(found, 1):
        same = bool(ranked) and ranked[-1].score == score
        ranked.append(Ranked(ranked[-1].rank if same else place, member, score))
    return ranked


class KeptRanks:
    """Members by score. `order` holds (-score, member), so that it reads from the top down."""

    __slots__ = ("mark", "order", "scores", "until")

    def __init__(self, scores: Mapping[str, int], mark: str, until: int) -> None:
        checked(scores.values())
        self.scores = dict(scores)
        self.order = sorted((-score, member) for member, score in scores.items())
        self.mark, self.until = mark, until

    def move(self, changes: Mapping[str, int | None], mark: str) -> None:
        checked(changes.values())
        for member, score in changes.items():
            before = self.scores.pop(member, None)
            if before is not None:
                del self.order[bisect_left(self.order, (-before, member))]
            if score is not None:
                self.scores[member] = score
                insort(self.order, (-score, member))
        self.mark = mark

    def seen(self, limit: int, members: Sequence[str]) -> Ranks:
        asked = {
            member: Ranked(bisect_left(self.order, (-score, "")) + 1, member, score)
            for member in members
            if (score := self.scores.get(member)) is not None
        }
        top = counted((member, -down) for down, member in self.order[: max(limit, 0)])
        return Ranks(self.mark, len(self.order), top, asked)
