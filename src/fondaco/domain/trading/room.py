"""The trading room presents itself to app.py."""

from typing import Final, get_args

from fondaco.domain.trading.events import TradingEvent
from fondaco.domain.trading.model import PREFIX
from fondaco.domain.trading.policies import policies
from fondaco.domain.trading.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(
    name="trading",
    prefix=PREFIX,
    decider=decider,
    policies=policies,
    kinds=get_args(TradingEvent),
)
