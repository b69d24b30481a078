"""What the house calls over HTTP, and what may be called."""

import os
import time
from collections.abc import Iterator

from fondaco.gateway.metrics import Metric
from fondaco.kernel.seeded import Seeded
from fondaco.ports.outbound import Outbound
from fondaco.ports.outbound.addresses import LOOPBACK, networks
from fondaco.ports.outbound.courier import Courier
from fondaco.ports.outbound.http import HttpWire
from fondaco.settings import Settings

_STATES = {"closed": 0.0, "half_open": 0.5, "open": 1.0}


def outbound(settings: Settings) -> Outbound:
    """Raises `Invalid` for networks that are none."""
    allowed = networks(settings.outbound_networks)
    wire = HttpWire((*allowed, *LOOPBACK) if settings.demo else allowed)
    dice = Seeded(int.from_bytes(os.urandom(8)))
    return Courier(wire, clock=time.monotonic_ns, between=dice.between)


def outbound_numbers(called: Outbound) -> Iterator[Metric]:
    """What `/metrics` shows of it, place by place."""
    for line in called.lines():
        place = (("place", line.place),)
        text = "1 while a place is left alone, 0.5 while it is tried again."
        yield Metric("fondaco_outbound_open", text, "gauge", _STATES[line.state], place)
        text = "Times that a place was left alone."
        yield Metric("fondaco_outbound_opened_total", text, "counter", line.opened, place)
        text = "Calls of the last minute that failed."
        yield Metric("fondaco_outbound_failures", text, "gauge", line.failures, place)
