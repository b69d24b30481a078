"""Certificates as records: they hold names, so they go where the person is forgotten."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.reports.certificates.model import Certificate
from fondaco.kernel.event import Instant

metadata: Final = sa.MetaData()
FORMS: Final = ("pdf", "svg", "png")

certificates: Final = sa.Table(
    "reports_certificates",
    metadata,
    sa.Column("certificate_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("assessment_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),  # JSON of the Certificate
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("is_public", sa.BigInteger, nullable=False),
    sa.Column("withdrawn_at", sa.BigInteger, nullable=False),
    *(sa.Column(form, sa.LargeBinary, nullable=False) for form in FORMS),
    sa.Index("reports_certificates_user", "tenant", "user"),
)
# The firm's word that it no longer stands by one. It outlives what the certificate said.
revocations: Final = sa.Table(
    "reports_certificate_revocations",
    metadata,
    sa.Column("certificate_id", sa.Text, primary_key=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
_LINES: Final = [each for each in certificates.c if each.name not in FORMS]


def keep(conn: sa.Connection, row: dict[str, Any]) -> None:
    conn.execute(certificates.insert().values(**row))


def there(
    conn: sa.Connection, tenant: str, assessment_id: str, kind: str, number: int
) -> Any | None:
    """One that was neither withdrawn nor revoked."""
    c = certificates.c
    revoked = sa.select(revocations.c.certificate_id)
    return conn.execute(
        sa.select(*_LINES).where(
            c.tenant == tenant, c.assessment_id == assessment_id, c.kind == kind,
            c.number == number, c.withdrawn_at == 0, c.certificate_id.not_in(revoked),
        )
    ).one_or_none()  # fmt: skip


def one(conn: sa.Connection, certificate_id: str) -> Any | None:
    query = sa.select(*_LINES).where(certificates.c.certificate_id == certificate_id)
    return conn.execute(query).one_or_none()


def drawn(conn: sa.Connection, certificate_id: str, form: str) -> bytes:
    """`form` is one of `FORMS`."""
    query = sa.select(certificates.c[form]).where(certificates.c.certificate_id == certificate_id)
    return bytes(conn.execute(query).scalar_one())


def listed(conn: sa.Connection, tenant: str, user: str | None) -> Sequence[Any]:
    """`user` None: everybody's."""
    c = certificates.c
    query = sa.select(*_LINES).where(c.tenant == tenant)
    return conn.execute(query if user is None else query.where(c.user == user)).all()


def revoke(conn: sa.Connection, certificate_id: str, by: str, reason: str, at: Instant) -> None:
    row = {"certificate_id": certificate_id, "by": by, "reason": reason, "at": at}
    conn.execute(revocations.insert().values(row))


def why_revoked(conn: sa.Connection, certificate_id: str) -> str | None:
    """None: it was not."""
    query = sa.select(revocations.c.reason).where(revocations.c.certificate_id == certificate_id)
    return conn.execute(query).scalar_one_or_none()


def show(conn: sa.Connection, certificate_id: str, *, is_public: bool) -> None:
    mine = certificates.c.certificate_id == certificate_id
    conn.execute(certificates.update().where(mine).values(is_public=int(is_public)))


def withdraw(conn: sa.Connection, certificate_id: str, at: Instant) -> None:
    """What it said is gone; that there was one is kept for whoever has the link."""
    mine = certificates.c.certificate_id == certificate_id
    gone: dict[str, Any] = dict.fromkeys(("content", *FORMS), b"")
    conn.execute(certificates.update().where(mine).values(withdrawn_at=at, **gone))


def content_of(row: Any) -> Certificate | None:
    """None: it was withdrawn."""
    return msgspec.json.decode(row.content, type=Certificate) if row.content else None
