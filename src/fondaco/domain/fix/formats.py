"""Whether a value has the form of its field's type: FIX data types, 4.0 to 5.0 SP2.

Types that are not named here are text, which has any form.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from fondaco.domain.fix.checking import (
    BY_FORM,
    INTEGER,
    MOMENT,
    NUMBER,
    ONE,
    TEXT,
    UNSIGNED,
    UNSURE,
    YES_NO,
)

_INTEGER: Final = re.compile(rb"-?[0-9]{1,18}")
_UNSIGNED: Final = re.compile(rb"[0-9]{1,19}")
_FLOAT: Final = re.compile(rb"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_TIME: Final = rb"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]{1,12})?"
_DATE: Final = rb"[0-9]{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_ZONE: Final = rb"(?:Z|[+-](?:0[0-9]|1[0-5])(?::[0-5][0-9])?)"
_SHORT: Final = rb"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::(?:[0-5][0-9]|60)(?:\.[0-9]{1,12})?)?"

_FORMS: Final[Mapping[str, re.Pattern[bytes]]] = {
    **dict.fromkeys(("INT", "NUMINGROUP", "LENGTH", "TAGNUM"), _INTEGER),
    "SEQNUM": _UNSIGNED,
    **dict.fromkeys(("FLOAT", "PRICE", "PRICEOFFSET", "QTY", "AMT", "PERCENTAGE"), _FLOAT),
    "CHAR": re.compile(rb"[^\x01]", re.DOTALL),
    "BOOLEAN": re.compile(rb"[YN]"),
    "UTCTIMESTAMP": re.compile(_DATE + b"-" + _TIME),
    "TIME": re.compile(_DATE + b"-" + _TIME),  # FIX 4.0 and 4.1
    "UTCTIMEONLY": re.compile(_TIME),
    **dict.fromkeys(("UTCDATE", "UTCDATEONLY", "LOCALMKTDATE"), re.compile(_DATE)),
    "LOCALMKTTIME": re.compile(_SHORT),
    "TZTIMEONLY": re.compile(_SHORT + _ZONE + b"?"),
    "TZTIMESTAMP": re.compile(_DATE + b"-" + _SHORT + _ZONE + b"?"),
    "MONTHYEAR": re.compile(rb"[0-9]{4}(?:0[1-9]|1[0-2])(?:w[1-5]|0[1-9]|[12][0-9]|3[01])?"),
    "DAYOFMONTH": re.compile(rb"0?[1-9]|[12][0-9]|3[01]"),
}
_KINDS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("INT", "NUMINGROUP", "LENGTH", "TAGNUM"), INTEGER),
    "SEQNUM": UNSIGNED,
    **dict.fromkeys(("FLOAT", "PRICE", "PRICEOFFSET", "QTY", "AMT", "PERCENTAGE"), NUMBER),
    "CHAR": ONE,
    "BOOLEAN": YES_NO,
    "UTCTIMESTAMP": MOMENT,
    "TIME": MOMENT,
}
SEVERAL: Final = frozenset(("MULTIPLEVALUESTRING", "MULTIPLECHARVALUE", "MULTIPLESTRINGVALUE"))


def form_of(type_: str, begin_string: str) -> Callable[[bytes], object] | None:
    """What says whether bytes have the form of a type, or None for any text.

    Before FIX 4.2 a CHAR was text of any length.
    """
    if type_ == "CHAR" and begin_string in ("FIX.4.0", "FIX.4.1"):
        return None
    form = _FORMS.get(type_)
    return None if form is None else form.fullmatch


def kind_of(type_: str, begin_string: str) -> int:
    """How the kernel in `checking.py` looks at values of a type."""
    if type_ in ("DATA", "XMLDATA", "GROUP"):
        return UNSURE
    if form_of(type_, begin_string) is None:
        return TEXT
    return _KINDS.get(type_, BY_FORM)
