"""What a setting is made of: its reason, unit and bounds, and where its value comes from."""

from typing import Final, Literal, TypeAlias

from msgspec import Meta

Source: TypeAlias = Literal["default", "file", "environment", "command line"]
FILE: Final = "fondaco.toml"
PREFIX: Final = "FONDACO_"
KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB


def why(reason: str, unit: str = "") -> Meta:
    """Of any value."""
    return Meta(description=reason, extra={"unit": unit})


def whole(unit: str, low: int, high: int, reason: str) -> Meta:
    """Of a whole number of so many units."""
    return Meta(ge=low, le=high, description=reason, extra={"unit": unit})


def where(name: str, source: Source) -> str:
    """Where somebody would correct it."""
    places: dict[Source, str] = {
        "default": "in this build",
        "file": f"in {FILE}",
        "environment": f"in {PREFIX}{name.upper()}",
        "command line": f"in --{name.replace('_', '-')}",
    }
    return places[source]
