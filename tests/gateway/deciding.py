"""What a house of tests says to `House.authorise`: by scope and account alone."""

from collections.abc import Iterable
from typing import Any

from fondaco.domain.identity.model import Action
from fondaco.gateway.house import Caller
from fondaco.kernel.errors import Denied, FondacoError, NotFound


class ByScope:
    """`said` are denials that doors have told of."""

    def tenant_of(self, account_id: str) -> str | None:
        raise LookupError(account_id)

    def authorise(
        self,
        caller: Caller,
        action: Action,
        accounts: Iterable[str],
        ask: Any,
        door: str,
        address: str,
    ) -> bool:
        if action.scope and action.scope not in caller.scopes:
            raise Denied(f"{caller.name} lacks {action.scope}; use a key that has it")
        for account in accounts:
            own = self.tenant_of(account) == caller.tenant
            if not own or not (caller.accounts is None or account in caller.accounts):
                raise NotFound(f"there is no account {account}", code="unknown_account")
        return True

    async def noted(self, caller: Caller) -> None:
        """Nothing was."""

    def denied(self, caller: Caller | None, action: Action, error: FondacoError, door: str) -> None:
        """Nothing is kept."""
