"""The law of the stream of webhooks: what the records tell is written down as it was told. Pure."""

from typing import Final

import msgspec

from fondaco.domain.notify.events import WebhookEvent
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import Command, StreamId


class TellWebhook(Command, frozen=True, gc=False):
    event: WebhookEvent


class Webhooks(msgspec.Struct):
    """How much was told: the stream decides nothing, so it need know nothing else."""

    count: int = 0


def initial(_: StreamId) -> Webhooks:
    return Webhooks()


def decide(_: Webhooks, command: TellWebhook, __: Refs) -> tuple[WebhookEvent, ...]:
    return (command.event,)


def evolve(state: Webhooks, _: WebhookEvent) -> Webhooks:
    state.count += 1
    return state


decider: Final = Decider(initial, decide, evolve, Webhooks)
