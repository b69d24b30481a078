"""Notices as a part of a running house."""

from collections.abc import Iterator
from contextlib import contextmanager

from fondaco.app.answering import House
from fondaco.app.notices.desk import NoticesDesk
from fondaco.app.secrets import SubjectSealing
from fondaco.ports.store import Store
from fondaco.settings import Settings


@contextmanager
def notices(
    house: House, settings: Settings, records: Store, sealing: SubjectSealing
) -> Iterator[NoticesDesk]:
    """Carried from here on, where there is somebody to tell, until the block ends."""
    desk = NoticesDesk(settings, house.kernel, house.directory, records, sealing)
    try:
        desk.begin_if_needed()
        yield desk
    finally:
        desk.end()
        house.people.mail.close()
