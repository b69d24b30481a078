"""Alerts pushed to a SIEM: syslog (RFC 5424) over TLS, TCP or UDP, or HTTP.

Syslog has no acknowledgment of its own. Over TCP and TLS each batch has a connection: we end our
half, and the receiver ends its half when it has read all; only that counts. UDP is sent and
forgotten. Over HTTP any answer of 2xx counts; a request names its alert in `Idempotency-Key`.
"""

import http.client
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from fondaco.app.fix.exports import FORMS, exported_alerts
from fondaco.app.fix.telling import plain
from fondaco.domain.surveillance.store import Recorded
from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.kernel.instants import moment

ANSWER_S: Final = 5.0
UDP_MAX: Final = 65_000  # octets of a datagram
_FACILITY: Final = 13 * 8  # log audit
_LEVELS: Final = {"low": 5, "medium": 4, "high": 3, "critical": 2}
_PORTS: Final = {"syslog+udp": 514, "syslog+tcp": 601, "syslog+tls": 6514}
Tell = Callable[[list[Recorded]], None]


def siem_of(address: str) -> Tell:
    """By the setting `fix_alerts_to`: `syslog+tls://siem:6514?form=ocsf`, `https://siem/alerts`.
    Usually `cef` over syslog and `ocsf` over HTTP. Raises `Invalid`."""
    parts = urlsplit(address)
    asked = parse_qs(parts.query)
    form = asked.pop("form", ["cef" if parts.scheme in _PORTS else "ocsf"])[-1]
    if form not in FORMS:
        raise Invalid(f"form is {form[:20]!r} in fix_alerts_to, must be one of {', '.join(FORMS)}")
    if not parts.hostname:
        raise Invalid(f"fix_alerts_to names no host: {parts.scheme}://host:port")
    authority = asked.pop("ca", [""])[-1]
    send = (
        _over_syslog(parts, authority) if parts.scheme in _PORTS else _over_http(parts, authority)
    )

    def tell(found: list[Recorded]) -> None:
        try:
            send(list(zip(found, exported_alerts(map(plain, found), form), strict=True)))
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{parts.hostname} does not take alerts: {error}") from error

    return tell


Lines = Sequence[tuple[Recorded, str]]


def _over_syslog(parts: SplitResult, authority: str) -> Callable[[Lines], None]:
    where = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
    if parts.scheme == "syslog+udp":
        return lambda lines: _datagrams(where, map(_syslog, lines))
    context = _context(authority) if parts.scheme == "syslog+tls" else None
    return lambda lines: _stream(where, map(_syslog, lines), context)


def _syslog(line: tuple[Recorded, str]) -> bytes:
    """RFC 5424; the message is UTF-8, and the id of the alert its MSGID."""
    alert, text = line
    level = _FACILITY + _LEVELS[alert.severity.name.lower()]
    head = f"<{level}>1 {moment(alert.last_at)} {socket.gethostname() or '-'} fondaco - "
    return head.encode("ascii", "replace") + f"{alert.alert[:32]} - {text}".encode()


def _datagrams(where: tuple[str, int], lines: Iterable[bytes]) -> None:
    family = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0][0]
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        for line in lines:
            sender.sendto(line[:UDP_MAX], where)


def _stream(where: tuple[str, int], lines: Iterable[bytes], context: ssl.SSLContext | None) -> None:
    """Octet counting, RFC 6587 and RFC 5425."""
    content = b"".join(b"%d %s" % (len(line), line) for line in lines)
    with socket.create_connection(where, ANSWER_S) as plain_end:
        end = context.wrap_socket(plain_end, server_hostname=where[0]) if context else plain_end
        end.sendall(content)
        if isinstance(end, ssl.SSLSocket):
            with suppress(ssl.SSLEOFError):  # it ended without a word; unread, it would be a reset
                end.unwrap().close()
            return
        end.shutdown(socket.SHUT_WR)
        while end.recv(4_096):
            pass


def _over_http(parts: SplitResult, authority: str) -> Callable[[Lines], None]:
    host, path = parts.hostname or "", parts.path or "/"
    context = _context(authority) if parts.scheme == "https" else None

    def connect() -> http.client.HTTPConnection:
        if context:
            return http.client.HTTPSConnection(host, parts.port, timeout=ANSWER_S, context=context)
        return http.client.HTTPConnection(host, parts.port, timeout=ANSWER_S)

    def send(lines: Lines) -> None:
        connection = connect()
        try:
            for alert, line in lines:
                said = {
                    "Content-Type": "application/json",
                    "Idempotency-Key": f"{alert.alert}-{alert.severity.name.lower()}",
                }
                connection.request("POST", path, line.encode(), said)
                answer = connection.getresponse()
                answer.read()
                if answer.status // 100 != 2:
                    raise Unavailable(f"{host} has answered {answer.status} to an alert")
        finally:
            connection.close()

    return send


def _context(authority: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority or None)
    except OSError as error:
        raise Invalid(f"the certificates in {authority} cannot be read: {error}") from error
