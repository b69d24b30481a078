"""Functions that workers of a pool are given in tests: workers find them by name."""

import os
import time
from pathlib import Path

from fondaco.kernel.errors import Invalid

PATIENCE_S = 60.0


def twice(number: int, text: str) -> tuple[int, str]:
    return number * 2, text


def fails(text: str) -> None:
    raise Invalid(text, code="narrower")


def dies() -> None:
    os._exit(1)


def writes(path: str) -> int:
    Path(path).write_text("ran", "utf-8")
    return 1


def waits(path: str) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while not Path(path).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return 1
