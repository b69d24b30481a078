"""What waits for a second person, and glass that was broken because nobody could wait."""

from typing import Final, Literal

import msgspec

from fondaco.kernel.event import Instant, StreamId

PREFIX: Final = "approvals/"
ID_PREFIX: Final = "apr-"
WAITING_MAX: Final = 200  # of a tenant: a queue that nobody reads takes no more
AGENT_WAITING_MAX: Final = 20  # of one agent: it cannot fill the queue of others
AGENTS_MAX: Final = 1_000  # of a tenant
CLOSED_KEPT: Final = 500  # of a tenant, in memory; the journal has them all

State = Literal["waiting", "approved", "rejected", "expired", "executed", "failed"]
GlassState = Literal["broken", "unreviewed", "reviewed"]
# "second": somebody else agreed; "glass": nobody did, and somebody else will review it;
# "alone": the house was started for one person; "budget": a person has let an agent do so much.
How = Literal["", "second", "glass", "alone", "budget"]
Mode = Literal["ask", "auto"]
Verdict = Literal["justified", "not_justified"]


class Case(msgspec.Struct):
    """One operation that was asked, as it was asked."""

    number: int
    operation: str
    request: str  # JSON
    scope: str  # that the operation asks for, and so of whoever agrees
    account: str  # that it concerns; "" none
    user: str  # who asks: a person, whichever of their keys they use
    by: str  # the same with the key: "ada/laptop"
    asked_at: Instant
    expires_at: Instant
    state: State = "waiting"
    how: How = ""
    decided_user: str = ""
    decided_by: str = ""
    decided_at: Instant = Instant(0)
    reason: str = ""
    glass: int = 0  # which was broken for it
    version: int = 0  # of the entry that let it be done: the cause of what it did
    error: str = ""  # why it could not be done
    # Of an agent's proposal; `user` is then the agent itself, that no person is called.
    is_agents: bool = False
    client: str = ""  # what the agent's program calls itself
    notional: int = 0  # as `Agent` counts it
    preview: str = ""  # JSON: what rules would have said when it was asked

    @property
    def is_closed(self) -> bool:
        return self.state not in ("waiting", "approved")


class Glass(msgspec.Struct):
    """One person does both halves for a while, loudly. It stays open until somebody else has said
    whether that was right."""

    number: int
    user: str
    by: str
    reason: str
    broken_at: Instant
    until: Instant
    verdict: str = ""
    reviewed_by: str = ""
    reviewed_at: Instant = Instant(0)
    said: str = ""
    as_user: str = ""  # in whose name they ask; "": they do both halves in their own


class Agent(msgspec.Struct):
    """A key that has asked as an agent does, or that a person has said something about. Amounts are
    of `currency`, times 10^9."""

    name: str  # the caller's: "ada/laptop"
    mode: Mode = "ask"
    currency: str = ""
    order_max: int = 0
    day_max: int = 0
    symbols: tuple[str, ...] = ()  # empty: every instrument
    until: Instant = Instant(0)
    set_user: str = ""
    set_by: str = ""
    day: int = 0  # since 1970, UTC, of which `spent` is
    spent: int = 0
    stopped_by: str = ""  # "": it is not stopped
    stopped_at: Instant = Instant(0)
    stopped_reason: str = ""
    asked: int = 0
    refused: int = 0
    last_at: Instant = Instant(0)
    client: str = ""


class Approvals(msgspec.Struct):
    """Of one tenant. `cases` are in the order in which they were asked."""

    last: int = 0
    version: int = 0
    cases: dict[int, Case] = {}
    glasses: dict[int, Glass] = {}
    agents: dict[str, Agent] = {}


def stream_of(tenant: str) -> StreamId:
    return StreamId(PREFIX + tenant)


def id_of(number: int) -> str:
    return f"{ID_PREFIX}{number}"


def open_glass(state: Approvals, user: str, at: Instant) -> Glass | None:
    """What lets `user` do both halves at `at`."""
    for glass in state.glasses.values():
        is_theirs = glass.user == user and not glass.as_user
        if is_theirs and not glass.verdict and at < glass.until:
            return glass
    return None


def open_lent(state: Approvals, number: int, at: Instant) -> Glass | None:
    """What lets somebody ask in another's name at `at`."""
    glass = state.glasses.get(number)
    is_open = glass is not None and glass.as_user and not glass.verdict and at < glass.until
    return glass if is_open else None


def unreviewed(state: Approvals, user: str) -> Glass | None:
    for glass in state.glasses.values():
        if glass.user == user and not glass.verdict:
            return glass
    return None
