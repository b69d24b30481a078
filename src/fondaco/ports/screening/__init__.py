"""Looking people up in lists of those who are sanctioned, or hold public office.

Promises, which `tests/conformance/test_screening.py` holds every adapter to, one test each:

1. Whoever is listed is found by each of their names, in any order of words, in capitals or not,
   with or without diacritics, in the script of the list or in another: score 100.
2. Whoever shares no name with anybody who is listed is not found.
3. A birth year or country that differs is said in `why`, and takes no hit away: a person decides.
4. `lists` says of each list its digest, which changes if and only if the list does.
5. A file that cannot be read whole is an `Invalid` that names the file and the line; the lists
   that were read before stay in force.
6. The same people in another format are the same hits.
"""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

Topic: TypeAlias = Literal["sanction", "pep"]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """Somebody on a list."""

    entry_id: str
    topic: Topic
    names: tuple[str, ...]
    birth_years: tuple[int, ...] = ()
    countries: tuple[str, ...] = ()  # as the list has them: codes or names


class Sought(msgspec.Struct, frozen=True, gc=False):
    """Whom to look for. `birth_year` 0: not known; `countries` are ISO 3166-1 alpha-2."""

    names: tuple[str, ...]
    birth_year: int = 0
    countries: tuple[str, ...] = ()


class Hit(msgspec.Struct, frozen=True, gc=False):
    """Somebody on a list is called like the one who was sought. `score` is 0 to 100."""

    list_name: str
    entry_id: str
    topic: Topic
    name: str  # of the entry, that which fits best
    score: int
    why: tuple[str, ...]


class ScreeningList(msgspec.Struct, frozen=True, gc=False):
    """`digest` is the SHA-256 of the file's bytes; `left_out` are entries that are no person."""

    name: str
    form: str
    digest: str
    entries: int
    names: int
    left_out: int


class Screening(Protocol):
    """Safe to call from any thread."""

    def lists(self) -> Sequence[ScreeningList]: ...

    def screen(self, sought: Sought) -> Sequence[Hit]:
        """Best first. Raises `Unavailable` where the lists are elsewhere and do not answer."""
        ...

    def look_again(self) -> bool:
        """Whether any list has changed; then the new ones are in force. Raises `Invalid`."""
        ...
