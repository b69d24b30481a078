"""What the journal keeps of who used what others rely on, and of who was denied what.

Acts are told one by one, each before it is done. Denials are gathered: the first of a caller, an
operation, a door and a code is told within a second, the others of that minute together when it is
over, so that a storm of them leaves two entries a minute and not thousands.
"""

from typing import TypeAlias

from fondaco.kernel.event import Command, Event, Instant


class ActNoted(Event, frozen=True, gc=False, tag="audit.act_noted.v1"):
    """Allowed by the policy whose revision is given; what came of it is in the operation's own
    entries. `caller` is a key or session of `user`, both chosen names."""

    at: Instant
    caller: str
    user: str
    operation: str
    scope: str
    account: str
    door: str
    address: str  # what kind: "loopback", "private", "public"
    policy: str


class DenialsNoted(Event, frozen=True, gc=False, tag="audit.denials_noted.v1"):
    """`count` denials from `first_at` to `last_at`; `text`, `account` and `policy` are the first
    one's. `caller` is "" where nobody was known."""

    first_at: Instant
    last_at: Instant
    count: int
    caller: str
    user: str
    operation: str
    scope: str
    code: str
    text: str
    account: str
    door: str
    address: str
    policy: str


class TokensRevealed(Event, frozen=True, gc=False, tag="audit.tokens_revealed.v1"):
    """Somebody has asked what these tokens stand for; `found` of them stand for somebody."""

    at: Instant
    caller: str
    user: str
    tokens: tuple[str, ...]
    found: int
    reason: str


class NoteAudit(Command, frozen=True, gc=False):
    noted: tuple[ActNoted | DenialsNoted | TokensRevealed, ...]


AuditEvent: TypeAlias = ActNoted | DenialsNoted | TokensRevealed
