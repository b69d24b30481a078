"""Where traders are paid: sealed under each one's own key, and the same for a payout's life."""

from collections.abc import Callable
from typing import Any

from fondaco.domain.identity.events import PayoutDestinationSet
from fondaco.domain.identity.people import store as people
from fondaco.domain.identity.people.desk import Sealing
from fondaco.domain.payments.api import DestinationShown
from fondaco.domain.payments.model import destination_is_wrong
from fondaco.domain.payments.payouts import store
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from fondaco.ports.store import Store


class Destinations:
    """Safe to call from any thread."""

    def __init__(self, records: Store, sealing: Sealing, clock: Callable[[], Instant]) -> None:
        records.create(store.metadata)
        self._records, self._sealing, self._clock = records, sealing, clock

    def shown(self, tenant: str, user: str) -> DestinationShown:
        with self._records.reading() as conn:
            row: Any = store.destination(conn, tenant, user)
        if row is None:
            return DestinationShown("", "", "")
        text = self._opened(row.destination, tenant, user)
        return DestinationShown(text, row.provider, str(row.changed_at))

    def put(self, tenant: str, user: str, provider: str, text: str, by: str) -> DestinationShown:
        """Raises `Invalid` for what the provider cannot pay into. That it was changed, and by whom,
        is told to the journal; what it is, is not."""
        if wrong := destination_is_wrong(provider, text):
            raise Invalid(wrong)
        at, sealed = self._clock(), self._sealed(text, tenant, user)
        with self._records.writing() as conn:
            store.put(conn, tenant, user, provider, sealed, at)
            people.tell(conn, PayoutDestinationSet(tenant, user, provider, by), at)
        return DestinationShown(text, provider, str(at))

    def of_payout(self, payout_id: str, tenant: str, user: str, provider: str) -> str:
        """The same however often it is asked, whatever the trader has changed since; "" where there
        was none of this provider."""
        with self._records.writing() as conn:
            sealed = store.begun_with(conn, payout_id)
            if sealed is None:
                row: Any = store.destination(conn, tenant, user)
                is_there = row is not None and row.provider == provider
                sealed = row.destination if is_there else self._sealed("", tenant, user)
                store.begin(conn, payout_id, tenant, user, sealed, self._clock())
        return self._opened(sealed, tenant, user)

    def _sealed(self, text: str, tenant: str, user: str) -> bytes:
        return self._sealing.seal(text.encode(), f"{tenant}/{user}")

    def _opened(self, sealed: bytes, tenant: str, user: str) -> str:
        return self._sealing.unseal(sealed, f"{tenant}/{user}").decode()
