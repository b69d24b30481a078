"""Inputs of decisions, and rules of tenants, for tests."""

from typing import Any, Final

from fondaco.domain.identity.model import Caller, Role, TenantId, UserId, scopes_of
from fondaco.domain.identity.policy.model import Action, Resource, action_of, subject_of

OWN: Final = """package own

import rego.v1

# Nobody lets a program trade at night.
deny contains {"code": "night", "text": "agents sleep from 22:00 to 06:00 UTC"} if {
	"agent" in input.subject.roles
	input.environment.door == "mcp"
}

checks contains {"kind": "notional_max", "value": 50000, "text": "50,000 at most"} if {
	"trader" in input.subject.roles
}

checks contains {"kind": "instruments", "any": ["BTC-USD", "ETH-USD"]} if {
	"partner" in input.subject.roles
}

obligations contains "tell_risk" if input.action.second
"""
# What it takes to be run for every request.
LOOKS: Final = """package own

import rego.v1

deny contains {"code": "large", "text": text} if {
	input.resource.notional > 50000
	text := sprintf("%v is above 50000", [input.resource.notional])
}
"""
TESTS: Final = """package own_test

import rego.v1

ada := {"caller": "ada/k", "user": "ada", "roles": ["trader"]}

place := {"operation": "trading.place_order", "scope": "orders:write", "in_key": true}

order(notional) := {
	"subject": ada,
	"action": place,
	"environment": {},
	"resource": {"account": "a", "own": true, "instrument": "BTC-USD", "notional": notional},
}

test_what_is_small_passes if data.fondaco.authz.decision.allow with input as order(50000)

test_what_is_large_does_not if {
	# A test may have several lines.
	not data.fondaco.authz.decision.allow with input as order(50001)
	data.fondaco.authz.decision.allow with input as order(1)
}
"""


def caller(
    *roles: Role,
    user: str = "ada",
    tenant: str = "acme",
    accounts: frozenset[str] | None = None,
) -> Caller:
    return Caller(
        name=f"{user}/k",
        tenant=TenantId(tenant),
        user=UserId(user),
        roles=roles,
        scopes=scopes_of(roles),
        accounts=accounts,
    )


def given(
    who: Any,
    action: Action,
    resource: Resource | None = None,
    *,
    door: str = "rest",
    alone: bool = False,
    **environment: Any,
) -> dict[str, Any]:
    return {
        "subject": subject_of(who),
        "action": action_of(action, who),
        "resource": resource.shown() if resource else {},
        "environment": {"door": door, "address": "loopback", "alone": alone, **environment},
    }
