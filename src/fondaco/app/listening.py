"""What every server of ours needs, whatever it speaks: a port, signals, and a loop to run on."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

import uvloop

from fondaco.kernel.errors import Unavailable

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
# A thread that comes back from the disk asks for the interpreter, and the loop, when it is busy,
# keeps it for this long; Python's own 5 ms would be a large part of an order's wait.
SWITCH_S: Final = 0.0005


def run(serving: Coroutine[Any, Any, int]) -> int:
    """Run a house to its end; the exit status."""
    sys.setswitchinterval(SWITCH_S)
    return uvloop.run(serving)


def on_signals(act: Callable[[], None]) -> None:
    """From now on they do this, and nothing else."""
    loop = asyncio.get_running_loop()
    for each in SIGNALS:
        loop.add_signal_handler(each, act)


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything is touched. Nobody is let in until the server listens."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {host} port {port}: {error.strerror or error}; choose another with "
            "--port, 0 takes a free one"
        ) from error
    return bound
