"""TLS of FIX sessions: FIXS (FIX over TLS, FIX Trading Community, 2019): TLS 1.2 or later, both
sides show certificates, and a pinned certificate is bound to a CompID (`Agreement.pins`)."""

import ssl
from hashlib import sha256
from pathlib import Path

from fondaco.kernel.errors import Invalid


def server_context(certificate: Path, key: Path, *, trusts: Path | None = None) -> ssl.SSLContext:
    """Of a port. `trusts` holds the certificates that may sign theirs, or be theirs (PEM); with it
    nobody connects without one. Raises `Invalid` for files that cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(context, certificate, key, trusts)
    if trusts is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(
    *, trusts: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Of an initiator: the machine's authorities, or only those in `trusts`."""
    context = ssl.create_default_context() if trusts is None else _bare()
    _load(context, certificate, key, trusts)
    return context


def pin_of(certificate: Path) -> str:
    """The SHA-256 of a certificate, in hex: what an agreement pins."""
    try:
        pem = certificate.read_text("ascii")
        return sha256(ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERT") :])).hexdigest()
    except (OSError, ValueError) as error:
        raise Invalid(f"{certificate} is no certificate in PEM: {error}") from error


def _bare() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies chain and name


def _load(
    context: ssl.SSLContext, certificate: Path | None, key: Path | None, trusts: Path | None
) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if certificate is not None:
            context.load_cert_chain(certificate, key)
        if trusts is not None:
            context.load_verify_locations(trusts)
    except (OSError, ssl.SSLError) as error:
        raise Invalid(f"the certificates of TLS cannot be used: {error}") from error
    if trusts is not None:  # a certificate that is trusted itself needs no authority above it
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
