"""Webhooks as a part of a running house."""

from collections.abc import Iterator
from contextlib import contextmanager

from fondaco.app.answering import House
from fondaco.app.secrets import SubjectSealing
from fondaco.app.webhooks.desk import WEBHOOKS_MAX, WebhooksDesk
from fondaco.ports.store import Store
from fondaco.settings import Settings


@contextmanager
def webhooks(
    house: House, settings: Settings, records: Store, sealing: SubjectSealing
) -> Iterator[WebhooksDesk]:
    """Delivered from here on, where there are any, until the block ends."""
    desk = WebhooksDesk(settings, house.kernel, house.directory, records, sealing)
    desk.limit_of = lambda caller: house.partners.webhooks_of(caller, WEBHOOKS_MAX)
    try:
        desk.begin()
        yield desk
    finally:
        desk.end()
