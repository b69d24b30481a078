"""Our books of a provider against its own, day by day. Pure.

A movement is the same here and there if kind and reference are. What is of the day on one side may
have been noted the day before or after on the other: it is looked for there, too.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class BookLine(NamedTuple):
    """`name` is the purchase or payout; "" where the provider does not say."""

    kind: str
    reference: str
    amount: int
    currency: str
    at: int
    name: str


class Differs(NamedTuple):
    ours: BookLine
    theirs: BookLine


class Reconciled(NamedTuple):
    """`compared` are movements that are the same on both sides."""

    compared: int
    missing_here: Sequence[BookLine]
    missing_there: Sequence[BookLine]
    differ: Sequence[Differs]

    @property
    def is_right(self) -> bool:
        return not (self.missing_here or self.missing_there or self.differ)


def reconciled(
    ours: Iterable[BookLine], theirs: Iterable[BookLine], since: int, until: int
) -> Reconciled:
    """Both sides of more than the span: `since` on, up to `until`, is what is judged."""
    here, there = _by_name(ours), _by_name(theirs)
    same = 0
    missing_here, missing_there, differ = [], [], []
    for key, line in there.items():
        if not since <= line.at < until:
            continue
        known = here.get(key)
        if known is None:
            missing_here.append(line)
        elif (known.amount, known.currency) != (line.amount, line.currency):
            differ.append(Differs(known, line))
        else:
            same += 1
    for key, line in here.items():
        if since <= line.at < until and key not in there:
            missing_there.append(line)
    return Reconciled(same, missing_here, missing_there, differ)


def _by_name(lines: Iterable[BookLine]) -> dict[tuple[str, str], BookLine]:
    """Several of one name, as a dispute that is opened twice, are one of their sum."""
    found: dict[tuple[str, str], BookLine] = {}
    for line in lines:
        key = (line.kind, line.reference)
        known = found.get(key)
        total = line.amount + (known.amount if known else 0)
        found[key] = (known or line)._replace(amount=total)
    return found
