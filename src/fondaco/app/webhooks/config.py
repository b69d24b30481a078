"""What the process that delivers knows of endpoints: their records, secrets, and who owns them."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from fondaco.app.secrets import SubjectSealing
from fondaco.app.webhooks.engine import Configured
from fondaco.domain.identity import store as identity
from fondaco.domain.identity.model import scopes_of
from fondaco.domain.notify import store
from fondaco.domain.notify.events import WebhookDisabled
from fondaco.domain.notify.model import Endpoint
from fondaco.kernel.errors import NotFound
from fondaco.kernel.event import Instant
from fondaco.ports.secrets.audited import KeyRing
from fondaco.ports.store import Store

EVERY_NS: Final = 500_000_000
AGAIN_NS: Final = 3_600_000_000_000  # before secrets are read, and that is written down, again


class SigningSecret(msgspec.Struct, frozen=True):
    """`ends_at` 0: it is the one."""

    secret: str
    ends_at: Instant


def ring_name(webhook_id: str) -> str:
    return f"webhooks/{webhook_id}"


def secrets_of(ring: KeyRing, webhook_id: str, by: str) -> list[SigningSecret]:
    """The newest first. Raises `NotFound`."""
    return msgspec.json.decode(ring.get(ring_name(webhook_id), by), type=list[SigningSecret])


class RecordsConfig:
    """Reads records at most twice a second, and a secret when its endpoint has changed."""

    def __init__(
        self, records: Store, sealing: SubjectSealing, ring: KeyRing, now: Callable[[], Instant]
    ) -> None:
        records.create(store.records_metadata)
        self._records, self._sealing, self._ring, self._now = records, sealing, ring, now
        self._read_at = 0
        self._known: dict[str, Configured] = {}
        self._secrets: dict[str, tuple[int, int, list[SigningSecret]]] = {}
        self._urls: dict[bytes, str] = {}

    def read(self) -> Mapping[str, Configured]:
        now = self._now()
        if now - self._read_at < EVERY_NS:
            return self._known
        with self._records.reading() as conn:
            rows, roles = store.rows(conn), identity.roles(conn)
        known = {}
        for row in rows:
            kept = row.endpoint
            secrets = self._signing(kept, now)
            if secrets is None:
                continue
            url = self._url(row.sealed_url)
            held = scopes_of(roles.get((kept.tenant, kept.owner), ())) & kept.scopes
            endpoint = msgspec.structs.replace(kept, url=url)
            known[kept.webhook_id] = Configured(endpoint, secrets, frozenset(held))
        self._known, self._read_at = known, now
        return known

    def _url(self, sealed: bytes) -> str:
        if sealed not in self._urls:
            self._urls[sealed] = self._sealing.unseal(sealed, store.SEALED_ABOUT).decode()
        return self._urls[sealed]

    def _signing(self, kept: Endpoint, now: Instant) -> tuple[str, ...] | None:
        """None where the ring has no secret: it was removed, or this house restored without it."""
        changed_at, read_at, found = self._secrets.get(kept.webhook_id, (0, 0, []))
        if changed_at != kept.changed_at or now - read_at > AGAIN_NS:
            try:
                found = secrets_of(self._ring, kept.webhook_id, "webhooks")
            except NotFound:
                found = []
            self._secrets[kept.webhook_id] = (kept.changed_at, now, found)
        return tuple(each.secret for each in found if not 0 < each.ends_at <= now) or None

    def disable(self, endpoint: Endpoint, reason: str, failing_since: Instant) -> None:
        now = self._now()
        with self._records.writing() as conn:
            try:
                row = store.row(conn, endpoint.tenant, endpoint.webhook_id)
            except NotFound:
                return
            if row.endpoint.state == "disabled":
                return
            changed = msgspec.structs.replace(
                row.endpoint, state="disabled", reason=reason, changed_at=now
            )
            store.put(conn, changed, row.sealed_url)
            event = WebhookDisabled(
                endpoint.tenant, endpoint.webhook_id, endpoint.host, reason, failing_since
            )
            store.tell(conn, endpoint.tenant, event, now)
        self._read_at = 0
