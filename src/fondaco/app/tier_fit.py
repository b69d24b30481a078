"""Whether a tier fits the house that sells it: its instruments, its margins, its lots and ticks.

Said beside what `lint` says of the text alone. The house may change after the tier was defined, so
that it is asked again when a version is published.
"""

from collections.abc import Iterator

from fondaco.domain.evaluation.lint import LintFinding
from fondaco.domain.evaluation.model import LOT_DECIMALS, PPM, PhaseTerms, Tier
from fondaco.domain.reference.model import Instrument, Symbol
from fondaco.domain.trading.model import TradingRefs
from fondaco.domain.trading.rules.trades import lots_of
from fondaco.kernel.money import format_scaled


def misfits(tier: Tier, refs: TradingRefs) -> list[LintFinding]:
    """What this house cannot keep of a tier, in the order of its text."""
    found = list(_currency(tier, refs))
    names = tier.instruments or tuple(refs.instruments)
    unknown = [name for name in names if name not in refs.instruments]
    found += _unknown(tier, unknown, names)
    known = [refs.instruments[Symbol(name)] for name in names if name not in unknown]
    found += _undercut(tier, refs, known)
    found += _beyond_account(tier, refs, known)
    for nth, terms in enumerate(tier.stages):
        where = "funded" if nth >= len(tier.phases) else f"phases[{nth}]"
        found += _too_small(terms, refs, known, where)
    return found


def _said(
    code: str, where: str, less: list[str], known: list[Instrument], text: str
) -> Iterator[LintFinding]:
    """A contradiction where it is so of every instrument."""
    if less:
        weight = "contradiction" if len(less) == len(known) else "unusual"
        yield LintFinding(weight, code, where, text.format(", ".join(less)))  # type: ignore[arg-type]


def _currency(tier: Tier, refs: TradingRefs) -> Iterator[LintFinding]:
    if tier.currency != refs.currency:
        text = f"accounts of this house are in {refs.currency}: no rule of it can be measured"
        yield LintFinding("contradiction", "currency_of_house", "currency", text)


def _unknown(tier: Tier, unknown: list[str], names: tuple[str, ...]) -> Iterator[LintFinding]:
    if not names or not unknown:
        return
    text = f"what does not trade in this house: {', '.join(unknown)}; list it first, or leave it"
    yield LintFinding("contradiction", "instrument_unknown", "instruments", text)


def _undercut(tier: Tier, refs: TradingRefs, known: list[Instrument]) -> Iterator[LintFinding]:
    """Instruments of which this house lets a trader hold less than the tier's leverage says: its
    own margin comes first."""
    less = []
    for each in known:
        margin = refs.margins.get(each.symbol)
        initial_ppm = margin.tiers[0].initial_ppm if margin is not None else PPM
        if initial_ppm * tier.leverage > PPM:
            less.append(f"{each.symbol} {format_scaled(initial_ppm, 4)} %")
    if less:
        text = (
            f"1:{tier.leverage} is never reached where the house asks for more margin: "
            f"{', '.join(less)}; set other margins, or another leverage"
        )
        yield LintFinding("unusual", "leverage_undercut", "leverage", text)


def _beyond_account(
    tier: Tier, refs: TradingRefs, known: list[Instrument]
) -> Iterator[LintFinding]:
    most, less = tier.account * tier.leverage, []
    for each in known:
        mark, rate = refs.marks.get(each.symbol), refs.rates.get(each.quote)
        if mark is None or rate is None:
            continue
        worth = -(-each.cost_up(mark.px, 1) * rate.num // rate.den)
        if worth > most:
            less.append(str(each.symbol))
    text = "with this leverage the whole account does not open one lot of {}"
    yield from _said("account_below_lot", "account", less, known, text)


def _too_small(
    terms: PhaseTerms, refs: TradingRefs, known: list[Instrument], where: str
) -> Iterator[LintFinding]:
    """What one lot is, and what it loses by the nearest stop: two ticks from its price, one to
    wait on its side of the market, one to the market itself."""
    risks, lots = [], []
    for each in known:
        rate = refs.rates.get(each.quote)
        if terms.max_risk_per_trade and rate is not None:
            least = -(-each.cost_up(2, 1) * rate.num // rate.den)
            if least > terms.max_risk_per_trade:
                asset = refs.assets.get(refs.currency)
                shown = format_scaled(least, asset.decimals) if asset else str(least)
                risks.append(f"{each.symbol} {shown}")
        if terms.max_lots and lots_of(each, 1) > terms.max_lots:
            lots.append(f"{each.symbol} {format_scaled(lots_of(each, 1), LOT_DECIMALS)}")
    text = "one lot with the nearest stop there can be risks more: {}"
    yield from _said("risk_below_lot", f"{where}.max_risk_per_trade", risks, known, text)
    text = "one lot is more than may be open: {}"
    yield from _said("lots_below_lot", f"{where}.max_lots", lots, known, text)
