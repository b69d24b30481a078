"""What the journal keeps of four eyes: who asked for what, who agreed, why, and what came of it.

Requests are kept as they were asked, so an operation whose request names a person, or holds a
secret, cannot be one that needs a second person.
"""

from typing import TypeAlias

from fondaco.kernel.event import Command, Event, Instant


class AskApproval(Command, frozen=True, gc=False):
    """`alone` is why one person may do both halves, "" where nobody may."""

    operation: str
    request: str
    scope: str
    account: str
    user: str
    by: str
    expires_at: Instant
    alone: str = ""


class Approve(Command, frozen=True, gc=False):
    """`alone` as of `AskApproval`: an agent's own key may then agree, because there is no other."""

    number: int
    user: str
    by: str
    reason: str
    alone: str = ""


class AskForAgent(Command, frozen=True, gc=False):
    """`by` is the agent. `notional` is of `currency` times 10^9, below 0 where nobody knows;
    `reduces`: it only takes orders back. `refusal` is why it would be refused, "" where not."""

    operation: str
    request: str
    scope: str
    account: str
    by: str
    client: str
    expires_at: Instant
    notional: int
    currency: str
    symbol: str
    reduces: bool
    preview: str
    refusal: str


class AllowAgent(Command, frozen=True, gc=False):
    """What `agent` may do without asking, from now on until `until`."""

    agent: str
    mode: str
    currency: str
    order_max: int
    day_max: int
    symbols: tuple[str, ...]
    until: Instant
    user: str
    by: str
    reason: str
    alone: str


class StopAgent(Command, frozen=True, gc=False):
    agent: str
    user: str
    by: str
    reason: str


class StartAgent(Command, frozen=True, gc=False):
    agent: str
    user: str
    by: str
    reason: str
    alone: str


class Reject(Command, frozen=True, gc=False):
    number: int
    user: str
    by: str
    reason: str


class NoteExecution(Command, frozen=True, gc=False):
    """`error` is why it could not be done; "" where it was."""

    number: int
    error: str = ""


class ExpireApprovals(Command, frozen=True, gc=False):
    """The time of some has passed."""


class BreakGlass(Command, frozen=True, gc=False):
    user: str
    by: str
    reason: str
    until: Instant


class ReviewGlass(Command, frozen=True, gc=False):
    number: int
    user: str
    by: str
    verdict: str
    said: str


class BeginImpersonation(Command, frozen=True, gc=False):
    """From now on until `until`, `user` asks in the name of `as_user`."""

    user: str
    by: str
    as_user: str
    reason: str
    until: Instant


class EndImpersonation(Command, frozen=True, gc=False):
    number: int
    user: str
    by: str


class ApprovalAsked(Event, frozen=True, gc=False, tag="approvals.asked.v1"):
    number: int
    operation: str
    request: str
    scope: str
    account: str
    user: str
    by: str
    asked_at: Instant
    expires_at: Instant


class ApprovalGranted(Event, frozen=True, gc=False, tag="approvals.granted.v1"):
    """`how` is "second" (somebody else agreed), "glass" (of that number, to be reviewed) or "alone"
    (the house is one person's)."""

    number: int
    how: str
    user: str
    by: str
    reason: str
    at: Instant
    glass: int
    asked_by: str


class ApprovalRejected(Event, frozen=True, gc=False, tag="approvals.rejected.v1"):
    number: int
    user: str
    by: str
    reason: str
    at: Instant


class ApprovalExpired(Event, frozen=True, gc=False, tag="approvals.expired.v1"):
    number: int


class ApprovalExecuted(Event, frozen=True, gc=False, tag="approvals.executed.v1"):
    number: int
    error: str


class ApprovalDenied(Event, frozen=True, gc=False, tag="approvals.denied.v1"):
    """Somebody tried what four eyes do not allow: `code` says what."""

    number: int
    user: str
    by: str
    code: str
    text: str


class GlassBroken(Event, frozen=True, gc=False, tag="approvals.glass_broken.v1"):
    number: int
    user: str
    by: str
    reason: str
    at: Instant
    until: Instant


class GlassReviewed(Event, frozen=True, gc=False, tag="approvals.glass_reviewed.v1"):
    number: int
    user: str
    by: str
    verdict: str
    said: str
    at: Instant


class ImpersonationBegun(Event, frozen=True, gc=False, tag="approvals.impersonation_begun.v1"):
    """`user` asks in the name of `as_user`. What they do bears both names; somebody else reviews
    it, and until then they break no other glass."""

    number: int
    user: str
    by: str
    as_user: str
    reason: str
    at: Instant
    until: Instant


class ImpersonationEnded(Event, frozen=True, gc=False, tag="approvals.impersonation_ended.v1"):
    """Before its time, by whoever it is, or in whose name, or who may end anybody's."""

    number: int
    user: str
    by: str
    at: Instant


class AgentAsked(Event, frozen=True, gc=False, tag="approvals.agent_asked.v1"):
    """An agent proposes something. `text` is what the policy says to it; `left` what remains of
    the day's budget after it, of `currency` times 10^9."""

    number: int
    operation: str
    request: str
    scope: str
    account: str
    by: str
    client: str
    asked_at: Instant
    expires_at: Instant
    notional: int
    currency: str
    symbol: str
    preview: str
    text: str
    left: int


class AgentRefused(Event, frozen=True, gc=False, tag="approvals.agent_refused.v1"):
    """What an agent asked was not even proposed: `code` says why."""

    operation: str
    request: str
    by: str
    client: str
    at: Instant
    code: str
    text: str


class AgentAllowed(Event, frozen=True, gc=False, tag="approvals.agent_allowed.v1"):
    """From now on an agent may do so much without asking; amounts times 10^9."""

    agent: str
    mode: str
    currency: str
    order_max: int
    day_max: int
    symbols: tuple[str, ...]
    until: Instant
    user: str
    by: str
    reason: str
    at: Instant


class AgentStopped(Event, frozen=True, gc=False, tag="approvals.agent_stopped.v1"):
    """It proposes nothing any more, and what waited is refused."""

    agent: str
    user: str
    by: str
    reason: str
    at: Instant


class AgentStarted(Event, frozen=True, gc=False, tag="approvals.agent_started.v1"):
    agent: str
    user: str
    by: str
    reason: str
    at: Instant


class ApprovalUnchanged(Event, frozen=True, gc=False, tag="approvals.unchanged.v1"):
    """It was so already."""


ApprovalCommand: TypeAlias = (
    AskApproval
    | Approve
    | Reject
    | NoteExecution
    | ExpireApprovals
    | BreakGlass
    | ReviewGlass
    | AskForAgent
    | AllowAgent
    | StopAgent
    | StartAgent
    | BeginImpersonation
    | EndImpersonation
)
ApprovalEvent: TypeAlias = (
    ApprovalAsked
    | ApprovalGranted
    | ApprovalRejected
    | ApprovalExpired
    | ApprovalExecuted
    | ApprovalDenied
    | GlassBroken
    | GlassReviewed
    | AgentAsked
    | AgentRefused
    | AgentAllowed
    | AgentStopped
    | AgentStarted
    | ImpersonationBegun
    | ImpersonationEnded
    | ApprovalUnchanged
)
