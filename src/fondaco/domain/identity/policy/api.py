"""What may be asked about policies: what they say, what they decided, what another one would."""

from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.kernel.operation import Do, Operation, Stamp

FileText = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_]{0,40}\.rego$", examples=["own.rego", "own_test.rego"])
]
RegoText = Annotated[str, Meta(min_length=1, max_length=32_768)]
Modules = Annotated[dict[FileText, RegoText], Meta(max_length=16)]
Note = Annotated[str, Meta(min_length=3, max_length=200, examples=["juniors trade 50,000 at most"])]
Nanos = Annotated[int, Meta(ge=0, le=2**63 - 1)]
NameText = Annotated[str, Meta(max_length=128)]
AN_OWN: Final = (
    'package own\n\nimport rego.v1\n\nchecks contains {"kind": "notional_max", "value": 50000, '
    '"text": "50,000 at most"} if "trader" in input.subject.roles\n'
)
A_TEST: Final = (
    "package own_test\n\nimport rego.v1\n\n"
    'order := {"subject": {"caller": "ada/k", "user": "ada", "roles": ["trader"]}, "action": '
    '{"operation": "trading.place_order", "scope": "orders:write", "in_key": true}, "resource": '
    '{"account": "a", "own": true, "instrument": "BTC-USD", "notional": 50001}, '
    '"environment": {}}\n\n'
    "test_large if not data.fondaco.authz.decision.allow with input as order\n"
)


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class PolicyText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tenant's own: Rego of the package `own`, its tests in `own_test`, and what rules read as
    `data.house` ("desks" are the members and accounts of desks)."""

    modules: Modules
    data: dict[str, Any] = {}


class PublishRequest(PolicyText, frozen=True, forbid_unknown_fields=True):
    """`effective_at` is in nanoseconds since 1970, UTC; 0: at once."""

    note: Note = "no note"
    effective_at: Nanos = 0


class RollbackRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`version` 0 is the house's own rules alone."""

    version: Annotated[int, Meta(ge=0, le=2**31)]
    note: Note = "no note"


class WhatIfRequest(PolicyText, frozen=True, forbid_unknown_fields=True):
    """Over decisions since `since`, the newest `limit` of them."""

    since: Nanos = 0
    limit: Annotated[int, Meta(ge=1, le=50_000)] = 10_000


class MayRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    operation: Annotated[str, Meta(min_length=1, max_length=128, examples=["trading.place_order"])]
    account_id: NameText = ""
    symbol: Annotated[str, Meta(max_length=40)] = ""
    notional: Annotated[int, Meta(ge=0, le=2**53)] = 0  # in units of the quote asset


class DecisionsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of the tenant; newest first."""

    outcome: Literal["", "allowed", "denied"] = ""
    caller: NameText = ""
    operation: NameText = ""
    since: Nanos = 0
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class ExportDecisionsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    since: Nanos = 0
    limit: Annotated[int, Meta(ge=1, le=50_000)] = 10_000


class VersionShown(msgspec.Struct, frozen=True):
    """`state` is "in_force", "waiting" (for its time) or "past". `like` is the version that was
    taken back to; 0: it was new."""

    version: int
    revision: str
    state: str
    published_by: str
    published_at: str
    effective_at: str
    note: str
    like: int


class PolicyReply(msgspec.Struct, frozen=True):
    """`revision` is that of all rules in force, the house's among them; decisions name it. `house`
    are the house's rules, which no tenant can change."""

    revision: str
    version: int
    modules: dict[str, str]
    data: Any
    house: dict[str, str]
    roles: dict[str, list[str]]
    versions: list[VersionShown]


class CheckReply(msgspec.Struct, frozen=True):
    """`wrong` is why it could not be published, "" where it could. `uncovered` are rules, by file
    and line, that could be taken out without a test noticing."""

    wrong: str
    revision: str
    findings: list[str]
    tests: list[dict[str, Any]]
    coverage_percent: int
    uncovered: list[str]


class Change(msgspec.Struct, frozen=True):
    """What a caller would lose, or gain. `count` says how often it was asked: a sample of what is
    harmless counts for all that it stands for."""

    effect: str  # "loses", "gains"
    caller: str
    operation: str
    count: int
    reasons: list[str]
    examples: list[Any]  # inputs, with when they were decided


class WhatIfReply(msgspec.Struct, frozen=True):
    """Most first."""

    decisions: int  # that were looked at
    since: str  # of the oldest of them
    changes: list[Change]


class DecisionReply(msgspec.Struct, frozen=True):
    allow: bool
    reasons: list[dict[str, str]]
    obligations: list[Any]
    policy: str


class DecisionsReply(msgspec.Struct, frozen=True):
    """Each as OPA's decision log has it."""

    items: list[Any]


class PublishedReply(msgspec.Struct, frozen=True):
    version: int
    revision: str
    effective_at: str
    position: int


class PolicyDesk(Protocol):
    """The part of a house that decides who may do what."""

    async def current(self, stamp: Stamp) -> PolicyReply: ...
    async def check(self, stamp: Stamp, ask: PolicyText) -> CheckReply: ...
    async def must_pass(self, stamp: Stamp, ask: PolicyText) -> None: ...
    async def publish(self, stamp: Stamp, ask: PublishRequest) -> PublishedReply: ...
    async def must_exist(self, stamp: Stamp, version: int) -> None: ...
    async def rollback(self, stamp: Stamp, ask: RollbackRequest) -> PublishedReply: ...
    async def what_if(self, stamp: Stamp, ask: WhatIfRequest) -> WhatIfReply: ...
    async def decide(self, stamp: Stamp, ask: MayRequest) -> DecisionReply: ...
    async def decisions(self, stamp: Stamp, ask: DecisionsRequest) -> DecisionsReply: ...
    async def export(self, stamp: Stamp, ask: ExportDecisionsRequest) -> str: ...


async def _current(_: Nothing, stamp: Stamp, desk: PolicyDesk) -> PolicyReply:
    return await desk.current(stamp)


async def _check(ask: PolicyText, stamp: Stamp, desk: PolicyDesk) -> CheckReply:
    return await desk.check(stamp, ask)


async def _must_pass(ask: PublishRequest, stamp: Stamp, desk: PolicyDesk) -> None:
    await desk.must_pass(stamp, ask)


async def _publish(ask: PublishRequest, stamp: Stamp, desk: PolicyDesk) -> PublishedReply:
    return await desk.publish(stamp, ask)


async def _must_exist(ask: RollbackRequest, stamp: Stamp, desk: PolicyDesk) -> None:
    await desk.must_exist(stamp, ask.version)


async def _rollback(ask: RollbackRequest, stamp: Stamp, desk: PolicyDesk) -> PublishedReply:
    return await desk.rollback(stamp, ask)


async def _what_if(ask: WhatIfRequest, stamp: Stamp, desk: PolicyDesk) -> WhatIfReply:
    return await desk.what_if(stamp, ask)


async def _decide(ask: MayRequest, stamp: Stamp, desk: PolicyDesk) -> DecisionReply:
    return await desk.decide(stamp, ask)


async def _decisions(ask: DecisionsRequest, stamp: Stamp, desk: PolicyDesk) -> DecisionsReply:
    return await desk.decisions(stamp, ask)


async def _export(ask: ExportDecisionsRequest, stamp: Stamp, desk: PolicyDesk) -> str:
    return await desk.export(stamp, ask)


_EXAMPLE: Final = {"modules": {"own.rego": AN_OWN, "own_test.rego": A_TEST}}

OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="policy.current",
        summary="The rules of who may do what that are in force, and their versions.",
        method="GET",
        path="/policy",
        request=Nothing,
        reply=PolicyReply,
        scope=Scope.HOUSE_READ,
        source="policy",
        answer=_current,
    ),
    Do(
        name="policy.check",
        summary="Say what is wrong with rules, run their tests, and which rules no test holds.",
        method="POST",
        path="/policy/check",
        request=PolicyText,
        reply=CheckReply,
        scope=Scope.HOUSE_READ,
        source="policy",
        answer=_check,
        example=_EXAMPLE,
    ),
    Do(
        name="policy.publish",
        summary="Put rules of your own in force, now or from a time on, once their tests pass.",
        method="PUT",
        path="/policy",
        request=PublishRequest,
        reply=PublishedReply,
        scope=Scope.HOUSE_WRITE,
        errors=(Invalid,),
        needs_second=True,
        source="policy",
        answer=_publish,
        check=_must_pass,
        example={**_EXAMPLE, "note": "50,000 at most"},
    ),
    Do(
        name="policy.rollback",
        summary="Take your rules back to an earlier version, or to the house's alone.",
        method="POST",
        path="/policy/rollback",
        request=RollbackRequest,
        reply=PublishedReply,
        scope=Scope.HOUSE_WRITE,
        errors=(NotFound,),
        needs_second=True,
        source="policy",
        answer=_rollback,
        check=_must_exist,
        example={"version": 0, "note": "too much was denied"},
    ),
    Do(
        name="policy.what_if",
        summary="Who would lose, or gain, what, if other rules had decided what was decided.",
        method="POST",
        path="/policy/what-if",
        request=WhatIfRequest,
        reply=WhatIfReply,
        scope=Scope.HOUSE_READ,
        errors=(Invalid,),
        source="policy",
        answer=_what_if,
        example=_EXAMPLE,
    ),
    Do(
        name="policy.decide",
        summary="Say whether you may do something, and why not; nothing is done.",
        method="POST",
        path="/policy/decide",
        request=MayRequest,
        reply=DecisionReply,
        scope=Scope.MARKET_READ,
        errors=(NotFound,),
        source="policy",
        answer=_decide,
    ),
    Do(
        name="policy.decisions",
        summary="What was decided: every denial, every privileged act, a sample of the rest.",
        method="GET",
        path="/policy/decisions",
        request=DecisionsRequest,
        reply=DecisionsReply,
        scope=Scope.JOURNAL_READ,
        source="policy",
        answer=_decisions,
    ),
    Do(
        name="policy.export_decisions",
        summary="The same as lines of JSON, in the format of OPA's decision log; oldest first.",
        method="GET",
        path="/policy/decisions/export",
        request=ExportDecisionsRequest,
        reply=str,
        scope=Scope.JOURNAL_READ,
        source="policy",
        answer=_export,
        media_type="text/plain",
    ),
)
