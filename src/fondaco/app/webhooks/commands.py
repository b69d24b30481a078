"""`fondaco webhook`: a receiver that verifies and prints, and a check of one message."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, TypeAlias

from fondaco.app.as_whom import token_for
from fondaco.domain.notify.signatures import ID, SIGNATURE, TIMESTAMP, TOLERANCE_S, verify
from fondaco.kernel.errors import FondacoError, Invalid
from fondaco.settings import load

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
BODY_MAX: Final = 1 << 20


def with_webhooks(commands: Commands) -> None:
    webhook = commands.add_parser("webhook", help="Receive webhooks, and check their signatures.")
    kinds = webhook.add_subparsers(metavar="command", required=True)
    listen = kinds.add_parser(
        "listen", help="Receive on this machine, verify and print; registers itself at a house."
    )
    listen.add_argument("--port", type=int, default=0, help="[any that is free]")
    listen.add_argument("--secret", help="whsec_… of a webhook that sends here already")
    listen.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
    listen.add_argument("--token", help="[FONDACO_TOKEN, or of `fondaco login`, or demo]")
    listen.add_argument("--events", action="append", default=[], help="repeatable [*]")
    listen.add_argument("--count", type=int, default=0, help="end after so many messages [never]")
    listen.set_defaults(run=_listen)
    check = kinds.add_parser("verify", help="Say whether a message was signed with a secret.")
    check.add_argument("--secret", required=True)
    check.add_argument("--id", required=True, help="the header webhook-id")
    check.add_argument("--timestamp", required=True, help="the header webhook-timestamp")
    check.add_argument("--signature", required=True, help="the header webhook-signature")
    check.add_argument("--any-time", action="store_true", help="however old it is")
    check.add_argument("body", help="a file with the body as it came; - is standard input")
    check.set_defaults(run=_verify)
    deliver = kinds.add_parser("deliver", help="Deliver webhooks; `up` starts it itself.")
    deliver.add_argument("--data", default=".fondaco")
    deliver.set_defaults(run=_deliver)


def _deliver(asked: argparse.Namespace) -> None:
    from fondaco.app.files import Files
    from fondaco.app.webhooks.child import deliver

    settings = load({"data": asked.data}, os.environ)
    deliver(Files(Path(settings.data), settings.journal, settings.store), settings)


def _verify(asked: argparse.Namespace) -> None:
    path = asked.body
    body = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    headers = {ID: asked.id, TIMESTAMP: asked.timestamp, SIGNATURE: asked.signature}
    tolerance_s = 2**40 if asked.any_time else TOLERANCE_S
    verify(asked.secret, headers, body, time.time(), tolerance_s)
    print(f"{asked.id} was signed with this secret")


def _listen(asked: argparse.Namespace) -> None:
    left = [asked.count or -1]
    secrets: list[str] = [asked.secret] if asked.secret else []

    def received(headers: dict[str, str], body: bytes) -> int:
        try:
            msg_id = verify(secrets[0], headers, body, time.time())
        except FondacoError as error:
            print(f"REFUSED {error.message}", flush=True)
            return 401
        print(f"{msg_id} {body.decode(errors='replace')}", flush=True)
        left[0] -= 1
        return 204

    with _receiver(asked.port, received) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        with _registered(asked, address, secrets):
            print(f"listening {address}", flush=True)
            server.timeout = 0.5
            while left[0]:
                server.handle_request()


@contextmanager
def _registered(asked: argparse.Namespace, address: str, secrets: list[str]) -> Iterator[None]:
    """A webhook of our own while we listen, unless one was named."""
    if secrets:
        yield
        return
    from fondaco.app.asking import Asking

    token = token_for(asked.token, asked.url)
    house = Asking(asked.url, token)
    wanted: dict[str, Any] = {"url": address, "events": asked.events or ["*"]}
    made = house.post("/api/webhooks", {**wanted, "description": "fondaco webhook listen"})
    secrets.append(made["secret"])
    webhook_id = made["webhook"]["webhook_id"]
    print(f"registered {webhook_id}, secret {made['secret']}", flush=True)
    try:
        yield
    finally:
        Asking(asked.url, token).delete(f"/api/webhooks/{webhook_id}")


@contextmanager
def _receiver(
    port: int, received: Callable[[dict[str, str], bytes], int]
) -> Iterator[ThreadingHTTPServer]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = self.headers.get("Content-Length", "")
            is_fit = size.isascii() and size.isdecimal() and int(size) <= BODY_MAX
            body = self.rfile.read(int(size)) if is_fit else b""
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(received(headers, body) if is_fit else 413)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """What came is printed, and nothing else."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Door)
    except OSError as error:
        raise Invalid(f"port {port} cannot be listened on: {error.strerror}") from error
    try:
        yield server
    finally:
        server.server_close()
