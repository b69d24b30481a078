"""The odds that a tier is published with: of several kinds of traders, from one seed."""

from typing import Final

import msgspec

from fondaco.domain.evaluation.simulation.odds import Odds, RuleEffect
from fondaco.domain.evaluation.simulation.traders import Trader

TITLES: Final = {
    "coin": "Tosses a coin",
    "fair": "Has no edge",
    "novice": "Begins: loses a little more than they win, and pays costs",
    "skilled": "Wins a tenth of what they risk, on average",
    "fat": "Has no edge, no stops, and wild days",
    "revenge": "Doubles what is risked after each loss",
    "gambler": "Risks 3 % of the account a trade",
    "absent": "Has no edge, and stays away for weeks now and then",
    "swing": "Trades once a day with an edge, and holds most trades over the night",
    "journal": "Trades days that somebody has traded",
}
# Whom a tier is simulated with unless somebody says otherwise: honest, and not all of them flatter.
USUAL: Final = ("novice", "fair", "skilled", "revenge", "gambler")


class TraderOdds(msgspec.Struct, frozen=True, kw_only=True):
    """`trader` is how it was asked for, "skilled:risk=1%". `effects`: what each rule does to the
    odds, where that was asked for."""

    trader: str
    title: str
    odds: Odds
    effects: list[RuleEffect] = []


_odds_of: Final = msgspec.json.Decoder(list[TraderOdds]).decode
_trader_of: Final = msgspec.json.Decoder(Trader).decode


def title_of(trader: str) -> str:
    kind = trader.partition(":")[0]
    return TITLES["journal" if kind == "account" else kind]


def written(found: list[TraderOdds]) -> str:
    """As the journal keeps it. Floats are written in full, so the same odds are the same bytes."""
    return msgspec.json.encode(found).decode()


def read(text: str) -> list[TraderOdds]:
    return _odds_of(text)


def kept(trader: Trader) -> str:
    """All that makes a trader, days of a journal among it, whatever a kind means later."""
    return msgspec.json.encode(trader).decode()


def trader_kept(text: str) -> Trader:
    return _trader_of(text)
