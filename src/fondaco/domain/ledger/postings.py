"""What a book posts in the ledger: what was posted in it, and nothing of what is pending. Pure."""

from collections.abc import Sequence
from typing import Final

from fondaco.domain.ledger.events import TransferMade, TransferPosted
from fondaco.domain.ledger.model import Poster, Posting, account_in, moved
from fondaco.kernel.event import Entry, Event


def _posted(entry: Entry) -> Sequence[Posting]:
    event: TransferMade | TransferPosted = entry.event  # type: ignore[assignment]
    if not event.units:  # posted in part, of which the part was nothing
        return ()
    debit, credit = (account_in(entry.stream, name) for name in (event.debit, event.credit))
    return (moved(debit, credit, event.asset, event.units),)


POSTERS: Final[dict[type[Event], Poster]] = {TransferMade: _posted, TransferPosted: _posted}
