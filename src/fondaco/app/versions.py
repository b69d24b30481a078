"""Operations on the API's versions: which there are, what changed, and who still asks for what."""

import datetime
from typing import Any, Final

import msgspec

from fondaco.domain.identity.model import Scope
from fondaco.gateway.editions import EDITIONS
from fondaco.gateway.house import Reading
from fondaco.gateway.uses import Use
from fondaco.kernel.operation import Look, Operation


class VersionsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What versions of the API there are."""


class UsesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who of your tenant asked for which version."""


class ChangeLine(msgspec.Struct, frozen=True):
    title: str
    why: str


class VersionLine(msgspec.Struct, frozen=True, kw_only=True):
    """Days are ISO 8601; null where nobody has said when."""

    major: int
    version: str
    path: str
    document: str
    released: str
    deprecated: str | None
    sunset: str | None
    changes: list[ChangeLine]


class VersionsReply(msgspec.Struct, frozen=True):
    items: list[VersionLine]


class UseLine(msgspec.Struct, frozen=True, kw_only=True):
    """`caller` is a user, with `/` and the name of the key; `is_ending` is of its version."""

    caller: str
    major: int
    requests: int
    first_day: str
    last_day: str
    is_ending: bool


class UsesReply(msgspec.Struct, frozen=True):
    """Of the last 400 days, whoever asks most first."""

    items: list[UseLine]


def _versions(_: VersionsRequest, __: object) -> VersionsReply:
    return VersionsReply(
        [
            VersionLine(
                major=each.major,
                version=each.version,
                path=f"/api/v{each.major}",
                document=f"/api/v{each.major}/openapi.json",
                released=str(each.released),
                deprecated=str(each.deprecated) if each.deprecated else None,
                sunset=str(each.sunset) if each.sunset else None,
                changes=[ChangeLine(change.title, change.why) for change in each.changes],
            )
            for each in EDITIONS
        ]
    )


def _uses(_: UsesRequest, reading: Reading) -> UsesReply:
    return UsesReply([_line(use) for use in reading.source.of(reading.tenant, reading.at)])


def _line(use: Use) -> UseLine:
    ending = {each.major for each in EDITIONS if each.sunset}
    return UseLine(
        caller=use.caller,
        major=use.major,
        requests=use.requests,
        first_day=_day(use.first_day),
        last_day=_day(use.last_day),
        is_ending=use.major in ending,
    )


def _day(number: int) -> str:
    return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=number))


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Look(
        name="house.versions",
        summary="Versions of the API: what changed in each, and until when it is served.",
        method="GET",
        path="/versions",
        request=VersionsRequest,
        reply=VersionsReply,
        scope="",
        source="uses",
        on_loop=True,
        answer=_versions,
    ),
    Look(
        name="house.version_uses",
        summary="Who of your tenant asked for which version of the API, and when last.",
        method="GET",
        path="/versions/uses",
        request=UsesRequest,
        reply=UsesReply,
        scope=Scope.HOUSE_READ,
        source="uses",
        answer=_uses,
    ),
)
