"""One request to an endpoint: by the house's own way out, which judges addresses, follows nobody
and keeps to its time. Threads that deliver ask; a loop of its own calls."""

import asyncio
import time
from collections.abc import Mapping
from ipaddress import ip_address
from threading import Thread
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from fondaco.app.outbound import outbound
from fondaco.domain.notify.model import URL_MAX
from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.outbound import Outbound, Request
from fondaco.ports.outbound.addresses import LOOPBACK, Network, is_allowed, is_public, networks
from fondaco.ports.outbound.courier import origin_of
from fondaco.settings import Settings

TIMEOUT_S: Final = 15.0  # for all of it, as the specification advises
ANSWER_MAX: Final = 16 * 1024  # bytes
WAIT_S: Final = 30  # where nothing is asked of a place just now
MS: Final = 1_000


class Outcome(NamedTuple):
    """`status` 0: there was no answer, and `error` says why. `postponed_s`: nothing was sent, and
    it is to be tried again then."""

    status: int
    error: str
    latency_ms: int
    retry_after_s: int = 0
    postponed_s: int = 0


class Sender:
    """Safe to call from any thread, until it is closed."""

    def __init__(self, calls: Outbound, timeout_s: float = TIMEOUT_S) -> None:
        self._calls, self._timeout_s = calls, timeout_s
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="outbound", daemon=True)
        self._thread.start()

    def post(self, place: str, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Failures of one `place` count together."""
        request = Request(
            "POST",
            url,
            tuple(headers.items()),
            body,
            attempts=1,
            within_s=self._timeout_s,
            body_max=ANSWER_MAX,
            place=place,
        )
        began = time.monotonic()
        status, error, after, postponed_s = 0, "", "", 0
        try:
            reply = asyncio.run_coroutine_threadsafe(self._calls.ask(request), self._loop).result()
            status, after = reply.status, reply.headers.get("retry-after", "")
        except Invalid as wrong:
            error = wrong.message
        except Unavailable as wrong:
            error = wrong.message
            if wrong.code == "circuit_open":
                postponed_s = max(int(str(wrong.details.get("retry_after_s", WAIT_S))), 1)
        latency_ms = int((time.monotonic() - began) * MS)
        asked_s = int(after[:9]) if after.isascii() and after.isdigit() else 0
        return Outcome(status, error[:200], latency_ms, asked_s, postponed_s)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._calls.close(), self._loop).result(self._timeout_s)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def sender_of(settings: Settings) -> Sender:
    return Sender(outbound(settings))


def check_url(url: str, settings: Settings) -> None:
    """Raises `Invalid` for what could never be called. What a name stands for is judged each time
    that it is called."""
    parts = urlsplit(origin_of(url))
    allowed: tuple[Network, ...] = networks(settings.outbound_networks)
    allowed = (*allowed, *LOOPBACK) if settings.demo else allowed
    wrong = ""
    try:
        address = ip_address(parts.hostname or "")
    except ValueError:
        if parts.hostname == "localhost" and not settings.demo:
            wrong = "must not be this machine"
    else:
        if not (is_public(address) or is_allowed(address, allowed)):
            wrong = "must not be an address of a private network: see the setting outbound_networks"
    if len(url) > URL_MAX or "#" in url:
        wrong = f"must have no fragment, and at most {URL_MAX} signs"
    elif parts.scheme == "http" and not allowed:
        wrong = "must begin with https://"
    if wrong:
        raise Invalid(f"url is {url.partition('?')[0][:80]!r}, {wrong}")
