"""A line: one session with its law, its connection, its memory, and the application it serves.

Everything happens on the event loop's thread. What a session says is kept before it leaves, and
what was received is kept as done only when the application says so: after a crash the other side
is asked for the rest again.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from fondaco.domain.fix.api import (
    NEVER,
    Acts,
    Close,
    Deliver,
    Down,
    Field,
    Frame,
    Framer,
    Law,
    Message,
    Note,
    Numbers,
    Renumbered,
    SessionId,
    Terms,
    Unsupported,
    Up,
    Write,
    deliver,
    say,
    say_all,
)
from fondaco.gateway.fix.ends import Ends, ends_of
from fondaco.kernel.errors import Unavailable

PENDING_MAX: Final = 10_000  # messages whose effect is not durable yet; then no more are read
AT_ONCE: Final = 512  # messages in one write
UNSENT_MAX: Final = 64 << 20  # bytes that the other side does not take
_TICK_MIN_S: Final = 0.001
_A_SECOND: Final = 1_000_000_000


class Application(Protocol):
    """Who is given the messages of a session. Called on the loop's thread, in order."""

    def up(self, line: "Line") -> None:
        """Both sides have logged on."""
        ...

    def down(self, line: "Line", reason: str) -> None:
        """They no longer are. `line.send` still may be called: it is asked for later."""
        ...

    def received(self, line: "Line", message: Message, seq_num: int) -> bool | None:
        """A message, once and in order; it may be answered at once.

        False says that its effect is not durable yet: then `line.done(seq_num)` must follow. What
        is not done when the house dies is received again, marked PossDup. Raises `Unsupported` for
        what the application does not take.
        """
        ...


class Keeper(Protocol):
    """Where a session's messages and numbers survive."""

    def received(self, raws: Sequence[bytes], at: int) -> None: ...

    def sent(self, write: Write, at: int) -> None: ...

    def sent_all(self, writes: Sequence[Write], at: int) -> None:
        """Each new, and said in a row."""
        ...

    def done(self, next_in: int, at: int) -> None: ...

    def renumbered(self, numbers: Numbers, reason: str, at: int) -> None: ...

    def connected(self, ends: Ends, at: int) -> None: ...

    def disconnected(self, at: int) -> None: ...

    def flush(self) -> None:
        """What was given is safe from the death of this process when this returns. Raises
        `Unavailable` where it cannot be."""
        ...


class Forgetful:
    """A keeper for sessions that begin anew at every logon."""

    def received(self, raws: Sequence[bytes], at: int) -> None: ...

    def sent(self, write: Write, at: int) -> None: ...

    def sent_all(self, writes: Sequence[Write], at: int) -> None: ...

    def done(self, next_in: int, at: int) -> None: ...

    def renumbered(self, numbers: Numbers, reason: str, at: int) -> None: ...

    def connected(self, ends: Ends, at: int) -> None: ...

    def disconnected(self, at: int) -> None: ...

    def flush(self) -> None: ...


Log = Callable[[SessionId, str], None]


class Line:
    """One session, connected or not."""

    def __init__(
        self,
        session: Law,
        application: Application,
        now: Callable[[], int],
        *,
        keeper: Keeper | None = None,
        log: Log = lambda _, __: None,
        mark: int = 0,
        is_sure: bool = True,
    ) -> None:
        self.session = session
        self.id: SessionId = session.terms.id
        self.application = application
        self.mark = mark
        self.is_sure = is_sure  # that this mark is the last: no frame of the tape was lost
        self.is_enabled = True
        self.state_reason = ""  # why it is down
        self.connected_at = self.received_count = self.sent_count = 0
        self.reads = 0  # how often bytes came in which messages were complete
        self.peer = ""
        self.on_end: Callable[[], None] = lambda: None  # for whoever connects again
        self.now, self._keeper, self._log = now, keeper or Forgetful(), log
        self._transport: asyncio.Transport | None = None
        self._framer = Framer()
        self._out: list[bytes] = []
        self._depth = 0
        self._closing = ""
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER
        self._pending: dict[int, None] = {}  # delivered, not done; in order
        self._done = session.next_in
        self._is_paused = False

    @property
    def terms(self) -> Terms:
        return self.session.terms

    @property
    def is_up(self) -> bool:
        return self.session.is_up

    @property
    def is_connected(self) -> bool:
        return self._transport is not None

    # --- For the application and the operator ---------------------------------------------------

    def send(
        self, msg_type: str, body: Sequence[Field], *, header: Sequence[Field] = (), mark: int = 0
    ) -> None:
        """Say this in the session, now or when the other side is back. `body` is in its final
        order; `mark` is the application's own note of how far it has come, see `Line.mark`."""
        now = self.now()
        write = say(self.session, msg_type, body, now, header, mark)
        if write is None:
            self._run(self.session.send(msg_type, body, now, header=header, mark=mark))
            return
        self._keeper.sent(write, now)
        if mark > self.mark:
            self.mark = mark
        self.sent_count += 1
        self._out.append(write.raw)
        if not self._depth:
            self._leave()

    def send_all(self, msg_type: str, bodies: Sequence[tuple[bytes, int]]) -> None:
        """As `send` of each body and its mark. A body is bytes, from its first tag to its last SOH,
        such as the codec would write, without raw data."""
        now = self.now()
        writes = say_all(self.session, msg_type, bodies, now)
        if writes is None:
            with self.gathered():
                for body, mark in bodies:
                    self.send(msg_type, _fields(body), mark=mark)
            return
        self._keeper.sent_all(writes, now)
        self.mark = max(self.mark, max(mark for _, mark in bodies))
        self.sent_count += len(writes)
        self._out += [write.raw for write in writes]
        if not self._depth:
            self._leave()

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """What is said within the block leaves at its end, in one write."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
        self._leave()

    def done(self, seq_num: int) -> None:
        """The effect of a message that was delivered is durable."""
        self._pending.pop(seq_num, None)
        if not self._depth:
            self._settle()

    def all_done(self, seq_nums: Sequence[int]) -> None:
        """`done` of each."""
        pending = self._pending
        for seq_num in seq_nums:
            pending.pop(seq_num, None)
        if not self._depth:
            self._settle()

    def log_out(self, reason: str) -> None:
        self._run(self.session.log_out(reason, self.now()))

    def renumber(self, next_out: int, next_in: int, reason: str) -> None:
        self._pending = {}
        self._run(self.session.renumber(next_out, next_in, reason))

    # --- For whoever has the socket -------------------------------------------------------------

    def attach(self, transport: asyncio.Transport, peer: str, *, is_ours: bool = False) -> None:
        """There is a connection now."""
        self._transport, self.peer, self._framer = transport, peer, Framer()
        self._closing, self._is_paused = "", False
        self.connected_at = self.now()
        self._keeper.connected(ends_of(transport, is_ours=is_ours), self.connected_at)
        self._run(self.session.connected(self.connected_at))

    def receive(self, chunk: bytes) -> None:
        """Bytes of the connection, cut anywhere."""
        self.receive_frames(self._framer.feed(chunk))

    def receive_frames(self, frames: Sequence[Frame]) -> None:
        if not frames:
            return
        now = self.now()
        self.reads += 1
        self.received_count += len(frames)
        self._keeper.received([frame.raw for frame in frames], now)
        self._depth += 1
        try:
            for frame in frames:
                if self._closing or self._transport is None:
                    break
                act = deliver(self.session, frame, now)
                if act is not None:
                    self._give(act)
                else:
                    self._run(self.session.received(frame, now))
        finally:
            self._depth -= 1
        self._leave()

    def lost(self, reason: str, transport: asyncio.BaseTransport | None = None) -> None:
        """The connection is no more; an older one may say so late."""
        if self._transport is None or (transport is not None and transport is not self._transport):
            return
        self._transport = None
        self._keeper.disconnected(self.now())
        self._run(self.session.disconnected(self.now(), self._closing or reason))
        self.state_reason = self._closing or reason
        self.on_end()

    def close(self) -> None:
        """The house ends: let go of everything, at once."""
        if self._timer is not None:
            self._timer.cancel()
        transport = self._transport
        self.on_end = lambda: None
        self.lost("the house ends")
        if transport is not None:
            transport.abort()

    def tick(self) -> None:
        self._run(self.session.tick(self.now()))

    # --- Acts -----------------------------------------------------------------------------------

    def _run(self, acts: Acts) -> None:
        self._depth += 1
        try:
            for act in acts:
                self._perform(act)
        finally:
            self._depth -= 1
        self._leave()

    def _perform(self, act: object) -> None:
        now = self.now()
        match act:
            case Write():
                self._keeper.sent(act, now)
                self.mark = max(self.mark, act.mark)
                if act.leaves and self._transport is not None:
                    self.sent_count += 1
                    self._out.append(act.raw)
                    if len(self._out) >= AT_ONCE:
                        self._push()
            case Deliver():
                self._give(act)
            case Up():
                self.state_reason = ""
                self._log(self.id, "both sides have logged on")
                self.application.up(self)
            case Down():
                self._log(self.id, f"logged off: {act.reason}")
                self.application.down(self, act.reason)
            case Close():
                self._closing = self._closing or act.reason
            case Renumbered():
                self._pending, self._done = {}, act.numbers.next_in
                self._keeper.renumbered(act.numbers, act.reason, now)
                self._log(self.id, f"numbers are {act.numbers}: {act.reason}")
            case Note():
                self._log(self.id, act.text)

    def _give(self, act: Deliver) -> None:
        self._pending[act.seq_num] = None
        try:
            if self.application.received(self, act.message, act.seq_num) is not False:
                self._pending.pop(act.seq_num, None)
        except Unsupported as why:
            self._pending.pop(act.seq_num, None)
            self._run(self.session.refuse(act.message, why, self.now()))

    def _leave(self) -> None:
        """What was said goes out, behind its copy on the tape; only when nothing is under way."""
        if self._depth:
            return
        self._settle()
        self._push()
        transport = self._transport
        if self._closing and transport is not None:
            self._log(self.id, f"disconnected: {self._closing}")
            transport.close()
            self.lost(self._closing)
            return
        self._arm()

    def _push(self) -> None:
        """What was said goes out, behind its copy on the tape. Nothing leaves that is not kept."""
        if not self._out and not self._closing:
            return
        out, self._out = self._out, []
        try:
            self._keeper.flush()
        except Unavailable as error:
            self._closing = self._closing or f"nothing can be kept: {error.message}"
            out = []
        transport = self._transport
        if transport is None or not out:
            return
        transport.write(b"".join(out))
        if transport.get_write_buffer_size() > UNSENT_MAX:
            self._closing = self._closing or "they do not read what we send"
            transport.abort()

    def _settle(self) -> None:
        """How far everything that came is done, and whether more is read."""
        done = min(next(iter(self._pending), self.session.next_in), self.session.next_in)
        if done != self._done:
            self._done = done
            self._keeper.done(done, self.now())
        if self._transport is None:
            return
        if len(self._pending) >= PENDING_MAX and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        elif self._is_paused and len(self._pending) < PENDING_MAX // 2:
            self._is_paused = False
            self._transport.resume_reading()

    def _arm(self) -> None:
        due = self.session.due()
        if due >= self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        delay_s = max((due - self.now()) / _A_SECOND, _TICK_MIN_S)
        self._timer_at = due
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def _wake(self) -> None:
        self._timer, self._timer_at = None, NEVER
        self.tick()


def _fields(body: bytes) -> list[Field]:
    pairs = [each.partition(b"=") for each in body.split(b"\x01")[:-1]]
    return [(int(tag), value) for tag, _, value in pairs]
