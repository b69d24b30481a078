"""The law of the stream of alerts: what was recorded is written down as it was told. Pure."""

from typing import Final

import msgspec

from fondaco.domain.surveillance.events import AlertEvent
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import Command, StreamId

PREFIX: Final = "surveillance/"
FIX_ALERTS: Final = StreamId(PREFIX + "fix")


class TellAlert(Command, frozen=True, gc=False):
    """An alert that was recorded. Its command id is its number there."""

    event: AlertEvent


class Alerts(msgspec.Struct):
    """How many were told: the stream decides nothing, so it need know nothing else."""

    count: int = 0


def initial(_: StreamId) -> Alerts:
    return Alerts()


def decide(_: Alerts, command: TellAlert, __: Refs) -> tuple[AlertEvent, ...]:
    return (command.event,)


def evolve(state: Alerts, _: AlertEvent) -> Alerts:
    state.count += 1
    return state


decider: Final = Decider(initial, decide, evolve, Alerts)
