"""A NewOrderSingle as nearly all are, read without the tables of `words.py`. Hot.

What is unusual in any way gives None, and the tables decide: so there is one place that knows what
may be asked, and this one is only fast. A test holds the two against each other.
"""

import re
from collections.abc import Collection
from typing import Final

from fondaco.domain.fix.api import Message
from fondaco.domain.trading.events import Ask
from fondaco.gateway.fix.trading.words import ORD_TYPES, ORDER, SIDES, TIMES_IN_FORCE

_READ: Final = (1, 11, 55, 54, 40, 59, 38, 44)
_TAGS: Final = (*_READ, *sorted({each.tag for each in ORDER} - {*_READ}))
_NOTHING: Final = [None] * (len(_TAGS) - len(_READ))
# An amount as one writes it: no zeros in front, and no finer than the house is.
_AMOUNT: Final = "(?:0|[1-9][0-9]{0,11}+)(?:\\.[0-9]{1,9}+)?"
_USUAL: Final = re.compile(
    f"[A-Za-z0-9_.:+=-]{{1,64}}+\n[A-Z0-9][A-Z0-9._-]{{0,39}}+\n{_AMOUNT}\n(?:{_AMOUNT})?"
).fullmatch
_SIDES: Final = {key.encode(): each for key, each in SIDES.items()}
_TYPES: Final = {key.encode(): ORD_TYPES[key] for key in ("1", "2")}
_TIMES: Final = {key.encode(): TIMES_IN_FORCE[key] for key in ("0", "1", "3", "4")}


def usual(message: Message, accounts: Collection[str], default: str) -> tuple[str, Ask] | None:
    """The account and what is asked of it; of a market or a limit order with a quantity."""
    account, cl_ord_id, symbol, side, ord_type, time, qty, px, *rest = message.values(_TAGS)
    if rest != _NOTHING or cl_ord_id is None or symbol is None or qty is None:
        return None
    its_side, its_type, its_time = _SIDES.get(side), _TYPES.get(ord_type), _TIMES.get(time)
    if its_side is None or its_type is None or its_time is None:
        return None
    said = (b"%b\n%b\n%b\n%b" % (cl_ord_id, symbol, qty, px or b"")).decode("latin-1")
    if not _USUAL(said):
        return None
    named = default if account is None else account.decode("latin-1")
    if named not in accounts:
        return None
    its_id, its_symbol, its_qty, its_px = said.split("\n")
    if "." in its_qty:
        its_qty = its_qty.rstrip("0").rstrip(".")
    if "." in its_px:
        its_px = its_px.rstrip("0").rstrip(".")
    return named, Ask(its_id, its_symbol, its_side, its_type, its_time, its_qty, its_px)  # type: ignore[arg-type]  # as they are: see kernel.event
