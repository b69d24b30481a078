"""What is ranked, as rows that the journal fills; and a record of each person who wants to be seen
by a name."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from fondaco.domain.evaluation.assessments import events as ev
from fondaco.domain.evaluation.assessments.model import PAYMENTS, PREFIX
from fondaco.domain.evaluation.leaderboard.ranking import RANKED, Result
from fondaco.kernel.errors import Taken
from fondaco.kernel.event import Entry, Instant
from fondaco.ports.rows import RowsView

VIEW: Final = "evaluation_standings_v1"
CHUNK: Final = 500  # ids in one question
records_metadata: Final = sa.MetaData()
_metadata: Final = sa.MetaData()

# Consent: who has no row is seen by no name.
profiles: Final = sa.Table(
    "evaluation_public_names",
    records_metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("user", sa.Text, primary_key=True),
    sa.Column("public_name", sa.Text, nullable=False),
    sa.Column("said_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("tenant", "public_name"),
)

# What an assessment is ranked by. `position` is that of the entry which changed it last: whoever
# keeps ranks elsewhere asks for what was changed since.
standings: Final = sa.Table(
    "evaluation_standings_v1",
    _metadata,
    sa.Column("assessment_id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("is_funded", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("balance", sa.BigInteger, nullable=False),
    sa.Column("taken", sa.BigInteger, nullable=False),
    sa.Column("paid", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("frozen", sa.Text, nullable=False),  # why nobody trades on it just now
    sa.Column("voided", sa.Text, nullable=False),  # why it counts for nothing: it was paid back
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
sa.Index("evaluation_standings_v1_moved", standings.c.tenant, standings.c.position)
sa.Index("evaluation_standings_v1_user", standings.c.tenant, standings.c.user)

# Payouts that were agreed to and have not failed.
paid: Final = sa.Table(
    "evaluation_standings_paid_v1",
    _metadata,
    sa.Column("assessment_id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("profit", sa.BigInteger, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)


def _mine(entry: Entry) -> str:
    return entry.stream.removeprefix(PREFIX)


def _change(conn: sa.Connection, entry: Entry, *where: Any, **columns: Any) -> None:
    mine = (standings.c.assessment_id == _mine(entry), *where)
    conn.execute(standings.update().where(*mine).values(position=entry.position, **columns))


def _created(conn: sa.Connection, entry: Entry, event: ev.AssessmentCreated) -> None:
    row = {
        "assessment_id": event.assessment_id, "tenant": event.tenant, "user": event.user,
        "tier": event.tier, "state": "purchased", "account_id": "", "is_funded": 0, "size": 0,
        "balance": 0, "taken": 0, "paid": 0, "currency": "", "frozen": "", "voided": "",
        "created_at": entry.at, "position": entry.position,
    }  # fmt: skip
    conn.execute(standings.insert().values(row))


def _begun(conn: sa.Connection, entry: Entry, event: ev.StageBegun) -> None:
    columns: dict[str, Any] = {
        "account_id": event.account, "is_funded": int(event.is_funded), "size": event.size,
        "balance": event.size,
    }  # fmt: skip
    if event.why in ("reset", "upgrade"):
        columns["state"] = "purchased"
    _change(conn, entry, **columns)


def _started(conn: sa.Connection, entry: Entry, _: ev.AssessmentStarted) -> None:
    _change(conn, entry, state=sa.case((standings.c.is_funded == 1, "funded"), else_="active"))


def _kept(conn: sa.Connection, entry: Entry, event: ev.StandingKept) -> None:
    """Of the account that it trades now; one of an earlier stage ranks nobody."""
    now = standings.c.account_id == event.account
    _change(conn, entry, now, balance=event.numbers.balance)


def _passed(conn: sa.Connection, entry: Entry, event: ev.AssessmentPassed) -> None:
    if not event.is_funded:
        _change(conn, entry, state="passed")


def _ended(state: str) -> Callable[[sa.Connection, Entry, Any], None]:
    return lambda conn, entry, _: _change(conn, entry, state=state)


def _abandoned(conn: sa.Connection, entry: Entry, event: ev.AssessmentAbandoned) -> None:
    voided = event.reason if event.by == PAYMENTS else ""
    _change(conn, entry, state="abandoned", voided=voided)


def _frozen(conn: sa.Connection, entry: Entry, event: ev.AssessmentFrozen) -> None:
    _change(conn, entry, frozen=event.reason)


def _thawed(conn: sa.Connection, entry: Entry, _: ev.AssessmentThawed) -> None:
    _change(conn, entry, frozen="")


def _upgraded(conn: sa.Connection, entry: Entry, event: ev.AssessmentUpgraded) -> None:
    _change(conn, entry, tier=event.tier)


def _agreed(
    conn: sa.Connection, entry: Entry, event: ev.PayoutAgreed | ev.PayoutTriedAgain
) -> None:
    row = {
        "assessment_id": _mine(entry), "number": event.number, "profit": event.profit,
        "amount": event.amount,
    }  # fmt: skip
    conn.execute(paid.insert().values(row))
    _sum(conn, entry, currency=event.currency)


def _settled(conn: sa.Connection, entry: Entry, event: ev.PayoutSettled) -> None:
    if not event.paid:
        p = paid.c
        mine = (p.assessment_id == _mine(entry), p.number == event.number)
        conn.execute(paid.delete().where(*mine))
        _sum(conn, entry)


def _sum(conn: sa.Connection, entry: Entry, **columns: Any) -> None:
    p = paid.c
    of = sa.select(
        sa.func.coalesce(sa.func.sum(p.profit), 0), sa.func.coalesce(sa.func.sum(p.amount), 0)
    ).where(p.assessment_id == _mine(entry))
    taken, amount = conn.execute(of).one()
    _change(conn, entry, taken=int(taken), paid=int(amount), **columns)


_WRITERS: Final[dict[type, Callable[..., None]]] = {
    ev.AssessmentCreated: _created,
    ev.StageBegun: _begun,
    ev.AssessmentStarted: _started,
    ev.StandingKept: _kept,
    ev.AssessmentPassed: _passed,
    ev.AssessmentFailed: _ended("failed"),
    ev.AssessmentAbandoned: _abandoned,
    ev.AssessmentExpired: _ended("expired"),
    ev.AssessmentFrozen: _frozen,
    ev.AssessmentThawed: _thawed,
    ev.AssessmentUpgraded: _upgraded,
    ev.PayoutAgreed: _agreed,
    ev.PayoutTriedAgain: _agreed,
    ev.PayoutSettled: _settled,
}


class LeaderboardView(RowsView):
    """Where each assessment stands among the others."""

    name: ClassVar[str] = VIEW
    metadata: ClassVar[sa.MetaData] = _metadata

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        for entry in entries:
            write = _WRITERS.get(type(entry.event))
            if write is not None:
                write(conn, entry, entry.event)


# --- Looks ----------------------------------------------------------------------------------------


def _result(row: Any, currency: str) -> Result:
    return Result(
        assessment_id=row.assessment_id, user=row.user, tier=row.tier, state=row.state,
        size=row.size, balance=row.balance, taken=row.taken,
        paid=row.paid if row.currency == currency else 0, created_at=row.created_at,
    )  # fmt: skip


def results(conn: sa.Connection, tenant: str, tier: str | None, currency: str) -> list[Result]:
    """Of everybody who is still in, in the order in which they came. With a `currency`, only what
    was paid in it counts as paid."""
    s = standings.c
    chosen = (s.tenant == tenant, s.state.in_(RANKED), s.size > 0)
    query = sa.select(standings).where(*chosen, *(() if tier is None else (s.tier == tier,)))
    rows = conn.execute(query.order_by(s.created_at, s.assessment_id))
    return [_result(row, currency) for row in rows]


def moved(conn: sa.Connection, tenant: str, currency: str, since: int, limit: int) -> list[Result]:
    """What was changed after the position `since`, ranked now or not: `limit` of it at most."""
    s = standings.c
    query = sa.select(standings).where(s.tenant == tenant, s.position > since)
    rows = conn.execute(query.order_by(s.position).limit(limit))
    return [_result(row, currency) for row in rows]


def found(conn: sa.Connection, ids: Sequence[str], currency: str) -> dict[str, Result]:
    """By assessment."""
    s = standings.c
    rows: dict[str, Result] = {}
    for start in range(0, len(ids), CHUNK):
        query = sa.select(standings).where(s.assessment_id.in_(ids[start : start + CHUNK]))
        rows |= {row.assessment_id: _result(row, currency) for row in conn.execute(query)}
    return rows


def standing_of(conn: sa.Connection, assessment_id: str) -> Any | None:
    """The row of one."""
    query = sa.select(standings).where(standings.c.assessment_id == assessment_id)
    return conn.execute(query).one_or_none()


def own(conn: sa.Connection, tenant: str, user: str) -> Iterable[Result]:
    """All that somebody has ever begun."""
    s = standings.c
    query = sa.select(standings).where(s.tenant == tenant, s.user == user)
    return [_result(row, "") for row in conn.execute(query)]


def names(conn: sa.Connection, tenant: str) -> dict[str, str]:
    """Public name by user, of those who want one."""
    n = profiles.c
    rows = conn.execute(sa.select(n.user, n.public_name).where(n.tenant == tenant))
    return {row.user: row.public_name for row in rows}


def set_name(conn: sa.Connection, tenant: str, user: str, name: str, at: Instant) -> None:
    """ "": by none any more. Raises `Conflict` where somebody else has it."""
    n = profiles.c
    taken = sa.select(n.user).where(n.tenant == tenant, n.public_name == name, n.user != user)
    if name and conn.scalar(taken) is not None:
        raise Taken(f"somebody else is called {name}; choose another name", code="name_taken")
    conn.execute(profiles.delete().where(n.tenant == tenant, n.user == user))
    if name:
        row = {"tenant": tenant, "user": user, "public_name": name, "said_at": at}
        conn.execute(profiles.insert().values(**row))
