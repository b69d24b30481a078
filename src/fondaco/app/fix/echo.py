"""A diagnostic acceptor: it runs the session law as it stands, and sends every order back.

Its sessions are those of the public acceptance scripts: ISLD to TW40 … TW50SP2, each in its
version; numbers begin anew at every logon, and nothing is kept. It needs no data directory.
"""

import asyncio
import socket
from typing import Final

from fondaco.app.clock import Clock
from fondaco.app.listening import bind, on_signals, run
from fondaco.app.say import say
from fondaco.domain.fix.api import (
    HEADER,
    Checking,
    Field,
    Law,
    Message,
    Options,
    SentInMemory,
    SessionId,
    Terms,
    Unsupported,
    echoed_header,
    ordered,
)
from fondaco.gateway.fix.acceptor import Acceptor
from fondaco.gateway.fix.line import Line
from fondaco.gateway.fix.switchboard import Agreement, Switchboard

OURS: Final = "ISLD"
UNCHECKED: Final = "NO_CHECK_FIELDS_HAVE_VALUES"
SESSIONS: Final = (  # BeginString, their CompID, DefaultApplVerID
    ("FIX.4.0", "TW40", ""),
    ("FIX.4.1", "TW41", ""),
    ("FIX.4.2", "TW42", ""),
    ("FIX.4.3", "TW43", ""),
    ("FIX.4.4", "TW44", ""),
    ("FIXT.1.1", "TW50", "7"),
    ("FIXT.1.1", "TW50SP1", "8"),
    ("FIXT.1.1", "TW50SP2", "9"),
    ("FIX.4.4", "TW", ""),
    ("FIX.4.4", UNCHECKED, ""),
)
_OLD: Final = frozenset({"FIX.4.0", "FIX.4.1"})


class Echo:
    """Sends NewOrderSingle, Email, and from 4.2 on SecurityDefinition back; knows by their ClOrdID
    which orders it has seen since the logon, and passes over those that come again (PossResend)."""

    def __init__(self, terms: Terms, checking: Checking) -> None:
        self._checking = checking
        self._types = frozenset(["D", "C"] if terms.id.begin_string in _OLD else ["D", "C", "d"])
        self._version = terms.default_appl_ver_id
        self._seen: set[bytes] = set()

    def up(self, line: Line) -> None:
        """Nothing is said at logon."""

    def down(self, line: Line, reason: str) -> None:
        self._seen.clear()

    def received(self, line: Line, message: Message, seq_num: int) -> None:
        msg_type = message.msg_type
        if msg_type not in self._types:
            named = [(1137, self._version.encode())] if self._version else []
            raise Unsupported(more=named)
        order = message.get(11)
        if msg_type == "D" and order is not None:
            if message.get(97) == b"Y" and order in self._seen:
                return
            self._seen.add(order)
        fields = message.fields()
        header = echoed_header(fields)
        body = [each for each in fields if each[0] not in HEADER and each[0] != 10]
        line.send(msg_type, self._ordered(body, message), header=header)

    def _ordered(self, body: list[Field], message: Message) -> list[Field]:
        """By tag, and groups as their dictionary has them."""
        before = 0
        for tag, _ in body:
            if tag <= before:
                break
            before = tag
        else:
            return body
        checking = self._checking
        return ordered(body, checking.dictionary(message), message.msg_type, checking.transport)


def switchboard(now: Clock) -> Switchboard:
    """The ten sessions of the diagnostic acceptor."""

    def line(agreement: Agreement) -> Line:
        terms = agreement.terms
        unchecked = terms.id.target_comp_id == UNCHECKED
        checking = Checking(terms, Options(have_values=not unchecked))
        session = Law(terms, SentInMemory(), check=checking)
        return Line(session, Echo(terms, checking), now)

    board = Switchboard(line)
    for begin_string, theirs, version in SESSIONS:
        name = SessionId(begin_string, OURS, theirs)
        terms = Terms(id=name, default_appl_ver_id=version, reset_on_logon=True)
        board.add(Agreement(terms=terms))
    return board


def echo(host: str, port: int) -> int:
    """Serve until SIGTERM or SIGINT; the exit status."""
    with bind(host, port) as bound:
        return run(_echo(bound))


async def _echo(bound: socket.socket) -> int:
    ended = asyncio.Event()
    on_signals(ended.set)
    acceptor = Acceptor(switchboard(Clock()))
    await acceptor.listen(bound)
    host, port = bound.getsockname()[:2]
    say(f"FIX echo: listening on {host} port {port}, as {OURS}")
    print(f"ready {host}:{port}", flush=True)  # noqa: T201  # for whoever started it
    await ended.wait()
    await acceptor.close()
    return 0
