"""Spans of everything that is written, on their way to a collector: OTLP over HTTP.

The journal is the queue. A collector that is away for an hour costs a trader nothing and loses no
span: it is told from where it had got to. What is given up, because it is too far behind or because
the collector will not have it, is counted.
"""

import http.client
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec

from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Entry
from fondaco.ports.journal import Journal
from fondaco.runtime.tracing import otlp
from fondaco.runtime.tracing.hops import Timeline
from fondaco.runtime.tracing.looking import Chains
from fondaco.runtime.tracing.noting import Noted
from fondaco.runtime.tracing.rows import Commit, Request, Shown
from fondaco.runtime.tracing.spans import Posts, Span, span_of_request, spans_of, turns_of

STEP: Final = 1_000  # entries in one request to the collector
BEHIND_MAX: Final = 1_000_000  # entries; who is further behind goes on from there
GRACE_NS: Final = 5_000_000_000  # how long a time that was not noted is waited for
TIMEOUT_S: Final = 10.0
IDLE_S: Final = 0.2
AGAIN_MIN_S: Final = 0.5  # before a collector that did not answer is asked again; it doubles
AGAIN_MAX_S: Final = 30.0
REQUESTS_KEPT: Final = 100_000
_AGAIN: Final = frozenset({429, 502, 503, 504})  # OTLP: these may be repeated, others may not


class Stop(Protocol):
    def wait(self, timeout: float | None = None) -> bool: ...


class Progress(msgspec.Struct):
    """What has become of spans since this process began."""

    position: int = 0  # everything up to here was sent or given up
    sent: int = 0
    dropped: int = 0  # spans that the collector would not have
    skipped: int = 0  # entries of which none were made
    trouble: str = ""  # why nothing is sent just now
    refusal: str = ""  # what the collector last said of spans that it would not have


class _Batch(NamedTuple):
    """What goes to the collector at once, and what it is made of."""

    content: bytes
    spans: int
    entries: int
    last: int  # their last position
    ended: int  # requests


class Refused(Exception):
    """The collector will not have these spans, however often."""


class Away(Exception):
    """Nobody answers, or not now."""


class Collector:
    """One kept connection to where OTLP is received. For one thread."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> None:
        """Raises `Invalid` for what is no address of HTTP."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(f"{url!r} is no address of a collector: write http://host:4318")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else None
        self._kind = kind or http.client.HTTPConnection
        self._where = parts.hostname, parts.port, timeout_s
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": otlp.MEDIA_TYPE, **headers}
        self._connection: http.client.HTTPConnection | None = None

    def send(self, content: bytes) -> int:
        """How many spans it did not take. Raises `Away` and `Refused`."""
        try:
            if self._connection is None:
                host, port, timeout_s = self._where
                self._connection = self._kind(host, port, timeout=timeout_s)
            self._connection.request("POST", self._path, content, self._headers)
            reply = self._connection.getresponse()
            body = reply.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Away(f"the collector does not answer: {error!r}") from error
        if reply.status in _AGAIN:
            raise Away(f"the collector answers {reply.status}")
        if reply.status != 200:
            raise Refused(f"the collector answers {reply.status}: {body[:200]!r}")
        return otlp.rejected(body)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Exporter:
    """Goes along a journal from `position` on. For one thread."""

    def __init__(
        self,
        journal: Journal,
        commits: Noted[Commit],
        requests: Noted[Request],
        shown: Noted[Shown],
        send: Callable[[bytes], int],
        now: Callable[[], int],
        *,
        resource: bytes,
        version: str,
        position: int,
        posts: Posts | None = None,
    ) -> None:
        self._journal = journal
        self._timeline = Timeline(commits)
        self._noted = commits
        self._requests_noted = requests
        self._shown_noted = shown
        self._shown: list[Shown] = []
        self._shown_to = 0
        self._send = send
        self._now = now
        self._resource = resource
        self._version = version
        self._posts = posts
        self._requests: dict[int, Request] = {}
        self._ended: list[Request] = []  # whose spans are still to be made
        self._chains = Chains(journal, self._commit_of_old, self._requests.get)
        self._waiting: Sequence[Entry] = ()  # read, and their times were not noted yet
        self._unsent: _Batch | None = None
        self.progress = Progress(position)

    def run(self, stop: Stop, told: Callable[[Progress], None]) -> None:
        """Until `stop` is set; then once more for what is there, as long as somebody takes it."""
        again_s = AGAIN_MIN_S
        while True:
            stopping = stop.wait(0)
            try:
                busy = self.step(patient=not stopping)
                self.progress.trouble = ""
                again_s = AGAIN_MIN_S
            except Away as error:
                busy, self.progress.trouble = False, str(error)
            told(self.progress)
            if stopping and not busy:
                return
            if self.progress.trouble:
                stop.wait(again_s)
                again_s = min(2 * again_s, AGAIN_MAX_S)
            elif not busy:
                stop.wait(IDLE_S)

    def step(self, *, patient: bool = True) -> bool:
        """Send what can be sent now; whether there was anything. Raises `Away`, and then says the
        same again. Without patience, times that were not noted are not waited for."""
        made = self._unsent or self._made(patient)
        self._unsent = made
        progress = self.progress
        if made.spans:
            try:
                refused = self._send(made.content)
            except Refused as error:
                refused = made.spans
                progress.refusal = str(error)
            progress.sent += made.spans - refused
            progress.dropped += refused
        self._unsent = None
        del self._ended[: made.ended]
        if made.entries:
            self._waiting = self._waiting[made.entries :]
            progress.position = made.last
        return bool(made.spans)

    def _made(self, patient: bool) -> "_Batch":
        entries = self._ready(patient)
        ended = self._ended[:STEP]
        spans = [span_of_request(request) for request in ended]
        spans += self._spans(entries)
        content = otlp.encoded(self._resource, self._version, spans) if spans else b""
        last = entries[-1].position if entries else 0
        return _Batch(content, len(spans), len(entries), last, len(ended))

    def _read_notes(self, entries: Sequence[Entry]) -> None:
        """As far as `entries` need them, if so much was noted."""
        last = entries[-1] if entries else None
        while found := self._requests_noted.more():
            for request in found:
                if request.ended:
                    self._ended.append(request)
                else:
                    self._requests[request.at] = request
            if last is not None and found[-1].at > last.at:
                break
        while len(self._requests) > REQUESTS_KEPT:
            del self._requests[next(iter(self._requests))]
        if last is not None:
            self._timeline.read_on(last.position)
            while self._shown_to < last.position and (steps := self._shown_noted.more()):
                new = [shown for shown in steps if shown.last > self._shown_to]  # not filled anew
                self._shown += new
                self._shown_to = new[-1].last if new else self._shown_to

    def _ready(self, patient: bool) -> Sequence[Entry]:
        """The next entries whose times are known, or never will be; whole turns of them."""
        progress = self.progress
        behind = self._journal.head() - progress.position
        if behind > BEHIND_MAX:
            progress.skipped += behind - BEHIND_MAX
            progress.position += behind - BEHIND_MAX
            self._waiting = ()
        if not self._waiting:
            self._waiting = self._journal.follow(progress.position, STEP)
        self._read_notes(self._waiting)
        if not patient:
            return self._waiting
        known = min(self._timeline.reached, self._shown_to)
        given_up = self._now() - GRACE_NS
        count = 0
        for entry in self._waiting:
            if entry.position > known and entry.at > given_up:
                break
            count += 1
        return self._waiting[:count]

    def _spans(self, entries: Sequence[Entry]) -> list[Span]:
        spans: list[Span] = []
        chains = self._chains
        for turn in turns_of(entries):
            commit = self._timeline.at(turn.position)
            known = chains.keep(turn, commit)
            spans += spans_of(
                turn,
                known,
                cause=chains.cause(turn),
                commit=commit,
                shown=self._shown_at(turn.position),
                request=chains.request(turn),
                posts=self._posts,
            )
        return spans

    def _shown_at(self, position: int) -> Shown | None:
        shown = self._shown
        while shown and shown[0].last < position:
            shown.pop(0)
        return shown[0] if shown and shown[0].first <= position else None

    def _commit_of_old(self, position: int) -> Commit | None:
        """Of a turn from before we came along."""
        rows = self._noted.around(position)
        return next((row for row in rows if row.first <= position <= row.last), None)
