"""Looks at session days of an account, and at what it has sent to others."""

from typing import Any

from fondaco.domain.identity.model import Scope
from fondaco.domain.trading.api import orders as od
from fondaco.domain.trading.api import views
from fondaco.domain.trading.replies import DailyStatement
from fondaco.kernel.errors import NotFound
from fondaco.kernel.operation import Look, Operation

AT = "/accounts/{account_id}/statements/{day}"


def looks(ask: views.Looks) -> tuple[Operation[Any, Any], ...]:
    def look(
        name: str,
        summary: str,
        path: str,
        reply: Any,
        answer: Any,
        *,
        media_type: str = "application/json",
        request: type[Any] = views.DayRequest,
    ) -> Operation[Any, Any]:
        return Look(
            name=name,
            summary=summary,
            method="GET",
            path=path,
            request=request,
            reply=reply,
            media_type=media_type,
            scope=Scope.ACCOUNTS_READ,
            errors=(NotFound,),
            account=od.account_of_ask,
            source="store",
            answer=answer,
        )

    return (
        look(
            "trading.daily_statement",
            "A session day: opening and closing balances, every movement, fees and gains.",
            AT,
            DailyStatement,
            ask.daily,
        ),
        look(
            "trading.daily_statement_csv",
            "A session day as CSV.",
            f"{AT}/csv",
            str,
            ask.daily_csv,
            media_type="text/csv",
        ),
        look(
            "trading.daily_statement_html",
            "A session day as a page to be printed.",
            f"{AT}/html",
            str,
            ask.daily_html,
            media_type="text/html",
        ),
        look(
            "trading.settlements",
            "What fills have brought in, and whether it has settled; newest first.",
            "/accounts/{account_id}/settlements",
            views.SettlementsReply,
            ask.settlements,
            request=views.SettlementsRequest,
        ),
        look(
            "trading.sent",
            "Transfers of an account to others, newest first, each with its state.",
            "/accounts/{account_id}/transfers/sent",
            views.SentReply,
            ask.sent,
            request=views.SentRequest,
        ),
    )
