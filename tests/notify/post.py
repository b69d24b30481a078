"""A mail server and a browser on this machine: real ones, into which a test looks."""

import contextlib
import ssl
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Final

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from notify.receiver import Came

USER, PASSWORD = "fondaco", "correct horse/1"
POINT: Final = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


class Mailbox:
    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.refusing: dict[str, str] = {}  # an address, or "*", and what is answered
        self.logins: list[str] = []
        self.port = 0

    async def handle_RCPT(  # noqa: N802  the names are the library's
        self, _: Any, __: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = self.refusing.get(address) or self.refusing.get("*")
        if said:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Any, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        self.got.append(message)
        return "250 OK"

    def login(self, *asked: Any) -> AuthResult:
        known: LoginPassword = asked[-1]
        self.logins.append(known.login.decode())
        return AuthResult(success=known.password.decode() == PASSWORD)

    def text(self, nth: int = -1) -> str:
        part = self.got[nth].get_body(("plain",))
        assert part is not None
        return str(part.get_content())


@contextlib.contextmanager
def mail_server(certificate: tuple[Path, Path] | None = None, port: int = 0) -> Iterator[Mailbox]:
    """With STARTTLS and a password, where there is a certificate and its key."""
    box = Mailbox()
    more: dict[str, Any] = {}
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        more = {
            "tls_context": context,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": box.login,
        }
    controller = Controller(box, hostname="127.0.0.1", port=port or free_port(), **more)
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Browser:
    """Has subscribed, and reads what comes, as RFC 8291 says."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.auth = bytes(range(16))
        self.public = self._key.public_key().public_bytes(*POINT)

    def subscription(self, url: str) -> dict[str, str]:
        return {"endpoint": url, "p256dh": b64(self.public), "auth": b64(self.auth)}

    def read(self, came: Came) -> Any:
        assert came.headers["content-encoding"] == "aes128gcm"
        body = came.body
        salt, size, theirs = body[:16], int.from_bytes(body[16:20]), body[21 : 21 + body[20]]
        assert size == 4_096
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        shared = self._key.exchange(ec.ECDH(), point)
        info = b"WebPush: info\0" + self.public + theirs
        secret = HKDF(hashes.SHA256(), 32, self.auth, info).derive(shared)
        key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        plain = AESGCM(key).decrypt(nonce, body[21 + body[20] :], None)
        assert plain.endswith(b"\2")
        return msgspec.json.decode(plain[:-1])

    @staticmethod
    def claims(came: Came, push_key: str) -> Any:
        """Of who has sent it, verified (RFC 8292)."""
        kind, _, rest = came.headers["authorization"].partition(" ")
        assert kind == "vapid"
        parts = dict(each.strip().split("=", 1) for each in rest.split(","))
        assert parts["k"] == push_key
        signed, _, signature = parts["t"].rpartition(".")
        raw = unb64(signature)
        pair = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(push_key))
        point.verify(pair, signed.encode(), ec.ECDSA(hashes.SHA256()))
        return msgspec.json.decode(unb64(signed.partition(".")[2]))
