"""What can be asked of books.

A book belongs to the tenant that asks: its name means another book to everybody else.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.ledger import events as ev
from fondaco.domain.ledger.model import BookAccount, BookReason, book_stream
from fondaco.kernel.errors import Corrupt, Denied, Invalid, NotFound, Refused
from fondaco.kernel.event import Command, CommandId, Entry, StreamId, fingerprint, request_id
from fondaco.kernel.instants import moment
from fondaco.kernel.money import AssetCode, DecimalText, format_scaled
from fondaco.kernel.operation import Do, Look, Operation, Stamp

READ: Final = "accounts:read"  # identity.model.Scope, which stands on our floor
WRITE: Final = "accounts:write"
TIMEOUT_MAX_S: Final = 2**32 - 1  # TigerBeetle's: 32 bits

BookText = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", examples=["treasury"])]
NameText = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$", examples=["cash:usd"])
]
AssetText = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,16}$", examples=["USD"])]
Number = Annotated[int, Meta(ge=1, le=2**53)]
NumberText = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,14}$", examples=["2"])]  # in a path
Timeout = Annotated[int, Meta(ge=0, le=TIMEOUT_MAX_S, examples=[3600])]
ReferenceText = Annotated[str, Meta(max_length=128)]
KeyText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:/+=-]{1,64}$", examples=["invoice-17"])]
Position = Annotated[int, Meta(ge=0, le=2**62)]
Limit = Annotated[int, Meta(ge=1, le=1_000)]
Status = Literal["pending", "posted", "voided", "expired"]
LINKED_MAX: Final = 1_000


class OpenBookAccountRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With a limit, what is pending counts, and a transfer that would break it is refused."""

    book: BookText
    account: NameText
    asset: AssetText
    debits_must_not_exceed_credits: bool = False
    credits_must_not_exceed_debits: bool = False


class TransferBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From `credit` to `debit`. `pending` sets the amount aside on both sides until it is posted,
    voided, or `timeout_s` have passed; 0 never expires."""

    debit: NameText
    credit: NameText
    amount: DecimalText
    pending: bool = False
    timeout_s: Timeout = 0
    reference: ReferenceText = ""


class TransferRequest(TransferBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`key` is yours, as a cl_ord_id is: the same transfer sent again moves nothing."""

    book: BookText
    key: KeyText | None = None


class LinkedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of three: a transfer, the number of a pending one to `post`, or of one to `void`."""

    transfer: TransferBody | None = None
    post: Number | None = None
    amount: DecimalText | None = None  # of what is posted; all of it, unless given
    void: Number | None = None


class LinkedRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of them or none, in this order; each sees what those before it did."""

    book: BookText
    linked: Annotated[list[LinkedBody], Meta(min_length=1, max_length=LINKED_MAX)]
    key: KeyText | None = None


class PostRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of what is pending, or `amount` of it; the rest goes back."""

    book: BookText
    number: NumberText
    amount: DecimalText | None = None
    key: KeyText | None = None


class VoidRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    book: BookText
    number: NumberText
    key: KeyText | None = None


class BookRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    book: BookText
    min_position: Position = 0


class BookAccountRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    book: BookText
    account: NameText
    min_position: Position = 0


class BookTransfersRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest first. `cursor` is the `next` of the page before."""

    book: BookText
    account: NameText | None = None
    status: Status | None = None
    cursor: Position = 0
    limit: Limit = 100
    min_position: Position = 0


class BookTransferRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    book: BookText
    number: Number
    min_position: Position = 0


class BookAccountOpenedReply(msgspec.Struct, frozen=True):
    book: str
    account: str
    asset: str
    position: int


class TransferReply(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer after what was asked of it. `posted` is what has moved for good."""

    book: str
    number: int
    debit: str
    credit: str
    asset: str
    amount: str
    posted: str
    status: Status
    position: int
    expires_at: str | None = None


class LinkedReply(msgspec.Struct, frozen=True):
    transfers: list[TransferReply]
    position: int


class BookAccountLine(msgspec.Struct, frozen=True, kw_only=True):
    """Four sums; what is pending is set aside, and in neither of the posted ones."""

    book: str
    account: str
    asset: str
    debits_pending: str
    debits_posted: str
    credits_pending: str
    credits_posted: str
    debits_must_not_exceed_credits: bool
    credits_must_not_exceed_debits: bool
    position: int  # of the entry that changed it last


class BookAccountsReply(msgspec.Struct, frozen=True):
    items: list[BookAccountLine]


class BookTransferLine(msgspec.Struct, frozen=True, kw_only=True):
    book: str
    number: int
    debit: str
    credit: str
    asset: str
    amount: str
    posted: str
    status: Status
    two_phase: bool
    reference: str
    created_at: str
    updated_at: str
    position: int
    expires_at: str | None = None


class BookTransfersReply(msgspec.Struct, frozen=True):
    """`next` goes into `cursor` for what is older; null: that was all."""

    items: list[BookTransferLine]
    next: int | None


class House(Protocol):
    def submit(self, stream: StreamId, command: Command) -> Awaitable[tuple[Entry, ...]]: ...


class Reading(Protocol):
    """What the door gives a `Look`."""

    @property
    def source(self) -> Any: ...

    @property
    def tenant(self) -> str: ...

    @property
    def accounts(self) -> frozenset[str] | None: ...


class Queries(Protocol):
    """`domain/ledger/store`, bound by room.py."""

    def book_accounts(
        self, conn: Any, tenant: str, book: str, account: str = ""
    ) -> Sequence[Any]: ...

    def book_transfers(
        self,
        conn: Any,
        tenant: str,
        book: str,
        *,
        account: str = "",
        status: str = "",
        below: int = 0,
        limit: int = 100,
    ) -> Sequence[Any]: ...

    def book_transfer(self, conn: Any, tenant: str, book: str, number: int) -> Any: ...


# --- Commands -----------------------------------------------------------------------------------


def _command_id(what: str, ask: Any, stamp: Stamp) -> CommandId:
    """The sender's own key, else the door's: a retry moves nothing."""
    key = getattr(ask, "key", None) or stamp.idempotency_key
    return request_id(f"!{what}/{key}", fingerprint(ask))


def _leg(body: LinkedBody) -> ev.Leg:
    """Raises `Invalid` for what is none of the three, or more than one."""
    if body.transfer is not None and body.post is None and body.void is None:
        return _transfer_of(body.transfer)
    if body.post is not None and body.transfer is None and body.void is None:
        return ev.PostPending(body.post, body.amount)
    if body.void is not None and body.transfer is None and body.post is None:
        return ev.VoidPending(body.void)
    raise Invalid("each of `linked` is one of: transfer, post, void; send exactly one of them")


def _transfer_of(body: TransferBody) -> ev.Transfer:
    return ev.Transfer(
        BookAccount(body.debit),
        BookAccount(body.credit),
        body.amount,
        body.pending,
        body.timeout_s,
        body.reference,
    )


async def open_account(
    ask: OpenBookAccountRequest, stamp: Stamp, house: House
) -> BookAccountOpenedReply:
    command = ev.OpenBookAccount(
        request_id(f"!open/{ask.account}", fingerprint(ask)),
        stamp.at,
        BookAccount(ask.account),
        AssetCode(ask.asset),
        ask.debits_must_not_exceed_credits,
        ask.credits_must_not_exceed_debits,
    )
    entries = await house.submit(book_stream(stamp.tenant, ask.book), command)
    _raise_refusal(entries)
    return BookAccountOpenedReply(ask.book, ask.account, ask.asset, entries[-1].position)


async def _one(ask: Any, stamp: Stamp, house: House, what: str, leg: ev.Leg) -> TransferReply:
    command = ev.CreateTransfers(_command_id(what, ask, stamp), stamp.at, (leg,))
    entries = await house.submit(book_stream(stamp.tenant, ask.book), command)
    _raise_refusal(entries)
    return _reply(ask.book, entries[-1])


async def create(ask: TransferRequest, stamp: Stamp, house: House) -> TransferReply:
    return await _one(ask, stamp, house, "transfer", _transfer_of(ask))


async def post(ask: PostRequest, stamp: Stamp, house: House) -> TransferReply:
    return await _one(ask, stamp, house, "post", ev.PostPending(int(ask.number), ask.amount))


async def void(ask: VoidRequest, stamp: Stamp, house: House) -> TransferReply:
    return await _one(ask, stamp, house, "void", ev.VoidPending(int(ask.number)))


async def create_linked(ask: LinkedRequest, stamp: Stamp, house: House) -> LinkedReply:
    legs = tuple(_leg(body) for body in ask.linked)
    command = ev.CreateTransfers(_command_id("linked", ask, stamp), stamp.at, legs)
    entries = await house.submit(book_stream(stamp.tenant, ask.book), command)
    _raise_refusal(entries, len(legs))
    made = entries[-len(legs) :]  # those before them expired
    return LinkedReply([_reply(ask.book, entry) for entry in made], made[-1].position)


def _raise_refusal(entries: Sequence[Entry], legs: int = 1) -> None:
    """The one leg that failed names its reason; the others, that they were linked to it."""
    last = entries[-1]
    if not isinstance(last.event, ev.BookRefused):
        return
    reason, text, leg, limit = (
        last.event.reason, last.event.text, last.event.leg, last.event.limit,
    )  # fmt: skip
    details: dict[str, Any] = {"limit": limit} if limit else {}
    if legs > 1:
        linked = [str(BookReason.LINKED_EVENT_FAILED)] * legs
        linked[leg] = str(reason)
        details["linked"] = linked
    raise Refused(text, code=str(reason), position=last.position, **details)


def _reply(book: str, entry: Entry) -> TransferReply:
    event = entry.event
    expires_at = None
    match event:
        case ev.TransferMade():
            status, amount, posted = "posted", event.units, event.units
        case ev.TransferPending():
            status, amount, posted = "pending", event.units, 0
            expires_at = moment(event.expires_at) if event.expires_at else None
        case ev.TransferPosted():
            status, amount, posted = "posted", event.set_aside, event.units
        case ev.TransferVoided():
            status, amount, posted = "voided", event.set_aside, 0
        case _:
            raise Corrupt(f"a transfer left {type(event).__name__}")
    return TransferReply(
        book=book,
        number=event.number,
        debit=event.debit,
        credit=event.credit,
        asset=event.asset,
        amount=format_scaled(amount, event.decimals),
        posted=format_scaled(posted, event.decimals),
        status=status,  # type: ignore[arg-type]  # of the four
        position=entry.position,
        expires_at=expires_at,
    )


# --- Looks --------------------------------------------------------------------------------------


class Looks:
    def __init__(self, queries: Queries) -> None:
        self._ask = queries

    def accounts(self, ask: BookRequest, on: Reading) -> BookAccountsReply:
        _unconfined(on)
        rows = self._ask.book_accounts(on.source, on.tenant, ask.book)
        return BookAccountsReply([_account_line(row) for row in rows])

    def account(self, ask: BookAccountRequest, on: Reading) -> BookAccountLine:
        _unconfined(on)
        for row in self._ask.book_accounts(on.source, on.tenant, ask.book, ask.account):
            return _account_line(row)
        raise NotFound(f"there is no account {ask.account} in {ask.book}")

    def transfers(self, ask: BookTransfersRequest, on: Reading) -> BookTransfersReply:
        _unconfined(on)
        rows = self._ask.book_transfers(
            on.source,
            on.tenant,
            ask.book,
            account=ask.account or "",
            status=ask.status or "",
            below=ask.cursor,
            limit=ask.limit + 1,
        )
        shown = [_transfer_line(row) for row in rows[: ask.limit]]
        return BookTransfersReply(shown, shown[-1].number if len(rows) > ask.limit else None)

    def transfer(self, ask: BookTransferRequest, on: Reading) -> BookTransferLine:
        _unconfined(on)
        row = self._ask.book_transfer(on.source, on.tenant, ask.book, ask.number)
        if row is None:
            raise NotFound(f"there is no transfer {ask.number} in {ask.book}")
        return _transfer_line(row)


def _unconfined(on: Reading) -> None:
    if on.accounts is not None:
        raise Denied("your key is confined to some accounts, and books are none of them")


def _account_line(row: Any) -> BookAccountLine:
    return BookAccountLine(
        book=row.book,
        account=row.account,
        asset=row.asset,
        debits_pending=format_scaled(row.debits_pending, row.decimals),
        debits_posted=format_scaled(row.debits_posted, row.decimals),
        credits_pending=format_scaled(row.credits_pending, row.decimals),
        credits_posted=format_scaled(row.credits_posted, row.decimals),
        debits_must_not_exceed_credits=bool(row.debits_must_not_exceed_credits),
        credits_must_not_exceed_debits=bool(row.credits_must_not_exceed_debits),
        position=row.last_position,
    )


def _transfer_line(row: Any) -> BookTransferLine:
    return BookTransferLine(
        book=row.book,
        number=row.number,
        debit=row.debit,
        credit=row.credit,
        asset=row.asset,
        amount=format_scaled(row.units, row.decimals),
        posted=format_scaled(row.posted, row.decimals),
        status=row.status,
        two_phase=bool(row.two_phase),
        reference=row.reference,
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at),
        position=row.last_position,
        expires_at=moment(row.expires_at) if row.expires_at else None,
    )


_A_TRANSFER: Final = {"debit": "client:ada", "credit": "cash:usd", "amount": "12.50"}


def operations(queries: Queries) -> tuple[Operation[Any, Any], ...]:
    return (*_asking(), *_looking(Looks(queries)))


def _do(
    name: str, summary: str, path: str, request: type[Any], reply: type[Any],
    answer: Callable[..., Any], example: dict[str, Any] | None = None, status: int = 201,
) -> Operation[Any, Any]:  # fmt: skip
    return Do(
        name=name,
        summary=summary,
        method="POST",
        path=path,
        request=request,
        reply=reply,
        example=example,
        scope=WRITE,
        errors=(Refused,),
        status=status,
        source="house",
        answer=answer,
    )


def _asking() -> tuple[Operation[Any, Any], ...]:
    at = "/ledgers/{book}"
    return (
        _do(
            "ledger.open_account",
            "Open an account in a book of yours; asked again it is the same.",
            f"{at}/accounts",
            OpenBookAccountRequest,
            BookAccountOpenedReply,
            open_account,
        ),
        _do(
            "ledger.create_transfer",
            "Move an amount between two accounts of a book, at once or pending.",
            f"{at}/transfers",
            TransferRequest,
            TransferReply,
            create,
            _A_TRANSFER,
        ),
        _do(
            "ledger.create_linked_transfers",
            "Several transfers, posts and voids: all of them or none.",
            f"{at}/transfers/linked",
            LinkedRequest,
            LinkedReply,
            create_linked,
            {"linked": [{"transfer": _A_TRANSFER}]},
        ),
        _do(
            "ledger.post_transfer",
            "Post a pending transfer, or a part of it; the rest goes back.",
            f"{at}/transfers/{{number}}/post",
            PostRequest,
            TransferReply,
            post,
            status=200,
        ),
        _do(
            "ledger.void_transfer",
            "Void a pending transfer: all that was set aside goes back.",
            f"{at}/transfers/{{number}}/void",
            VoidRequest,
            TransferReply,
            void,
            status=200,
        ),
    )


def _looking(looks: Looks) -> tuple[Operation[Any, Any], ...]:
    def look(
        name: str, summary: str, path: str, request: type[Any], reply: type[Any], answer: Any
    ) -> Operation[Any, Any]:
        return Look(
            name=name,
            summary=summary,
            method="GET",
            path="/ledgers/{book}" + path,
            request=request,
            reply=reply,
            scope=READ,
            errors=(NotFound,),
            source="store",
            answer=answer,
        )

    return (
        look(
            "ledger.accounts",
            "The accounts of a book, each with what is pending and posted on both sides.",
            "/accounts",
            BookRequest,
            BookAccountsReply,
            looks.accounts,
        ),
        look(
            "ledger.account",
            "One account of a book.",
            "/accounts/{account}",
            BookAccountRequest,
            BookAccountLine,
            looks.account,
        ),
        look(
            "ledger.transfers",
            "Transfers of a book, newest first, by account and status.",
            "/transfers",
            BookTransfersRequest,
            BookTransfersReply,
            looks.transfers,
        ),
        look(
            "ledger.transfer",
            "One transfer of a book.",
            "/transfers/{number}",
            BookTransferRequest,
            BookTransferLine,
            looks.transfer,
        ),
    )
