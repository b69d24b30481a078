"""FIX: the codec, its dictionaries and validation; the session law; captures. No sockets.

Usable as a library: `from fondaco.domain.fix import parse, Framer, encode, dictionary, validate`.
"""

from fondaco.domain.fix.dictionary import Dictionary, dictionary, dictionary_for
from fondaco.domain.fix.encoding import encode
from fondaco.domain.fix.framing import Framer
from fondaco.domain.fix.groups import Group
from fondaco.domain.fix.message import Message, loose, parse, what_is_wrong
from fondaco.domain.fix.model import (
    SOH,
    Frame,
    Garbled,
    Options,
    Rejection,
    RejectReason,
    rejection,
)
from fondaco.domain.fix.ordering import ordered
from fondaco.domain.fix.validation import validate

__all__ = [
    "SOH",
    "Dictionary",
    "Frame",
    "Framer",
    "Garbled",
    "Group",
    "Message",
    "Options",
    "RejectReason",
    "Rejection",
    "dictionary",
    "dictionary_for",
    "encode",
    "loose",
    "ordered",
    "parse",
    "rejection",
    "validate",
    "what_is_wrong",
]
