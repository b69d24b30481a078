"""Reads the query language. What cannot be read is refused with its place and what would be right.

query      = all { OR all }
all        = not { [AND] not }
not        = NOT not | ( query ) | comparison | "words"
comparison = field operator value
field      = a tag (55), its name (Symbol), session, direction or time
operator   = = != < <= > >= :~
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from typing import Final, NamedTuple, NoReturn, cast

from fondaco.domain.fix.dictionary import dictionary
from fondaco.domain.fix.search.model import (
    EVERYTHING,
    All,
    Any,
    Not,
    OfSession,
    OfTag,
    Operator,
    Order,
    Pattern,
    Query,
    Says,
    Way,
    When,
    Word,
)
from fondaco.kernel.errors import Invalid

QUERY_MAX: Final = 2_000  # characters
DEEP_MAX: Final = 50  # parentheses and NOTs within each other
TAG_MAX: Final = 999_999_999
_DICTIONARIES: Final = ("FIX.4.2", "FIX.4.4", "FIX.5.0SP2", "FIXT.1.1")  # the last that has it
_WORDS: Final = frozenset({"AND", "OR", "NOT"})
_OWN: Final = ("session", "direction", "time")
_SPACE: Final = re.compile(r"\s+")
_OPERATOR: Final = re.compile(r":~|!=|<=|>=|=|<|>")
_NAME: Final = re.compile(r"[A-Za-z0-9_]+")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE: Final = re.compile(r'[^\s()"]+')
_WORD: Final = re.compile(r"[^\W_]+")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT: Final = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T-](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?Z?"
)


class _Value(NamedTuple):
    text: str
    is_quoted: bool
    at: int


def asked(text: str) -> Query:
    """The question that `text` is; an empty one asks for everything. Raises `Invalid`."""
    if len(text) > QUERY_MAX:
        raise Invalid(f"the query has {len(text)} characters, may have {QUERY_MAX}: ask for less")
    return _Reader(text).read()


def words_of(text: str) -> list[str]:
    """The words of a text: runs of letters and digits, in lower case."""
    return _WORD.findall(text.casefold())


class _Reader:
    """Goes through the text once, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._deep = 0

    def read(self) -> Query:
        self._skip()
        if self._at == len(self._text):
            return EVERYTHING
        found = self._any()
        if self._at < len(self._text):  # only ) ends a query before its text does
            self._refuse(") closes nothing", "take it away, or open it with ( before")
        return found

    def _any(self) -> Query:
        found = [self._all()]
        while self._takes("OR"):
            found.append(self._all())
        return found[0] if len(found) == 1 else Any(tuple(found))

    def _all(self) -> Query:
        found = [self._not()]
        while self._takes("AND") or self._is_more():
            found.append(self._not())
        return found[0] if len(found) == 1 else All(tuple(found))

    def _is_more(self) -> bool:
        """Whether something follows that only AND can join."""
        return self._at < len(self._text) and self._text[self._at] != ")" and not self._is("OR")

    def _not(self) -> Query:
        self._deep += 1
        if self._deep > DEEP_MAX:
            self._refuse(f"more than {DEEP_MAX} parentheses and NOTs within each other", "ask less")
        if self._takes("NOT"):
            found: Query = Not(self._not())
        elif self._takes("("):
            began = self._at - 1
            found = self._any()
            if not self._takes(")"):
                self._at = began
                self._refuse("( is not closed", "add ) where the group ends")
        else:
            found = self._comparison()
        self._deep -= 1
        return found

    def _comparison(self) -> Query:
        quoted = _QUOTED.match(self._text, self._at)
        if quoted:
            value = self._value()
            return Says(0, self._words(value))
        name = _NAME.match(self._text, self._at)
        if name is None or name[0] in _WORDS:
            self._refuse(
                f"a comparison is missing before {self._rest()}",
                'write one like 55=EUR*, Symbol=EUR*, 58:~"limit", or words in quotes',
            )
        began, self._at = self._at, name.end()
        self._skip()
        operator = _OPERATOR.match(self._text, self._at)
        if operator is None:
            self._refuse(
                f"{name[0]!r} is followed by {self._rest()}",
                "write an operator behind a field, one of = != < <= > >= :~, "
                f'or "{name[0]}" in quotes for the word',
            )
        operator_at, self._at = self._at, operator.end()
        self._skip()
        value = self._value()
        return self._compared(name[0], began, cast(Operator, operator[0]), operator_at, value)

    def _compared(
        self, name: str, began: int, operator: Operator, operator_at: int, value: _Value
    ) -> Query:
        if name in _OWN:
            return self._own(name, operator, operator_at, value)
        tag = self._tag(name, began)
        if operator == ":~":
            return Says(tag, self._words(value))
        pattern = _pattern(value)
        if operator not in ("=", "!=") and not pattern.is_exact:
            self._at = value.at
            self._refuse(f"{operator} compares with one value", "take the * away, or put it quoted")
        return OfTag(tag, operator, pattern)

    def _own(self, name: str, operator: Operator, operator_at: int, value: _Value) -> Query:
        """What a message has besides its fields."""
        allowed = {"session": ("=", "!="), "direction": ("=",), "time": ("<", "<=", ">", ">=")}
        if operator not in allowed[name]:
            self._at = operator_at
            self._refuse(f"{name} has no {operator}", f"use {' or '.join(allowed[name])}")
        if name == "session":
            return OfSession("=" if operator == "=" else "!=", _pattern(value))
        if name == "time":
            return When(cast(Order, operator), self._moment(value))
        if value.text not in ("in", "out"):
            self._at = value.at
            self._refuse(f"direction is {value.text!r}", "say in (received) or out (sent)")
        return Way("in" if value.text == "in" else "out")

    def _tag(self, name: str, began: int) -> int:
        if name.isdecimal():
            tag = int(name) if len(name) < 10 else 0
            if not 0 < tag <= TAG_MAX:
                self._at = began
                self._refuse(f"{name} is no tag", f"say one from 1 to {TAG_MAX}")
            return tag
        names = tags()
        found = names.get(name.lower())
        if found is None:
            self._at = began
            near = get_close_matches(name.lower(), [*names, *_OWN], 1)
            hint = f"did you mean {_spelled(near[0])}?" if near else "say its number"
            self._refuse(f"no field is called {name!r}", hint)
        return found

    def _value(self) -> _Value:
        began = self._at
        quoted = _QUOTED.match(self._text, began)
        if quoted:
            self._at = quoted.end()
            self._skip()
            return _Value(re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL), True, began)
        if self._text[began : began + 1] == '"':
            self._refuse('" is not closed', 'add " where the text ends; \\" stands for one in it')
        bare = _BARE.match(self._text, began)
        if bare is None:
            self._refuse(
                f"a value is missing before {self._rest()}", 'write one; "" is the empty one'
            )
        self._at = bare.end()
        self._skip()
        return _Value(bare[0], False, began)

    def _words(self, value: _Value) -> tuple[Word, ...]:
        text = value.text.casefold()
        found = [
            Word(match[0], text[match.end() : match.end() + 1] == "*")
            for match in _WORD.finditer(text)
        ]
        if not found:
            self._at = value.at
            self._refuse(f"{value.text!r} has no word", "name letters or digits to look for")
        return tuple(found)

    def _moment(self, value: _Value) -> int:
        found = _MOMENT.fullmatch(value.text)
        try:
            if found is None:
                raise ValueError
            year, month, day, hour, minute, second, fraction = found.groups(default="0")
            whole = datetime(
                int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
        except ValueError:
            self._at = value.at
            self._refuse(
                f"{value.text!r} is no time", "write 2026-11-22T10:30:00 or 2026-11-22, in UTC"
            )
        since = whole - _EPOCH
        return (since.days * 86_400 + since.seconds) * 10**9 + int(fraction.ljust(9, "0"))

    def _is(self, word: str) -> bool:
        end = self._at + len(word)
        if not self._text.startswith(word, self._at):
            return False
        if word in "()":
            return True
        after = self._text[end : end + 1]
        return not after or after.isspace() or after in '()"'

    def _takes(self, word: str) -> bool:
        if not self._is(word):
            return False
        self._at += len(word)
        self._skip()
        return True

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        if space:
            self._at = space.end()

    def _rest(self) -> str:
        rest = self._text[self._at : self._at + 12]
        return repr(rest) if rest else "the end"

    def _refuse(self, what: str, do: str) -> NoReturn:
        raise Invalid(f"query, character {self._at + 1}: {what}; {do}", at=self._at + 1)


def _pattern(value: _Value) -> Pattern:
    """A star stands for anything, unless it is quoted."""
    return Pattern((value.text,) if value.is_quoted else tuple(value.text.split("*")))


def _spelled(name: str) -> str:
    """As the dictionaries write it."""
    if name in _OWN:
        return name
    tag = tags()[name]
    for each in reversed(_DICTIONARIES):
        field = dictionary(each).field(tag)
        if field is not None and field.name.lower() == name:
            return field.name
    return name


@cache
def tags() -> Mapping[str, int]:
    """Field name in lower case → tag, over all versions."""
    return {
        name.lower(): tag for each in _DICTIONARIES for name, tag in dictionary(each).tag_of.items()
    }
