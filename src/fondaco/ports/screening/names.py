"""How alike two names are, whatever script, spelling, order or slip they are written with.

A name becomes words of a to z (transliterated), and each word three keys: as it is written, as it
sounds (the spellings of one sound are one), and its consonants. Words are paired off, whatever
their order; what is left over costs less where it is in the longer name, since middle names are
left out more often than made up.
"""

import re
import unicodedata
from functools import lru_cache
from math import sqrt
from typing import Final, NamedTuple

from anyascii import anyascii
from rapidfuzz.distance import OSA

# Written by some and left out by others; they tell nobody from anybody.
_SMALL: Final = (
    "al el ul ibn bin bint ben de da do dos das del della di la le van von der den zu af av"
)
_PARTICLES: Final = frozenset(_SMALL.split())
_POLITE: Final = "mr mrs ms miss dr prof sir dame sheikh shaikh hajji haji"
_TITLES: Final = frozenset(_POLITE.split())
# Spellings of one sound, longest first.
_SOUNDS: Final = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("shch|sch|sh|sz", "s"),
        ("tsch|tch|tsh|ch|cz|tz|ts|cs|ti(?=a$)", "c"),
        ("dzh|dsch|dj|zh|jh|dz", "j"),
        ("kh|gh", "h"),
        ("ph|ff|v", "f"),
        ("th|dh", "t"),
        ("ck|q|c(?=[aouklrt])", "k"),
        ("x", "ks"),
        ("w", "f"),
        ("z", "s"),
        ("y|j(?=[aeiou])", "i"),
        ("d$", "t"),
        ("ou|oo|oe|ue|o|u", "u"),
        ("ae|aa", "a"),
        ("ei|ai|ie|ee|e|i", "i"),
        ("(?<=[aiu])h", ""),
        (r"(.)\1+", r"\1"),
    )
)
_LETTERS: Final = re.compile("[^a-z]+")
_MARKS: Final = re.compile("['`´\u2018\u2019\u02bb\u02bc\u02be\u02bf\u02b9]")
_WORDS_MAX: Final = 10
_LEFT_OVER: Final = 0.10  # what a word of the longer name that has no pair costs, times its share
_INITIAL: Final = 0.80


class Word(NamedTuple):
    written: str
    sound: str
    consonants: str


class Name(NamedTuple):
    words: tuple[Word, ...]
    joined: str  # sounds of all words, in the order in which they stand

    @property
    def sounds(self) -> str:
        return " ".join(word.sound for word in self.words)


@lru_cache(200_000)
def word_of(text: str) -> Word:
    sound = text
    for pattern, instead in _SOUNDS:
        sound = pattern.sub(instead, sound)
    head, tail = sound[:1], sound[1:]
    return Word(text, sound, head + re.sub("[aiu]", "", tail))


def name_of(text: str) -> Name:
    """The words of a name, in a to z. One with none of them has none."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKC", text))
    ascii_ = _MARKS.sub("", anyascii(plain)).lower()
    found = [each for each in _LETTERS.split(ascii_) if each and each not in _TITLES]
    kept = [each for each in found if each not in _PARTICLES] or found
    words = tuple(word_of(each) for each in kept[:_WORDS_MAX])
    return Name(words, "".join(word.sound for word in words))


@lru_cache(500_000)
def _alike(one: Word, other: Word) -> float:
    """0 to 1."""
    if one.written == other.written:
        return 1.0
    if len(one.written) == 1 or len(other.written) == 1:
        return _INITIAL if one.written[0] == other.written[0] else 0.0
    written = float(OSA.normalized_similarity(one.written, other.written))
    sound = float(OSA.normalized_similarity(one.sound, other.sound))
    best = max(written, 0.98 * sound)
    if len(one.consonants) > 1 and len(other.consonants) > 1:
        bones = float(OSA.normalized_similarity(one.consonants, other.consonants))
        best = max(best, 0.5 * bones + 0.5 * sound)
    return best


def score(one: Name, other: Name) -> int:
    """0 to 100."""
    if not one.words or not other.words:
        return 0
    if sorted(one.words) == sorted(other.words):
        return 100
    short, long = sorted((one.words, other.words), key=len)
    pairs = sorted(
        ((_alike(a, b), i, j) for i, a in enumerate(short) for j, b in enumerate(long)),
        reverse=True,
    )
    left, right, found = set(range(len(short))), set(range(len(long))), 0.0
    for alike, i, j in pairs:
        if i in left and j in right:
            left.discard(i)
            right.discard(j)
            # A word that is half alike is another word.
            found += max(0.0, 2.0 * alike - 1.0) * _weight(short[i])
    whole = sum(map(_weight, short))
    # Squeezed into 50 to 100, as a ratio of edits would be.
    paired = 0.5 + 0.5 * found / whole - _LEFT_OVER * len(right) / len(long)
    if len(short) == 1 and len(long) > 1:
        paired -= 0.25  # one word alone is half a name
    together = float(OSA.normalized_similarity(one.joined, other.joined))
    return min(99, round(100 * max(0.0, paired, 0.97 * together)))  # 100 is the same words


def _weight(word: Word) -> float:
    return sqrt(min(len(word.written), 8))
