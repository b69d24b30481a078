"""A whole house in a child process, for tests that kill it, starve it or look on from outside."""

import contextlib
import http.client
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import msgspec

from nursery import Born, born

READY_S: Final = 30.0
TOKEN: Final = "demo"


class Reply(NamedTuple):
    status: int
    body: Any  # decoded where it is JSON
    headers: Mapping[str, str]  # names in lower case


class NotReady(Exception):
    """The house ended, or took too long, before it said `ready`."""


class Running:
    """One house on one data directory. It is its own process group, so that a kill takes all."""

    def __init__(self, process: "subprocess.Popen[bytes] | Born") -> None:
        self.process = process
        self._said = bytearray()
        self.url = ""
        self.ready_s = 0.0
        self._lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        if process.stderr:
            threading.Thread(target=self._overhear, args=(process.stderr,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def _overhear(self, errors: IO[bytes]) -> None:
        for line in errors:
            self._said += line

    def wait(self, timeout_s: float = READY_S) -> "Running":
        """Until it prints `ready`."""
        started = time.perf_counter()
        while True:
            left = timeout_s - (time.perf_counter() - started)
            try:
                line = self._lines.get(timeout=max(left, 0.001))
            except queue.Empty:
                raise NotReady(f"not ready after {timeout_s} s: {self.said()}") from None
            if line.startswith(b"ready "):
                self.url = line.decode().split()[1].rstrip("/")
                self.ready_s = time.perf_counter() - started
                return self
            if not line:
                raise NotReady(f"ended with {self.process.wait()}: {self.said()}")

    def said(self) -> str:
        """What it wrote to its log, the end of it."""
        return self._said[-4_000:].decode(errors="replace")

    def kill(self) -> None:
        """SIGKILL to everything that belongs to it: no exit handlers, no goodbye."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout_s: float = 20.0) -> int:
        """SIGTERM, as an operator would; answers the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(timeout_s)
        finally:
            self.kill()

    def client(self, token: str = TOKEN, timeout_s: float = 20.0) -> "Client":
        return Client(self.port, token, timeout_s)


def begin(
    data: Path,
    *,
    options: Sequence[str] = (),
    wrapper: Sequence[str] = (),
    log: Path | None = None,
) -> Running:
    """Start `fondaco up --demo` on a free port, with the synthetic market; returns at once.

    `log` is a file that takes what it writes to stderr, for tests of that.
    """
    arguments = [
        "up", "--data", str(data), "--port", "0", "--feed", "synthetic", "--demo", *options,
    ]  # fmt: skip
    path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = {**os.environ, "PYTHONPATH": path}
    if not wrapper:
        return Running(born(arguments, environment, log))
    with contextlib.ExitStack() as stack:
        process = subprocess.Popen(
            [*wrapper, sys.executable, "-m", "fondaco", *arguments],
            stdout=subprocess.PIPE,
            stderr=stack.enter_context(log.open("ab")) if log else subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=environment,
        )
    return Running(process)


@contextlib.contextmanager
def house(data: Path, **options: Any) -> Iterator[Running]:
    """A house that is ready, and is killed at the end of the block unless it has ended."""
    running = begin(data, **options)
    try:
        yield running.wait()
    finally:
        running.kill()


class Client:
    """One kept connection."""

    def __init__(self, port: int, token: str = TOKEN, timeout_s: float = 20.0) -> None:
        self.token = token
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """`body` is sent as it is when it is bytes, else as JSON."""
        content = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            content = msgspec.json.encode(body)
        given = {name.lower(): value for name, value in (headers or {}).items()}
        sent = {"content-type": "application/json", **given}  # each once, or the filter minds
        if self.token:
            sent.setdefault("authorization", f"Bearer {self.token}")
        self._drop_what_was_closed()
        try:
            self._http.request(method, path, content if body is not None else None, sent)
            answer = self._http.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._http.close()
            raise
        named = {name.lower(): value for name, value in answer.getheaders()}
        is_json = "json" in named.get("content-type", "") and text
        return Reply(answer.status, msgspec.json.decode(text) if is_json else text, named)

    def _drop_what_was_closed(self) -> None:
        """The house closes a connection that rested too long; a client that sees it makes another,
        as browsers do."""
        kept = self._http.sock
        if kept is not None and select.select([kept], [], [], 0)[0]:
            self._http.close()

    def get(self, path: str) -> Any:
        """The body of a success; a read that views have not reached yet is asked again."""
        until = time.perf_counter() + 15
        while True:
            reply = self.ask("GET", path)
            if reply.status == 200:
                return reply.body
            if reply.status != 503 or time.perf_counter() > until:
                raise AssertionError(f"GET {path} was answered {reply.status}: {reply.body}")
            time.sleep(0.05)

    def all(self, path: str) -> list[Any]:
        """Every item of a list, page by page."""
        items: list[Any] = []
        mark = "&" if "?" in path else "?"
        page = self.get(path)
        while True:
            items += page["items"]
            if not page.get("next"):
                return items
            page = self.get(f"{path}{mark}cursor={page['next']}")

    def close(self) -> None:
        self._http.close()


def order(cl_ord_id: str, **terms: str) -> dict[str, str]:
    """A resting buy far below the market, unless said otherwise."""
    usual = {
        "account_id": "demo",
        "cl_ord_id": cl_ord_id,
        "symbol": "BTC-USD",
        "side": "buy",
        "ord_type": "limit",
        "order_qty": "0.001",
        "price": "40000.00",
        "time_in_force": "gtc",
    }
    return usual | terms
