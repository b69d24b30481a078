"""The part of a house that speaks FIX: its port, its sessions, and what operators do to them.

The journal has what operators ordered and when sessions were logged on; the tape in the folder
`fix` has the messages, and with them the sequence numbers.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any, Final, Protocol, runtime_checkable

import msgspec

from fondaco.app.at_rest import at_rest
from fondaco.app.files import Files
from fondaco.app.fix.agreements import (
    Agreements,
    Session,
    demo_agreements,
    demo_venue,
    read_agreements,
)
from fondaco.app.fix.echo import Echo
from fondaco.app.fix.taped import name_file
from fondaco.app.listening import bind
from fondaco.app.referred import referred
from fondaco.app.say import say
from fondaco.domain.fix.api import (
    Checking,
    Law,
    Message,
    Numbers,
    SessionId,
    Unsupported,
    contact,
)
from fondaco.domain.fix.events import (
    NoteLogoff,
    NoteLogon,
    SetSequence,
    StartSession,
    StopSession,
)
from fondaco.domain.fix.operating import SessionShown
from fondaco.domain.fix.rules import PREFIX
from fondaco.domain.identity.model import DEMO, digest_of, key_id_of
from fondaco.gateway.fix.acceptor import Acceptor
from fondaco.gateway.fix.initiator import Initiator
from fondaco.gateway.fix.keeping import Kept, source_of
from fondaco.gateway.fix.line import Application, Line
from fondaco.gateway.fix.refusing import Refusals
from fondaco.gateway.fix.switchboard import Agreement, Switchboard
from fondaco.gateway.fix.tls import client_context, server_context
from fondaco.kernel.errors import Conflict, Invalid
from fondaco.kernel.event import Command, CommandId, StreamId, request_id
from fondaco.kernel.instants import moment
from fondaco.kernel.operation import Stamp
from fondaco.ports.tape.segments import SegmentTape
from fondaco.settings import Settings

QUOTA_BYTES: Final = 1 << 50  # what a counterparty may ask for again is not deleted by us
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class Kernel(Protocol):
    """What a desk needs of a house."""

    @property
    def now(self) -> Callable[[], int]: ...

    def submit(self, stream: StreamId, command: Any) -> Awaitable[Any]: ...

    def ask_again_until_done(self, stream: StreamId, command: Command) -> None: ...

    async def wake(self, stream: StreamId) -> None: ...

    def peek(self, stream: StreamId) -> Any: ...


@runtime_checkable
class Opening(Protocol):
    """An application that must read the journal before its session connects."""

    async def open(self, line: Line) -> None: ...

    def close(self) -> None: ...


class Nobody:
    """The application of a session that has none."""

    def up(self, line: Line) -> None:
        """Nothing is said."""

    def down(self, line: Line, reason: str) -> None:
        """Nothing was under way."""

    def received(self, line: Line, message: Message, seq_num: int) -> None:
        raise Unsupported(4)


Make = Callable[[Agreement], Application]


def _echo(agreement: Agreement) -> Application:
    return Echo(agreement.terms, Checking(agreement.terms))


# By the name that fix.toml gives; a house adds its own.
APPLICATIONS: Final[dict[str, Make]] = {"": lambda _: Nobody(), "echo": _echo}


class Desk:
    """Runs the sessions of a house. Belongs to the loop's thread."""

    def __init__(
        self,
        kernel: Kernel,
        tape: SegmentTape,
        folder: Path,
        agreements: Agreements,
        applications: dict[str, Make],
        *,
        boot: str = "",
    ) -> None:
        self.kernel, self.tape, self.agreements = kernel, tape, agreements
        self._folder = folder  # where it is noted from which position on the tape must be read
        self.applications, self._boot = applications, boot
        self._kept: dict[SessionId, Kept] = {}
        self._sessions = {each.agreement.terms.id: each for each in agreements.sessions}
        self._initiators: dict[SessionId, Initiator] = {}
        self._told: dict[SessionId, bool] = {}  # what the journal thinks
        self._catching: set[asyncio.Future[None]] = set()
        self.switchboard = Switchboard(self._line)

    async def open(self) -> None:
        """Every session that is named, where it was. Raises `Invalid` for what cannot be."""
        for each in self.agreements.sessions:
            name = each.agreement.terms.id
            if not each.agreement.is_template:
                await self.kernel.wake(stream_of(name))
            line = self.switchboard.add(each.agreement)
            if line is None:
                continue
            if isinstance(line.application, Opening):
                await line.application.open(line)
            self._tell_journal(line)  # who was logged on when the house died no longer is
            if line.session.is_initiator:
                self._initiators[name] = self._initiator(line, each)

    def run(self) -> list[Awaitable[None]]:
        """What must go on: those who connect."""
        return [each.run() for each in self._initiators.values()]

    def close(self) -> None:
        for line in self.switchboard:
            if isinstance(line.application, Opening):
                line.application.close()
            line.close()

    # --- What operators ask ---------------------------------------------------------------------

    def show(self) -> Sequence[SessionShown]:
        return [self._shown(line) for line in self.switchboard]

    def one(self, session: str) -> SessionShown:
        return self._shown(self.switchboard.line(session))

    async def stop(self, session: str, reason: str, by: Stamp) -> SessionShown:
        line = self.switchboard.line(session)
        command = StopSession(_cause(by, reason), by.at, reason, by.caller)
        await self.kernel.submit(stream_of(line.id), command)
        line.is_enabled = False
        line.log_out(reason)
        return self._shown(line)

    async def start(self, session: str, reason: str, by: Stamp) -> SessionShown:
        line = self.switchboard.line(session)
        command = StartSession(_cause(by, reason), by.at, reason, by.caller)
        await self.kernel.submit(stream_of(line.id), command)
        line.is_enabled = True
        if line.id in self._initiators:
            self._initiators[line.id].wake()
        return self._shown(line)

    async def set_numbers(
        self, session: str, next_out: int, next_in: int, reason: str, by: Stamp
    ) -> SessionShown:
        """In the journal first. Whoever dies in between finds it there and carries it out."""
        line = self.switchboard.line(session)
        if line.is_enabled or line.is_connected:
            raise Conflict(f"{session} is not stopped: stop it, set its numbers, start it again")
        was = line.session.numbers
        command = SetSequence(
            _cause(by, f"{next_out}/{next_in}/{reason}"),
            by.at,
            next_out,
            next_in,
            was.next_out,
            was.next_in,
            reason,
            by.caller,
        )
        await self.kernel.submit(stream_of(line.id), command)
        self._carry_out(line)
        return self._shown(line)

    # --- Lines ----------------------------------------------------------------------------------

    def _line(self, agreement: Agreement) -> Line:
        name = agreement.terms.id
        place = self._folder / f"{source_of(name)}.from"
        after = int(text) if place.exists() and (text := place.read_text()).isdecimal() else 0
        kept = self._kept[name] = Kept(self.tape, name, boot=self._boot, after=after)
        kept.on_set = partial(_note, place)
        kept.opened(self.kernel.now())
        _note_name(name_file(self._folder, kept.source), name)
        known = self._sessions.get(name) or self._of_template(agreement)
        make = self.applications.get(agreement.application)
        if make is None:
            raise Invalid(
                f"{name}: application is {agreement.application!r}, must be one of "
                f"{', '.join(filter(None, self.applications))}"
            )
        law = Law(
            agreement.terms,
            kept,
            check=known.checking(agreement.terms) if known else Checking(agreement.terms),
            admit=known.admit if known else lambda _: "",
            numbers=kept.numbers,
        )
        line = Line(
            law,
            make(agreement),
            self.kernel.now,
            keeper=kept,
            log=self._log,
            mark=kept.mark,
            is_sure=kept.is_sure,
        )
        if self.kernel.peek(stream_of(name)) is None:  # of a template, for the first time today
            task = asyncio.ensure_future(self._catch_up(line))
            self._catching.add(task)
            task.add_done_callback(self._catching.discard)
        else:
            self._carry_out(line)
        return line

    async def _catch_up(self, line: Line) -> None:
        """An operator may have stopped it, in an earlier life of the house."""
        await self.kernel.wake(stream_of(line.id))
        if not line.is_connected:
            self._carry_out(line)
        elif self.kernel.peek(stream_of(line.id)).state.is_stopped:
            line.is_enabled = False
            line.log_out("the session is stopped")

    def _of_template(self, agreement: Agreement) -> Session | None:
        """The session of the file that a dynamic one was made from."""
        for each in self._sessions.values():
            terms = msgspec.structs.replace(each.agreement.terms, id=agreement.terms.id)
            if msgspec.structs.replace(each.agreement, terms=terms) == agreement:
                return each
        return None

    def _initiator(self, line: Line, of: Session) -> Initiator:
        how, agreement = of.connecting, of.agreement
        context: ssl.SSLContext | None = None
        if how.tls:
            context = client_context(
                trusts=_path(how.trusts), certificate=_path(how.certificate), key=_path(how.key)
            )
        return Initiator(
            line,
            agreement.connect,
            tls=context,
            pins=agreement.pins,
            server_name=how.server_name,
            log=self._log,
        )

    def _carry_out(self, line: Line) -> None:
        """What operators have ordered, and this session does not know yet."""
        memory = self.kernel.peek(stream_of(line.id))
        if memory is None:
            return
        orders, kept = memory.state, self._kept[line.id]
        line.is_enabled = not orders.is_stopped
        self._told.setdefault(line.id, orders.is_up)
        if orders.orders > kept.orders:
            kept.orders = orders.orders
            line.renumber(orders.next_out, orders.next_in, f"{orders.by}: {orders.reason}")
            kept.flush()

    def _log(self, name: SessionId, text: str) -> None:
        say(f"FIX {name}: {text}")
        line = self.switchboard.known(name)
        if line is not None:
            self._tell_journal(line)

    def _tell_journal(self, line: Line) -> None:
        """That it is up, or no longer is, once for each."""
        name = line.id
        if self._told.get(name, False) == line.is_up:
            return
        self._told[name] = line.is_up
        numbers, now = line.session.numbers, self.kernel.now()
        command_id = CommandId(f"fix/{source_of(name)}/{now}")
        command: Command
        if line.is_up:
            command = NoteLogon(command_id, now, line.peer, numbers.next_out, numbers.next_in)  # type: ignore[arg-type]
        else:
            command = NoteLogoff(
                command_id,
                now,  # type: ignore[arg-type]
                line.state_reason or "logged off",
                numbers.next_out,
                numbers.next_in,
            )
        self.kernel.ask_again_until_done(stream_of(name), command)

    def _shown(self, line: Line) -> SessionShown:
        memory = self.kernel.peek(stream_of(line.id))
        stopped_by = memory.state.by if memory is not None and not line.is_enabled else ""
        return shown(line, self.switchboard.agreement(line), self.kernel.now(), stopped_by)


def shown(line: Line, agreement: Agreement, now: int, stopped_by: str) -> SessionShown:
    """A session as operators see it."""
    numbers: Numbers = line.session.numbers
    found = contact(line.session)
    missing = found.missing or (0, 0)
    schedule = line.terms.schedule
    if not line.is_enabled:
        state = "stopped"
    elif line.is_up:
        state = "up"
    elif line.is_connected:
        state = "connecting"
    else:
        state = "down" if line.session.is_open(now) else "closed"
    hours = "always"
    if schedule is not None:
        days = f"{schedule.start_day} to {schedule.end_day} " if schedule.start_day else ""
        hours = f"{days}{schedule.start}-{schedule.end} {schedule.time_zone}"
    return SessionShown(
        session=str(line.id),
        role=line.terms.role,
        state=state,
        reason="" if line.is_up else line.state_reason,
        next_out=numbers.next_out,
        next_in=numbers.next_in,
        heart_bt_int_s=line.session.heart_bt_int_s,
        peer=line.peer if line.is_connected else "",
        received=line.received_count,
        sent=line.sent_count,
        heard_at=_moment(found.heard_at),
        said_at=_moment(found.said_at),
        missing_from=missing[0],
        missing_to=missing[1],
        waiting=found.waiting,
        unanswered=found.unanswered,
        application=agreement.application,
        connect=list(agreement.connect),
        hours=hours,
        stopped_by=stopped_by,
    )


def _moment(at: int) -> str | None:
    return moment(at) if at else None


def stream_of(name: SessionId) -> StreamId:
    return StreamId(PREFIX + source_of(name))


def _cause(by: Stamp, content: str) -> CommandId:
    return request_id(by.cause or by.idempotency_key or by.request_id, content)


def _note(place: Path, position: int) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(str(position))


def _note_name(place: Path, name: SessionId) -> None:
    """For whoever finds the source on the tape and would know whose it is."""
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(str(name))


def _path(text: str) -> Path | None:
    return Path(text) if text else None


@asynccontextmanager
async def fix_desk(
    settings: Settings, files: Files, kernel: Kernel, applications: dict[str, Make] | None = None
) -> AsyncIterator[Desk]:
    """The sessions of a house while the block lasts. Raises `Invalid`, `Unavailable`."""
    agreements = read_agreements(
        files.agreements, os.environ, partial(referred, files, "a password of fix.toml")
    )
    if settings.demo and settings.fix_port and not files.agreements.exists():
        agreements = demo_agreements(key_id_of(digest_of(DEMO)), DEMO)
    if settings.fix_venue:
        if agreements.sessions:
            raise Invalid("fix_venue is for a demo house that has no other FIX session: fix.toml")
        agreements = demo_venue(settings.fix_venue)
    boot = BOOT.read_text().strip() if BOOT.exists() else ""
    async with AsyncExitStack() as stack:
        taping = SegmentTape(files.fix, quota_bytes=QUOTA_BYTES, at_rest=at_rest(files))
        tape = stack.enter_context(closing(taping))
        known = {**APPLICATIONS, **(applications or {})}
        desk = Desk(kernel, tape, files.fix, agreements, known, boot=boot)
        await desk.open()
        stack.callback(desk.close)
        if settings.fix_port:
            bound = stack.enter_context(bind(settings.host, settings.fix_port))
            acceptor = await _listen(desk, files.root, bound)
            stack.push_async_callback(acceptor.close)
        tasks = [asyncio.ensure_future(each) for each in desk.run()]
        try:
            yield desk
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(desk: Desk, root: Path, bound: socket) -> Acceptor:
    port = desk.agreements.port
    context = None
    if port.certificate or port.key:
        context = server_context(
            root / port.certificate,
            root / port.key,
            trusts=root / port.trusts if port.trusts else None,
        )
    acceptor = Acceptor(
        desk.switchboard,
        addresses=port.addresses,
        tls=context,
        log=desk._log,
        refuse=Refusals(desk.tape, desk.kernel.now, say),
    )
    await acceptor.listen(bound)
    host, at = bound.getsockname()[:2]
    say(f"FIX: {len(desk.agreements.sessions)} sessions, listening on {host} port {at}")
    return acceptor
