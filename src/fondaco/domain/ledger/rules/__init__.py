"""The laws of this room's streams. Pure: no clock, no randomness, no I/O, no await."""

from fondaco.domain.ledger.rules.books import decider as books
from fondaco.domain.ledger.rules.checks import decider as checks

__all__ = ["books", "checks"]
