"""Payouts present themselves to app.py: a stream for each."""

from typing import Final

from fondaco.domain.payments.model import PAYOUTS
from fondaco.domain.payments.payouts.rules import decider
from fondaco.runtime.room import Room

room: Final = Room(name="payouts", prefix=PAYOUTS, decider=decider)
