"""A small random generator of our own: the same numbers in every version of Python, for ever."""

from collections.abc import Sequence
from typing import Final, TypeVar

import xxhash

T = TypeVar("T")

_MASK: Final = (1 << 64) - 1


class Seeded:
    """SplitMix64 (Steele, Lea, Flood 2014)."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def bits(self) -> int:
        """64 random bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def below(self, limit: int) -> int:
        """0 … limit - 1; the bias of the remainder is beneath 1e-9 for limits below 2^32."""
        return self.bits() % limit

    def between(self, low: int, high: int) -> int:
        """low … high, both included."""
        return low + self.bits() % (high - low + 1)

    def unit(self) -> float:
        """Uniform in [0, 1)."""
        return (self.bits() >> 11) / (1 << 53)

    def normal(self) -> float:
        """Standard normal, near enough for noise: the sum of twelve uniforms less six."""
        return sum([self.unit() for _ in range(12)]) - 6.0

    def chance(self, parts: int, of: int) -> bool:
        """True in `parts` of `of` cases."""
        return self.bits() % of < parts

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.bits() % len(choices)]

    def child(self, name: str) -> "Seeded":
        """A generator of its own, so that who draws more from one moves no other."""
        return Seeded(xxhash.xxh3_64_intdigest(name.encode(), self._state))
