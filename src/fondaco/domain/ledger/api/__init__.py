"""What can be asked of the ledger: books of a tenant's own, and the standing checks."""

from typing import Any

from fondaco.domain.ledger.api import books, checks
from fondaco.domain.ledger.api.books import Queries
from fondaco.kernel.operation import Operation


def operations(queries: Queries) -> tuple[Operation[Any, Any], ...]:
    """`queries` are those of the books, bound by room.py."""
    return (*books.operations(queries), checks.OPERATION)
