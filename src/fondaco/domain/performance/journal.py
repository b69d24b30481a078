"""An account's round trips as a journal that simulations draw days from."""

from fondaco.domain.performance.days import is_capital
from fondaco.domain.performance.replies import TradedReply
from fondaco.domain.performance.sheet import Sheet
from fondaco.kernel.instants import moment
from fondaco.kernel.money import format_scaled


def journal_of(sheet: Sheet) -> TradedReply:
    """Of the sheet's currency alone. Its size is what had come in before the first fill."""
    history, currency = sheet.history, sheet.currency
    begins = min((each.position for each in history.fills), default=2**63 - 1)
    size = history.opening.get(currency, 0) + sum(
        flow.units
        for flow in history.flows
        if flow.asset == currency and is_capital(flow) and flow.position < begins
    )
    decimals = sheet.asset.decimals
    lines = ["closed_at,profit,worst"]
    for trip in sheet.trips:
        net, worst = trip.net, -abs(sheet.excursion(trip).adverse)
        worst = min(worst, net, 0)
        at = moment(trip.closed_at)
        lines.append(f"{at},{format_scaled(net, decimals)},{format_scaled(worst, decimals)}")
    return TradedReply(
        account_id=history.account_id,
        currency=currency,
        size=format_scaled(max(size, 0), decimals),
        trades=len(sheet.trips),
        text="\n".join(lines) + "\n",
        position=history.position,
    )
