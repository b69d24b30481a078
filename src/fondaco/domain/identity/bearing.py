"""What the directory asks of whoever knows tokens that are signed and kept nowhere."""

from collections.abc import Callable
from typing import Any, Protocol

from fondaco.domain.identity.model import Caller, Role
from fondaco.kernel.event import Instant

RolesOf = Callable[[str, str], tuple[Role, ...] | None]  # of a tenant's user, where there is one


class Bearing(Protocol):
    """Knows tokens that are signed, and kept nowhere."""

    def refresh(self) -> None: ...

    def verified(self, token: str) -> Any:
        """What it says. Raises `Denied`."""
        ...

    def caller(self, claims: Any, roles_of: RolesOf) -> tuple[Caller, Instant]:
        """Whom that stands for today, and until when. Raises `Denied`."""
        ...

    def still(self, tenant: str, name: str, roles_of: RolesOf) -> Caller:
        """Whom such a caller's name stands for, also once their token has expired."""
        ...
