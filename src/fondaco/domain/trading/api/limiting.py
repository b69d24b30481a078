"""New limits before they are set: what is used now against what would then hold."""

from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec

from fondaco.domain.identity.model import Scope
from fondaco.domain.trading.api.accounts import LimitsBody, LimitsReader
from fondaco.domain.trading.api.orders import AccountText, RefsNow
from fondaco.domain.trading.api.risk import state_of
from fondaco.domain.trading.looks import LimitLine, limit_lines
from fondaco.domain.trading.model import PREFIX, AccountState, account_of
from fondaco.kernel.errors import NotFound
from fondaco.kernel.event import StreamId
from fondaco.kernel.operation import Do, Operation, Stamp

NAMED_MAX: Final = 100


class PreviewLimitsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one account, where null goes back to those of the house; or of the house, for every
    account that has none of its own."""

    limits: LimitsBody | None
    account_id: AccountText | None = None


class LimitChange(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One limit before and after; null is off. `used` is now, in the same unit, where the limit is
    one that is used up."""

    name: str
    unit: str
    about: str = ""  # the symbol or the asset class
    before: str | None = None
    after: str | None = None
    used: str | None = None
    exceeded: bool = False  # more is used than would then be allowed: only what reduces would pass


class AccountExceeding(msgspec.Struct, frozen=True):
    account_id: str
    exceeded: list[str]  # names of limits


class PreviewLimitsReply(msgspec.Struct, frozen=True, kw_only=True):
    """`now` are the limits in force. `changes` are those of the account, or of the house, where
    nothing is used. `accounts` were looked at: one, or those of your tenant that are in memory;
    `exceeding` would be over."""

    now: LimitsBody
    own: bool  # the account's own, rather than those of the house
    changes: list[LimitChange]
    accounts: int
    exceeding: list[AccountExceeding]


class House(Protocol):
    def peek(self, stream: StreamId) -> Any: ...

    async def wake(self, stream: StreamId) -> None: ...

    def streams(self) -> list[StreamId]:
        """Those in memory."""
        ...

    def tenant_of(self, account_id: str) -> str | None: ...

    def submit(self, stream: StreamId, command: Any) -> Any: ...


class LimitsPreview:
    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs
        self._reader = LimitsReader(refs)

    async def answer(
        self, ask: PreviewLimitsRequest, stamp: Stamp, house: House
    ) -> PreviewLimitsReply:
        """Raises `Invalid` as setting them would."""
        refs = self._refs()
        after = refs.limits if ask.limits is None else self._reader.read(ask.limits)
        if ask.account_id is not None:
            state = await state_of(house, ask)
            changes = _changes(
                limit_lines(state, refs, stamp.at), limit_lines(state, refs, stamp.at, after)
            )
            over = _over(changes)
            named = [AccountExceeding(ask.account_id, over)] if over else []
            return PreviewLimitsReply(
                now=self._reader.show(state.limits or refs.limits),
                own=state.limits is not None,
                changes=changes,
                accounts=1,
                exceeding=named,
            )
        nobody = AccountState(opened=True, currency=refs.currency)
        changes = [
            msgspec.structs.replace(each, used=None, exceeded=False)
            for each in _changes(
                limit_lines(nobody, refs, stamp.at), limit_lines(nobody, refs, stamp.at, after)
            )
        ]
        seen, exceeding = 0, []
        for stream in house.streams():
            if not stream.startswith(PREFIX):
                continue
            account, state = account_of(stream), house.peek(stream)
            if house.tenant_of(account) != stamp.tenant or not isinstance(state, AccountState):
                continue
            if not state.opened or state.limits is not None:
                continue
            seen += 1
            if over := _over(_changes([], limit_lines(state, refs, stamp.at, after))):
                exceeding.append(AccountExceeding(account, over))
        return PreviewLimitsReply(
            now=self._reader.show(refs.limits),
            own=False,
            changes=changes,
            accounts=seen,
            exceeding=sorted(exceeding, key=_name)[:NAMED_MAX],
        )


def _name(each: AccountExceeding) -> str:
    return each.account_id


def _over(changes: list[LimitChange]) -> list[str]:
    return [f"{each.name} {each.about}".strip() for each in changes if each.exceeded]


def _changes(before: list[LimitLine], after: list[LimitLine]) -> list[LimitChange]:
    """By name and what it is about, in the order in which limits are shown."""
    old = {(each.name, each.about): each for each in before}
    new = {(each.name, each.about): each for each in after}
    found: list[LimitChange] = []
    for key in [*new, *(key for key in old if key not in new)]:
        was, will = old.get(key), new.get(key)
        line = will or was
        if line is None:
            continue
        used = line.used or None
        found.append(
            LimitChange(
                name=line.name,
                unit=line.unit,
                about=line.about,
                before=None if was is None else was.limit,
                after=None if will is None else will.limit,
                used=used,
                exceeded=bool(will and used and Decimal(used) > Decimal(will.limit)),
            )
        )
    return found


def operations(refs: RefsNow) -> tuple[Operation[Any, Any], ...]:
    return (
        Do(
            name="risk.preview_limits",
            summary="New limits of an account or the house against what is used. Sets nothing.",
            method="POST",
            path="/risk/limits/preview",
            request=PreviewLimitsRequest,
            example={"limits": {"orders_max": 100}},
            reply=PreviewLimitsReply,
            scope=Scope.LIMITS_READ,
            errors=(NotFound,),
            account=lambda ask: ask.account_id,
            source="house",
            answer=LimitsPreview(refs).answer,
        ),
    )
