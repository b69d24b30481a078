"""Cases of FIX alerts, as operators list them and work on them."""

from typing import Any

from fondaco.app.house import Kernel
from fondaco.domain.surveillance.cases.api import (
    AssignRequest,
    CaseLine,
    CaseReply,
    CasesReply,
    CasesRequest,
    CloseRequest,
    CommentRequest,
    GatheredLine,
    NoteLine,
    ReopenRequest,
)
from fondaco.domain.surveillance.cases.events import (
    AssignCase,
    CaseDenied,
    CloseCase,
    CommentCase,
    ReopenCase,
)
from fondaco.domain.surveillance.cases.model import FIX_CASES, AlertCase, Cases, id_of, number_of
from fondaco.kernel.errors import NotFound, Refused, Unavailable
from fondaco.kernel.event import CommandId, fingerprint, request_id
from fondaco.kernel.instants import moment
from fondaco.kernel.operation import Stamp


class CaseDesk:
    """Reads the memory of the stream's owner, and asks the stream for everything else."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def list(self, asked: CasesRequest) -> CasesReply:
        found = [
            each
            for each in reversed((await self._cases()).cases.values())
            if asked.state in ("all", each.state)
            and (asked.alert is None or asked.alert in each.alerts)
            and asked.subject in (None, each.subject)
        ]
        return CasesReply([CaseLine(**_line(each)) for each in found[: asked.limit]])

    async def one(self, case_id: str) -> CaseReply:
        found = (await self._cases()).cases.get(number_of(case_id))
        if found is None:
            raise NotFound(f"there is no {case_id}; GET /fix/cases lists them", code="unknown_case")
        return _reply(found)

    async def assign(self, asked: AssignRequest, by: Stamp) -> CaseReply:
        number = number_of(asked.case_id)
        command = AssignCase(_cause("assign", asked, by), by.at, number, asked.to, by.caller)
        return await self._ask(asked.case_id, command)

    async def comment(self, asked: CommentRequest, by: Stamp) -> CaseReply:
        number = number_of(asked.case_id)
        command = CommentCase(_cause("comment", asked, by), by.at, number, asked.text, by.caller)
        return await self._ask(asked.case_id, command)

    async def close(self, asked: CloseRequest, by: Stamp) -> CaseReply:
        number, cause = number_of(asked.case_id), _cause("close", asked, by)
        command = CloseCase(cause, by.at, number, asked.outcome, asked.reason, by.caller)
        return await self._ask(asked.case_id, command)

    async def reopen(self, asked: ReopenRequest, by: Stamp) -> CaseReply:
        number = number_of(asked.case_id)
        command = ReopenCase(_cause("reopen", asked, by), by.at, number, asked.reason, by.caller)
        return await self._ask(asked.case_id, command)

    async def _ask(self, case_id: str, command: Any) -> CaseReply:
        for entry in await self._kernel.submit(FIX_CASES, command):
            event = entry.event
            if isinstance(event, CaseDenied):
                kind = NotFound if event.code == "unknown_case" else Refused
                raise kind(event.text, code=event.code, position=entry.position)
        return await self.one(case_id)

    async def _cases(self) -> Cases:
        await self._kernel.wake(FIX_CASES)
        memory = self._kernel.peek(FIX_CASES)
        if memory is None:
            raise Unavailable("cases are being loaded; ask again")
        state: Cases = memory.state
        return state


def _cause(what: str, asked: Any, by: Stamp) -> CommandId:
    """A retry under the same key is the same command."""
    key = by.idempotency_key or by.request_id
    return request_id(f"{by.caller}/{what}/{key}", fingerprint(asked))


def _line(case: AlertCase) -> dict[str, Any]:
    return {
        "case_id": id_of(case.number),
        "subject": case.subject,
        "title": case.title,
        "state": case.state,
        "severity": case.severity,
        "opened_at": moment(case.opened_at),
        "assignee": case.assignee,
        "count": case.count,
        "outcome": case.outcome,
        "reason": case.reason,
        "closed_by": case.closed_by,
        "closed_at": moment(case.closed_at) if case.state == "closed" else None,
    }


def _reply(case: AlertCase) -> CaseReply:
    alerts = [
        GatheredLine(
            each.alert, moment(each.at), each.pattern, each.title, each.severity, each.session
        )
        for each in case.alerts.values()
    ]
    notes = [NoteLine(moment(each.at), each.by, each.what, each.text) for each in case.notes]
    return CaseReply(**_line(case), alerts=alerts, notes=notes)
