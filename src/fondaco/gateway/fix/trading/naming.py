"""What counterparties call their requests, kept in the cause of what these leave in the journal.

An order's own ClOrdID is in its entry. That of a cancel, and a list's ListID, are in nobody's but
the cause: there a blotter finds them again after any death of the house.
"""

from hashlib import blake2b
from typing import Final
from urllib.parse import quote, unquote

CANCEL: Final = "cancel"
LIST: Final = "list"
_QUOTED_MAX: Final = 128


def key_of(what: str, name: str, request: str) -> str:
    """The key of a request that they call `name`; `request` tells it from all others. A name that
    is too long is not kept."""
    quoted = quote(name, safe="")
    if len(quoted) > _QUOTED_MAX:
        quoted = ""
    return f"!fix-{what}/{quoted}/{blake2b(request.encode(), digest_size=12).hexdigest()}"


def name_in(cause: str, what: str) -> str:
    """What they called the request that a cause is of; empty where it is of another kind."""
    begin = f"!fix-{what}/"
    return unquote(cause[len(begin) :].partition("/")[0]) if cause.startswith(begin) else ""
