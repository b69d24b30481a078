"""What operations of the trading room read, bound to where it stands: `api.views.Queries`."""

from types import SimpleNamespace
from typing import Any, Final

from fondaco.domain.trading import why
from fondaco.domain.trading.store import queries, sent, settlements, statements
from fondaco.ports.journal import Journal


def _why(conn: Any, journal: Journal, tenant: str | None, about: str, account_id: str) -> why.Why:
    return why.why(conn, journal, about, tenant=tenant, account_id=account_id)


QUERIES: Final[Any] = SimpleNamespace(
    filter=queries.OrderFilter,
    orders=queries.orders,
    order=queries.order,
    executions=queries.executions,
    accounts=queries.accounts,
    account=queries.account,
    positions=queries.positions,
    terms=queries.terms,
    statement=statements.statement,
    statement_csv=statements.statement_csv,
    cash_movements=statements.transfers,
    daily=statements.daily,
    daily_csv=statements.daily_csv,
    sent=sent.sent,
    is_virtual=sent.is_virtual,
    settlements=settlements.lines,
    why=_why,
)
