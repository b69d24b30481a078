"""A wire of our own: two network namespaces and a veth pair between them, or why there is none.

python tests/fix/wires.py serve PORT          # takes one connection
python tests/fix/wires.py talk HOST PORT      # sends what it is given, a line of hex a message
"""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

NAMES = ("fondaco-a", "fondaco-b")
ADDRESSES = ("10.99.7.1", "10.99.7.2")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def veth(tag: str) -> Iterator[tuple[str, str, str]]:
    """Two namespaces joined by a wire: their names, and the interface in the second of them."""
    if shutil.which("ip") is None:
        pytest.skip("a network namespace needs the ip command and root")
    first, second = (f"{name}-{tag}" for name in NAMES)
    try:
        _ip("netns", "add", first)
    except subprocess.CalledProcessError:
        pytest.skip("a network namespace needs the ip command and root")
    try:
        _ip("netns", "add", second)
        _ip("-n", first, "link", "add", "wire", "type", "veth", "peer", "name", "wire",
            "netns", second)  # fmt: skip
        for name, address in zip((first, second), ADDRESSES, strict=True):
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "wire")
            _ip("-n", name, "link", "set", "wire", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield first, second, "wire"
    finally:
        for name in (first, second):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def inside(namespace: str, words: Sequence[str]) -> list[str]:
    """The command that runs these words in a namespace."""
    return ["ip", "netns", "exec", namespace, *words]


def _serve(port: int) -> None:
    """Take one connection, say "ready" before, and read until it ends."""
    with socket.create_server(("0.0.0.0", port)) as server:
        server.settimeout(60)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        line, _ = server.accept()
        with line:
            while line.recv(65_536):
                pass


def _talk(host: str, port: int) -> None:
    """Send what comes on standard input."""
    with socket.create_connection((host, port), timeout=20) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for row in sys.stdin:
            line.sendall(bytes.fromhex(row))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve(int(sys.argv[2]))
    else:
        _talk(sys.argv[2], int(sys.argv[3]))
