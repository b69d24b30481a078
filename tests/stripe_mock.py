"""Stripe's own mock server, for tests that compare with it."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import go_built

SOURCE: Final = "github.com/stripe/stripe-mock@v0.203.0"
_STARTS_WITHIN_S: Final = 20.0


def binary() -> str | None:
    """Its path; None where there is none and none is to be built."""
    return go_built.binary("stripe-mock", SOURCE)


@contextmanager
def serving() -> Iterator[str]:
    """The URL of a server of its own."""
    found = binary()
    assert found is not None
    port = go_built.free_port()
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
