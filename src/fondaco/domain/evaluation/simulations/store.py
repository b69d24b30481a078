"""Simulations as a table: which there are, and how they ended. What was found is in the journal."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from fondaco.domain.evaluation.simulations import events as ev
from fondaco.domain.evaluation.simulations.model import PREFIX
from fondaco.kernel.event import Entry
from fondaco.ports.rows import RowsView

VIEW: Final = "evaluation_simulations_v1"
_metadata: Final = sa.MetaData()

simulations: Final = sa.Table(
    "evaluation_simulations_v1",
    _metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("simulation_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("law", sa.BigInteger, nullable=False),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column("tier_version", sa.BigInteger, nullable=False),
    sa.Column("journal", sa.Text, nullable=False),
    sa.Column("seed", sa.Text, nullable=False),  # more than 63 bits
    sa.Column("paths", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),  # at which it was asked for last
    sqlite_with_rowid=False,
)
sa.Index("evaluation_simulations_v1_newest", simulations.c.tenant, simulations.c.position)


def _key(entry: Entry) -> dict[str, str]:
    tenant, _, simulation_id = entry.stream.removeprefix(PREFIX).partition("/")
    return {"tenant": tenant, "simulation_id": simulation_id}


def _mine(entry: Entry) -> tuple[Any, ...]:
    return tuple(simulations.c[name] == value for name, value in _key(entry).items())


def _requested(conn: sa.Connection, entry: Entry, event: ev.SimulationRequested) -> None:
    row = {
        **_key(entry), "kind": event.kind, "law": event.law, "tier": event.tier,
        "tier_version": event.tier_version, "journal": event.journal, "seed": str(event.seed),
        "paths": event.paths, "state": "requested", "error": "", "sha256": "",
        "asked_by": event.by, "asked_at": event.at, "ended_at": 0, "position": entry.position,
    }  # fmt: skip
    conn.execute(simulations.delete().where(*_mine(entry)))
    conn.execute(simulations.insert().values(row))


def _ended(conn: sa.Connection, entry: Entry, **columns: Any) -> None:
    conn.execute(simulations.update().where(*_mine(entry)).values(columns))


def _done(conn: sa.Connection, entry: Entry, event: ev.SimulationDone) -> None:
    _ended(conn, entry, state="done", sha256=event.sha256, ended_at=event.at)


def _failed(conn: sa.Connection, entry: Entry, event: ev.SimulationFailed) -> None:
    _ended(conn, entry, state="failed", error=event.error, ended_at=event.at)


def _canceled(conn: sa.Connection, entry: Entry, event: ev.SimulationCanceled) -> None:
    _ended(conn, entry, state="canceled", ended_at=event.at)


_WRITERS: Final[dict[type, Callable[..., None]]] = {
    ev.SimulationRequested: _requested,
    ev.SimulationDone: _done,
    ev.SimulationFailed: _failed,
    ev.SimulationCanceled: _canceled,
}


class SimulationsView(RowsView):
    """Each simulation, as it was asked for last."""

    name: ClassVar[str] = VIEW
    metadata: ClassVar[sa.MetaData] = _metadata

    def apply(self, conn: sa.Connection, entries: Sequence[Entry]) -> None:
        for entry in entries:
            write = _WRITERS.get(type(entry.event))
            if write is not None:
                write(conn, entry, entry.event)


# --- Looks ----------------------------------------------------------------------------------------


def page(
    conn: sa.Connection,
    tenant: str,
    *,
    kind: str | None,
    tier: str | None,
    state: str | None,
    running: Collection[str],
    below: int,
    limit: int,
) -> list[Any]:
    """Rows, those that were asked for last first. `running` are ids of what is under way, of which
    the table knows no more than that it was asked for."""
    s = simulations.c
    query = sa.select(simulations).where(s.tenant == tenant)
    if state == "running":
        query, state = query.where(s.simulation_id.in_(sorted(running))), "requested"
    elif state == "interrupted":
        query, state = query.where(s.simulation_id.not_in(sorted(running))), "requested"
    for column, wanted in ((s.kind, kind), (s.tier, tier), (s.state, state)):
        if wanted is not None:
            query = query.where(column == wanted)
    if below:
        query = query.where(s.position < below)
    return list(conn.execute(query.order_by(s.position.desc()).limit(limit)))
