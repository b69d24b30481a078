"""Alerts as records: kept durably with the event that tells of them, counted up, looked at."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from fondaco.domain.surveillance.events import AlertRaised
from fondaco.domain.surveillance.model import Alert, Evidence, Severity
from fondaco.domain.surveillance.rules import FIX_ALERTS
from fondaco.kernel.event import Instant
from fondaco.ports.store import publish

REPEAT_NS: Final = 900_000_000_000  # as the threshold repeat_s has it
HOUSE: Final = 0  # its own sessions; captures are numbered from 1

metadata: Final = sa.MetaData()

alerts: Final = sa.Table(
    "surveillance_alerts",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("alert", sa.String(40), nullable=False, unique=True),
    sa.Column("capture", sa.Integer, nullable=False),
    sa.Column("pattern", sa.String(10), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("severity", sa.SmallInteger, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("session", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("attack", sa.Text, nullable=False),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("evidence", sa.LargeBinary, nullable=False),
    sa.Index("surveillance_alerts_capture", "capture", "number"),
    sqlite_autoincrement=True,
)
_C: Final = alerts.c

# What is told to others, in its order: an alert that is new, and again one more severe.
told: Final = sa.Table(
    "surveillance_told",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("alert", sa.String(40), nullable=False),
    sqlite_autoincrement=True,
)


class Proof(msgspec.Struct, frozen=True):
    """A message that proves an alert; `message` is its id where it is kept for search."""

    message: str | None
    evidence: Evidence


class Recorded(msgspec.Struct, frozen=True):
    """An alert as it is kept."""

    number: int
    alert: str
    capture: int
    session: str
    pattern: str
    title: str
    severity: Severity
    subject: str
    reason: str
    attack: tuple[str, ...]
    first_at: int
    last_at: int
    count: int
    proofs: tuple[Proof, ...]


_proofs: Final = msgspec.json.Decoder(tuple[Proof, ...])


def name_of(alert: Alert, capture: int = HOUSE) -> str:
    """The same for the same finding, whoever finds it again: pattern, subject, what about it, and
    when it began."""
    return f"{_what(alert, capture)}-{alert.first_at:x}"


def _what(alert: Alert, capture: int) -> str:
    content = msgspec.json.encode((capture, alert.pattern, alert.subject, alert.key))
    return f"{alert.pattern.lower()}-{sha256(content).hexdigest()[:12]}"


def _found_before(conn: sa.Connection, alert: Alert, capture: int) -> str:
    """The name of the alert that this one goes on with, as far as those who look for it forget
    between two of their lives: the same again within REPEAT_NS, or of no weight at all."""
    what = _what(alert, capture)
    rows = conn.execute(
        sa.select(_C.alert, _C.severity, _C.first_at, _C.last_at)
        .where(_C.capture == capture, _C.pattern == alert.pattern, _C.subject == alert.subject)
        .order_by(_C.number.desc())
    )
    for name, severity, first_at, last_at in rows:
        if not name.startswith(f"{what}-") or first_at > alert.last_at:
            continue
        light = severity == alert.severity == Severity.LOW
        if light or alert.first_at - last_at <= REPEAT_NS:
            return str(name)
    return name_of(alert, capture)


def record(
    conn: sa.Connection,
    alert: Alert,
    session: str,
    messages: Sequence[str | None],
    at: int,
    *,
    capture: int = HOUSE,
) -> bool:
    """Keep an alert, or what became of one that is kept; `messages` are ids of its evidence.

    The journal is told, in the same block, of one that is new or has become more severe: then it
    is True.
    """
    name = _found_before(conn, alert, capture)
    known = conn.execute(
        sa.select(_C.severity, _C.count, _C.last_at, _C.first_at).where(_C.alert == name)
    ).first()
    proofs = tuple(map(Proof, messages, alert.evidence))
    changed = {
        "severity": int(alert.severity),
        "reason": alert.reason,
        "last_at": alert.last_at,
        "count": alert.count,
        "evidence": msgspec.json.encode(proofs),
    }
    if known is None:
        conn.execute(
            alerts.insert().values(
                alert=name,
                capture=capture,
                pattern=alert.pattern,
                title=alert.title,
                subject=alert.subject,
                session=session,
                attack=" ".join(alert.attack),
                first_at=alert.first_at,
                **changed,
            )
        )
    elif known.first_at != alert.first_at:  # found anew by one who forgot how it began
        if alert.last_at > known.last_at or alert.severity > known.severity:
            grown = {
                "severity": max(known.severity, int(alert.severity)),
                "last_at": max(known.last_at, alert.last_at),
                "count": max(known.count + (alert.first_at > known.last_at), alert.count),
            }
            conn.execute(alerts.update().where(_C.alert == name).values(**grown))
    elif (alert.severity, alert.count, alert.last_at) > tuple(known)[:3]:
        conn.execute(alerts.update().where(_C.alert == name).values(**changed))
    is_news = known is None or alert.severity > known[0]
    if is_news and capture == HOUSE:
        conn.execute(told.insert().values(alert=name))
        publish(conn, FIX_ALERTS, _event(name, alert, session, messages), Instant(at))
    return is_news


def _event(name: str, alert: Alert, session: str, messages: Sequence[str | None]) -> AlertRaised:
    return AlertRaised(
        name,
        alert.pattern,
        alert.title,
        alert.severity.name.lower(),
        alert.subject,
        session,
        alert.reason,
        tuple(alert.attack),
        Instant(alert.first_at),
        Instant(alert.last_at),
        tuple(each for each in messages if each),
    )


def one(conn: sa.Connection, name: str) -> Recorded | None:
    row = conn.execute(sa.select(alerts).where(_C.alert == name)).first()
    return None if row is None else _recorded(row)


def page(
    conn: sa.Connection,
    *,
    below: int,
    limit: int,
    capture: int = HOUSE,
    session: str | None = None,
    severity: Severity = Severity.LOW,
    after: int = 0,
    before: int = 2**63 - 1,
) -> list[Recorded]:
    """The newest first; at least so severe, and in that time."""
    selected = sa.select(alerts).where(
        _C.capture == capture,
        _C.number < below,
        _C.severity >= int(severity),
        _C.last_at >= after,
        _C.first_at < before,
    )
    if session is not None:
        selected = selected.where(_C.session == session)
    rows = conn.execute(selected.order_by(_C.number.desc()).limit(limit))
    return [_recorded(row) for row in rows]


def news(conn: sa.Connection, after: int, limit: int) -> list[tuple[int, Recorded]]:
    """What is to be told behind a number, with its own; each alert as it stands by now."""
    selected = (
        sa.select(told.c.number.label("news"), alerts)
        .join_from(told, alerts, told.c.alert == _C.alert)
        .where(told.c.number > after)
        .order_by(told.c.number)
        .limit(limit)
    )
    return [(row.news, _recorded(row)) for row in conn.execute(selected)]


def _recorded(row: Any) -> Recorded:
    return Recorded(
        row.number,
        row.alert,
        row.capture,
        row.session,
        row.pattern,
        row.title,
        Severity(row.severity),
        row.subject,
        row.reason,
        tuple(row.attack.split()),
        row.first_at,
        row.last_at,
        row.count,
        _proofs.decode(row.evidence),
    )
