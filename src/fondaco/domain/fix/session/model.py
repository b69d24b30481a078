"""Nouns of a FIX session: who talks to whom, under which terms, and what the law asks to be done.

FIX session layer, FIX Trading Community, 2020; behaviour where that leaves a choice is the one
that the public acceptance scripts pin down.
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal, Protocol, TypeAlias

import msgspec

from fondaco.domain.fix.message import Message
from fondaco.domain.fix.model import Rejection
from fondaco.domain.fix.session.schedule import Schedule

SECOND_NS: Final = 1_000_000_000
ADMIN: Final = frozenset(["0", "1", "2", "3", "4", "5", "A"])  # MsgTypes of the session itself
FIXT: Final = "FIXT.1.1"
FIXT_HEADER: Final = frozenset({1128, 1129, 1156})
# Tags of the standard header, in every version; what is not here belongs to the body.
HEADER: Final = FIXT_HEADER | frozenset(
    {8, 9, 34, 35, 43, 49, 50, 52, 56, 57, 90, 91, 97, 115, 116, 122, 128, 129, 142, 143, 144, 145}
    | {212, 213, 347, 369, 370, 627, 628, 629, 630}
)

BUSINESS_TEXTS: Final = {  # BusinessRejectReason(380)
    0: "Other",
    1: "Unknown ID",
    2: "Unknown Security",
    3: "Unsupported Message Type",
    4: "Application not available",
    5: "Conditionally Required Field Missing",
    6: "Not authorized",
    7: "DeliverTo firm not available at this time",
    8: "Throttle limit exceeded",
}

Field: TypeAlias = tuple[int, bytes]
Role = Literal["acceptor", "initiator"]


class SessionId(msgspec.Struct, frozen=True, order=True):
    """Who we are to whom, in which version. `sender_comp_id` is ours."""

    begin_string: str  # "FIX.4.4", "FIXT.1.1"
    sender_comp_id: str
    target_comp_id: str
    sender_sub_id: str = ""
    target_sub_id: str = ""

    def __str__(self) -> str:
        """As one writes it: FIX.4.4:HOUSE->BROKER."""
        ours = "/".join(filter(None, (self.sender_comp_id, self.sender_sub_id)))
        theirs = "/".join(filter(None, (self.target_comp_id, self.target_sub_id)))
        return f"{self.begin_string}:{ours}->{theirs}"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed for one session. Times are in seconds."""

    id: SessionId
    role: Role = "acceptor"
    default_appl_ver_id: str = ""  # FIXT: DefaultApplVerID(1137) that we send, "9" is FIX 5.0 SP2
    heart_bt_int_s: int = 30  # an acceptor takes the other side's
    reset_on_logon: bool = False
    reset_on_logout: bool = False
    reset_on_disconnect: bool = False
    check_comp_id: bool = True
    max_latency_s: int = 120  # SendingTime may be off by this; 0 does not look
    time_places: int = 3  # digits of a second in our times; FIX 4.0 and 4.1 have none
    resend_chunk: int = 0  # messages asked for at a time; 0 asks for all
    keeps_messages: bool = True  # False: a resend is one gap fill
    last_processed: bool = False  # LastMsgSeqNumProcessed(369) in every header
    next_expected: bool = False  # NextExpectedMsgSeqNum(789) at logon
    logon_timeout_s: int = 10
    logout_timeout_s: int = 2
    test_request_after: float = 1.2  # of HeartBtInt, in silence
    dead_after: float = 2.4
    receive_max_per_s: int = 0  # application messages; more are refused; 0 has no limit
    send_max_per_s: int = 0  # application messages; more wait; 0 has no limit
    username: str = ""  # what an initiator says at logon
    password: str = ""
    schedule: Schedule | None = None  # None: always open, never reset

    @property
    def places(self) -> int:
        return 0 if self.id.begin_string in ("FIX.4.0", "FIX.4.1") else self.time_places


class Numbers(msgspec.Struct, frozen=True):
    """Where a session stands: the numbers that it sends and expects next, and when it began."""

    next_out: int = 1
    next_in: int = 1
    began: int = 0  # UTC nanoseconds: the opening that the numbers belong to


class Unsupported(Exception):  # an answer, not a failure
    """The application does not take this message: BusinessRejectReason(380), and why.

    `ref_tag` is the field that is missing, where `reason` is 5; `ref_id` is BusinessRejectRefID;
    `more` are further fields of the answer.
    """

    def __init__(
        self,
        reason: int = 3,
        text: str = "",
        *,
        ref_tag: int = 0,
        ref_id: str = "",
        more: Iterable[Field] = (),
    ) -> None:
        super().__init__(text or BUSINESS_TEXTS.get(reason, ""))
        self.reason, self.text, self.ref_tag, self.ref_id = reason, text, ref_tag, ref_id
        self.more = tuple(more)


class Sent(Protocol):
    """What a session has said, by number: a memory of the tape."""

    def keep(self, seq_num: int, raw: bytes) -> None: ...

    def between(self, first: int, last: int) -> Iterable[tuple[int, bytes]]:
        """Those that are known, in order; numbers may be missing."""
        ...

    def clear(self) -> None:
        """Numbers begin anew."""
        ...


Check: TypeAlias = Callable[[Message], Rejection | None]  # against the dictionaries
Admit: TypeAlias = Callable[[Message], str]  # of a Logon: why it is refused, "" where it is not


# --- What the law asks of whoever holds the socket; in this order --------------------------------


class Write(msgspec.Struct, frozen=True, gc=False):
    """Keep these bytes, and send them where `leaves`: what the application says while nobody is
    logged on is asked for later. `is_new` is False for what is sent again. `mark` is the
    application's own: how far it had come with this."""

    raw: bytes
    seq_num: int
    is_new: bool = True
    leaves: bool = True
    mark: int = 0


class Deliver(msgspec.Struct, frozen=True, gc=False):
    """Give this to the application, exactly once and in order. It may send before the next act is
    taken, and refuse it by `Law.refuse`."""

    message: Message
    seq_num: int


class Up(msgspec.Struct, frozen=True):
    """Both sides have logged on."""


class Down(msgspec.Struct, frozen=True):
    """They no longer are."""

    reason: str


class Close(msgspec.Struct, frozen=True):
    """Close the connection, once what was written has left."""

    reason: str


class Renumbered(msgspec.Struct, frozen=True):
    """Numbers were set otherwise than by sending and receiving, and what was sent is forgotten
    where they begin anew."""

    numbers: Numbers
    reason: str


class Note(msgspec.Struct, frozen=True):
    """For whoever reads the log."""

    text: str


Act: TypeAlias = Write | Deliver | Up | Down | Close | Renumbered | Note
