"""Standing checks of the books: what must be so at every moment, said of what is not.

Each gives a list of sentences, empty when all is well, so that one run tells everything.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa

from fondaco.domain.ledger.model import (
    CLIENT,
    CONSERVATION,
    PENDING,
    POSTINGS,
    TRIAL_BALANCE,
    WRONG_MAX,
    Balances,
    Found,
    Posting,
    add_up,
    trial_balance,
    uncleared,
)
from fondaco.domain.ledger.store import all_postings, ledger_balances
from fondaco.domain.ledger.store.books import pending_amiss
from fondaco.domain.ledger.store.postings import placed_postings

SUMMED_MAX: Final = 500_000  # postings that one round adds to what earlier ones summed


def found(name: str, wrong: Sequence[str]) -> Found:
    """With the first of many sentences, and how many more there are."""
    if len(wrong) > WRONG_MAX:
        wrong = [*wrong[: WRONG_MAX - 1], f"and {len(wrong) - WRONG_MAX + 1} more"]
    return Found(name, tuple(wrong))


class Sums:
    """Postings added up once and for all, so that a round only looks at what has come since."""

    def __init__(self) -> None:
        self._sums: Balances = {}
        self._at = 0

    def check(self, conn: sa.Connection, position: int) -> Found | None:
        """None while there is too much to add up in one round; the next goes on."""
        if position < self._at:  # the view was filled anew
            self._sums, self._at = {}, 0
        count = 0
        for at, posting in placed_postings(conn, self._at):
            if count >= SUMMED_MAX and at != self._at:
                return None
            self._at, count = at, count + 1
            debit, credit = (posting.debit, posting.asset), (posting.credit, posting.asset)
            self._sums[debit] = self._sums.get(debit, 0) + posting.units
            self._sums[credit] = self._sums.get(credit, 0) - posting.units
        self._at = position
        wrong = _differences(ledger_balances(conn), self._sums, "balance", "postings")
        return found(POSTINGS, wrong)


def of_balances(conn: sa.Connection, clients: Balances) -> list[Found]:
    """The checks that look at balances alone: their cost is that of the accounts there are."""
    kept = ledger_balances(conn)
    return [
        found(TRIAL_BALANCE, unbalanced(kept)),
        found(CONSERVATION, disagreeing(kept, clients)),
        found(PENDING, pending_amiss(conn)),
    ]


def standing_checks(conn: sa.Connection, clients: Balances | None = None) -> list[str]:
    """Everything that can be said of the ledger's own tables, and of `clients` where given.

    `clients` is what another source has for the accounts of clients: the trading room's view, or
    states evolved from the journal, as of the same position.
    """
    kept = ledger_balances(conn)
    wrong = unbalanced(kept) + miscounted(kept, all_postings(conn))
    return wrong if clients is None else wrong + disagreeing(kept, clients)


def unbalanced(kept: Balances) -> list[str]:
    """Assets whose accounts do not add up to zero."""
    return [
        f"debits and credits of {asset} differ by {units} units"
        for asset, units in sorted(trial_balance(kept).items())
        if units
    ]


def miscounted(kept: Balances, postings: Iterable[Posting]) -> list[str]:
    """Balances that are not the sum of their postings."""
    return _differences(kept, add_up(postings), "balance", "postings")


def disagreeing(kept: Balances, clients: Balances) -> list[str]:
    """Accounts of clients that own something else than the ledger says."""
    ledger = {key: units for key, units in kept.items() if key[0].startswith(CLIENT)}
    return _differences(ledger, clients, "ledger", "account")


def not_cleared(kept: Balances) -> list[str]:
    """What stands on clearing accounts. True only when every message has arrived: of a house at
    rest, not of one under load."""
    return [
        f"{units} units of {asset} stand on {account}"
        for (account, asset), units in sorted(uncleared(kept).items())
    ]


def _differences(one: Balances, other: Balances, one_name: str, other_name: str) -> list[str]:
    return [
        f"{key[0]} {key[1]}: {one_name} {one.get(key, 0)}, {other_name} {other.get(key, 0)} units"
        for key in sorted({*one, *other})
        if one.get(key, 0) != other.get(key, 0)
    ]
