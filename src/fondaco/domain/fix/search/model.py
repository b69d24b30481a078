"""What a question about messages is made of, and what a message gives as answer.

`35=D AND 55=EUR* AND 58:~"limit"`: comparisons of fields, words anywhere, AND, OR and NOT.
"""

from typing import Final, Literal, TypeAlias

import msgspec

from fondaco.domain.fix.message import loose

Direction = Literal["in", "out"]
Order = Literal["<", "<=", ">", ">="]
Operator = Order | Literal["=", "!=", ":~"]

# Fields that nobody looks for by their words: lengths, numbers and times, each another.
WORDLESS: Final = frozenset({8, 9, 10, 34, 52, 60, 122})
# Of the passwords and signatures of FIX: Password, NewPassword, RawData, EncryptedPassword,
# EncryptedNewPassword, Signature.
SECRET: Final = frozenset({554, 925, 96, 1402, 1404, 89})


class Pattern(msgspec.Struct, frozen=True):
    """Text with stars in it: what stands between them, in order. One part: exactly this."""

    parts: tuple[str, ...]

    def fits(self, text: str) -> bool:
        first, *rest = self.parts
        if not rest:
            return text == first
        last = rest.pop()
        at = len(first)
        end = len(text) - len(last)
        if end < at or not text.startswith(first) or not text.endswith(last):
            return False
        for part in rest:
            found = text.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    @property
    def is_exact(self) -> bool:
        return len(self.parts) == 1


class Word(msgspec.Struct, frozen=True):
    """One word of a phrase, in lower case; `begins`: how a word begins."""

    text: str
    begins: bool = False

    def fits(self, word: str) -> bool:
        return word.startswith(self.text) if self.begins else word == self.text


class OfTag(msgspec.Struct, frozen=True):
    """A field compared with a value. `!=`: it is there, and no occurrence is that."""

    tag: int
    operator: Operator
    pattern: Pattern


class Says(msgspec.Struct, frozen=True):
    """Words that follow each other, in the field `tag`; 0: in any field."""

    tag: int
    words: tuple[Word, ...]


class OfSession(msgspec.Struct, frozen=True):
    operator: Literal["=", "!="]
    pattern: Pattern


class Way(msgspec.Struct, frozen=True):
    """`in` is what we received, `out` what we sent."""

    direction: Direction


class When(msgspec.Struct, frozen=True):
    """When it was received or sent, in nanoseconds since 1970."""

    operator: Order
    at: int


class Not(msgspec.Struct, frozen=True):
    query: "Query"


class All(msgspec.Struct, frozen=True):
    """Every one of them; of none: any message."""

    queries: "tuple[Query, ...]"


class Any(msgspec.Struct, frozen=True):
    queries: "tuple[Query, ...]"


Query: TypeAlias = OfTag | Says | OfSession | Way | When | Not | All | Any
EVERYTHING: Final = All(())


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A message as it is searched: what was said when, in which session, and which way."""

    at: int
    session: str
    direction: Direction
    raw: bytes

    def fields(self) -> list[tuple[int, bytes]]:
        """Every field in wire order, however damaged the message is."""
        found: list[tuple[int, bytes]] = loose(self.raw).fields()
        return found
