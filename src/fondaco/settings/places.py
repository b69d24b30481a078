"""Where parts of a house may be: a word, or how an address begins. What settings are read by."""

import re
from collections.abc import Mapping
from typing import Final

_FEEDS: Final = ("auto", "none", "synthetic", "replay:", "binance:")
_ALONE: Final = ("auto", "none")
_BUSES: Final = ("none", "file://", "redis://", "rediss://", "unix://", "kafka://")
_SYSLOG: Final = ("syslog+udp://", "syslog+tcp://", "syslog+tls://")
# Where a part of the house is: a word, or how an address begins.
_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "journal": ("segments", "postgresql://", "postgres://"),
    "store": ("sqlite", "postgresql://", "postgres://"),
    "cache": ("memory", "redis://", "rediss://", "unix://"),
    "compute": ("processes", "ray:"),
    "fix_publish_to": _BUSES,
    "topics": _BUSES,
    "fix_alerts_to": ("none", *_SYSLOG, "http://", "https://"),
    "mail_server": ("none", "smtp://", "smtps://"),
    "pager": ("none", "pagerduty://", "pagerduty+http://"),
    "secrets": ("file", "aws:", "pkcs11:"),
    "unseal": ("key", "file:", "env:"),
}
# Settings that may hold a secret, and so may say where it is kept: secret://name.
_REFERABLE: Final = ("journal", "store", "cache", "fix_publish_to", "topics", "fix_alerts_to")
REFERENCE: Final = "secret://"
_NAMED: Final = re.compile(r"secret://[A-Za-z0-9][A-Za-z0-9._/-]{0,199}").fullmatch
_SECRET: Final = re.compile(r"(://[^/@:]*:)[^/@]*@|(password=)[^&]*")


def words_of(name: str) -> tuple[str, ...] | None:
    """What a setting may be, or begin with; None for one that is no place."""
    places = _FEEDS if name == "feed" else _PLACES.get(name)
    return (*places, REFERENCE) if places and name in _REFERABLE else places


def referable() -> tuple[str, ...]:
    """Settings that may be a reference."""
    return _REFERABLE


def without_secrets(text: str) -> str:
    """An address as it may be shown."""
    return _SECRET.sub(lambda found: f"{found[1]}…@" if found[1] else f"{found[2]}…", text)


def is_allowed(name: str, text: str) -> bool:
    """Whether a setting may say this, as far as places go."""
    return bool(name in _REFERABLE and _NAMED(text)) or fits(name, text)


def fits(name: str, text: str) -> bool:
    """Whether this is what a setting is in the end, and no reference."""
    if name == "feed":
        return _is_feed(text)
    places = _PLACES.get(name)
    return places is None or any(
        text.startswith(place) if place.endswith(("//", ":")) else text == place for place in places
    )


def _is_feed(text: str) -> bool:
    parts = [each.strip() for each in text.split(";")]
    return all(_is_one_feed(each) and (len(parts) == 1 or each not in _ALONE) for each in parts)


def _is_one_feed(text: str) -> bool:
    kind, mark, rest = text.partition(":")
    if not mark:
        kind = "synthetic" if text.startswith("synthetic,") else text
    return kind + mark in _FEEDS and bool(rest) == bool(mark)
