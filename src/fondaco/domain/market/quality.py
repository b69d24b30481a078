"""The law of a book's quality: what is known about it, and which of its troubles counts."""

import msgspec

from fondaco.domain.market.model import Quality


class Condition(msgspec.Struct, gc=False):
    """What is known of one book. `hole` stands until somebody starts to fetch a snapshot."""

    synced: bool = False  # a snapshot and every update since are in the book
    hole: bool = False
    crossed: bool = False
    silent: bool = False
    closed: bool = False  # the contract is not open: nobody trades it there
    unconfirmed: bool = False  # the source is new, and its price is far from the one before it


def judge(condition: Condition) -> Quality:
    """The first of its troubles: a book with a hole is not called crossed, it is called gapped."""
    if condition.closed:
        return Quality.CLOSED
    if condition.hole:
        return Quality.GAPPED
    if not condition.synced:
        return Quality.RECOVERING
    if condition.crossed:
        return Quality.CROSSED
    if condition.silent:
        return Quality.STALE
    return Quality.UNCONFIRMED if condition.unconfirmed else Quality.OK
