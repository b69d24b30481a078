"""Who is nearest to liquidation: asked by the house, and by nobody else."""

from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.trading.api.orders import RefsNow
from fondaco.domain.trading.api.standing import liquidation_ticks
from fondaco.domain.trading.margin_watch import MarginWatch, Near
from fondaco.domain.trading.model import AccountState, Side, TradingRefs, account_of
from fondaco.domain.trading.rules.margin import Stand, closings, stand
from fondaco.kernel.event import StreamId
from fondaco.kernel.money import format_scaled
from fondaco.kernel.operation import Do, Operation, Stamp

LISTED_MAX: Final = 200


class House(Protocol):
    """What this asks of a running house, on its loop's thread."""

    def peek(self, stream: StreamId) -> Any: ...

    def tenant_of(self, account_id: str) -> str | None: ...

    @property
    def margins(self) -> MarginWatch: ...


class NearestRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=LISTED_MAX)] = 20


class ClosedLine(msgspec.Struct, frozen=True):
    """A position, and the price of its instrument alone at which the account is liquidated; null
    where no price does it."""

    symbol: str
    side: Side
    qty: str
    liquidation_px: str | None


class NearestLine(msgspec.Struct, frozen=True):
    """Amounts in the account's currency. `used_bps`: what the maintenance requirement takes of
    equity; at 10000 the account is liquidated. null where there is no equity."""

    account_id: str
    equity: str
    initial: str
    maintenance: str
    used_bps: int | None
    liquidating: bool
    positions: list[ClosedLine]


class NearestReply(msgspec.Struct, frozen=True):
    """Accounts on margin with a requirement, the least covered first; how many are watched."""

    items: list[NearestLine]
    watched: int
    warned: int
    liquidating: int


class Nearest:
    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    async def answer(self, ask: NearestRequest, stamp: Stamp, house: House) -> NearestReply:
        counts = house.margins.counts()
        near = [
            each
            for each in house.margins.nearest(len(house.margins))
            if house.tenant_of(account_of(each.stream)) == stamp.tenant
        ]
        items = [self._line(each, house) for each in near[: ask.limit]]
        return NearestReply(items, counts["watched"], counts["warned"], counts["liquidating"])

    def _line(self, near: Near, house: House) -> NearestLine:
        """As the account's own rule sees it; where it is not in memory, or has no price, as the
        kernel does, on the safe side."""
        refs, state = self._refs(), house.peek(near.stream)
        found = None if state is None else stand(state, refs)
        if found is None:
            equity, initial, maintenance = near.equity, near.initial, near.maintenance
        else:
            equity, initial, maintenance = found.equity, found.initial, found.maintenance
        currency = refs.assets.get(refs.currency)
        decimals = 8 if currency is None else currency.decimals
        return NearestLine(
            account_of(near.stream),
            format_scaled(equity, decimals),
            format_scaled(initial, decimals),
            format_scaled(maintenance, decimals),
            maintenance * 10_000 // equity if equity > 0 else None,
            near.liquidating,
            [] if found is None else _positions(state, refs, found),
        )


def _positions(state: AccountState, refs: TradingRefs, found: Stand) -> list[ClosedLine]:
    lines = []
    for each in closings(state, refs):
        instrument = each.instrument
        if instrument.symbol not in refs.marks:
            continue
        ticks = liquidation_ticks(state, refs, found, each)
        px = None if ticks is None else instrument.px_text(ticks)
        side = Side.BUY if each.side is Side.SELL else Side.SELL  # of the position
        lines.append(ClosedLine(instrument.symbol, side, instrument.qty_text(each.lots), px))
    return lines


def operations(refs: RefsNow) -> tuple[Operation[Any, Any], ...]:
    return (
        Do(
            name="risk.nearest_margin",
            summary="The accounts on margin that are nearest to liquidation, and at which prices.",
            method="GET",
            path="/margin",
            request=NearestRequest,
            reply=NearestReply,
            scope=Scope.HOUSE_READ,
            source="house",
            answer=Nearest(refs).answer,
        ),
    )
