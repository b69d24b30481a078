"""Mail: what a message looks like, an SMTP server that takes it, and a folder where there is none.

RFC 5321, 5322, 6531; STARTTLS by RFC 3207, from the first byte by RFC 8314.
"""

import os
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.notices import WITHIN_S, Carried, Notice
from fondaco.ports.outbound.breaker import Breaker

SUBJECT_MAX: Final = 200
_S: Final = 1_000_000_000
_PORTS: Final = {"smtps": 465, "smtp": 587}
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class Server(NamedTuple):
    """`tls` is "starttls", "implicit" or "none"."""

    host: str
    port: int
    tls: str
    user: str = ""
    password: str = ""
    ca: str = ""  # a file of authorities, instead of the machine's


def server_of(address: str) -> Server:
    """Of smtp://user:password@host:587 or smtps://host. Raises `Invalid`."""
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = -1
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    wrong = set(asked) - {"ca", "tls"}
    if parts.scheme not in _PORTS or not parts.hostname or port == -1 or wrong:
        raise Invalid("mail_server must be smtp://user:password@host:587 or smtps://host[?ca=FILE]")
    tls = "implicit" if parts.scheme == "smtps" else asked.get("tls", "starttls")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if tls not in ("implicit", "starttls", "none"):
        raise Invalid(f"mail_server says tls={tls}: it is starttls, or none on this machine")
    if tls == "none" and (parts.hostname not in _LOOPBACK or user):
        raise Invalid("mail_server: without TLS only a server on this machine, without a password")
    return Server(
        parts.hostname, port or _PORTS[parts.scheme], tls, user, password, asked.get("ca", "")
    )


def one_line(text: str) -> str:
    """Without signs that end a line or steer a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:SUBJECT_MAX]


def message_of(sender: str, to: str, notice: Notice) -> EmailMessage:
    """Raises `Invalid` for an address that is none."""
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = sender
        message["To"] = Address(addr_spec=to)
        message["Subject"] = one_line(notice.subject)
    except (ValueError, IndexError, MessageError) as error:
        raise Invalid("no mail can be sent to this address") from error
    domain = message["From"].addresses[0].domain
    message["Date"] = format_datetime(datetime.fromtimestamp(notice.at // _S, UTC))
    message["Message-ID"] = f"<{notice.notice_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers
    if notice.is_urgent:
        message["Importance"] = "high"
    message.set_content(notice.text)
    if notice.html:
        message.add_alternative(notice.html, subtype="html")
    return message


class SmtpCarrier:
    """One connection a message: there are few of them. `clock` counts nanoseconds and never goes
    back."""

    def __init__(
        self, server: Server, sender: str, clock: Callable[[], int], within_s: float = WITHIN_S
    ) -> None:
        self._server, self._sender, self._within_s = server, sender, within_s
        self._clock = clock
        self._breaker, self._lock = Breaker(f"{server.host}:{server.port}"), Lock()

    def carry(self, to: str, notice: Notice) -> Carried:
        """See `Carrier`."""
        try:
            message = message_of(self._sender, to, notice)
        except Invalid as error:
            return Carried("refused", error.message)
        try:
            with self._lock:
                permit = self._breaker.enter(self._clock())
        except Unavailable as error:
            return Carried(
                "again", error.message, postponed_s=int(str(error.details["retry_after_s"]))
            )
        found = self._sent(message)
        with self._lock:
            self._breaker.leave(permit, self._clock(), ok=found.said != "again")
        return found

    def _sent(self, message: EmailMessage) -> Carried:
        server = self._server
        try:
            with self._connected() as smtp:
                if server.user:
                    smtp.login(server.user, server.password)
                smtp.send_message(message)
                return Carried("delivered", f"taken by {server.host}")
        except smtplib.SMTPRecipientsRefused as error:
            to, (code, text) = next(iter(error.recipients.items()))
            return _judged(code, text, to)
        except smtplib.SMTPAuthenticationError as error:
            return Carried("again", f"{server.host} does not let us in: {error.smtp_code}")
        except smtplib.SMTPResponseException as error:
            return _judged(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            return Carried("again", f"{server.host}: {error or type(error).__name__}"[:200])

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        context = ssl.create_default_context(cafile=server.ca or None)
        if server.tls == "implicit":
            return smtplib.SMTP_SSL(
                server.host, server.port, timeout=self._within_s, context=context
            )
        smtp = smtplib.SMTP(server.host, server.port, timeout=self._within_s)
        try:
            if server.tls == "starttls":
                smtp.starttls(context=context)  # a server that offers none is refused by this
                smtp.ehlo()
        except BaseException:
            smtp.close()
            raise
        return smtp


def _judged(code: int, text: bytes | str, to: str = "") -> Carried:
    """Servers repeat whom they refuse, and nobody's address stands in a log."""
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    detail = one_line(f"{code} {said.replace(to, '…') if to else said}")
    return Carried("refused" if 500 <= code < 600 else "again", detail)


class FolderCarrier:
    """Messages as files, where there is no server: whatever sends mail here takes them away."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder, self._sender = folder, sender

    def carry(self, to: str, notice: Notice) -> Carried:
        """See `Carrier`. The same notice to the same address is the same file."""
        try:
            message = message_of(self._sender, to, notice)
        except Invalid as error:
            return Carried("refused", error.message)
        name = f"{notice.at}-{notice.notice_id}.eml"
        with suppress(FileExistsError):
            self._folder.mkdir(mode=0o700, parents=True)
        part = self._folder / f".{name}"
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(message.as_bytes())
            part.rename(self._folder / name)
        except OSError as error:
            return Carried("again", f"{self._folder}: {error.strerror}")
        return Carried("kept", f"no mail server configured: {self._folder.name}/{name}")
