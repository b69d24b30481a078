"""OPA's own server, for tests that compare with it."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import go_built

SOURCE: Final = "github.com/open-policy-agent/opa@v1.22.2"
_STARTS_WITHIN_S: Final = 20.0


def binary() -> str | None:
    """Its path; None where there is none and none is to be built."""
    return go_built.binary("opa", SOURCE)


@contextmanager
def serving() -> Iterator[str]:
    """The URL of a server of its own."""
    found = binary()
    assert found is not None
    address = f"127.0.0.1:{go_built.free_port()}"
    server = subprocess.Popen(
        [
            found,
            "run",
            "--server",
            "--addr",
            address,
            "--log-level",
            "error",
            "--skip-version-check",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://{address}"
        _wait(url)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def _wait(url: str) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, "OPA has not started"
            time.sleep(0.05)
