"""Reports as they are kept: written once, never changed, and held against their hash when read."""

import zlib
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.reports.model import digest
from fondaco.kernel.errors import Corrupt, NotFound

metadata: Final = sa.MetaData()

reports: Final = sa.Table(
    "reports_v1",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # in the order in which they were made
    sa.Column("report_id", sa.Text, nullable=False, unique=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("assessment_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("html_sha256", sa.Text, nullable=False),
    sa.Column("pdf_sha256", sa.Text, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),  # deflated, as the next two
    sa.Column("html", sa.LargeBinary, nullable=False),
    sa.Column("pdf", sa.LargeBinary, nullable=False),
    sa.Index("reports_v1_tenant", "tenant", "number"),
)
PARTS: Final = {"document": "sha256", "html": "html_sha256", "pdf": "pdf_sha256"}


class Kept(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A report without its bytes."""

    number: int
    report_id: str
    tenant: str
    account_id: str
    assessment_id: str
    kind: str
    position: int
    made_at: int
    made_by: str
    sha256: str
    html_sha256: str
    pdf_sha256: str


_COLUMNS: Final = [reports.c[name] for name in Kept.__struct_fields__]


def keep(conn: sa.Connection, kept: Kept, parts: dict[str, bytes]) -> bool:
    """False where it was made before: then that one stands."""
    known = sa.select(reports.c.number).where(reports.c.report_id == kept.report_id)
    if conn.execute(known).first() is not None:
        return False
    values = msgspec.structs.asdict(kept)
    values.pop("number")
    deflated = {name: zlib.compress(content, 6) for name, content in parts.items()}
    conn.execute(reports.insert().values(**values, **deflated))
    return True


def one(conn: sa.Connection, tenant: str, report_id: str) -> Kept:
    """Raises `NotFound`, also for another tenant's."""
    query = sa.select(*_COLUMNS).where(reports.c.report_id == report_id, reports.c.tenant == tenant)
    row = conn.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"there is no report {report_id[:40]}; GET /reports lists them")
    return _kept(row)


def page(
    conn: sa.Connection,
    tenant: str,
    *,
    account_id: str | None,
    kind: str | None,
    below: int,
    limit: int,
    accounts: frozenset[str] | None,
) -> list[Kept]:
    """The newest first; `accounts` None: of all of the tenant's."""
    query = sa.select(*_COLUMNS).where(reports.c.tenant == tenant)
    if account_id is not None:
        query = query.where(reports.c.account_id == account_id)
    if accounts is not None:
        query = query.where(reports.c.account_id.in_(sorted(accounts)))
    if kind is not None:
        query = query.where(reports.c.kind == kind)
    if below:
        query = query.where(reports.c.number < below)
    rows = conn.execute(query.order_by(reports.c.number.desc()).limit(limit))
    return [_kept(row) for row in rows]


def part(conn: sa.Connection, kept: Kept, name: str) -> bytes:
    """Its "document", "html" or "pdf". Raises `Corrupt` where that is not what was made."""
    query = sa.select(reports.c[name]).where(reports.c.report_id == kept.report_id)
    try:
        content = zlib.decompress(conn.execute(query).scalar_one())
    except zlib.error:
        content = b""
    if content and digest(content) != getattr(kept, PARTS[name]):
        raise Corrupt(f"the {name} of report {kept.report_id} is not what was made")
    return content


def _kept(row: Any) -> Kept:
    return Kept(**row._mapping)
