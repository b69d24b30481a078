"""Asks about what margin costs: rates of instruments, haircuts of assets, levels of warning."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.reference import events as ref
from fondaco.domain.reference.model import (
    HOUSE_STREAM,
    RATE_SCALE,
    Instrument,
    Margin,
    MarginRules,
    MarginTier,
    Symbol,
    SymbolText,
)
from fondaco.domain.trading.api.accounts import AssetText, DoneReply, ReasonText, done
from fondaco.domain.trading.api.orders import RefsNow, own_id
from fondaco.domain.trading.model import TradingRefs
from fondaco.kernel.errors import Refused
from fondaco.kernel.event import StreamId
from fondaco.kernel.money import AssetCode, DecimalText, format_scaled, parse_scaled
from fondaco.kernel.operation import Ask, Operation, Stamp

TIERS_MAX: Final = 100
Rate = Annotated[int, Meta(gt=0, le=RATE_SCALE)]
UsedBps = Annotated[int, Meta(gt=0, le=10_000)]
SOME_TIERS: Final = [
    {"notional_max": "50000", "initial_ppm": 100_000, "maintenance_ppm": 50_000},
    {"initial_ppm": 200_000, "maintenance_ppm": 100_000, "deduction": "2500"},
]


class TierBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Rates of a position that is worth up to `notional_max`, in parts per million of its notional;
    the last tier has no end. `deduction` is what its maintenance is less than rate x notional."""

    initial_ppm: Rate
    maintenance_ppm: Rate
    notional_max: DecimalText | None = None
    deduction: DecimalText = "0"


class MarginRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tiers by notional, upwards, in the accounts' currency; null: paid for in full, not sold
    short."""

    symbol: SymbolText
    tiers: Annotated[list[TierBody], Meta(max_length=TIERS_MAX)] | None
    reason: ReasonText


class HaircutRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of an asset's worth is no collateral, in parts per million."""

    asset: AssetText
    haircut_ppm: Annotated[int, Meta(ge=0, le=RATE_SCALE, examples=[50_000])]
    reason: ReasonText


class MarginRulesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Levels at which an account is warned: maintenance requirement over equity, in basis points.
    At 10000 it is liquidated. A level is said again once the share has been `hysteresis_bps` below
    it."""

    warning_bps: Annotated[list[UsedBps], Meta(max_length=10)]
    reason: ReasonText
    hysteresis_bps: Annotated[int, Meta(ge=0, le=10_000)] = 500


class IssuerRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who stands behind the base asset, as concentration limits name it; "" is nobody."""

    symbol: SymbolText
    issuer: Annotated[str, Meta(max_length=100, examples=["Apple Inc."])]


class Rates:
    """Margin rates from text to ledger units, and back."""

    def __init__(self, refs: RefsNow) -> None:
        self._refs = refs

    def set_margin(self, ask: MarginRequest, stamp: Stamp) -> ref.SetMargin:
        margin = None if ask.tiers is None else Margin(tuple(map(self._tier, ask.tiers)))
        command_id = own_id("margin", ask, stamp)
        symbol = Symbol(ask.symbol)
        return ref.SetMargin(command_id, stamp.at, symbol, margin, ask.reason, stamp.caller)

    def _tier(self, body: TierBody) -> MarginTier:
        refs = self._refs()
        decimals = refs.assets[refs.currency].decimals
        most = body.notional_max
        return MarginTier(
            0 if most is None else parse_scaled(most, decimals, "notional_max"),
            body.initial_ppm,
            body.maintenance_ppm,
            parse_scaled(body.deduction, decimals, "deduction"),
        )


def tiers_of(instrument: Instrument, refs: TradingRefs) -> list[TierBody] | None:
    """What was set for an instrument, as it is asked for."""
    margin = refs.margins.get(instrument.symbol)
    if margin is None:
        return None
    decimals = refs.assets[refs.currency].decimals
    return [
        TierBody(
            each.initial_ppm,
            each.maintenance_ppm,
            format_scaled(each.notional_max, decimals) if each.notional_max else None,
            format_scaled(each.deduction, decimals),
        )
        for each in margin.tiers
    ]


def set_haircut(ask: HaircutRequest, stamp: Stamp) -> ref.SetHaircut:
    command_id = own_id("haircut", ask, stamp)
    asset = AssetCode(ask.asset)
    return ref.SetHaircut(command_id, stamp.at, asset, ask.haircut_ppm, ask.reason, stamp.caller)


def set_rules(ask: MarginRulesRequest, stamp: Stamp) -> ref.SetMarginRules:
    rules = MarginRules(tuple(ask.warning_bps), ask.hysteresis_bps)
    command_id = own_id("margin-rules", ask, stamp)
    return ref.SetMarginRules(command_id, stamp.at, rules, ask.reason, stamp.caller)


def set_issuer(ask: IssuerRequest, stamp: Stamp) -> ref.SetIssuer:
    command_id = own_id("issuer", ask, stamp)
    return ref.SetIssuer(command_id, stamp.at, Symbol(ask.symbol), ask.issuer, stamp.caller)


def _house(_: Any) -> StreamId:
    return HOUSE_STREAM


def operations(refs: RefsNow) -> tuple[Operation[Any, Any], ...]:
    """What the house's administrators set."""
    common: dict[str, Any] = {
        "method": "PUT",
        "reply": DoneReply,
        "scope": Scope.HOUSE_WRITE,
        "errors": (Refused,),
        "stream": _house,
        "answer": done,
    }
    return (
        Ask(
            name="reference.set_margin",
            summary="Set the margin rates of an instrument, by size of the position.",
            path="/instruments/{symbol}/margin",
            request=MarginRequest,
            example={"tiers": SOME_TIERS},
            command=Rates(refs).set_margin,
            **common,
        ),
        Ask(
            name="reference.set_issuer",
            summary="Set who stands behind what an instrument trades, for concentration limits.",
            path="/instruments/{symbol}/issuer",
            request=IssuerRequest,
            command=set_issuer,
            **common,
        ),
        Ask(
            name="reference.set_haircut",
            summary="Set how much of an asset's worth does not count as collateral.",
            path="/assets/{asset}/haircut",
            request=HaircutRequest,
            command=set_haircut,
            **common,
        ),
        Ask(
            name="risk.set_margin_rules",
            summary="Set at which levels of margin use accounts are warned.",
            path="/risk/margin-rules",
            request=MarginRulesRequest,
            example={"warning_bps": [8_000, 9_000]},
            command=set_rules,
            **common,
        ),
    )
