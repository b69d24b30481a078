"""Sessions of handshake revisions. One keeps what its client wants to hear of, and nothing else:
every request says by itself who asks, so a stolen session id opens nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import token_urlsafe
from typing import Final

from fondaco.gateway.house import Caller
from fondaco.gateway.mcp.news import Listener, News
from fondaco.kernel.event import Instant

SESSIONS_MAX: Final = 1_000
IDLE_NS: Final = 3_600_000_000_000


class Session:
    def __init__(self, caller: Caller, version: str, client: str, at: Instant) -> None:
        self.name = token_urlsafe(24).encode()
        self.listener = Listener(caller)
        self.version, self.client = version, client
        self.used_at = at
        self.stream = 0  # the newest of its streams: an older one ends

    def is_of(self, caller: Caller) -> bool:
        own = self.listener.caller
        return (own.tenant, own.name) == (caller.tenant, caller.name)


class Sessions:
    def __init__(self, news: News, now: Callable[[], Instant]) -> None:
        self._news, self._now = news, now
        self._open: dict[bytes, Session] = {}  # the one that was used last, last

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, caller: Caller, version: str, client: str) -> Session:
        """Where there are too many, whoever was silent longest begins anew."""
        at = self._now()
        for each in list(self._open.values()):
            if at - each.used_at < IDLE_NS and len(self._open) < SESSIONS_MAX:
                break
            self._close(each)
        session = Session(caller, version, client, at)
        self._open[session.name] = session
        return session

    def found(self, name: bytes, caller: Caller) -> Session | None:
        session = self._open.get(name)
        if session is None or not session.is_of(caller):
            return None
        session.used_at = self._now()
        self._open[name] = self._open.pop(name)
        return session

    def end(self, name: bytes, caller: Caller) -> bool:
        session = self.found(name, caller)
        if session is not None:
            self._close(session)
        return session is not None

    def _close(self, session: Session) -> None:
        del self._open[session.name]
        session.stream = -1
        self._news.end(session.listener)

    @contextmanager
    def streaming(self, session: Session) -> Iterator[Callable[[], bool]]:
        """What is given says whether this stream is still the session's."""
        session.stream += 1
        mine = session.stream
        session.listener.wakes.set()  # an older one looks, and ends

        def goes_on() -> bool:
            session.used_at = self._now()
            return session.stream == mine

        yield goes_on
