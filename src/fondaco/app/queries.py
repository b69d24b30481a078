"""What operations of the trading room read, bound to where it stands: `api.views.Queries`."""

from types import SimpleNamespace
from typing import Any, Final

from fondaco.domain.trading import why
from fondaco.domain.trading.store import queries as looks
from fondaco.domain.trading.store import sent, settlements, standing, statements, stops
from fondaco.ports.journal import Journal
from fondaco.runtime.tracing.looking import Beside


def queries(beside: Beside) -> Any:
    """`beside` knows when what was written happened."""

    def explain(
        conn: Any, journal: Journal, tenant: str | None, about: str, account_id: str
    ) -> why.Why:
        return why.why(conn, journal, about, tenant=tenant, account_id=account_id, beside=beside)

    return SimpleNamespace(**_QUERIES, why=explain)


_QUERIES: Final[dict[str, Any]] = {
    "filter": looks.OrderFilter,
    "orders": looks.orders,
    "order": looks.order,
    "executions": looks.executions,
    "accounts": looks.accounts,
    "account": looks.account,
    "positions": looks.positions,
    "terms": looks.terms,
    "statement": statements.statement,
    "statement_csv": statements.statement_csv,
    "cash_movements": statements.transfers,
    "daily": statements.daily,
    "daily_csv": statements.daily_csv,
    "sent": sent.sent,
    "is_virtual": sent.is_virtual,
    "settlements": settlements.lines,
    "waiting": standing.waiting,
    "restrictions": standing.restrictions,
    "at_work": stops.at_work,
    "positions_left": stops.positions_left,
    "accounts_of": stops.accounts_of,
    "stands": stops.stands,
}
