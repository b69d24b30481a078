"""The key ring: what is secret by name, and a master key under which other keys are wrapped.

A master never leaves its ring. It wraps data keys (32 bytes), one for each person, tenant and
house; those encrypt what is kept. So the master is changed without anything being written again,
and what a data key has encrypted is forgotten by destroying that key.

Promises, which `tests/conformance/test_secrets.py` holds every adapter to, one test each:

1. What was put under a name is got, byte for byte, also by the next process; a name that nobody
   has put is NotFound.
2. Neither a secret nor a wrapped key lies in clear in what a ring keeps.
3. What was wrapped `about` something is unwrapped about the same, and about nothing else: Corrupt.
4. After `rotate` what was wrapped before is still unwrapped, and `is_current` tells it from what is
   wrapped since, by whichever process.
5. After `retire` what an older master has wrapped is unwrapped by nobody any more: Unavailable.
   Secrets that were put before are still got. Where a master cannot be destroyed, see `retire`.
6. Who has not the means to unseal a ring is told Denied, and given nothing.
7. What was removed is NotFound, and nowhere in what the ring keeps.
8. A machine that does not answer is Unavailable. No library's error leaves an adapter.
"""

from collections.abc import Sequence
from typing import Final, Protocol

KEY_BYTES: Final = 32  # AES-256
NAME_MAX: Final = 200
SECRET_MAX: Final = 64 * 1024 - 1  # bytes: what Secrets Manager takes


class Secrets(Protocol):
    """Safe to call from any thread."""

    def wrap(self, key: bytes, about: str) -> bytes:
        """`key` under the newest master, bound to what it is about."""
        ...

    def unwrap(self, wrapped: bytes, about: str) -> bytes:
        """Raises `Corrupt` for what was not wrapped so, `Unavailable` for a master that is gone."""
        ...

    def is_current(self, wrapped: bytes) -> bool:
        """Whether the newest master has wrapped it."""
        ...

    def rotate(self) -> str:
        """Begin a new master; the name that it has. The older ones go on unwrapping."""
        ...

    def retire(self) -> Sequence[str]:
        """Destroy every master but the newest; their names. Only once nothing is wrapped under
        them. A ring that keeps old masters whatever we ask gives none: say so to who asks."""
        ...

    def get(self, name: str) -> bytes:
        """Raises `NotFound`."""
        ...

    def put(self, name: str, value: bytes) -> None:
        """In place of what there was."""
        ...

    def remove(self, name: str) -> None:
        """Raises `NotFound`."""
        ...

    def names(self) -> list[str]: ...

    def close(self) -> None:
        """Forget every key: what is asked afterwards is Unavailable."""
        ...
