"""The standing checks, as whoever runs the house may look at them."""

from typing import Any, Final

import msgspec

from fondaco.domain.ledger.api.books import Reading
from fondaco.domain.ledger.model import SAYS
from fondaco.kernel.instants import moment
from fondaco.kernel.operation import Look, Operation

HOUSE_READ: Final = "house:read"  # identity.model.Scope, which stands on our floor


class ChecksRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class CheckLine(msgspec.Struct, frozen=True):
    """`wrong` is what the last round found."""

    name: str
    says: str
    holds: bool
    wrong: list[str]


class ChecksReply(msgspec.Struct, frozen=True, kw_only=True):
    """Of the views as they stood at `position`. Before the first round there are no lines and no
    time, and `holds` is null: nobody knows yet."""

    holds: bool | None
    checks: list[CheckLine]
    position: int
    at: str | None
    took_ms: int


def checks(_: ChecksRequest, on: Reading) -> ChecksReply:
    made, failing = on.source.standing()
    if made is None:
        return ChecksReply(
            holds=False if failing else None, checks=[], position=0, at=None, took_ms=0
        )
    lines = [
        CheckLine(each.name, SAYS.get(each.name, ""), not each.wrong, list(each.wrong))
        for each in made.found
    ]
    made_now = {line.name for line in lines}
    lines += [
        CheckLine(name, SAYS.get(name, ""), False, list(wrong))
        for name, wrong in failing.items()
        if name not in made_now
    ]
    return ChecksReply(
        holds=all(line.holds for line in lines),
        checks=lines,
        position=made.position,
        at=moment(made.at),
        took_ms=made.took_ms,
    )


OPERATION: Final[Operation[Any, Any]] = Look(
    name="ledger.checks",
    summary="The standing checks of the books: which hold, and what is wrong where one fails.",
    method="GET",
    path="/checks",
    request=ChecksRequest,
    reply=ChecksReply,
    scope=HOUSE_READ,
    source="house",
    answer=checks,
    on_loop=True,
)
