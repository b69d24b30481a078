"""What becomes of webhooks. An address may hold a secret, so only its host is told."""

from typing import TypeAlias

from fondaco.kernel.event import Event, Instant


class WebhookAdded(Event, frozen=True, gc=False, tag="webhooks.added.v1"):
    """It hears of what is written behind the position `since`."""

    tenant: str
    webhook_id: str
    host: str
    events: tuple[str, ...]
    accounts: tuple[str, ...] | None
    owner: str
    since: int
    by: str


class WebhookChanged(Event, frozen=True, gc=False, tag="webhooks.changed.v1"):
    """As it is from now on."""

    tenant: str
    webhook_id: str
    host: str
    events: tuple[str, ...]
    state: str
    since: int
    by: str


class WebhookRemoved(Event, frozen=True, gc=False, tag="webhooks.removed.v1"):
    tenant: str
    webhook_id: str
    by: str


class WebhookSecretRotated(Event, frozen=True, gc=False, tag="webhooks.secret_rotated.v1"):
    """The secret before signs too, until then."""

    tenant: str
    webhook_id: str
    until: Instant
    by: str


class WebhookDisabled(Event, frozen=True, gc=False, tag="webhooks.disabled.v1"):
    """Nothing is sent there any more: it has failed since then, or said that it is gone."""

    tenant: str
    webhook_id: str
    host: str
    reason: str
    failing_since: Instant


class WebhookTestAsked(Event, frozen=True, gc=False, tag="webhooks.test_asked.v1"):
    tenant: str
    webhook_id: str
    by: str


class WebhookReplayAsked(Event, frozen=True, gc=False, tag="webhooks.replay_asked.v1"):
    """What was written behind `after` and up to `until` is sent again, where it fits `events`."""

    tenant: str
    webhook_id: str
    after: int
    until: int
    events: tuple[str, ...]
    by: str


WebhookEvent: TypeAlias = (
    WebhookAdded
    | WebhookChanged
    | WebhookRemoved
    | WebhookSecretRotated
    | WebhookDisabled
    | WebhookTestAsked
    | WebhookReplayAsked
)
