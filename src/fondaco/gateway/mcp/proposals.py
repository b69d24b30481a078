"""What this door hands to the house when an agent asks for something, and what comes back."""

from typing import Any, Literal, Protocol

import msgspec

from fondaco.domain.identity.model import BudgetShown
from fondaco.kernel.operation import Stamp


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of something that an agent has asked."""

    verdict: Literal["ask", "auto", "refuse"]
    reason: str
    budget: BudgetShown
    state: Literal["waiting", "executed", "failed", "not_proposed"]
    approval_id: str = ""
    expires_at: str = ""
    result: Any = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent asks, with what the door has found out about it. `notional` is of `currency`,
    None where nobody knows; `reduces`: it only takes orders back; `refusal`: why rules would refuse
    it now, "" where they would not."""

    operation: str
    request: Any
    scope: str
    account_id: str
    client: str
    preview: bytes = b""
    notional: str | None = None
    currency: str = ""
    symbol: str = ""
    reduces: bool = False
    refusal: str = ""


class Desk(Protocol):
    """The part of a house that looks after agents: its source "agents"."""

    async def propose(self, stamp: Stamp, asked: Asked) -> Proposed: ...
