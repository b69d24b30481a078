"""What the journal keeps of policies: each version with its whole text, who published it and why.

That somebody else has agreed is in the stream `approvals/<tenant>`: the command's id names it.
"""

from typing import TypeAlias

from fondaco.kernel.event import Command, Event, Instant


class PublishPolicy(Command, frozen=True, gc=False):
    """`like` is the version that is taken back to; 0: this one is new."""

    modules: tuple[tuple[str, str], ...]
    data: str
    revision: str
    effective_at: Instant
    by: str
    note: str
    like: int = 0


class PolicyPublished(Event, frozen=True, gc=False, tag="policies.published.v1"):
    version: int
    revision: str
    modules: tuple[tuple[str, str], ...]
    data: str
    effective_at: Instant
    at: Instant
    by: str
    note: str
    like: int


class PolicyUnchanged(Event, frozen=True, gc=False, tag="policies.unchanged.v1"):
    """The newest version says the same, from the same time on."""

    version: int


PolicyEvent: TypeAlias = PolicyPublished | PolicyUnchanged
