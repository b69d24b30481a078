"""A receiver of webhooks that answers as a test wants, and keeps what came."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec

from fondaco.domain.notify.signatures import ID, verify


class Came(NamedTuple):
    headers: dict[str, str]
    body: bytes

    @property
    def msg_id(self) -> str:
        return self.headers[ID]

    @property
    def said(self) -> Any:
        return msgspec.json.decode(self.body)

    def verify(self, secret: str) -> str:
        return verify(secret, self.headers, self.body, time.time())


class Receiver:
    def __init__(self) -> None:
        self.came: list[Came] = []
        self.answer: Callable[[Came], tuple[int, dict[str, str], float]] = lambda _: (204, {}, 0.0)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def types(self) -> list[str]:
        return [each.said["type"] for each in list(self.came)]

    def until(self, holds: Callable[[], bool], within_s: float = 30.0) -> None:
        end = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < end, self.types()
            time.sleep(0.05)


@contextlib.contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came = Came({name.lower(): value for name, value in self.headers.items()}, body)
            status, headers, wait_s = receiver.answer(came)
            receiver.came.append(came)
            time.sleep(wait_s)
            with contextlib.suppress(OSError):
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

        do_GET = do_POST  # noqa: N815  the name is the library's

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Door)
    server.daemon_threads = True
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
