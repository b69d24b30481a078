"""One request to an endpoint: to an address that was judged, within a time, and never redirected.

A name is looked up once and the connection made to what was judged, so that it cannot stand for
something else a moment later (DNS rebinding).
"""

import socket
import ssl
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from threading import Timer
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from fondaco.domain.notify.model import check_url, is_public
from fondaco.kernel.errors import Invalid

TIMEOUT_S: Final = 15.0  # for all of it, as the specification advises
ANSWER_MAX: Final = 16 * 1024  # bytes that are read and thrown away
MS: Final = 1_000


class Outcome(NamedTuple):
    """`status` 0: there was no answer, and `error` says why."""

    status: int
    error: str
    latency_ms: int
    retry_after_s: int = 0


class Sender:
    """Safe to call from any thread. `private`: this machine and its networks may be asked, too;
    `loopback`: this machine may."""

    def __init__(
        self, *, private: bool = False, loopback: bool = False, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._private, self._loopback = private, loopback
        self._timeout_s = timeout_s
        self._context = ssl.create_default_context()

    def check(self, url: str) -> None:
        """Raises `Invalid`."""
        check_url(url, private=self._private or self._loopback)

    def may_reach(self, address: str) -> bool:
        if self._private or is_public(address):
            return True
        return self._loopback and ip_address(address.partition("%")[0]).is_loopback

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        began = time.monotonic()
        status, error, retry_after_s = 0, "", 0
        try:
            status, retry_after_s = self._post(url, headers, body)
        except TimeoutError:
            error = "timed out"
        except ssl.SSLError as wrong:
            error = f"TLS: {wrong.reason or wrong}"
        except socket.gaierror as wrong:
            error = f"no such host: {wrong.strerror}"
        except (OSError, HTTPException) as wrong:
            error = f"{type(wrong).__name__}: {wrong}"
        except Invalid as wrong:
            error = wrong.message
        took_s = time.monotonic() - began
        if error and took_s >= self._timeout_s:
            error = "timed out"
        return Outcome(status, error[:200], int(took_s * MS), retry_after_s)

    def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, int]:
        self.check(url)
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        end = socket.create_connection((self._judged(host, port), port), self._timeout_s)
        ends = [end]
        # A receiver that sends a byte now and then would never run into the socket's own limit.
        watchdog = Timer(self._timeout_s, _cut, (ends,))
        watchdog.daemon = True
        watchdog.start()
        connection = HTTPConnection(host, port, timeout=self._timeout_s)
        try:
            if parts.scheme == "https":
                ends[0] = self._context.wrap_socket(
                    end, server_hostname=host, do_handshake_on_connect=False
                )
                ends[0].do_handshake()  # type: ignore[attr-defined]
            connection.sock = ends[0]
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, body, {**headers, "Connection": "close"})
            answer = connection.getresponse()
            answer.read(ANSWER_MAX)
            after = answer.getheader("Retry-After") or ""
            return answer.status, int(after) if after.isascii() and after.isdecimal() else 0
        finally:
            watchdog.cancel()
            connection.close()
            ends[0].close()

    def _judged(self, host: str, port: int) -> str:
        """An address of a name, all of whose addresses may be reached."""
        found = [each[4][0] for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        for address in found:
            if not self.may_reach(str(address)):
                raise Invalid(f"{host} stands for an address that is not public")
        return str(found[0])


def _cut(ends: list[socket.socket]) -> None:
    try:
        ends[0].shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself
