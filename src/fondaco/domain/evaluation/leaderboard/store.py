"""What is ranked, read from views; and a record of each person who wants to be seen by a name."""

from typing import Final

import sqlalchemy as sa

from fondaco.domain.evaluation.assessments.store import assessments, payouts, points
from fondaco.domain.evaluation.leaderboard.ranking import Result
from fondaco.kernel.errors import Conflict
from fondaco.kernel.event import Instant

RANKED: Final = ("active", "passed", "funded")
_PAID: Final = ("agreed", "paid")
records_metadata: Final = sa.MetaData()

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


def results(conn: sa.Connection, tenant: str, tier: str | None, currency: str) -> list[Result]:
    """Of everybody who is still in, in the order in which they came. With a `currency`, only what
    was paid in it counts as paid."""
    a, p, o = assessments.c, points.c, payouts.c
    chosen = (a.tenant == tenant, a.state.in_(RANKED), a.size > 0)
    query = sa.select(assessments).where(*chosen, *(() if tier is None else (a.tier == tier,)))
    last = (
        sa.select(p.assessment_id, sa.func.max(p.position).label("position"))
        .join(
            assessments, sa.and_(a.assessment_id == p.assessment_id, a.account_id == p.account_id)
        )
        .where(*chosen, p.is_reset == 0)
        .group_by(p.assessment_id)
        .subquery()
    )
    there = sa.and_(p.assessment_id == last.c.assessment_id, p.position == last.c.position)
    balances: dict[str, int] = {
        row.assessment_id: row.balance
        for row in conn.execute(sa.select(p.assessment_id, p.balance).join(last, there))
    }
    paid: dict[str, list[int]] = {}
    for row in conn.execute(sa.select(payouts).where(o.state.in_(_PAID), o.currency == currency)):
        sums = paid.setdefault(row.assessment_id, [0, 0])
        sums[0] += row.profit
        sums[1] += row.amount
    return [
        Result(
            assessment_id=row.assessment_id,
            user=row.user,
            tier=row.tier,
            state=row.state,
            size=row.size,
            balance=balances.get(row.assessment_id, row.size),
            taken=paid.get(row.assessment_id, (0, 0))[0],
            paid=paid.get(row.assessment_id, (0, 0))[1],
        )
        for row in conn.execute(query.order_by(a.created_at, a.assessment_id))
    ]


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
        raise Conflict(f"somebody else is called {name}; choose another name", code="name_taken")
    conn.execute(profiles.delete().where(n.tenant == tenant, n.user == user))
    if name:
        row = {"tenant": tenant, "user": user, "public_name": name, "said_at": at}
        conn.execute(profiles.insert().values(**row))
