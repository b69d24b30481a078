"""The application "venue": a counterparty that we connect to is where orders go.

The venue's streams decide; here is what they have decided sent, and what comes told to them. A
request leaves once its entry is committed, under that entry's position as the session's mark, so
that a house that was killed knows what it has sent. A report is done once what it says is durable,
so that it comes again otherwise; an ExecID is counted once, however often it comes.

Orders are never sent late: one that was decided and could not leave is ended. Whoever is away, or
does not answer in time, leaves an order UNKNOWN; when they are back they are asked about each, and
for the executions of which they have not told us.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from fondaco.domain.fix.api import Message, Unsupported, business_reject
from fondaco.domain.reference.model import PAPER_MIC, Instrument, Symbol
from fondaco.domain.venues.api import (
    CancelRouted,
    ExecutionBusted,
    HearDenial,
    HearNothing,
    HearReport,
    NeverLeft,
    OrderRouted,
    OrderSilent,
    ReplaceRouted,
    ReportNoted,
    Routed,
    RoutedState,
    TradeDisputed,
)
from fondaco.domain.venues.model import symbol_of, venue_stream
from fondaco.gateway.fix.line import Line
from fondaco.gateway.fix.venue import words
from fondaco.gateway.fix.venue.words import Said, Speaking
from fondaco.kernel.errors import FondacoError, Unavailable
from fondaco.kernel.event import Command, CommandId, Entry, Instant, StreamId
from fondaco.runtime.committer import Answer, Outcome

NAMED_MAX: Final = 100_000  # ClOrdIDs whose stream is known without a look at the symbol
TICK_S: Final = 0.5
AGAIN: Final = 6  # a silent order is asked about again after so many times the patience
RETRY_S: Final = 0.1
OPEN: Final = frozenset("01A")  # OrdStatus of what may execute
_SECOND: Final = 1_000_000_000
_Key = tuple[StreamId, StreamId, int]  # the venue's stream, the account's, and the order's number


class VenueTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed with a counterparty that is a venue.

    `mic` is the name that its orders are routed by. `symbols` are the instruments whose orders go
    there, or a table of them and what the counterparty calls them; none: all that trade at no book
    of the house's own. `account` is ours with them. What is not answered within `answer_s` seconds
    is UNKNOWN. `mass_status` asks about all orders at once after a logon.
    """

    mic: str
    symbols: tuple[str, ...] | dict[str, str] = ()
    account: str = ""
    answer_s: float = 5.0
    mass_status: bool = False


class Journal(Protocol):
    def read(self, stream: StreamId, after_version: int = 0, limit: int = -1) -> list[Entry]: ...


class Kernel(Protocol):
    """What a route needs of a house."""

    @property
    def now(self) -> Callable[[], Instant]: ...

    @property
    def journal(self) -> Journal: ...

    def submit(self, stream: StreamId, command: Any) -> Answer: ...

    def wake(self, stream: StreamId) -> Awaitable[None]: ...

    def peek(self, stream: StreamId) -> Any: ...


class Route:
    """One venue elsewhere. Belongs to the loop's thread; `publish` is a listener of the kernel."""

    def __init__(
        self,
        kernel: Kernel,
        instruments: Callable[[], Mapping[Symbol, Instrument]],
        terms: VenueTerms,
        speaking: Speaking,
        *,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`say` tells operators what they must look at."""
        self.terms, self.kernel, self.speaking = terms, kernel, speaking
        self.line: Line | None = None
        self._instruments, self._say = instruments, say
        self._prefix = venue_stream(Symbol(""), terms.mic)
        self._names: OrderedDict[str, StreamId] = OrderedDict()  # by ClOrdID
        self._due: dict[_Key, int] = {}  # when what was asked about an order is late
        self._sent: OrderedDict[int, tuple[str, str]] = OrderedDict()  # MsgType, ClOrdID by number
        self._asked_trades: dict[str, int] = {}  # since the logon: of how many lots
        self._timer: asyncio.TimerHandle | None = None
        self.symbols: dict[str, str] = {}  # what they call those that are routed to them

    @property
    def is_up(self) -> bool:
        return self.line is not None and self.line.is_up

    async def open(self, line: Line) -> None:
        """Be what the journal says, before the session connects."""
        self.line, self.symbols = line, self._meant()
        for stream in self._streams():
            await self.kernel.wake(stream)
            for order in self._state(stream).working():
                for name in (order.name, *order.changes):
                    self._name(name, stream)
        self._watch_all()
        self._tick()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _meant(self) -> dict[str, str]:
        named = self.terms.symbols
        if isinstance(named, dict):
            return named
        homes = (PAPER_MIC, self.terms.mic)
        known = self._instruments().items()
        return {each: each for each in named or [s for s, it in known if it.mic in homes]}

    # --- Application ----------------------------------------------------------------------------

    def up(self, line: Line) -> None:
        """Settle what never left, and ask about the rest."""
        self._asked_trades = {}
        found = [(s, each) for s in self._streams() for each in self._state(s).working()]
        with line.gathered():
            if self.terms.mass_status and found and self.speaking.knows("AF"):
                line.send("AF", [(584, b"%d" % self.kernel.now()), (585, b"7")])
            for stream, order in found:
                if self._has_left(stream, order) and not self.terms.mass_status:
                    self._ask_status(stream, order)

    def down(self, line: Line, reason: str) -> None:
        self._watch_all()

    def received(self, line: Line, message: Message, seq_num: int) -> bool | None:
        take = _TAKEN.get(message.msg_type)
        if take is None:
            raise Unsupported()
        return take(self, message, seq_num)

    # --- What was decided -----------------------------------------------------------------------

    def publish(self, entries: Sequence[Entry]) -> None:
        """The entries of a commit."""
        ours = [each for each in entries if each.stream.startswith(self._prefix)]
        line = self.line
        if not ours or line is None:
            return
        with line.gathered():
            for entry in ours:
                event = entry.event
                if isinstance(event, OrderRouted):
                    self._send_order(line, entry, event)
                elif isinstance(event, CancelRouted | ReplaceRouted):
                    self._send_change(line, entry, event)

    def _send_order(self, line: Line, entry: Entry, event: OrderRouted) -> None:
        stream = entry.stream
        self._name(event.cl_ord_id, stream)
        if not line.is_up:
            self._tell(stream, NeverLeft(self._cause(), self.kernel.now(), event.cl_ord_id))
            return
        instrument = self._instruments()[event.symbol]
        tif = "3" if event.is_market and event.time_in_force not in ("ioc", "fok") else ""
        said = Said(
            cl_ord_id=event.cl_ord_id,
            account=self.terms.account,
            symbol=self.symbols.get(event.symbol, event.symbol),
            side=words.SIDES[event.side],
            order_qty=instrument.qty_text(event.lots - event.cum_lots),
            price=instrument.px_text(event.px),
            time_in_force=tif or words.TIMES_IN_FORCE[event.time_in_force],
            display_qty=instrument.qty_text(event.display_lots) if event.display_lots else "",
            min_qty=instrument.qty_text(event.min_lots) if event.min_lots else "",
            exec_inst="6" if event.post_only else "",
            at=entry.at,
        )
        self._await((stream, event.account_stream, event.number))
        self._send(line, "D", said, entry.position)

    def _send_change(self, line: Line, entry: Entry, event: CancelRouted | ReplaceRouted) -> None:
        """A cancel is said even while they are away; they ask for it when they are back."""
        stream, order = entry.stream, self._state(entry.stream).named(event.cl_ord_id)
        self._name(event.cl_ord_id, stream)
        is_cancel = isinstance(event, CancelRouted)
        if order is None:
            return
        if not line.is_up and not is_cancel:
            self._tell(stream, NeverLeft(self._cause(), self.kernel.now(), event.cl_ord_id))
            return
        said = self._about(stream, order)
        said.cl_ord_id, said.orig_cl_ord_id = event.cl_ord_id, event.orig_cl_ord_id
        said.at = entry.at
        if isinstance(event, ReplaceRouted):
            instrument = self._instruments()[symbol_of(stream)]
            said.order_qty = instrument.qty_text(event.lots - order.base_lots)
            said.price = instrument.px_text(event.px)
        self._await((stream, event.account_stream, event.number))
        self._send(line, "F" if is_cancel else "G", said, entry.position)

    def _about(self, stream: StreamId, order: Routed) -> Said:
        symbol = symbol_of(stream)
        instrument = self._instruments()[symbol]
        return Said(
            cl_ord_id=order.cl_ord_id,
            order_id=order.order_id,
            account=self.terms.account,
            symbol=self.symbols.get(symbol, symbol),
            side=words.SIDES[order.side],
            order_qty=instrument.qty_text(order.lots - order.base_lots),
        )

    def _send(self, line: Line, msg_type: str, said: Said, mark: int = 0) -> None:
        self._sent[line.session.next_out] = (msg_type, said.cl_ord_id)
        if len(self._sent) > NAMED_MAX:
            self._sent.popitem(last=False)
        line.send(msg_type, self.speaking.body(msg_type, said), mark=mark)

    def _ask_status(self, stream: StreamId, order: Routed) -> None:
        if self.line is not None and self.line.is_up:
            self._await((stream, order.account_stream, order.number))
            self._send(self.line, "H", self._about(stream, order))

    def _ask_trades(self, order: Routed) -> None:
        """They have executed more than they have told: for all of it, each with its ExecID."""
        line = self.line
        if line is None or not line.is_up or not self.speaking.knows("AD"):
            return
        if self._asked_trades.get(order.name, -1) >= order.told_lots:
            return
        self._asked_trades[order.name] = order.told_lots
        body = [(11, order.cl_ord_id.encode()), (37, order.order_id.encode())]
        body += [(568, f"{order.name}.{order.told_lots}".encode()), (569, b"1")]
        line.send("AD", [field for field in body if field[1]])

    # --- What they say --------------------------------------------------------------------------

    def _report(self, message: Message, seq_num: int) -> bool | None:
        cl_ord_id, orig = message.text(11) or "", message.text(41) or ""
        stream = self._stream_of(message, cl_ord_id, orig)
        if stream is None:
            return None  # of an instrument that is not routed to them
        instrument = self._instruments().get(symbol_of(stream))
        command = words.report_of(message, instrument, self._cause(), self.kernel.now())
        order = self._state(stream).named(cl_ord_id, orig)
        if order is None and command.exec_type not in ("F", "G", "H"):
            return None  # an account may have orders there that somebody else has sent
        if order is not None:
            self._due.pop((stream, order.account_stream, order.number), None)
        return self._hear(stream, command, message, seq_num)

    def _trade(self, message: Message, seq_num: int) -> bool | None:
        cl_ord_id = message.text(11) or ""
        stream = self._stream_of(message, cl_ord_id, "")
        if stream is None:
            return None
        instrument = self._instruments().get(symbol_of(stream))
        command = words.trade_of(message, cl_ord_id, instrument, self._cause(), self.kernel.now())
        return self._hear(stream, command, message, seq_num)

    def _denial(self, message: Message, seq_num: int) -> bool | None:
        cl_ord_id, orig = message.text(11) or "", message.text(41) or ""
        stream = self._stream_of(message, cl_ord_id, orig)
        if stream is None:
            return None
        order = self._state(stream).named(cl_ord_id, orig)
        if order is not None:
            self._due.pop((stream, order.account_stream, order.number), None)
        reason, text = message.text(102) or "", message.text(58) or ""
        return self._hear(
            stream, self._denied(cl_ord_id, text, orig=orig, reason=reason), message, seq_num
        )

    def _refused(self, message: Message, seq_num: int) -> bool | None:
        """BusinessMessageReject: of a request that we know, its refusal."""
        msg_type, cl_ord_id = self._sent.get(message.integer(45) or 0, ("", ""))
        text = message.text(58) or "not supported"
        stream = self._names.get(cl_ord_id)
        if stream is None or msg_type not in ("D", "F", "G"):
            refused = message.text(372) or msg_type
            self._say(f"{self.terms.mic} does not take our {refused}: {text}")
            return None
        command: Command = self._denied(cl_ord_id, text)
        if msg_type == "D":
            command = HearReport(
                command_id=self._cause(),
                at=self.kernel.now(),
                cl_ord_id=cl_ord_id,
                exec_id=f"j{message.integer(34)}",
                exec_type="8",
                ord_status="8",
                text=text,
            )
        return self._hear(stream, command, message, seq_num)

    def _denied(self, cl_ord_id: str, text: str, *, orig: str = "", reason: str = "") -> HearDenial:
        return HearDenial(
            command_id=self._cause(),
            at=self.kernel.now(),
            cl_ord_id=cl_ord_id,
            orig_cl_ord_id=orig,
            reason=reason,
            text=text,
        )

    def _acknowledged(self, message: Message, seq_num: int) -> bool | None:
        """TradeCaptureReportRequestAck: the trades are what counts."""
        if message.text(749) not in (None, "0"):
            said = message.text(58) or message.text(749)
            self._say(f"{self.terms.mic} does not say which trades there were: {said}")
        return None

    def _hear(self, stream: StreamId, command: Command, message: Message, seq_num: int) -> bool:
        """Done once it is durable; tried again until it is."""

        def settled(outcome: Outcome) -> None:
            line = self.line
            if isinstance(outcome, FondacoError):
                if outcome.retryable:
                    loop = asyncio.get_running_loop()
                    loop.call_later(RETRY_S, self._hear, stream, command, message, seq_num)
                else:
                    self._say(f"{stream} does not take a report: {outcome.message}")
                return
            self._look(stream, outcome, message, command)
            if line is not None:
                line.done(seq_num)

        self._submit(stream, command, settled)
        return False

    def _look(
        self, stream: StreamId, outcome: Sequence[Entry], message: Message, command: Command
    ) -> None:
        """What must be done about what they have said."""
        state = self._state(stream)
        for entry in outcome:
            event = entry.event
            if isinstance(event, TradeDisputed):
                self._say(
                    f"{self.terms.mic} disputes {event.cl_ord_id} ({event.exec_type}): {event.text}"
                    f"; execution {event.ref_id or event.exec_id} must be settled by hand"
                )
                self._refuse(message, event)
            elif isinstance(event, ExecutionBusted):
                self._say_busted(event, command)
            elif isinstance(event, OrderSilent):
                self._say(f"{self.terms.mic}: order {event.number} is UNKNOWN: {event.text}")
            elif isinstance(event, ReportNoted):
                order = state.named(event.cl_ord_id)
                if event.what == "stray":
                    self._say(f"{self.terms.mic} reports {event.cl_ord_id}, which is none of ours")
                elif order is not None and order.is_short:
                    self._ask_trades(order)
                elif order is not None and event.text == "unknown_order":
                    self._ask_status(stream, order)

    def _say_busted(self, event: ExecutionBusted, command: Command) -> None:
        """An order that is done with us stays so: who has it open again must be told by people."""
        words_ = "takes back" if event.fill is None else "corrects"
        self._say(
            f"{self.terms.mic} {words_} execution {event.ref_number} of order {event.number} of "
            f"{event.account_stream}: {event.text or 'no reason given'}; it is booked"
        )
        is_open = getattr(command, "ord_status", "") in OPEN
        if is_open and not event.leaves_lots:
            self._say(
                f"{self.terms.mic} has order {event.number} of {event.account_stream} open again, "
                "and here it is done: have it canceled there"
            )

    def _refuse(self, message: Message, event: TradeDisputed) -> None:
        line = self.line
        if line is None:
            return
        why = Unsupported(0, f"not booked, call us: {event.text}", ref_id=event.exec_id)
        msg_type, body = business_reject(line.id.begin_string, message, why)
        line.send(msg_type, body)

    # --- Silence --------------------------------------------------------------------------------

    def _await(self, key: _Key, times: int = 1) -> None:
        self._due[key] = self.kernel.now() + int(self.terms.answer_s * times * _SECOND)

    def _watch_all(self) -> None:
        """They are away: what works there is unknown, unless they are back soon."""
        for stream in self._streams():
            for order in self._state(stream).working():
                key = (stream, order.account_stream, order.number)
                if key not in self._due:
                    self._await(key)

    def _tick(self) -> None:
        now = self.kernel.now()
        for key in [key for key, due in self._due.items() if due <= now]:
            del self._due[key]
            stream, account_stream, number = key
            order = self._state(stream).find(account_stream, number)
            if order is None:
                continue
            if not order.is_silent:
                text = "no answer in time" if self.is_up else "they are away"
                self._tell(stream, HearNothing(self._cause(), now, account_stream, number, text))
            if self.is_up:
                self._ask_status(stream, order)
                self._await(key, AGAIN)
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _has_left(self, stream: StreamId, order: Routed) -> bool:
        """Whether the order was sent; what was written down alone never will be. A tape that may
        have lost its end with the machine does not know: then they are asked."""
        line = self.line
        if line is None or not line.is_sure:
            return True
        waiting = [(order.name, order.version)] if not order.is_acknowledged else []
        waiting += [(name, change.version) for name, change in order.changes.items()]
        for name, version in waiting:
            written = self.kernel.journal.read(stream, version - 1, 1)
            if written and written[0].position > line.mark:
                event = written[0].event
                if isinstance(event, CancelRouted):
                    self._send_change(line, written[0], event)
                else:
                    self._tell(stream, NeverLeft(self._cause(), self.kernel.now(), name))
                if name == order.name:
                    return False
        return True

    # --- Streams --------------------------------------------------------------------------------

    def _streams(self) -> list[StreamId]:
        return [venue_stream(Symbol(each), self.terms.mic) for each in self.symbols]

    def _state(self, stream: StreamId) -> RoutedState:
        memory = self.kernel.peek(stream)
        if memory is None:
            return RoutedState(symbol=symbol_of(stream))
        state: RoutedState = memory.state
        return state

    def _stream_of(self, message: Message, cl_ord_id: str, orig: str) -> StreamId | None:
        found = self._names.get(cl_ord_id) or self._names.get(orig)
        if found is not None:
            return found
        theirs = message.text(55)
        for ours, called in self.symbols.items():
            if called == theirs:
                return venue_stream(Symbol(ours), self.terms.mic)
        return None

    def _name(self, cl_ord_id: str, stream: StreamId) -> None:
        self._names[cl_ord_id] = stream
        if len(self._names) > NAMED_MAX:
            self._names.popitem(last=False)

    def _cause(self) -> CommandId:
        return CommandId(f"fix/{self.terms.mic}/{self.kernel.now()}")

    def _tell(self, stream: StreamId, command: Command) -> None:
        """Until it is durable."""

        def settled(outcome: Outcome) -> None:
            if isinstance(outcome, FondacoError) and outcome.retryable:
                asyncio.get_running_loop().call_later(RETRY_S, self._tell, stream, command)

        self._submit(stream, command, settled)

    def _submit(
        self, stream: StreamId, command: Command, settled: Callable[[Outcome], None]
    ) -> None:
        try:
            self.kernel.submit(stream, command).then(settled)
        except Unavailable as error:
            settled(error)


_TAKEN: Final[dict[str, Callable[[Route, Message, int], bool | None]]] = {
    "8": Route._report,
    "9": Route._denial,
    "j": Route._refused,
    "AE": Route._trade,
    "AQ": Route._acknowledged,
}
