# Who may do what. Nothing is allowed that no rule here allows.
#
# The house's roles give scopes (data.house.roles); what a tenant adds of its own (the package `own`)
# can only take away. `checks` are what is left to be looked at request by request, in words that are
# compiled: see docs/access.md. Each rule costs some microseconds, so what allows is worked out
# first, and reasons only for who is denied.
package fondaco.authz

import rego.v1

decision := {"allow": true, "reasons": [], "checks": checks, "obligations": obligations} if {
	input.action.in_key
	object.get(input.resource, "own", true)
	holds_scope
	not trades_and_agrees
	not denied
	not broken
} else := {"allow": false, "reasons": reasons, "checks": checks, "obligations": obligations}

# --- Scopes ------------------------------------------------------------------------------------

holds_scope if input.action.scope == ""

holds_scope if {
	some role in input.subject.roles
	data.house.roles[role][input.action.scope]
}

# --- Nobody trades and agrees ------------------------------------------------------------------

# Agreeing to the order that an agent of theirs proposes is trading; agreeing to anything else is not.
trades_and_agrees if {
	input.environment.door == "approving"
	input.action.scope != "orders:write"
	not input.environment.alone
	some role in input.subject.roles
	data.house.roles[role]["orders:write"]
}

# --- What the tenant says itself ---------------------------------------------------------------

# The way back is never closed: who publishes a policy that denies too much can take it back.
denied if {
	not input.action.way_back
	some denial in data.own.deny
	denial
}

# Desks: data.house.desks[name] = {"members": [user], "accounts": [account]}
checks := array.concat(
	[check | some check in data.own.checks; not input.action.way_back],
	[{"kind": "accounts", "any": accounts, "text": "it is no account of your desk"} |
		some desk in data.house.desks
		input.subject.user in desk.members
		accounts := desk.accounts
	],
)

obligations := [obligation | some obligation in data.own.obligations]

# --- Checks, as the compiled grant makes them: what the request does not name is not looked at -----

broken if {
	some check in checks
	not holds(check)
}

holds(check) if {
	check.kind == "accounts"
	not input.resource.account
}

holds(check) if {
	check.kind == "accounts"
	input.resource.account in check.any
}

holds(check) if {
	check.kind == "instruments"
	not input.resource.instrument
}

holds(check) if {
	check.kind == "instruments"
	input.resource.instrument in check.any
}

holds(check) if {
	check.kind == "not_instruments"
	not input.resource.instrument in check.any
}

# A notional that nobody knows breaks a limit: nobody can say that it is kept.
holds(check) if {
	check.kind == "notional_max"
	not input.resource.instrument
}

holds(check) if {
	check.kind == "notional_max"
	input.resource.notional <= check.value
}

holds(check) if {
	check.kind == "minutes"
	minute := object.get(input.environment, "minute", check.from)
	minute >= check.from
	minute < check.to
}

holds(check) if {
	check.kind == "weekdays"
	object.get(input.environment, "weekday", check.any[0]) in check.any
}

# --- Why not -----------------------------------------------------------------------------------

reasons := array.concat(
	[reason | some reason in denials],
	[denial | some denial in data.own.deny; not input.action.way_back],
)

has_scope if {
	input.action.in_key
	holds_scope
}

denials contains {"code": "lacks_scope", "text": text} if {
	not has_scope
	text := sprintf("%s lacks %s; use a key that has it", [input.subject.caller, input.action.scope])
}

denials contains {"code": "unknown_account", "text": text} if {
	input.resource.own == false
	text := sprintf("there is no account %s", [input.resource.account])
}

denials contains {"code": "separation_of_duties", "text": text} if {
	trades_and_agrees
	text := sprintf("%s trades: somebody who does not must agree", [input.subject.caller])
}

denials contains {"code": "forbidden", "text": text} if {
	some check in checks
	not holds(check)
	text := object.get(check, "text", sprintf("the check %s does not hold", [check.kind]))
}
