"""The house's own rules, as the package brings them, and a tenant's together with them."""

from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from fondaco.domain.identity.policy.reading import is_test
from fondaco.ports.policy import Sources

RULES: Final = "authz.rego"
DATA: Final = "data.json"


@cache
def builtin() -> Sources:
    folder = files("fondaco.domain.identity.policy") / "policies"
    return Sources(((RULES, (folder / RULES).read_text()),), (folder / DATA).read_text())


def in_force(modules: tuple[tuple[str, str], ...], data: str) -> Sources:
    """What decides: without tests, which are for a process of their own."""
    return merged(tuple(each for each in modules if not is_test(each[0])), data)


def merged(modules: tuple[tuple[str, str], ...], data: str) -> Sources:
    """A tenant's modules beside the house's, and its data in `data.house`: roles stay the house's,
    for what is a tenant's own can only take away."""
    ours = builtin()
    found: dict[str, Any] = msgspec.json.decode(ours.data)
    own: dict[str, Any] = msgspec.json.decode(data or "{}")
    found["house"] = {**own, **found["house"], "desks": own.get("desks", {})}
    return Sources((*ours.modules, *modules), msgspec.json.encode(found, order="sorted").decode())
