"""PagerDuty's Events API v2, which other pagers understand, too: one call wakes somebody up."""

from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from fondaco.kernel.errors import Invalid
from fondaco.ports.notices import Carried, Notice, Post, carried

PATH: Final = "/v2/enqueue"
SUMMARY_MAX: Final = 1_024  # signs, PagerDuty's
_S: Final = 1_000_000_000


class Pager(NamedTuple):
    url: str
    routing_key: str


def pager_of(address: str) -> Pager:
    """Of pagerduty://:ROUTING_KEY@events.pagerduty.com; pagerduty+http:// for one on this machine.
    Raises `Invalid`."""
    parts = urlsplit(address)
    scheme = {"pagerduty": "https", "pagerduty+http": "http"}.get(parts.scheme)
    key = unquote(parts.password or "")
    if scheme is None or not parts.hostname or not key:
        raise Invalid("pager must be pagerduty://:ROUTING_KEY@events.pagerduty.com")
    return Pager(f"{scheme}://{parts.netloc.rpartition('@')[2]}{PATH}", key)


class PagerCarrier:
    def __init__(self, post: Post, pager: Pager, source: str) -> None:
        """`source` is what the house is called there."""
        self._post, self._pager, self._source = post, pager, source

    def carry(self, to: str, notice: Notice) -> Carried:
        """See `Carrier`; `to` is not looked at."""
        asked: dict[str, object] = {
            "routing_key": self._pager.routing_key,
            "event_action": "resolve" if notice.is_over else "trigger",
            "dedup_key": (notice.about or notice.notice_id)[:255],
        }
        if not notice.is_over:
            at = datetime.fromtimestamp(notice.at // _S, UTC)
            asked["payload"] = {
                "summary": notice.subject[:SUMMARY_MAX],
                "source": self._source,
                "severity": notice.severity,
                "timestamp": at.isoformat(),
                "custom_details": {"text": notice.text, "notice_id": notice.notice_id},
            }
        headers = {"Content-Type": "application/json"}
        return carried(self._post("pager", self._pager.url, headers, msgspec.json.encode(asked)))
