"""docs/access.md: which role gives which scope, and how a firm takes away from it."""

from collections.abc import Iterator
from typing import Any

import msgspec

from fondaco.domain.identity.policy.builtin import builtin

TEXT = """
Every door asks one place, `House.authorise`, and it asks these rules ([decision
33](decisions/0033-one-policy-engine.md)): what no rule allows is denied. Roles are attributes;
the table is the whole of what they give. A firm's own rules can only take away from it.

```rego
package own

import rego.v1

deny contains {"code": "forbidden", "text": "nobody trades from elsewhere"} if {
	input.action.scope == "orders:write"
	input.environment.address == "public"
}
```

`fondaco policy lint own.rego` says what is wrong with it and where, `fondaco policy test own.rego
own_test.rego` runs its tests and names rules that no test misses, `fondaco policy what-if
own.rego` who would lose what by what was asked of a running house, and `fondaco policy publish`
asks for a second person. `fondaco policy rollback` goes back to an earlier version. What was
decided: `fondaco policy decisions`; who did what others rely on, and who was denied what:
`fondaco audit`.

Besides `deny`, a package `own` may say `checks`, which are compiled and cost an order nearly
nothing: `accounts`, `instruments`, `notional_max`, `minutes`, `weekdays`.
"""


def page() -> Iterator[str]:
    """The lines of docs/access.md."""
    found: dict[str, Any] = msgspec.json.decode(builtin().data)
    roles: dict[str, dict[str, bool]] = found["house"]["roles"]
    scopes = sorted({scope for given in roles.values() for scope in given})
    yield from (
        "# Who may do what",
        "",
        "The table is made by `make docs`; a test compares the two.",
    )
    yield from TEXT.rstrip().splitlines()
    yield from ("", "## What roles give", "")
    yield f"| scope | {' | '.join(roles)} |"
    yield f"|---|{'---|' * len(roles)}"
    for scope in scopes:
        marks = ("yes" if given.get(scope) else "" for given in roles.values())
        yield f"| `{scope}` | {' | '.join(marks)} |"
    yield ""
    yield "Whoever holds a role that trades agrees to nothing but the orders that agents propose."
