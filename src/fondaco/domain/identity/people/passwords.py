"""Passwords: what may be one, and how it is kept (argon2id, RFC 9106).

The policy is NIST SP 800-63B's: long rather than of many kinds, none that everybody tries or that
is much like its person's name, none that was stolen elsewhere, and no change for its own sake.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from fondaco.kernel.errors import Invalid

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 128
MEMORY_KIB: Final = 65_536
# More memory than OWASP's first choice (46 MiB, one pass, one lane). Under a crowd lanes only share
# the cores, and three passes (RFC 9106) would let two cores answer half as many within 400 ms.
PASSES: Final = 1
LANES: Final = 1
DISTINCT_MIN: Final = 5
# What lists of stolen passwords have at their top, of this length or as the root of longer ones.
COMMON: Final = (
    "password", "passwort", "letmein", "welcome", "qwerty", "qwertz", "azerty", "iloveyou",
    "administrator", "changeme", "trustno1", "dragon", "monkey", "football", "baseball", "sunshine",
    "princess", "master", "superman", "fondaco",
)  # fmt: skip
NAME_MIN: Final = 3
_LIKE: Final = str.maketrans("013457", "oieast")
_RUNS: Final = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def check(password: str, *names: str) -> None:
    """Raises `Invalid` with what is wrong and what to do. `names` are those of its person."""
    text = normal(password)
    if not LENGTH_MIN <= len(text) <= LENGTH_MAX:
        raise Invalid(
            f"the password has {len(text)} characters, must have {LENGTH_MIN} to {LENGTH_MAX}: "
            "several words are easiest to remember",
            code="weak_password",
        )
    bare = "".join(each for each in text.lower() if each.isalnum())
    if len(set(bare)) < DISTINCT_MIN or _is_run(bare):
        raise Invalid(
            "the password repeats itself or runs along the keyboard: take several words",
            code="weak_password",
        )
    plain = bare.translate(_LIKE)
    for name in (*COMMON, *words_of(names)):
        for said in (bare, plain, plain[::-1]):
            if name in said and len(said) - len(name) < 8:
                raise Invalid(
                    f"the password is little more than {name!r}, which is tried first: take "
                    "several words",
                    code="weak_password",
                )


def words_of(names: Iterable[str]) -> Iterator[str]:
    """What of somebody's names a password may not be made of: each as a whole and its words, in
    small letters."""
    for name in names:
        words = "".join(each if each.isalnum() else " " for each in normal(name).lower()).split()
        for each in ("".join(words), *words):
            if len(each) >= NAME_MIN:
                yield each


def normal(password: str) -> str:
    """The same characters however they were typed: NFKC, as SP 800-63B has it."""
    return unicodedata.normalize("NFKC", password)


def _is_run(text: str) -> bool:
    return any(text in (run * 4) or text in (run[::-1] * 4) for run in _RUNS)


class Hashing:
    """argon2id. Takes a tenth of a second and 64 MiB; call it off the loop."""

    def __init__(self, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        self._hasher = PasswordHasher(passes, memory_kib, LANES, type=Type.ID)

    @cached_property
    def nobody(self) -> str:
        """What a password is compared with where there is none, so that it takes as long."""
        return self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        return self._hasher.hash(normal(password))

    def fits(self, kept: str, password: str) -> bool:
        _ = self.nobody  # made at the first comparison, whoever it is with, or that one would tell
        try:
            return self._hasher.verify(kept, normal(password))
        except (VerificationError, InvalidHashError):
            return False

    def is_old(self, kept: str) -> bool:
        """Whether it was made otherwise than one is made today."""
        return self._hasher.check_needs_rehash(kept)
