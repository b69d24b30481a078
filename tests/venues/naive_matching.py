"""The obvious way to match orders: lists that are sorted and walked. An oracle, and a peer."""

from collections import defaultdict
from typing import Any, NamedTuple


class Resting:
    """One order. `shown` is what is left of the part that everybody sees."""

    def __init__(self, order: int, owner: int, px: int, leaves: int, display: int) -> None:
        self.order, self.owner, self.px, self.leaves, self.display = (
            order, owner, px, leaves, display,
        )  # fmt: skip
        self.shown = min(display, leaves) if display else leaves


class Turn(NamedTuple):
    executed: int  # -1: refused
    rested: int
    why: str
    steps: list[tuple[str, int, int, int]]  # what, maker, px, lots


class NaiveBook:
    """Queues by price, the first in front."""

    def __init__(self) -> None:
        self.queues: tuple[Any, Any] = (defaultdict(list), defaultdict(list))

    def rows(self, side: int) -> list[tuple[int, ...]]:
        return [
            (each.order, each.owner, side, px, each.leaves, each.display, each.shown)
            for px in sorted(self.queues[side], reverse=side == 0)
            for each in self.queues[side][px]
        ]

    def find(self, order: int) -> tuple[int, Any, Resting] | None:
        for side in (0, 1):
            for queue in self.queues[side].values():
                for each in queue:
                    if each.order == order:
                        return side, queue, each
        return None

    def take_off(self, order: int, lots: int = 0) -> int:
        found = self.find(order)
        if found is None or not 0 <= lots <= found[2].leaves:
            return -1
        lots = lots or found[2].leaves
        self._less(found[0], found[2], lots)
        return lots

    def _less(self, side: int, each: Resting, lots: int) -> None:
        each.leaves -= lots
        each.shown = min(each.shown, each.leaves)
        if not each.leaves:
            self.queues[side][each.px].remove(each)
            if not self.queues[side][each.px]:
                del self.queues[side][each.px]

    def enter(  # noqa: C901 - every way in which an order may end
        self, order: int, owner: int, manner: int, px: int, lots: int, display: int = 0
    ) -> Turn:
        side, tif, post_only, mode = manner & 1, (manner >> 1) & 3, manner & 8, manner >> 4
        if self.find(order) or lots < 1 or (not px and not tif):
            return Turn(-1, 0, "refused", [])
        other = self.queues[1 - side]

        def reached() -> list[int]:
            prices = sorted(other, reverse=side == 1)
            return [at for at in prices if not px or (at <= px if side == 0 else at >= px)]

        if reached() and post_only:
            return Turn(-1, 0, "would_take", [])
        if tif == 2 and self._reachable(side, reached(), owner, mode, lots) < lots:
            return Turn(0, 0, "not_at_once" if reached() else "no_liquidity", [])
        steps: list[tuple[str, int, int, int]] = []
        left, executed = lots, 0
        while left and reached():
            maker = other[reached()[0]][0]
            if mode and owner and maker.owner == owner:
                if mode == 1:
                    return Turn(executed, 0, "self_match", steps)
                cut = min(left, maker.leaves) if mode == 4 else maker.leaves
                steps.append(("cut" if mode == 4 else "cancel", maker.order, maker.px, cut))
                self._less(1 - side, maker, cut)
                left -= cut if mode == 4 else 0
                if mode == 3 or not left:
                    return Turn(executed, 0, "self_match", steps)
                continue
            part = min(left, maker.shown)
            steps.append(("fill", maker.order, maker.px, part))
            maker.shown -= part
            left -= part
            executed += part
            self._less(1 - side, maker, part)
            if maker.leaves and not maker.shown:  # an iceberg shows its next part, at the back
                maker.shown = min(maker.display, maker.leaves)
                queue = other[maker.px]
                queue.remove(maker)
                queue.append(maker)
        if left and not tif:
            self.queues[side][px].append(Resting(order, owner, px, left, display))
            return Turn(executed, left, "", steps)
        return Turn(executed, 0, "no_liquidity" if left else "", steps)

    def _reachable(self, side: int, prices: list[int], owner: int, mode: int, lots: int) -> int:
        """What a taker would execute; self-match prevention looked at in the order of the queue."""
        total = 0
        for px in prices:
            others = 0
            for each in self.queues[1 - side][px]:
                if mode and owner and each.owner == owner:
                    if mode == 2:
                        continue
                    # An iceberg's hidden part comes after this order: what is shown stands before.
                    return total + others
                others += each.shown
                if total + others >= lots:
                    return lots
            total += sum(
                each.leaves
                for each in self.queues[1 - side][px]
                if not (mode and owner and each.owner == owner)
            )
        return total
