"""Stripe's own mock server, for tests that compare with it.

It is found on the path or in build/, where `FONDACO_SOAK=1` puts it: building it takes a minute of
the Go compiler, which `make test` has not.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BUILT: Final = Path(__file__).resolve().parents[1] / "build" / "stripe-mock"
SOURCE: Final = "github.com/stripe/stripe-mock@v0.203.0"
_STARTS_WITHIN_S: Final = 20.0


def binary() -> str | None:
    """Its path; None where there is none and none is to be built."""
    found = shutil.which("stripe-mock") or (str(BUILT) if BUILT.exists() else None)
    go = shutil.which("go")
    if found is None and go is not None and os.environ.get("FONDACO_SOAK") == "1":
        BUILT.parent.mkdir(exist_ok=True)
        environment = {**os.environ, "GOBIN": str(BUILT.parent)}
        subprocess.run([go, "install", SOURCE], env=environment, check=True, timeout=900)
        return str(BUILT)
    return found


@contextmanager
def serving() -> Iterator[str]:
    """The URL of a server of its own."""
    found = binary()
    assert found is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    server = subprocess.Popen(
        [found, "-http-addr", address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "stripe-mock has not started"
                time.sleep(0.05)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(10)
