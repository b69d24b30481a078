"""What every carrier to other programs has: a place noted on disk, and patience.

The place is noted behind the acknowledgment, so that a restart repeats and never loses.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Event as Flag
from typing import Final, Protocol

import msgspec

from fondaco.app.say import say
from fondaco.kernel.errors import Unavailable
from fondaco.settings import without_secrets

POLL_S: Final = 0.1
AGAIN_S: Final = 0.5  # after a failure; each further one doubles it
AGAIN_MAX_S: Final = 30.0


class Place(msgspec.Struct, frozen=True):
    """How far something was carried to one address: positions on the tape by source, and the number
    of the last alert that was told."""

    to: str  # without secrets
    sources: dict[str, int] = {}
    alerts: int = 0


class Noted:
    """Places of one address, in a file that is named after it."""

    def __init__(self, folder: Path, what: str, address: str) -> None:
        name = sha256(address.encode()).hexdigest()[:16]
        self._path = folder / f"{what}-{name}.json"
        self._to = without_secrets(address)

    def read(self) -> Place:
        """The beginning, where nothing was carried there yet."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Place)
        except FileNotFoundError:
            return Place(self._to)

    def write(self, place: Place) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".part")
        with partial.open("wb") as file:
            file.write(msgspec.json.encode(place))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)


class Carrier(Protocol):
    """Goes on from what is noted."""

    def step(self) -> bool:
        """Carry what there is; whether there may be more. Raises `Unavailable`."""
        ...

    def close(self) -> None: ...


def carry(what: str, open_carrier: Callable[[], Carrier], stop: Flag) -> None:
    """Run until told to stop. Whatever fails is begun again from its place, later and later."""
    again_s = AGAIN_S
    while not stop.is_set():
        try:
            with _opened(open_carrier) as carrier:
                while not stop.wait(0.0 if carrier.step() else POLL_S):
                    again_s = AGAIN_S
        except (Unavailable, OSError) as error:
            if again_s == AGAIN_S:
                say(f"{what} wait: {error}; they are carried from there when that is mended")
            stop.wait(again_s)
            again_s = min(again_s * 2, AGAIN_MAX_S)


@contextmanager
def _opened(open_carrier: Callable[[], Carrier]) -> Iterator[Carrier]:
    with closing(open_carrier()) as carrier:
        yield carrier
