"""What may be asked about holdings under tokens. Who has the names back says why, and that is in
the journal before a name leaves."""

import asyncio
import csv
import io
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import NameText, Scope
from fondaco.domain.identity.vault.tokens import TOKEN_PATTERN
from fondaco.kernel.errors import NotFound, Unavailable
from fondaco.kernel.operation import Do, Operation, Stamp

TokenText = Annotated[str, Meta(pattern=TOKEN_PATTERN, examples=["acc_" + "a" * 24])]
CursorText = Annotated[str, Meta(pattern=r"^(acc_[a-z2-7]{24})?$")]
Limit = Annotated[int, Meta(ge=1, le=1_000)]
MANY: Final = 100  # tokens at once


class HoldingsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`limit` is of accounts, `cursor` the `next` of the page before."""

    cursor: CursorText = ""
    limit: Limit = 100


class ExportHoldingsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of them, one line a holding."""

    form: Literal["csv", "jsonl"] = "csv"


class TokenHolding(msgspec.Struct, frozen=True, kw_only=True):
    """What an account holds of one asset, or has open of one contract (then `cost` is what of
    its price, and `held` is "0"). `account` and `owner` are tokens; `owner` null: nobody's.
    `value` is in `currency`, null without a price."""

    account: str
    owner: str | None
    account_type: str
    currency: str
    kind: Literal["asset", "contract"]
    name: str
    qty: str
    held: str
    cost: str | None
    value: str | None


class HoldingsReply(msgspec.Struct, frozen=True):
    """By account, in the order of their tokens, which says nothing. `next` null: that was all.
    `position` is of the journal, as far as this shows it."""

    items: list[TokenHolding]
    next: str | None
    position: int


class RevealRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`reason` stays in the journal: it must not say who anybody is."""

    tokens: Annotated[list[TokenText], Meta(min_length=1, max_length=MANY)]
    reason: Annotated[str, Meta(min_length=3, max_length=200)]


class RevealedName(msgspec.Struct, frozen=True):
    token: str
    kind: Literal["account", "owner"]
    name: str


class RevealReply(msgspec.Struct, frozen=True):
    """`unknown` stand for nobody here: never did, or were forgotten. `position` is where the
    journal says that you have asked."""

    items: list[RevealedName]
    unknown: list[str]
    position: int


class OwnerRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account_id: NameText


class SetOwnerRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`user` null: nobody's."""

    account_id: NameText
    user: NameText | None


class OwnerReply(msgspec.Struct, frozen=True):
    account_id: str
    user: str | None


class Vault(Protocol):
    """What the door is given to answer from."""

    async def holdings(self, stamp: Stamp, cursor: str, limit: int) -> HoldingsReply: ...

    async def reveal(self, stamp: Stamp, tokens: list[str], reason: str) -> RevealReply: ...

    def owner(self, tenant: str, account: str) -> str | None: ...

    def set_owner(self, stamp: Stamp, account: str, user: str | None) -> None: ...


async def _holdings(ask: HoldingsRequest, stamp: Stamp, on: Vault) -> HoldingsReply:
    return await on.holdings(stamp, ask.cursor, ask.limit)


async def _export(ask: ExportHoldingsRequest, stamp: Stamp, on: Vault) -> str:
    found = await on.holdings(stamp, "", 0)
    if ask.form == "jsonl":
        return "".join(msgspec.json.encode(each).decode() + "\n" for each in found.items)
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(TokenHolding.__struct_fields__)
    table.writerows(msgspec.structs.astuple(each) for each in found.items)
    return out.getvalue()


async def _reveal(ask: RevealRequest, stamp: Stamp, on: Vault) -> RevealReply:
    return await on.reveal(stamp, ask.tokens, ask.reason)


async def _owner(ask: OwnerRequest, stamp: Stamp, on: Vault) -> OwnerReply:
    return OwnerReply(
        ask.account_id, await asyncio.to_thread(on.owner, stamp.tenant, ask.account_id)
    )


async def _set_owner(ask: SetOwnerRequest, stamp: Stamp, on: Vault) -> OwnerReply:
    await asyncio.to_thread(on.set_owner, stamp, ask.account_id, ask.user)
    return OwnerReply(ask.account_id, ask.user)


def _account(ask: OwnerRequest | SetOwnerRequest) -> str:
    return ask.account_id


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="vault.holdings",
        summary="What all accounts hold, under tokens: for analysis, without a name.",
        method="GET",
        path="/analytics/holdings",
        request=HoldingsRequest,
        reply=HoldingsReply,
        scope=Scope.ANALYTICS_READ,
        source="vault",
        answer=_holdings,
    ),
    Do(
        name="vault.export_holdings",
        summary="The same as CSV, or as lines of JSON.",
        method="GET",
        path="/analytics/holdings/export",
        request=ExportHoldingsRequest,
        reply=str,
        scope=Scope.ANALYTICS_READ,
        source="vault",
        answer=_export,
        media_type="text/plain",
        example={"form": "csv"},
    ),
    Do(
        name="vault.reveal",
        summary="Have back what tokens stand for; that you did, and why, is in the journal.",
        method="POST",
        path="/analytics/reveal",
        request=RevealRequest,
        reply=RevealReply,
        scope=Scope.TOKENS_REVEAL,
        errors=(Unavailable,),
        secret=True,
        source="vault",
        answer=_reveal,
        example={"reason": "margin call, case 7"},
    ),
    Do(
        name="vault.owner",
        summary="Whom an account belongs to.",
        method="GET",
        path="/accounts/{account_id}/owner",
        request=OwnerRequest,
        reply=OwnerReply,
        scope=Scope.ACCOUNTS_READ,
        errors=(NotFound,),
        account=_account,
        source="vault",
        answer=_owner,
    ),
    Do(
        name="vault.set_owner",
        summary="Say whom an account belongs to; null: to nobody in particular.",
        method="PUT",
        path="/accounts/{account_id}/owner",
        request=SetOwnerRequest,
        reply=OwnerReply,
        scope=Scope.ACCOUNTS_WRITE,
        errors=(NotFound,),
        account=_account,
        source="vault",
        answer=_set_owner,
        example={"user": "demo"},
    ),
)
