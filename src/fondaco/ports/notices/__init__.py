"""Ways by which a person hears of something: mail, push, a pager, a folder.

Promises, which `tests/conformance/test_notices.py` holds against every adapter:

1. What is carried again is the same notice to whoever gets it: its id is the Message-ID, the Topic
   or the dedup_key, so a repetition after a crash shows as one.
2. `carry` never raises for what the other side does. It says "delivered", "again" (it may get
   through later), "refused" (it never will) or "kept" (nothing was to be asked, and it lies here).
3. It ends within its time. A place that keeps failing is left alone for a while, and says for how
   long; what was not tried counts as no attempt.
4. Text is data: no subject or name adds a header, and none reads as markup.
"""

from typing import Final, Literal, NamedTuple, Protocol

WITHIN_S: Final = 15.0

Said = Literal["delivered", "again", "refused", "kept"]


class Notice(NamedTuple):
    """`at` is when it happened, nanoseconds since 1970, UTC. `subject` has one line."""

    notice_id: str
    subject: str
    text: str
    html: str
    at: int
    is_urgent: bool = False
    severity: str = "info"  # or "warning", "error", "critical"
    about: str = ""  # what belongs together at a pager; "": the notice alone
    is_over: bool = False  # what was told of `about` holds no more
    leads_to: str = ""  # what a page shows of it: "order/demo.57"


class Carried(NamedTuple):
    """`postponed_s`: nothing was tried, and it may be in so many seconds."""

    said: Said
    detail: str = ""
    retry_after_s: int = 0
    postponed_s: int = 0
    is_gone: bool = False  # whoever it was for does not listen there any more


class Carrier(Protocol):
    """Safe to call from several threads at once."""

    def carry(self, to: str, notice: Notice) -> Carried:
        """`to` is of the way: an address, a subscription as JSON, or ""."""
        ...


class Answer(Protocol):
    """Of a request over HTTP. `status` 0: there was none, and `error` says why."""

    @property
    def status(self) -> int: ...

    @property
    def error(self) -> str: ...

    @property
    def retry_after_s(self) -> int: ...

    @property
    def postponed_s(self) -> int: ...


class Post(Protocol):
    """One request, once. Failures of one `place` count together."""

    def __call__(self, place: str, url: str, headers: dict[str, str], body: bytes) -> Answer: ...


def carried(answer: Answer, gone: tuple[int, ...] = ()) -> Carried:
    """What an answer over HTTP means."""
    if 200 <= answer.status < 300:
        return Carried("delivered", f"answered {answer.status}")
    detail = answer.error or f"answered {answer.status}"
    if answer.status in gone:
        return Carried("refused", detail, is_gone=True)
    if 400 <= answer.status < 500 and answer.status not in (401, 403, 408, 429):
        return Carried("refused", detail)
    return Carried("again", detail, answer.retry_after_s, answer.postponed_s)
