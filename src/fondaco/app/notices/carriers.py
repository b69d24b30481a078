"""The ways that a house has, made of its settings."""

import os
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from fondaco.app.files import Files
from fondaco.app.secrets import open_ring
from fondaco.app.webhooks.sender import Outcome, Sender
from fondaco.kernel.errors import NotFound
from fondaco.ports.notices import Carrier
from fondaco.ports.notices.mail import FolderCarrier, SmtpCarrier, server_of
from fondaco.ports.notices.pager import PagerCarrier, pager_of
from fondaco.ports.notices.web_push import WebPushCarrier
from fondaco.ports.secrets.audited import KeyRing
from fondaco.settings import Settings

VAPID: Final = "notices/vapid"  # in the ring: our private key at push services
NUMBER_BYTES: Final = 32
FOLDER: Final = "mail"


def has_server(settings: Settings) -> bool:
    return settings.mail_server != "none"


def house_name(settings: Settings) -> str:
    """What this house is called in what it says."""
    found = urlsplit(settings.issuer).hostname if settings.issuer else ""
    return found or "Fondaco"


def push_number(ring: KeyRing) -> bytes:
    """The private key by which push services know us, made once."""
    try:
        return ring.get(VAPID, "notices")
    except NotFound:
        ring.put(VAPID, os.urandom(NUMBER_BYTES - 1).rjust(NUMBER_BYTES, b"\0"), "notices")
        return ring.get(VAPID, "notices")


def carriers(files: Files, settings: Settings, sender: Sender) -> Mapping[str, Carrier]:
    """By way. Raises `Invalid` for addresses that are none."""

    def post(place: str, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        return sender.post(place, url, headers, body)

    found: dict[str, Carrier] = {"email": mail_carrier(files, settings)}
    contact = f"mailto:{settings.mail_from.rpartition('<')[2].rstrip('>')}"
    number = push_number(open_ring(files))
    found["push"] = WebPushCarrier(post, number, contact, lambda: int(time.time()))
    if settings.pager != "none":
        found["pager"] = PagerCarrier(post, pager_of(settings.pager), house_name(settings))
    return found


def mail_carrier(files: Files, settings: Settings) -> Carrier:
    if has_server(settings):
        return SmtpCarrier(server_of(settings.mail_server), settings.mail_from, time.monotonic_ns)
    return FolderCarrier(files.root / FOLDER, settings.mail_from)
