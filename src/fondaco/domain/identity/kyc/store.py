"""Records of who people are. What is personal comes here sealed, under its person's key."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.identity.kyc.events import KycEvent
from fondaco.domain.identity.kyc.model import Case
from fondaco.domain.identity.model import IDENTITY_STREAM
from fondaco.kernel.event import Instant
from fondaco.ports.store import publish

metadata: Final = sa.MetaData()


def _whose() -> tuple[sa.Column[str], sa.Column[str]]:
    return sa.Column("tenant", sa.Text, primary_key=True), sa.Column(
        "user", sa.Text, primary_key=True
    )


profiles: Final = sa.Table(
    "kyc_profiles",
    metadata,
    *_whose(),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("person", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
cases: Final = sa.Table(
    "kyc_cases",
    metadata,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False, index=True),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # of `fold`, to be looked up by
    sa.Column("until", sa.BigInteger, nullable=False),  # likewise
    sa.Column("fold", sa.LargeBinary, nullable=False),  # the Case that its events make
    sa.Column("hits", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("submitted_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
documents: Final = sa.Table(
    "kyc_documents",
    metadata,
    sa.Column("document_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False, index=True),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("case_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("facts", sa.LargeBinary, nullable=False),  # sealed: digest, when it expires
    sa.Column("added_at", sa.BigInteger, nullable=False),
)
pieces: Final = sa.Table(
    "kyc_pieces",
    metadata,
    *_whose(),
    sa.Column("digest", sa.Text, primary_key=True),  # SHA-256 of its sealed upload's name
    sa.Column("offset", sa.BigInteger, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("at", sa.BigInteger, nullable=False),
)
assessments: Final = sa.Table(
    "kyc_assessments",
    metadata,
    *_whose(),
    sa.Column("questionnaire", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # "current" or "answer_again"
    sa.Column("answers", sa.LargeBinary, nullable=False),  # sealed
    sa.Column("scored", sa.LargeBinary, nullable=False),  # sealed: now, and before
    sa.Column("at", sa.BigInteger, nullable=False),
)
questionnaires: Final = sa.Table(
    "kyc_questionnaires",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("text", sa.LargeBinary, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

# What goes with a person: see domain/identity/erasure.
OF_A_PERSON: Final[tuple[tuple[sa.Table, str], ...]] = (
    (profiles, "profile: names, birth date, address"),
    (cases, "cases, with hits in lists"),
    (documents, "documents that they uploaded"),
    (pieces, "documents that were begun"),
    (assessments, "answers on what risk suits them"),
)
_fold: Final = msgspec.msgpack.Decoder(Case).decode


def _of(table: sa.Table, tenant: str, user: str) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.tenant == tenant, table.c.user == user


def _one(conn: sa.Connection, table: sa.Table, tenant: str, user: str) -> Any:
    return conn.execute(sa.select(table).where(*_of(table, tenant, user))).one_or_none()


def put(conn: sa.Connection, table: sa.Table, tenant: str, user: str, **row: Any) -> None:
    """Instead of the one row that a person has there."""
    conn.execute(table.delete().where(*_of(table, tenant, user)))
    conn.execute(table.insert().values(tenant=tenant, user=user, **row))


def profile(conn: sa.Connection, tenant: str, user: str) -> Any:
    """The row, or None."""
    return _one(conn, profiles, tenant, user)


def assessment(conn: sa.Connection, tenant: str, user: str) -> Any:
    return _one(conn, assessments, tenant, user)


def assessed(conn: sa.Connection, tenant: str) -> Sequence[Any]:
    there = assessments.c.tenant == tenant
    return conn.execute(sa.select(assessments).where(there).order_by(assessments.c.user)).all()


# --- Cases ------------------------------------------------------------------------------------


def case_of(conn: sa.Connection, tenant: str, user: str) -> tuple[Any, Case]:
    """Somebody's newest row and what it holds; None and a case that is none."""
    newest = (cases.c.submitted_at.desc(), cases.c.case_id)
    found = sa.select(cases).where(*_of(cases, tenant, user)).order_by(*newest).limit(1)
    row = conn.execute(found).one_or_none()
    return row, (Case() if row is None else _fold(row.fold))


def case_named(conn: sa.Connection, tenant: str, case_id: str) -> tuple[Any, Case]:
    there = (cases.c.tenant == tenant, cases.c.case_id == case_id)
    row = conn.execute(sa.select(cases).where(*there)).one_or_none()
    return row, (Case() if row is None else _fold(row.fold))


def put_case(
    conn: sa.Connection, tenant: str, user: str, case: Case, hits: bytes, at: Instant
) -> None:
    row = {
        "state": case.state,
        "until": case.until,
        "fold": msgspec.msgpack.encode(case),
        "hits": hits,
        "changed_at": at,
    }
    there = cases.c.case_id == case.case_id
    if not conn.execute(cases.update().where(there).values(**row)).rowcount:
        named = {"case_id": case.case_id, "tenant": tenant, "user": user}
        conn.execute(cases.insert().values(**row, **named, submitted_at=at))


def cases_in(
    conn: sa.Connection, states: Iterable[str], tenant: str = "", limit: int = -1
) -> list[tuple[Any, Case]]:
    """Whichever has waited longest, first."""
    chosen = sa.select(cases).where(cases.c.state.in_(list(states)))
    if tenant:
        chosen = chosen.where(cases.c.tenant == tenant)
    chosen = chosen.order_by(cases.c.changed_at, cases.c.case_id)
    rows = conn.execute(chosen if limit < 0 else chosen.limit(limit)).all()
    return [(row, _fold(row.fold)) for row in rows]


def standings(conn: sa.Connection) -> dict[tuple[str, str], Case]:
    """Everybody's newest case."""
    rows = conn.execute(sa.select(cases).order_by(cases.c.submitted_at)).all()
    return {(row.tenant, row.user): _fold(row.fold) for row in rows}


# --- Documents --------------------------------------------------------------------------------


def add_document(conn: sa.Connection, **row: Any) -> None:
    conn.execute(documents.insert().values(**row))


def documents_of(conn: sa.Connection, case_id: str) -> Sequence[Any]:
    """Without what is in them, oldest first."""
    columns = [each for each in documents.c if each.name != "content"]
    chosen = sa.select(*columns).where(documents.c.case_id == case_id)
    return conn.execute(chosen.order_by(documents.c.added_at, documents.c.document_id)).all()


def document(conn: sa.Connection, tenant: str, case_id: str, document_id: str) -> Any:
    there = (
        documents.c.tenant == tenant,
        documents.c.case_id == case_id,
        documents.c.document_id == document_id,
    )
    return conn.execute(sa.select(documents).where(*there)).one_or_none()


def put_piece(
    conn: sa.Connection, tenant: str, user: str, digest: str, offset: int, size: int,
    content: bytes, at: Instant,
) -> None:  # fmt: skip
    there = (*_of(pieces, tenant, user), pieces.c.digest == digest, pieces.c.offset == offset)
    conn.execute(pieces.delete().where(*there))
    row = {"digest": digest, "offset": offset, "size": size, "content": content, "at": at}
    conn.execute(pieces.insert().values(tenant=tenant, user=user, **row))


def pieces_of(conn: sa.Connection, tenant: str, user: str, digest: str = "") -> Sequence[Any]:
    """In order; of every upload where no digest is given."""
    chosen = sa.select(pieces).where(*_of(pieces, tenant, user))
    if digest:
        chosen = chosen.where(pieces.c.digest == digest)
    return conn.execute(chosen.order_by(pieces.c.digest, pieces.c.offset)).all()


def take_pieces(conn: sa.Connection, tenant: str, user: str, digest: str) -> None:
    conn.execute(pieces.delete().where(*_of(pieces, tenant, user), pieces.c.digest == digest))


def take_old_pieces(conn: sa.Connection, before: Instant) -> None:
    conn.execute(pieces.delete().where(pieces.c.at < before))


# --- Questionnaires ---------------------------------------------------------------------------


def questionnaire(conn: sa.Connection, tenant: str) -> Any:
    """A tenant's newest, or None."""
    newest = questionnaires.c.version.desc()
    chosen = sa.select(questionnaires).where(questionnaires.c.tenant == tenant)
    return conn.execute(chosen.order_by(newest).limit(1)).one_or_none()


def add_questionnaire(conn: sa.Connection, **row: Any) -> None:
    conn.execute(questionnaires.insert().values(**row))


def tell(conn: sa.Connection, event: KycEvent, at: Instant) -> None:
    publish(conn, IDENTITY_STREAM, event, at)
