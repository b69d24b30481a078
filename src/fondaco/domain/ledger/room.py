"""The ledger presents itself to app.py: the books of tenants, and the standing checks."""

from typing import Final, get_args

from fondaco.domain.ledger import api
from fondaco.domain.ledger.events import BookEvent, ChecksEvent
from fondaco.domain.ledger.model import CHECKS_STREAM, PREFIX
from fondaco.domain.ledger.rules import books as book_law
from fondaco.domain.ledger.rules import checks as check_law
from fondaco.domain.ledger.store import books
from fondaco.runtime.room import Room

room: Final = Room(
    name="ledger",
    prefix=PREFIX,
    decider=book_law,
    operations=api.operations(books),
    kinds=get_args(BookEvent),
)
checks: Final = Room(
    name="checks", prefix=CHECKS_STREAM, decider=check_law, kinds=get_args(ChecksEvent)
)
