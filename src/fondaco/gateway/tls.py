"""TLS of the doors: version 1.3 alone, and certificates that change while requests go on.

A context of OpenSSL may be given another certificate at any time: handshakes from then on show the
new one, connections that stand keep theirs (SSL_CTX_use_certificate(3)).
"""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fondaco.kernel.errors import Invalid

LOOK_S: Final = 1.0
LOOKS_APART: Final = 3  # certificate and key are two files: for so long they need not fit

Stamp = tuple[tuple[int, int, int], ...]


class Certificates:
    """Of one door. With `clients` (certificates in PEM that sign theirs, or are theirs) nobody gets
    in without one. Raises `Invalid` for files that cannot be used."""

    def __init__(self, certificate: Path, key: Path, clients: Path | None = None) -> None:
        self._certificate, self._key, self._clients = certificate, key, clients
        self._seen = self._stamp()
        self._misfits = 0
        self.context = self._made()

    def look(self) -> str:
        """Take what is new in the files. What to tell of it, "" nothing: that there is another
        certificate, or why there is none and the old one stays."""
        stamp = self._stamp()
        if stamp == self._seen and not self._misfits:
            return ""
        try:
            self._made()
            self.context.load_cert_chain(self._certificate, self._key)
            if self._clients:
                self.context.load_verify_locations(self._clients)
        except (Invalid, OSError, ssl.SSLError) as error:
            is_new = stamp != self._seen
            self._seen, self._misfits = stamp, 1 if is_new else self._misfits + 1
            if self._misfits != LOOKS_APART:
                return ""
            return f"the new certificate cannot be used, the old one stays: {error}"
        self._seen, self._misfits = stamp, 0
        return f"from now on {self._certificate} is shown as it is today"

    def _stamp(self) -> Stamp:
        files = [self._certificate, self._key, *([self._clients] if self._clients else [])]
        return tuple(_stamp_of(file) for file in files)

    def _made(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._certificate, self._key)
            if self._clients:
                context.load_verify_locations(self._clients)
                context.verify_mode = ssl.CERT_REQUIRED
                # One that is trusted itself needs no authority above it.
                context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        except (OSError, ssl.SSLError) as error:
            raise Invalid(
                f"TLS cannot begin with tls_cert {self._certificate}, tls_key {self._key}"
                f"{f', tls_clients {self._clients}' if self._clients else ''}: {error}; all are "
                "files in PEM, and the key is the certificate's"
            ) from error
        return context


async def keep_renewed(certificates: Certificates, tell: Callable[[str], None]) -> None:
    """Look at the files until canceled."""
    while True:
        await asyncio.sleep(LOOK_S)
        told = certificates.look()
        if told:
            tell(told)


def _stamp_of(file: Path) -> tuple[int, int, int]:
    """Another one for another content; zeros where there is none."""
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_size)
