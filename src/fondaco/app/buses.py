"""Which bus an address of a setting names."""

from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from fondaco.app.files import Files
from fondaco.app.referred import referred
from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.bus import PARTITIONS, Bus
from fondaco.ports.bus.files import FileBus

NOWHERE: Final = "none"
PARTITIONS_MAX: Final = 1_024


def open_bus(setting: str, address: str, files: Files) -> Bus:
    """Raises `Invalid` or `Unavailable` for one that cannot be used; nobody is asked yet."""
    address = referred(files, setting, address)
    parts = urlsplit(address)
    partitions = _partitions(parts.query)
    if parts.scheme == "file":
        return FileBus(Path(parts.path) if parts.path else files.root / "published", partitions)
    if parts.scheme == "kafka":
        try:
            from fondaco.ports.bus.kafka import KafkaBus
        except ImportError as error:
            raise _missing("kafka", setting, error) from error
        return KafkaBus(address, partitions)
    try:
        from fondaco.ports.bus.redis import RedisBus
    except ImportError as error:
        raise _missing("redis", setting, error) from error
    return RedisBus(address.partition("?")[0], partitions)


def _partitions(query: str) -> int:
    text = parse_qs(query).get("partitions", [str(PARTITIONS)])[-1]
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= PARTITIONS_MAX):
        raise Invalid(f"partitions is {text[:20]!r}, must be a number from 1 to {PARTITIONS_MAX}")
    return int(text)


def _missing(extra: str, setting: str, error: ImportError) -> Unavailable:
    return Unavailable(
        f"{error.name} is not installed: pip install 'fondaco[{extra}]', or change {setting}"
    )
