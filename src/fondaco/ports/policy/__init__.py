"""A policy: who may do this to that, worked out from rules and data by an engine for Rego.

Promises, which `tests/conformance/test_policy.py` holds every adapter to:

1. The same sources and the same input give the same answer, whichever the adapter.
2. What no rule defines is None: whoever asks treats it as a denial.
3. Sources that do not compile raise `Invalid`, with the file, the line and what is wrong.
4. An engine that cannot answer raises `Unavailable`; it never answers something else instead.
5. Sources never change within one policy: another version is another object.

Sets have no order in Rego: an answer has them as lists, in an order that nobody may rely on.
"""

from functools import cached_property
from hashlib import sha256
from typing import Any, Protocol

import msgspec


class Sources(msgspec.Struct, frozen=True, dict=True):
    """`modules` are Rego by file name, `data` is a JSON object."""

    modules: tuple[tuple[str, str], ...]
    data: str = "{}"

    @cached_property
    def revision(self) -> str:
        """SHA-256 of all of it, as 64 hexadecimal digits."""
        digest = sha256()
        for name, text in sorted(self.modules):
            digest.update(f"{name}\0{text}\0".encode())
        digest.update(msgspec.json.encode(msgspec.json.decode(self.data), order="sorted"))
        return digest.hexdigest()


class Policy(Protocol):
    """One version of the rules. Not for several threads at a time."""

    @property
    def sources(self) -> Sources: ...

    def ask(self, entrypoint: str, given: Any) -> Any:
        """The value of a rule, "fondaco/authz/decision", for an input; None where it has none."""
        ...

    def close(self) -> None: ...
