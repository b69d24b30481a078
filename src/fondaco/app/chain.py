"""The chain of zero trust in a running house: which tenants must have it whole, and what of it
holds for a request. It stands before the policy, where every door asks."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from fondaco.app.at_rest import is_encrypted
from fondaco.app.house import Kernel
from fondaco.app.policies.authority import Authority
from fondaco.domain.identity.chain import (
    Facts,
    LinkShown,
    held_until,
    links,
    missing,
    refusal,
)
from fondaco.domain.identity.model import Action
from fondaco.kernel.line import Line
from fondaco.settings import Settings

ALL: Final = "all"
NONE: Final = "none"
# Where the house itself asks for what was asked before, at a door that has looked at the chain.
INSIDE: Final = frozenset({"approvals", "approving"})
Authorise = Callable[[Any, Action, Iterable[str], Any, str, str], bool]
_NOWHERE: Final = Line("")


class Chain:
    def __init__(self, settings: Settings, kernel: Kernel, policy: Authority) -> None:
        named = required_of(settings)
        self._all, self._tenants = ALL in named, named
        self._kernel, self._policy = kernel, policy
        self._sealed: bool | None = None

    def is_required(self, tenant: str) -> bool:
        return self._all or tenant in self._tenants

    def shown(self, caller: Any, address: str) -> tuple[bool, list[LinkShown]]:
        """Whether every link is required of `caller`, and which hold."""
        return self.is_required(caller.tenant), links(self._facts(caller, address))

    def authorising(self, within: Authorise) -> Authorise:
        """`within`, asked only where the chain is whole; `within` itself where none is required,
        so that it costs an order nothing."""
        if not self._tenants:
            return within
        tenants, everybody, now = self._tenants, self._all, self._kernel.now
        log = self._policy.log

        def asked(
            caller: Any, action: Action, accounts: Iterable[str], ask: Any, door: str, address: str
        ) -> bool:
            if not (everybody or caller.tenant in tenants) or door in INSIDE:
                return within(caller, action, accounts, ask, door, address)
            line = address if type(address) is Line else _NOWHERE
            held = line.held.get(caller.name)
            is_whole = held is not None and held[0] is caller and now() < held[1]
            # What changes something is not taken on under pressure anyway.
            if not is_whole or log.is_failing or action.reads:
                self._examine(caller, action, line)
            within(caller, action, accounts, ask, door, address)
            return False  # a device may be trusted no more at the next order

        return asked

    def _examine(self, caller: Any, action: Action, line: Line) -> None:
        facts = self._facts(caller, line)
        lacking = missing(facts, action.operation)
        if lacking is not None and (caller.tenant or lacking.link in _OF_NOBODY):
            line.held.pop(caller.name, None)
            raise refusal(lacking)
        if lacking is None and line is not _NOWHERE:
            line.held[caller.name] = (caller, held_until(facts))

    def _facts(self, caller: Any, address: str) -> Facts:
        line = address if isinstance(address, Line) else _NOWHERE
        if self._sealed is None:
            self._sealed = is_encrypted(self._kernel.files)
        return Facts(
            caller, line.peer, line.is_encrypted, self._sealed, self._trouble(), self._kernel.now()
        )

    def _trouble(self) -> str:
        pressure = self._kernel.pressure()
        if pressure is not None:
            return f"the journal takes nothing: {pressure.message}"
        if self._policy.log.is_failing:
            return "the log of decisions cannot be written: is its disk full?"
        return ""


def required_of(settings: Settings) -> frozenset[str]:
    """Tenants; `ALL` for every one; none."""
    return frozenset(settings.zero_trust.replace(",", " ").split()) - {NONE}


# What is asked of a request by nobody, such as to sign in.
_OF_NOBODY: Final = frozenset({"encryption", "service_mesh"})
