"""Carries what the records have to tell into the journal, in the order in which it was committed.

A row is taken away once its entry is durable. If we die in between it is told again, under the same
command id, and the stream answers with the entry that is there.
"""

import asyncio
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

import msgspec

from fondaco.domain.identity.events import IdentityEvent
from fondaco.domain.identity.rules import Tell
from fondaco.domain.notify.events import WebhookEvent
from fondaco.domain.notify.rules import TellWebhook
from fondaco.domain.surveillance.events import AlertEvent, AlertRaised
from fondaco.domain.surveillance.rules import TellAlert
from fondaco.kernel.event import Command, Event, StreamId, request_id
from fondaco.ports.store import Store, Told, take_away, told
from fondaco.runtime.committer import Answer

AT_ONCE: Final = 256
_decode: Final = msgspec.msgpack.Decoder(IdentityEvent | AlertEvent | WebhookEvent).decode


async def carry(records: Store, submit: Callable[[StreamId, Command], Answer]) -> int:
    """Tell everything that waits; how much that was. May raise `Unavailable`: ask again later."""
    rows = await asyncio.to_thread(_waiting, records)
    for row in rows:
        # Numbers come again where records were restored: what is told tells them apart.
        content = blake2b(b"%d" % row.at + row.event, digest_size=8).hexdigest()
        command_id = request_id(f"!records/{row.number}/{content}", "told")
        event = _decode(row.event)
        await submit(StreamId(row.stream), _telling(event)(command_id, row.at, event))
    if rows:
        await asyncio.to_thread(_take_away, records, rows[-1].number)
    return len(rows)


def _telling(event: Event) -> Callable[..., Command]:
    if isinstance(event, AlertRaised):
        return TellAlert
    return TellWebhook if isinstance(event, WebhookEvent) else Tell


def _waiting(records: Store) -> list[Told]:
    with records.reading() as conn:
        return list(told(conn, AT_ONCE))


def _take_away(records: Store, number: int) -> None:
    with records.writing() as conn:
        take_away(conn, number)
