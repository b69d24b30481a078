"""The law of a session: what arrives, what the clock says, and what the application wants to say
become acts, in order. Whoever runs it holds the socket, the tape and the clock.

Every method that yields acts must be exhausted before the next is called, but for `send` and
`refuse`, which the application may call while it is given a message.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from fondaco.domain.fix.message import Message, parse
from fondaco.domain.fix.model import Frame, Garbled, Rejection, RejectReason, rejection
from fondaco.domain.fix.session.model import (
    ADMIN,
    SECOND_NS,
    Act,
    Admit,
    Check,
    Close,
    Deliver,
    Down,
    Field,
    Note,
    Numbers,
    Renumbered,
    Sent,
    Terms,
    Unsupported,
    Up,
    Write,
)
from fondaco.domain.fix.session.pace import Pace
from fondaco.domain.fix.session.schedule import Hours
from fondaco.domain.fix.session.wire import (
    Writer,
    business_reject,
    is_before_fix42,
    logon_body,
    logon_refusal,
    number,
    reject_body,
    reversed_route,
)
from fondaco.kernel.errors import Invalid

QUEUED_MAX: Final = 10_000  # messages behind a gap; what is beyond is asked for again
NEVER: Final = 1 << 62
_INFINITY: Final = 999_999  # what EndSeqNo 0 was called before FIX 4.2
_TEST: Final = b"TEST"
_THROTTLED: Final = 8
_OTHER_TIME: Final = rejection(RejectReason.SENDING_TIME_ACCURACY_PROBLEM)
_STRANGER: Final = rejection(RejectReason.COMP_ID_PROBLEM)
_WRONG_VALUE: Final = rejection(RejectReason.VALUE_IS_INCORRECT)
_NOT_FIRST_SENT: Final = rejection(RejectReason.REQUIRED_TAG_MISSING, 122)

Acts: TypeAlias = Iterator[Act]
Verdict: TypeAlias = Generator[Act, None, bool]


class Law:
    """One side of one session. Instants are UTC nanoseconds."""

    def __init__(
        self,
        terms: Terms,
        sent: Sent,
        *,
        check: Check = lambda _: None,
        admit: Admit = lambda _: "",
        numbers: Numbers = Numbers(),  # noqa: B008  # it is frozen
    ) -> None:
        self.terms = terms
        self.next_out, self.next_in, self.began = numbers.next_out, numbers.next_in, numbers.began
        self.is_connected = self.is_up = False
        self.heart_bt_int_s = terms.heart_bt_int_s
        self._writer = Writer(terms)
        self._begin_string = terms.id.begin_string.encode()
        self._ours = terms.id.sender_comp_id.encode()
        self._theirs = terms.id.target_comp_id.encode()
        self._hours = Hours(terms.schedule)
        self._sent, self._check, self._admit = sent, check, admit
        self._waiting: deque[tuple[str, Sequence[Field], Sequence[Field], int]] = deque()
        self._sends, self._receives = Pace(terms.send_max_per_s), Pace(terms.receive_max_per_s)
        self._forget()

    def _forget(self) -> None:
        """What belongs to a connection."""
        self._sent_logon = self._sent_reset = False
        self._logout_at = 0  # when we sent one
        self._connected_at = self._last_sent = self._last_received = 0
        self._tests = 0  # TestRequests that nobody answered
        self._queue: dict[int, Message] = {}  # what came behind a gap
        self._asked: tuple[int, int] | None = None  # the gap that was asked for
        self._asked_to = 0  # the end of its part that is under way

    @property
    def numbers(self) -> Numbers:
        return Numbers(self.next_out, self.next_in, self.began)

    @property
    def is_initiator(self) -> bool:
        return self.terms.role == "initiator"

    # --- What happens to it ---------------------------------------------------------------------

    def connected(self, now: int) -> Acts:
        """There is a connection; an initiator logs on."""
        self._forget()
        self.is_connected, self._connected_at = True, now
        yield from self._open(now)
        if not self.is_initiator:
            return
        if not self.is_open(now):
            yield Close("the session is closed at this time")
            return
        reset = self.terms.reset_on_logon
        if reset:
            yield self._renumber(1, 1, "reset at logon")
        self._sent_reset, self._sent_logon = reset, True
        self.heart_bt_int_s = self.terms.heart_bt_int_s
        yield self._write("A", self._logon_body(reset, self.next_in), now)

    def received(self, frame: Frame, now: int) -> Acts:
        """What the framer made of the stream, garbled or not."""
        try:
            message = None if frame.garbled else parse(frame.raw)
        except Garbled:
            message = None
        if message is None:
            if self.is_up:
                yield Note("a garbled message is ignored")
            else:
                yield Close("what came before a Logon is garbled")
            return
        yield from self._received(message, now)
        yield from self._drain(now)

    def disconnected(self, now: int, reason: str = "the connection has ended") -> Acts:
        """There is no connection any more, whoever closed it."""
        was_up, self.is_up, self.is_connected = self.is_up, False, False
        self._forget()
        if was_up:
            yield Down(reason)
        if self.terms.reset_on_disconnect:
            yield self._renumber(1, 1, "reset at disconnect")
        yield from self._open(now)

    def tick(self, now: int) -> Acts:
        """The time that `due` named has come; any other does no harm."""
        if not self.is_connected:
            yield from self._open(now)
            return
        if not self.is_open(now) or self._is_another(now):
            if self.is_up and not self._logout_at:
                yield from self._log_out("the session closes now", now)
            elif not self.is_up:
                yield Close("the session is closed at this time")
                return
        if not self.is_up and now - self._connected_at >= self.terms.logon_timeout_s * SECOND_NS:
            yield Close(f"no Logon within {self.terms.logon_timeout_s} s")
        elif self._logout_at and now - self._logout_at >= self.terms.logout_timeout_s * SECOND_NS:
            yield Close(f"no answer to our Logout within {self.terms.logout_timeout_s} s")
        elif self.is_up:
            yield from self._flush(now)
            yield from self._listen(now)

    def due(self) -> int:
        """When `tick` is wanted next, at the latest; `NEVER` while nothing is awaited."""
        times = []
        if self.is_connected and not self.is_up:
            times.append(self._connected_at + self.terms.logon_timeout_s * SECOND_NS)
        if self._logout_at:
            times.append(self._logout_at + self.terms.logout_timeout_s * SECOND_NS)
        if self.is_up and self.heart_bt_int_s:
            beat = self.heart_bt_int_s * SECOND_NS
            patience = min(self.terms.test_request_after * (self._tests + 1), self.terms.dead_after)
            times.append(self._last_received + int(patience * beat))
            if not self._tests:
                times.append(self._last_sent + beat)
        if self._waiting:
            times.append(self._sends.free_at)
        if self.terms.schedule is not None:  # somebody must look whether it opens or closes
            times.append(max(self._last_sent, self._last_received, self._connected_at) + SECOND_NS)
        return min(times, default=NEVER)

    # --- What the application and the operator want ---------------------------------------------

    def send(
        self,
        msg_type: str,
        body: Sequence[Field],
        now: int,
        *,
        header: Sequence[Field] = (),
        mark: int = 0,
    ) -> Acts:
        """Say this: now, later where sending is limited, or when they are back. What is said while
        the session is closed is said in the next one, and until then is in memory only."""
        is_closed = not self.is_open(now) or (self._is_another(now) and not self.is_up)
        if is_closed or self._sends.limit or self._waiting:
            self._waiting.append((msg_type, body, header, mark))
            if not is_closed:
                yield from self._flush(now)
        else:
            yield self._write(msg_type, body, now, header=header, mark=mark)

    def refuse(self, message: Message, why: Unsupported, now: int) -> Acts:
        """The application does not take a message that it was given."""
        msg_type, body = business_reject(self.terms.id.begin_string, message, why)
        header = self._back(message) if msg_type == "3" else ()
        yield self._write(msg_type, body, now, header=header)

    def log_out(self, text: str, now: int) -> Acts:
        """Ask the other side to end; where nobody has logged on, just end."""
        if self.is_up:
            yield from self._log_out(text, now)
        elif self.is_connected:
            yield Close(text)

    def renumber(self, next_out: int, next_in: int, reason: str) -> Acts:
        """An operator's word."""
        for name, value in (("next_out", next_out), ("next_in", next_in)):
            if not 0 < value < NEVER:
                raise Invalid(f"{name} is {value}, must be at least 1")
        yield self._renumber(next_out, next_in, reason)

    # --- Hours ----------------------------------------------------------------------------------

    def is_open(self, now: int) -> bool:
        """Whether the session has its hours: an initiator may connect."""
        return self._hours.is_open(now)

    def _is_another(self, now: int) -> bool:
        """Whether the numbers are of an opening that is over."""
        opening = self._hours.opening(now)
        return opening is not None and opening.begins_at != self.began

    def _open(self, now: int) -> Acts:
        """Numbers begin anew with each opening."""
        opening = self._hours.opening(now)
        if opening is None or opening.begins_at == self.began:
            return
        before, self.began = self.began, opening.begins_at
        yield self._renumber(1, 1, "a new session has opened" if before else "the first session")

    def _renumber(self, next_out: int, next_in: int, reason: str) -> Renumbered:
        if next_out < self.next_out:
            self._sent.clear()
        self.next_out, self.next_in = next_out, next_in
        self._queue = {}
        self._asked = None
        return Renumbered(self.numbers, reason)

    # --- What arrives ---------------------------------------------------------------------------

    def _received(self, message: Message, now: int) -> Acts:
        msg_type = message.msg_type
        if not self.is_up and msg_type != "A":
            if msg_type == "5" and self._sent_logon:
                yield Close(f"they refuse our Logon: {message.text(58) or 'no reason given'}")
            else:
                yield Close("the first message is no Logon")
            return
        self._last_received, self._tests = now, 0
        if message.get(8) != self._begin_string and msg_type != "5":
            if not self.is_up:
                yield Close("Incorrect BeginString")
                return
            yield from self._log_out("Incorrect BeginString", now)
            self.next_in += 1
            return
        try:
            refusal = self._check(message)
            if refusal is None:
                yield from self._dispatch(message, now, is_fresh=True)
                return
        except Invalid as error:  # a value of the session's own that no dictionary has looked at
            refusal = Rejection(RejectReason.INCORRECT_DATA_FORMAT_FOR_VALUE, None, error.message)
        yield from self._reject(message, refusal, now)

    def _dispatch(self, message: Message, now: int, *, is_fresh: bool) -> Acts:
        match message.msg_type:
            case "A":
                yield from self._on_logon(message, now)
            case "5":
                yield from self._on_logout(message, now)
            case "2":
                yield from self._on_resend_request(message, now)
            case "4":
                yield from self._on_sequence_reset(message, now, is_fresh=is_fresh)
            case _ if (
                yield from self._verify(
                    message, now, is_fresh=is_fresh, may_be_high=message.msg_type == "3"
                )
            ):
                yield from self._take(message, now)
            case _:
                pass

    def _take(self, message: Message, now: int) -> Acts:
        """A message in its place that does not move numbers otherwise than by being there."""
        if message.msg_type not in ADMIN:
            yield from self._deliver(message, now)
            return
        self.next_in += 1
        if message.msg_type == "1":
            yield self._write("0", [(112, message.get(112) or b"")], now)

    def _deliver(self, message: Message, now: int) -> Acts:
        seq_num, self.next_in = self.next_in, self.next_in + 1
        if self._receives.takes(now):
            yield Deliver(message, seq_num)
            return
        text = f"more than {self._receives.limit} messages in a second"
        yield from self.refuse(message, Unsupported(_THROTTLED, text), now)

    def _verify(
        self,
        message: Message,
        now: int,
        *,
        is_fresh: bool = True,
        may_be_high: bool = False,
        may_be_low: bool = False,
    ) -> Verdict:
        """Whether to go on with a message: its time, its names, its number, in this order."""
        if is_fresh:
            refusal = self._stranger(message, now)
            if refusal is not None:
                yield from self._reject(message, refusal, now)
                if self.is_up:
                    yield from self._log_out("", now)
                return False
        seq_num = message.integer(34)
        if seq_num is None:
            yield Close("a message has no MsgSeqNum")
            return False
        if seq_num > self.next_in and not may_be_high:
            yield from self._too_high(message, seq_num, now)
            return False
        if seq_num < self.next_in and not may_be_low:
            yield from self._too_low(message, seq_num, now)
            return False
        return True

    def _stranger(self, message: Message, now: int) -> Rejection | None:
        """Whether a message is of another time, or of another session."""
        sent_at, limit = message.timestamp(52), self.terms.max_latency_s
        if sent_at is None or (limit and abs(now // SECOND_NS - sent_at // SECOND_NS) > limit):
            return _OTHER_TIME
        if self.terms.check_comp_id and (
            message.get(49) != self._theirs or message.get(56) != self._ours
        ):
            return _STRANGER
        return None

    def _too_high(self, message: Message, seq_num: int, now: int) -> Acts:
        if len(self._queue) < QUEUED_MAX:
            self._queue[seq_num] = message
        if self._asked and seq_num >= self._asked[0]:
            yield Note(f"number {seq_num} waits for the gap that was asked for to be closed")
        else:
            yield from self._ask(seq_num - 1, now)

    def _ask(self, last: int, now: int) -> Acts:
        """For what is missing up to `last`, or its first part."""
        first, chunk = self.next_in, self.terms.resend_chunk
        self._asked, self._asked_to = (first, last), last
        end = _INFINITY if is_before_fix42(self.terms.id.begin_string) else 0
        if chunk and first + chunk - 1 < last:
            end = self._asked_to = first + chunk - 1
        yield self._write("2", [(7, number(first)), (16, number(end))], now)

    def _too_low(self, message: Message, seq_num: int, now: int) -> Acts:
        if message.get(43) != b"Y":
            text = f"MsgSeqNum too low, expecting {self.next_in} but received {seq_num}"
            yield from self._log_out(text, now)
            yield Close(text)
            return
        if message.msg_type == "4":
            return
        first_sent, sent_at = message.timestamp(122), message.timestamp(52)
        if first_sent is None:
            yield from self._reject(message, _NOT_FIRST_SENT, now)
        elif sent_at is not None and first_sent > sent_at:
            yield from self._reject(message, _OTHER_TIME, now)
            yield from self._log_out("", now)
        else:
            yield Note(f"number {seq_num} was received before")

    def _drain(self, now: int) -> Acts:
        """What had to wait for a gap to be closed; and the next part of a gap that is not."""
        while self.is_connected and self.next_in in self._queue:
            message = self._queue.pop(self.next_in)
            if message.msg_type in ("A", "2"):  # acted on when it came
                self.next_in += 1
            else:
                yield from self._dispatch(message, now, is_fresh=False)
        if self._queue and min(self._queue) < self.next_in:  # a reset jumped over them
            self._queue = {each: it for each, it in self._queue.items() if each > self.next_in}
        if self._asked:
            if self.next_in > self._asked[1]:
                self._asked = None
            elif self.next_in > self._asked_to and self.is_up:
                yield from self._ask(self._asked[1], now)

    # --- Logon and logout -----------------------------------------------------------------------

    def _on_logon(self, message: Message, now: int) -> Acts:
        reset = message.get(141) == b"Y"
        if self.is_up and not reset:
            yield Close("a second Logon")
            return
        if not self.is_open(now):
            yield Close("the session is closed at this time")
            return
        if (reset and not self._sent_reset) or (
            not self.is_initiator and self.terms.reset_on_logon
        ):
            yield self._renumber(1, 1, "reset at logon")
        if not (yield from self._verify(message, now, may_be_high=True)):
            if not self.is_up:
                yield Close("the Logon is not acceptable")
            return
        refused = logon_refusal(self.terms, message, self.next_out) or self._admit(message)
        if refused:
            yield self._write("5", [(58, refused.encode("latin-1", "replace"))], now)
            yield Close(refused)
            return
        yield from self._accept(message, now, reset=reset)

    def _accept(self, message: Message, now: int, *, reset: bool) -> Acts:
        seq_num, was_up = message.integer(34) or 0, self.is_up
        gap = seq_num > self.next_in and not reset
        expected, before = message.integer(789), self.next_out
        self.is_up = True
        if not gap:
            self.next_in += 1
        if not self.is_initiator or (reset and not self._sent_reset):
            self.heart_bt_int_s = message.integer(108) or 0
            yield self._write("A", self._logon_body(reset, self.next_in), now)
        self._sent_reset, last = False, self.next_out - 1
        if not was_up:
            yield Up()
            yield from self._flush(now)
        if expected is not None and self.terms.next_expected and expected < before:
            yield from self._resend(expected, last, now)  # our Logon is in its place, too
        if not gap:
            return
        if self.terms.next_expected and expected is not None:  # they send it without being asked
            self._queue[seq_num] = message
            self._asked, self._asked_to = (self.next_in, seq_num - 1), seq_num - 1
        else:
            yield from self._too_high(message, seq_num, now)

    def _logon_body(self, reset: bool, next_in: int) -> list[Field]:
        return logon_body(self.terms, self.heart_bt_int_s, next_in, reset=reset)

    def _on_logout(self, message: Message, now: int) -> Acts:
        if message.get(8) == self._begin_string and not (
            yield from self._verify(message, now, may_be_high=True, may_be_low=True)
        ):
            return
        if message.integer(34) == self.next_in:
            self.next_in += 1
        if not self._logout_at:
            yield self._write("5", [], now)
        text = message.text(58)
        reason = f"they have logged out: {text}" if text else "they have logged out"
        self.is_up = False
        yield Down(reason)
        if self.terms.reset_on_logout:
            yield self._renumber(1, 1, "reset at logout")
        yield Close(reason)

    def _log_out(self, text: str, now: int) -> Acts:
        if self._logout_at or not self.is_connected:
            return
        body = [(58, text.encode("latin-1", "replace"))] if text else []
        yield self._write("5", body, now)
        self._logout_at = now

    # --- Gaps -----------------------------------------------------------------------------------

    def _on_resend_request(self, message: Message, now: int) -> Acts:
        if not (yield from self._verify(message, now, may_be_high=True, may_be_low=True)):
            return
        seq_num = message.integer(34) or 0
        if seq_num == self.next_in:
            self.next_in += 1
        yield from self._resend(message.integer(7) or 1, message.integer(16) or 0, now)
        if seq_num > self.next_in:
            yield from self._too_high(message, seq_num, now)

    def _resend(self, first: int, last: int, now: int) -> Acts:
        """Messages of the application again, everything else as gaps."""
        newest = self.next_out - 1
        if last == 0 or last > newest or (last == _INFINITY and self._begin_string <= b"FIX.4.2"):
            last = newest
        first = max(first, 1)
        if self.terms.keeps_messages:
            for seq_num, raw in self._sent.between(first, last):
                message = parse(raw)
                if message.msg_type in ADMIN:
                    continue
                if first < seq_num:
                    yield self._fill(first, seq_num, now)
                again = self._writer.again(message, now=now, next_in=self.next_in)
                self._last_sent = now
                yield Write(again, seq_num, is_new=False)
                first = seq_num + 1
        if first <= last:
            yield self._fill(first, last + 1, now)

    def _fill(self, first: int, following: int, now: int) -> Write:
        raw = self._writer.make(
            "4",
            [(36, number(following)), (123, b"Y")],
            seq_num=first,
            now=now,
            next_in=self.next_in,
            gap=True,
        )
        self._last_sent = now
        return Write(raw, first, is_new=False)

    def _on_sequence_reset(self, message: Message, now: int, *, is_fresh: bool) -> Acts:
        """A gap fill has a place in the order; a reset has none."""
        is_reset = message.get(123) != b"Y"
        if not (
            yield from self._verify(
                message, now, is_fresh=is_fresh, may_be_high=is_reset, may_be_low=is_reset
            )
        ):
            return
        new = message.integer(36)
        if new is None or new < self.next_in:
            yield from self._reject(message, _WRONG_VALUE, now)
            return
        self.next_in = new
        if self._asked and not is_reset and new == self._asked_to < self._asked[1]:
            yield from self._ask(self._asked[1], now)  # some call a part that lacks its last done

    # --- Liveness -------------------------------------------------------------------------------

    def _listen(self, now: int) -> Acts:
        beat = self.heart_bt_int_s * SECOND_NS
        if not beat:
            return
        silence = now - self._last_received
        if silence >= self.terms.dead_after * beat:
            yield Close(f"nothing was heard for {silence // SECOND_NS} s")
        elif silence >= self.terms.test_request_after * (self._tests + 1) * beat:
            self._tests += 1
            yield self._write("1", [(112, _TEST)], now)
        elif not self._tests and now - self._last_sent >= beat:
            yield self._write("0", [], now)

    # --- What leaves ----------------------------------------------------------------------------

    def _flush(self, now: int) -> Acts:
        while self._waiting and self._sends.takes(now):
            msg_type, body, header, mark = self._waiting.popleft()
            yield self._write(msg_type, body, now, header=header, mark=mark)

    def _reject(self, message: Message, refusal: Rejection, now: int) -> Acts:
        """Before a Logon nobody is answered."""
        if not self.is_up:
            yield Close(f"the Logon is not acceptable: {refusal.text}")
            return
        if message.msg_type not in ("A", "4") and message.get(34) == number(self.next_in):
            self.next_in += 1
        body = reject_body(self.terms.id.begin_string, message, refusal)
        yield self._write("3", body, now, header=self._back(message))

    def _back(self, message: Message) -> list[Field]:
        return reversed_route(self.terms.id.begin_string, message)

    def _write(
        self,
        msg_type: str,
        body: Sequence[Field],
        now: int,
        *,
        header: Iterable[Field] = (),
        mark: int = 0,
    ) -> Write:
        seq_num, self.next_out = self.next_out, self.next_out + 1
        raw = self._writer.make(
            msg_type, body, seq_num=seq_num, now=now, next_in=self.next_in, header=header
        )
        self._sent.keep(seq_num, raw)
        self._last_sent = now
        return Write(raw, seq_num, leaves=self.is_connected and self._may(msg_type), mark=mark)

    def _may(self, msg_type: str) -> bool:
        """Whether a message may leave before both have logged on."""
        return self.is_up or msg_type in ("A", "5")
