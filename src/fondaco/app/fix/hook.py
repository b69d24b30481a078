"""A hook for other programs: they say which FIX messages came and went, and hear of threats.

    from fondaco.app.fix.hook import Hook

    class Application(quickfix.Application):
        def onCreate(self, session): self.hook = Hook(lambda alert: print(alert.reason))
        def onLogon(self, session): pass
        def onLogout(self, session): self.hook.disconnected(session.toString())
        def toAdmin(self, message, session): self.hook.sent(session.toString(), message)
        def toApp(self, message, session): self.hook.sent(session.toString(), message)
        def fromAdmin(self, message, session): self.hook.received(session.toString(), message)
        def fromApp(self, message, session): self.hook.received(session.toString(), message)

A call costs the application a microsecond or two: a thread of the hook's own does the rest.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from fondaco.app.fix.capture import CaptureFile
from fondaco.domain.fix.capture.flows import Endpoint
from fondaco.domain.fix.capture.writing import Conversation, pcap
from fondaco.domain.fix.written import messages_in
from fondaco.domain.surveillance.api import Alert, Sensor, Thresholds
from fondaco.kernel.errors import Invalid

_IDLE_S: Final = 0.5
_HEAD: Final = 24
_SESSIONS_MAX: Final = 4096


class Hook:
    """Give it every message of a session, bytes or text, or an object with `toString`.

    `told` hears of each alert on the hook's thread, well within a second; what it raises ends the
    hook and is raised again by `close`. With `keep`, a new file, messages are kept in it before
    anything looks at them: a pcap of made-up packets around the exact bytes, which
    `fondaco fix audit` and Wireshark read. At most `waiting_max` messages wait; those that come
    while so many do are counted in `dropped`, since the application is never held up.
    """

    def __init__(
        self,
        told: Callable[[Alert], None],
        *,
        limits: Thresholds | None = None,
        keep: Path | None = None,
        waiting_max: int = 100_000,
    ) -> None:
        self.dropped = 0
        self.failed: Exception | None = None
        self._told = told
        self._sensor = Sensor(limits, source="application" if keep is None else keep.name)
        self._tape = CaptureFile(keep, 1)
        self._talks: dict[str, Conversation] = {}
        self._queue: queue.Queue[tuple[Callable[..., list[Alert]], tuple[Any, ...]] | None] = (
            queue.Queue(waiting_max)
        )
        self._thread = threading.Thread(target=self._run, name="fix-hook", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def received(self, session: str, message: object) -> None:
        """`fromApp` and `fromAdmin`: a message came in."""
        self._later(self._message, session, "in", time.time_ns(), octets_of(message))

    def sent(self, session: str, message: object) -> None:
        """`toApp` and `toAdmin`: a message goes out."""
        self._later(self._message, session, "out", time.time_ns(), octets_of(message))

    def connected(
        self, session: str, host: str, port: int = 0, *, encrypted: bool | None = None
    ) -> None:
        """Somebody connected from there, or we to there; not needed, but more is found with it."""
        self._later(self._connected, session, time.time_ns(), (host, port), encrypted)

    def disconnected(self, session: str) -> None:
        """`onLogout`: the connection ended."""
        self._later(self._sensor.disconnected, session, time.time_ns())

    def close(self) -> None:
        """Look at what still waits, and end. Raises what `told` raised."""
        while self._thread.is_alive():
            try:
                self._queue.put(None, timeout=_IDLE_S)
                break
            except queue.Full:
                continue
        self._thread.join()
        self._tape.close()
        if self.failed is not None:
            raise self.failed

    def _later(self, act: Callable[..., list[Alert]], *given: Any) -> None:
        try:
            if self.failed is None:
                self._queue.put_nowait((act, given))
                return
        except queue.Full:
            pass
        self.dropped += 1

    def _run(self) -> None:
        try:
            while True:
                try:
                    act = self._queue.get(timeout=_IDLE_S)
                except queue.Empty:
                    self._tell(self._sensor.passed(time.time_ns()))
                    continue
                if act is None:
                    return
                self._tell(act[0](*act[1]))
        except Exception as error:  # whatever the application's own function raises: for `close`
            self.failed = error

    def _tell(self, alerts: list[Alert]) -> None:
        for alert in alerts:
            self._told(alert)

    def _connected(
        self, session: str, at: int, peer: tuple[str, int], encrypted: bool | None
    ) -> list[Alert]:
        return self._sensor.connected(session, at, peer=peer, encrypted=encrypted)

    def _message(self, session: str, direction: str, at: int, raw: bytes) -> list[Alert]:
        mark = self._tape.written
        talk = self._talks.get(session)
        if talk is None:
            if len(self._talks) >= _SESSIONS_MAX:
                self._talks.clear()
            # Made-up ends: the ports tell sessions apart, nothing else is true of them.
            port = 1024 + self._sensor.fed % 60_000
            ends = Endpoint(b"\x7f\x00\x00\x01", port), Endpoint(b"\x7f\x00\x00\x01", 9_876)
            talk = self._talks[session] = Conversation(*ends)
        talk.send(0 if direction == "in" else 1, raw, at)
        self._tape.write(pcap(talk.packets)[_HEAD:])
        talk.packets.clear()
        return self._sensor.feed(session, direction, at, raw, mark)


class FromLogging(logging.Handler):
    """Feeds a hook from Python's `logging`: messages in the text of records, with any delimiter.

    `own` is the CompID of this side: what it sends goes out.
    """

    def __init__(self, hook: Hook, own: str) -> None:
        super().__init__()
        self._hook = hook
        self._own = b"\x0149=" + own.encode() + b"\x01"

    def emit(self, record: logging.LogRecord) -> None:
        for raw in messages_in(record.getMessage().encode("latin-1", "replace")):
            act = self._hook.sent if self._own in raw else self._hook.received
            act(record.name, raw)


def octets_of(message: object) -> bytes:
    """A message as bytes, from bytes, from text, or from what an engine's object says. Raises
    Invalid for what is neither."""
    if isinstance(message, bytes | bytearray | memoryview):
        return bytes(message)
    if not isinstance(message, str):
        said = getattr(message, "toString", None)
        message = said() if callable(said) else message
    if not isinstance(message, str):
        raise Invalid(
            f"a {type(message).__name__} is no FIX message: give bytes, text, or toString()"
        )
    return message.encode("latin-1", "replace")
