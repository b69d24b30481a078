"""The part of a house that asks for a second person before it does what needs one.

Doors are given the guarded operations and no others, so whichever door an ask comes through, it
becomes a case in the journal first. What was agreed to is done here, under the name of the entry
that says so: done twice, after a crash in between, it has its effect once.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from hashlib import blake2b
from typing import Any, Final

import msgspec

from fondaco.app.house import Kernel
from fondaco.app.say import say
from fondaco.domain.identity.approvals.api import ApprovalShown, ApprovalsReply, GlassShown
from fondaco.domain.identity.approvals.events import (
    ApprovalAsked,
    ApprovalDenied,
    ApprovalGranted,
    Approve,
    AskApproval,
    BreakGlass,
    ExpireApprovals,
    NoteExecution,
    Reject,
    ReviewGlass,
)
from fondaco.domain.identity.approvals.model import (
    ID_PREFIX,
    Approvals,
    Case,
    Glass,
    id_of,
    stream_of,
)
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import DEMO, Action, Caller
from fondaco.kernel.errors import (
    Denied,
    FondacoError,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
)
from fondaco.kernel.event import (
    MESSAGE_MARK,
    CommandId,
    Entry,
    Instant,
    StreamId,
    request_id,
)
from fondaco.kernel.operation import Answered, Ask, Do, Held, Operation, Stamp

REQUEST_BYTES_MAX: Final = 65_536
MINUTE_NS: Final = 60_000_000_000
ALONE: Final = "one person may do both halves here, because the house was started with --demo"
_OWN: Final = frozenset({"own_agent", "own_approval", "own_review"})


class ApprovalsDesk:
    """`source` is what operations are answered from. Belongs to the loop's thread."""

    def __init__(
        self,
        kernel: Kernel,
        directory: Directory,
        source: Callable[[str], Any],
        authorise: Callable[..., bool],
    ) -> None:
        """`authorise` is `House.authorise`."""
        settings = kernel.settings
        self._authorise = authorise
        self._kernel, self._directory, self._source = kernel, directory, source
        self._is_off = settings.four_eyes == "off"
        self._demo_alone = settings.demo and settings.four_eyes == "on"
        self.ttl_ns = settings.approval_ttl_s * 1_000_000_000
        self.glass_max_min = settings.break_glass_max_min
        self._operations: dict[str, Operation[Any, Any]] = {}  # that need a second person
        self._offered: dict[str, Operation[Any, Any]] = {}  # as doors have them
        self._tenants: list[str] = []
        self._doing: dict[tuple[str, int], asyncio.Future[tuple[Any, FondacoError | None]]] = {}
        self.on_reviewed: Callable[[str, int], None] = lambda tenant, number: None

    # --- What doors are given -------------------------------------------------------------------

    def guarded(self, operations: Iterable[Operation[Any, Any]]) -> list[Operation[Any, Any]]:
        """The operations as doors may have them."""
        if self._is_off:
            found = [replace(each, needs_second=False) for each in operations]
        else:
            found = [self._guard(each) if each.needs_second else each for each in operations]
        self._offered = {each.name: each for each in found}
        return found

    def _guard(self, operation: Operation[Any, Any]) -> Operation[Any, Any]:
        self._operations[operation.name] = operation
        said = {
            each.name: getattr(operation, each.name)
            for each in fields(Operation)
            if each.name != "errors"
        }

        async def ask(request: Any, stamp: Stamp, desk: "ApprovalsDesk") -> Any:
            return await desk.ask(operation, request, stamp)

        errors = tuple(dict.fromkeys((*operation.errors, Refused)))
        return Do(**said, errors=errors, source="approvals", answer=ask)

    async def ask(self, operation: Operation[Any, Any], request: Any, stamp: Stamp) -> Any:
        """Answered with `Held`, unless its person may do both halves; then as ever."""
        caller = self._directory.caller_named(stamp.tenant, stamp.caller)
        if isinstance(operation, Ask):  # what is malformed is told now, not to the second person
            operation.command(request, stamp)
        elif isinstance(operation, Do) and operation.check:
            await operation.check(request, stamp, self._source(operation.source))
        text = msgspec.json.encode(request)
        if len(text) > REQUEST_BYTES_MAX:
            raise Invalid(
                f"the request is {len(text)} bytes, at most {REQUEST_BYTES_MAX} may wait for a "
                "second person: ask for less at once"
            )
        account = operation.account(request) if operation.account else None
        command = AskApproval(
            cause_of("ask", stamp, operation.name.encode() + text),
            stamp.at,
            operation.name,
            text.decode(),
            operation.scope,
            account or "",
            caller.behind or caller.user,  # a person, whoever's name they ask in
            caller.name,
            Instant(stamp.at + self.ttl_ns),
            self.alone(stamp.tenant),
        )
        entries = await self.submit(stamp.tenant, command)
        asked = (each.event for each in entries)
        number = next(event.number for event in asked if isinstance(event, ApprovalAsked))
        if not any(isinstance(each.event, ApprovalGranted) for each in entries):
            return self._held(operation, self.case(stamp.tenant, number))
        case = self.case(stamp.tenant, number)
        if case.how == "glass":
            say(f"GLASS: {case.by} did {operation.name} alone, as {id_of(number)}: {case.reason}")
        reply, error = await self.carry_out(stamp.tenant, case)
        if error is not None:
            raise error
        said = f"{id_of(number)}; {case.how}; {case.reason}"
        header = said.encode("ascii", "replace")
        return Answered(reply, headers=((b"fondaco-approval", header),))

    async def ask_besides(self, name: str, request: Any, stamp: Stamp) -> str:
        """What an operation asks for besides, as if its caller had: the id of the case where it
        waits for a second person, "" where it is done."""
        operation: Any = self._offered[name]
        found = await operation.answer(request, stamp, self._source(operation.source))
        reply = found.reply if isinstance(found, Answered) else found
        return reply.approval_id if isinstance(reply, Held) else ""

    async def ask_own(self, name: str, request: Any, stamp: Stamp) -> Any:
        """What somebody asks about themselves, without the scope that it takes of others."""
        if name in self._operations:
            return await self.ask(self._operations[name], request, stamp)
        alone: Any = self._offered[name]  # of a house in which nobody needs a second person
        return await alone.answer(request, stamp, self._source(alone.source))

    def _held(self, operation: Operation[Any, Any], case: Case) -> Answered:
        name = id_of(case.number)
        held = Held(
            approval_id=name,
            operation=operation.name,
            state=case.state,
            message=(
                f"nothing was done yet: somebody other than {case.user} who holds "
                f"{operation.scope} and approvals:write must agree, within "
                f"{self.ttl_ns // 1_000_000_000} s: POST /api/approvals/{name}/approve, or "
                f"fondaco approvals approve {name}"
            ),
            expires_at=str(case.expires_at),
        )
        return Answered(held, 202, ((b"location", f"/api/approvals/{name}".encode()),))

    # --- What is agreed to is done ---------------------------------------------------------------

    async def carry_out(self, tenant: str, case: Case) -> tuple[Any, FondacoError | None]:
        """The operation's reply, or why it could not be done; either is in the journal then. Where
        a machine fails nothing is, and `tick` tries again. Whoever asks for what is being done
        waits for that: not every operation knows that it was done already."""
        doing = self._doing.get((tenant, case.number))
        if doing is None:
            doing = asyncio.ensure_future(self._carry_out(tenant, case))
            self._doing[tenant, case.number] = doing
            doing.add_done_callback(lambda _: self._doing.pop((tenant, case.number)))
        return await asyncio.shield(doing)

    async def _carry_out(self, tenant: str, case: Case) -> tuple[Any, FondacoError | None]:
        error: FondacoError | None = None
        reply: Any = None
        try:
            reply = await self._perform(tenant, case)
        except Unavailable as lacking:
            return None, lacking
        except FondacoError as found:
            error = found
        text = f"{error.code}: {error.message}" if error else ""
        now = self._kernel.now()
        note = NoteExecution(CommandId(f"executed/{case.number}"), now, case.number, text)
        await self._kernel.submit(stream_of(tenant), note)
        return reply, error

    async def _perform(self, tenant: str, case: Case) -> Any:
        known = self._offered if case.is_agents else self._operations
        operation: Any = known.get(case.operation)
        if operation is None:
            raise NotFound(f"this house has no operation {case.operation} that waits for anybody")
        request = msgspec.json.decode(case.request, type=operation.request)
        evidence = f"{stream_of(tenant)}{MESSAGE_MARK}{case.version}"
        name = id_of(case.number)
        stamp = Stamp(self._kernel.now(), name, case.by, tenant, evidence, evidence)
        if isinstance(operation, Ask):
            command = operation.command(request, stamp)
            entries = await self._kernel.submit(operation.stream(request), command)
            return operation.answer(request, entries)
        return await operation.answer(request, stamp, self._source(operation.source))

    async def open(self) -> None:
        """What was agreed to and not done, because the house died in between, is done now."""
        self._tenants = self._directory.tenants()
        for tenant in self._tenants:
            await self._kernel.wake(stream_of(tenant))
        await self._go_on()

    async def tick(self) -> None:
        """Called every second."""
        now = self._kernel.now()
        for tenant in self._tenants:
            if any(case.state == "waiting" and now >= case.expires_at for case in self._of(tenant)):
                command = ExpireApprovals(CommandId(f"due/{now}"), now)
                self._kernel.ask_again_until_done(stream_of(tenant), command)
        await self._go_on()

    def expiring(self) -> list[tuple[Instant, StreamId]]:
        """When what nobody has agreed to must be asked again, and whose it is."""
        return [
            (case.expires_at, stream_of(tenant))
            for tenant in self._tenants
            for case in self._of(tenant)
            if case.state == "waiting"
        ]

    async def _go_on(self) -> None:
        for tenant in self._tenants:
            for case in self._of(tenant):
                if case.state == "approved":
                    await self.carry_out(tenant, case)

    def _of(self, tenant: str) -> list[Case]:
        memory = self._kernel.peek(stream_of(tenant))
        return list(memory.state.cases.values()) if memory else []

    # --- What people ask ------------------------------------------------------------------------

    async def list(self, stamp: Stamp, which: str) -> ApprovalsReply:
        caller, state = await self._looking(stamp)
        cases = [case for case in state.cases.values() if _may_see(caller, case)]
        if which != "all":
            cases = [case for case in cases if case.is_closed == (which == "closed")]
        return ApprovalsReply(
            [self._shown(caller, case) for case in reversed(cases)],
            [self._glass(caller, state, glass) for glass in reversed(state.glasses.values())],
            self._mode(stamp.tenant),
        )

    async def show(self, stamp: Stamp, approval_id: str) -> ApprovalShown:
        caller, state = await self._looking(stamp)
        return self._shown(caller, _found(caller, state, approval_id))

    async def decide(
        self, stamp: Stamp, approval_id: str, reason: str, *, agrees: bool
    ) -> ApprovalShown:
        caller, state = await self._looking(stamp)
        case = _found(caller, state, approval_id)
        if case.user != caller.user:  # the law says no to those, and the journal keeps that
            self._check_rights(caller, case, agrees=agrees)
        kind = Approve if agrees else Reject
        content = f"{approval_id}/{reason}".encode()
        cause = cause_of("approve" if agrees else "reject", stamp, content)
        command = kind(cause, stamp.at, case.number, caller.user, caller.name, reason)
        if isinstance(command, Approve) and case.is_agents:
            command = msgspec.structs.replace(command, alone=self.alone(stamp.tenant))
        entries = await self.submit(stamp.tenant, command)
        case = self.case(stamp.tenant, case.number)
        result: Any = None
        if agrees and case.state == "approved":
            result, error = await self.carry_out(stamp.tenant, case)
            if isinstance(result, Answered):  # it waits for a second person, besides
                result = result.reply
            if isinstance(error, Unavailable):
                say(f"{approval_id} is agreed to and will be done: {error.message}")
            case = self.case(stamp.tenant, case.number)
        shown = self._shown(caller, case)
        return msgspec.structs.replace(shown, position=entries[-1].position, result=result)

    def _check_rights(self, caller: Caller, case: Case, *, agrees: bool) -> None:
        """Whoever agrees must be one who may do it; and so must, still, whoever has asked."""
        self._must_hold(caller, case, case.scope, "approving")
        if not agrees:
            return
        try:
            asker = self._directory.still(caller.tenant, case.by)
        except Denied:
            raise Denied(
                f"{case.by} has asked, and is no longer known here: reject it",
                code="forbidden",
            ) from None
        may_propose = case.is_agents and case.scope == "orders:write"
        scope = "orders:propose" if may_propose and not asker.may(case.scope) else case.scope
        if not self._is_own(case, asker):
            self._must_hold(asker, case, scope, "approvals")

    def _is_own(self, case: Case, asker: Caller) -> bool:
        """Whether somebody has asked for it about themselves."""
        operation = self._operations.get(case.operation)
        if not isinstance(operation, Do) or operation.own is None or asker.behind:
            return False
        request = msgspec.json.decode(case.request, type=operation.request)
        return bool(operation.own(request) == asker.user)

    def _must_hold(self, caller: Caller, case: Case, scope: str, door: str) -> None:
        """As if `caller` asked it themselves."""
        operation = self._operations.get(case.operation)
        action = Action(case.operation, scope, reads=False, second=True)
        request = msgspec.json.decode(case.request, type=operation.request) if operation else None
        accounts = (case.account,) if case.account else ()
        self._authorise(caller, action, accounts, request, door, "")

    async def break_glass(self, stamp: Stamp, reason: str, minutes: int) -> GlassShown:
        if minutes > self.glass_max_min:
            raise Invalid(
                f"minutes is {minutes}, must be at most {self.glass_max_min}, which is the "
                "setting break_glass_max_min"
            )
        caller, _ = await self._looking(stamp)
        caller.require("house:read")  # who only trades has nothing to break glass for
        until = Instant(stamp.at + minutes * MINUTE_NS)
        command = BreakGlass(
            cause_of("glass", stamp, f"{minutes}/{reason}".encode()),
            stamp.at,
            caller.user,
            caller.name,
            reason,
            until,
        )
        entries = await self.submit(stamp.tenant, command)
        say(f"GLASS BROKEN by {caller.name} for {minutes} min: {reason}")
        state = self.state(stamp.tenant)
        number = entries[-1].event.number  # type: ignore[attr-defined]
        return self._glass(caller, state, state.glasses[number])

    async def review(self, stamp: Stamp, approval_id: str, verdict: str, reason: str) -> GlassShown:
        caller, _ = await self._looking(stamp)
        number = _number(approval_id)
        command = ReviewGlass(
            cause_of("review", stamp, f"{approval_id}/{verdict}/{reason}".encode()),
            stamp.at,
            number,
            caller.user,
            caller.name,
            verdict,
            reason,
        )
        await self.submit(stamp.tenant, command)
        self.on_reviewed(stamp.tenant, number)
        say(f"GLASS {approval_id} reviewed by {caller.name}: {verdict}, {reason}")
        state = self.state(stamp.tenant)
        return self._glass(caller, state, state.glasses[number])

    def checks(self) -> dict[str, tuple[bool, str]]:
        """Broken glass is told wherever somebody looks whether the house is well."""
        found = []
        for tenant in self._tenants:
            memory = self._kernel.peek(stream_of(tenant))
            glasses = memory.state.glasses.values() if memory else ()
            found += [
                f"GLASS BROKEN by {each.by}{_as(each)}, {id_of(each.number)}, not reviewed"
                for each in glasses
                if not each.verdict
            ]
        return {"four eyes": (True, "; ".join(found))} if found else {}

    # --- Parts of these --------------------------------------------------------------------------

    async def submit(self, tenant: str, command: Any) -> tuple[Entry, ...]:
        """Raises what the law denies."""
        if tenant not in self._tenants:
            self._tenants.append(tenant)
        entries: tuple[Entry, ...] = await self._kernel.submit(stream_of(tenant), command)
        for entry in entries:
            event = entry.event
            if isinstance(event, ApprovalDenied):
                if event.code in _OWN:
                    raise Denied(event.text, code=event.code, position=entry.position)
                if event.code == "unknown_approval":
                    raise NotFound(event.text, code=event.code)
                raise Refused(event.text, code=event.code, position=entry.position)
        return entries

    async def looking(self, stamp: Stamp) -> Caller:
        caller = self._directory.caller_named(stamp.tenant, stamp.caller)
        await self._kernel.wake(stream_of(stamp.tenant))
        return caller

    async def _looking(self, stamp: Stamp) -> tuple[Caller, Approvals]:
        return await self.looking(stamp), self.state(stamp.tenant)

    def alone(self, tenant: str) -> str:
        """Why one person may do both halves; "" where nobody may."""
        return ALONE if self._demo_alone and tenant == DEMO else ""

    def state(self, tenant: str) -> Approvals:
        memory = self._kernel.peek(stream_of(tenant))
        if memory is None:
            raise Unavailable("what waits for a second person is being loaded; ask again")
        state: Approvals = memory.state
        return state

    def second(self, stamp: Stamp) -> str:
        """The user who has agreed to what is done now; "" of what nobody had to agree to."""
        stream, _, version = stamp.cause.rpartition(MESSAGE_MARK)
        if stream != stream_of(stamp.tenant) or not version.isdecimal():
            return ""
        cases = self._of(stamp.tenant)
        found = [case.decided_user for case in cases if case.version == int(version)]
        return found[0] if found else ""

    def case(self, tenant: str, number: int) -> Case:
        return self.state(tenant).cases[number]

    def _mode(self, tenant: str) -> str:
        if self._is_off:
            return "off: the setting four_eyes lets everybody do both halves"
        return self.alone(tenant) or "a second person must agree"

    def _shown(self, caller: Caller, case: Case) -> ApprovalShown:
        tenant = caller.tenant
        operation = self._offered.get(case.operation)
        decides = case.state == "waiting" and case.user != caller.user
        if case.is_agents and caller.name in self.state(tenant).agents and not self.alone(tenant):
            decides = False
        return ApprovalShown(
            approval_id=id_of(case.number),
            operation=case.operation,
            summary=operation.summary if operation else "",
            request=msgspec.json.decode(case.request),
            scope=case.scope,
            account_id=case.account,
            state=case.state,
            asked_by=case.by,
            asked_at=str(case.asked_at),
            expires_at=str(case.expires_at),
            how=case.how,
            decided_by=case.decided_by,
            decided_at=str(case.decided_at) if case.decided_at else "",
            reason=case.reason,
            glass=id_of(case.glass) if case.glass else "",
            error=case.error,
            evidence=f"{stream_of(tenant)}{MESSAGE_MARK}{case.version}" if case.version else "",
            may_decide=decides and caller.may(case.scope) and caller.may("approvals:write"),
            is_agents=case.is_agents,
            client=case.client,
            preview=msgspec.json.decode(case.preview) if case.preview else None,
        )

    def shown_glass(self, caller: Caller, number: int) -> GlassShown:
        state = self.state(caller.tenant)
        return self._glass(caller, state, state.glasses[number])

    def _glass(self, caller: Caller, state: Approvals, glass: Glass) -> GlassShown:
        used = [id_of(case.number) for case in state.cases.values() if case.glass == glass.number]
        return GlassShown(
            approval_id=id_of(glass.number),
            broken_by=glass.by,
            reason=glass.reason,
            broken_at=str(glass.broken_at),
            until=str(glass.until),
            is_open=not glass.verdict and self._kernel.now() < glass.until,
            verdict=glass.verdict,
            reviewed_by=glass.reviewed_by,
            reviewed_at=str(glass.reviewed_at) if glass.reviewed_at else "",
            review=glass.said,
            used_for=used,
            as_user=glass.as_user,
            may_review=not glass.verdict
            and glass.user != caller.user
            and caller.may("approvals:write"),
        )


def _as(glass: Glass) -> str:
    return f" in the name of {glass.as_user}" if glass.as_user else ""


def _found(caller: Caller, state: Approvals, approval_id: str) -> Case:
    case = state.cases.get(_number(approval_id))
    if case is None or not _may_see(caller, case):
        raise NotFound(f"there is no {approval_id}", code="unknown_approval")
    return case


def _may_see(caller: Caller, case: Case) -> bool:
    """Who looks after the house sees all; others what they may decide, and their own."""
    if case.account and not caller.may_use(case.account):
        return False
    return caller.may("house:read") or caller.may(case.scope) or case.by == caller.name


def _number(approval_id: str) -> int:
    return int(approval_id.removeprefix(ID_PREFIX))


def cause_of(what: str, stamp: Stamp, content: bytes) -> CommandId:
    """The id of an ask that brings none: of its Idempotency-Key, or of the request's own id."""
    key = stamp.idempotency_key or stamp.request_id
    asked = f"{stamp.tenant}/{stamp.caller}/{key}".encode()
    own = blake2b(asked, digest_size=12).hexdigest()
    return request_id(f"!{what}-{own}", blake2b(content, digest_size=8).hexdigest())
