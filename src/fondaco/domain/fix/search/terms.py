"""What an index keeps of a message, and which of its terms a message must have to answer.

A term is made of letters and digits only, so that any full-text index takes it as one word:
`55x455552` is tag 55 with the value EUR in hexadecimal, `h55` that it has tag 55, `wlimit` a word
of any field. An index narrows; `rules.answers` decides. So a term may stand for more than is asked,
never for less.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec

from fondaco.domain.fix.search.asking import words_of
from fondaco.domain.fix.search.model import (
    WORDLESS,
    All,
    Any,
    Asked,
    OfSession,
    OfTag,
    Pattern,
    Query,
    Says,
    Way,
    Word,
)

VALUE_MAX: Final = 24  # bytes of a value that its term tells
NAME_MAX: Final = 64  # of a session's name
WORD_MAX: Final = 32  # characters
TERMS_MAX: Final = 64  # of a question; one with more is answered by looking at each message
# Each message has another value there: nothing is found faster by them.
_UNKEPT: Final = frozenset({8, 9, 10, 52, 60, 122})


class Term(msgspec.Struct, frozen=True):
    """One term; `begins`: any term that begins so."""

    text: str
    begins: bool = False


class Both(msgspec.Struct, frozen=True):
    terms: "tuple[Narrowed, ...]"


class Either(msgspec.Struct, frozen=True):
    terms: "tuple[Narrowed, ...]"


Narrowed: TypeAlias = Term | Both | Either


def terms(message: Asked) -> set[str]:
    """What an index keeps of a message."""
    found = {f"d{message.direction}", _term("s", message.session.encode(), NAME_MAX)}
    for tag, value in message.fields():
        found.add(f"h{tag}")
        if tag not in _UNKEPT:
            found.add(_term(str(tag), value, VALUE_MAX))
        if tag not in WORDLESS:
            found.update(_words(value))
    return found


def narrowed(query: Query) -> Narrowed | None:
    """Which terms every message has that answers; None where no term tells."""
    found = _narrowed(query)
    return None if found is None or _count(found) > TERMS_MAX else found


def _count(found: Narrowed) -> int:
    return 1 if isinstance(found, Term) else sum(map(_count, found.terms))


def _narrowed(query: Query) -> Narrowed | None:
    match query:
        case OfTag():
            return _of_tag(query)
        case Says():
            if query.tag in WORDLESS:
                return None
            return _both([_of_word(word) for word in query.words])
        case OfSession() if query.operator == "=":
            return _of_pattern("s", query.pattern, NAME_MAX)
        case Way():
            return Term(f"d{query.direction}")
        case All():
            return _both([_narrowed(each) for each in query.queries])
        case Any():
            found = [_narrowed(each) for each in query.queries]
            kept = tuple(each for each in found if each is not None)
            return Either(kept) if len(kept) == len(found) else None
    return None


def _of_tag(query: OfTag) -> Narrowed | None:
    if query.operator == "=" and query.tag not in _UNKEPT:
        return _of_pattern(str(query.tag), query.pattern, VALUE_MAX)
    return Term(f"h{query.tag}")  # it must be there at all


def _of_pattern(name: str, pattern: Pattern, longest: int) -> Term | None:
    try:
        first = pattern.parts[0].encode("latin-1" if name != "s" else "utf-8")
    except UnicodeEncodeError:  # no value of a message has such a character
        return None
    if not first and not pattern.is_exact:  # any value: looked for one by one
        return None if name == "s" else Term(f"h{name}")
    begins = not pattern.is_exact and len(first) < longest
    return Term(_term(name, first, longest), begins)


def _of_word(word: Word) -> Term:
    return Term("w" + word.text[:WORD_MAX], word.begins and len(word.text) < WORD_MAX)


def _both(found: list[Narrowed | None]) -> Narrowed | None:
    kept = tuple(each for each in found if each is not None)
    return kept[0] if len(kept) == 1 else Both(kept) if kept else None


def _words(value: bytes) -> Iterator[str]:
    for word in words_of(value.decode("latin-1")):
        yield "w" + word[:WORD_MAX]


def _term(name: str, value: bytes, longest: int) -> str:
    return f"{name}x{value[:longest].hex()}"
