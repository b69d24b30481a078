"""`fondaco fix decode`: messages from anywhere, in words."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from fondaco.domain.fix.dictionary import NAMES, Dictionary, dictionary
from fondaco.domain.fix.shown import decoded, lines_of
from fondaco.domain.fix.written import messages_in
from fondaco.kernel.errors import Invalid


def decode(sources: Iterable[str], named: str = "", *, as_json: bool = False) -> Iterator[str]:
    """Lines of text that say what the messages in `sources` say, or one line of JSON a message.

    A source is a message, the name of a file, or - for standard input. `named` is a dictionary:
    "FIX.4.4", or the XML file of one's own. Raises `Invalid` where there is no message.
    """
    of = dictionary_of(named) if named else None
    found = False
    for source in sources:
        for raw in messages_in(text_of(source)):
            message = decoded(raw, of)
            if as_json:
                yield msgspec.json.encode(message).decode()
            else:
                if found:
                    yield ""
                yield from lines_of(message)
            found = True
    if not found:
        raise Invalid("there is no FIX message: one begins with 8=FIX…, a delimiter and 9=")


def text_of(source: str) -> bytes:
    """What stands in a message, a file, or standard input."""
    if source == "-":
        return sys.stdin.buffer.read()
    if source.startswith("8="):
        return source.encode("latin-1", "replace")
    return Path(source).read_bytes()


def dictionary_of(named: str) -> Dictionary:
    """A standard dictionary by its name, or one's own from an XML file."""
    return dictionary(named) if named in NAMES else Dictionary.read(named)
