"""Who may do what in this house: the rules in force, what they decided, and how they change."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

import msgspec

from fondaco.app.at_rest import at_rest
from fondaco.app.house import Kernel
from fondaco.app.policies.decisions import DecisionLog
from fondaco.app.policies.grants import Grants, PolicyDenied
from fondaco.app.policies.resources import Resources
from fondaco.app.policies.trying import compared, tried
from fondaco.app.say import say
from fondaco.domain.identity.audit.events import ActNoted, AuditEvent, DenialsNoted, NoteAudit
from fondaco.domain.identity.audit.gathering import Gathering
from fondaco.domain.identity.audit.model import stream_of as audit_of
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import DEMO, SCOPES, is_lent
from fondaco.domain.identity.policy import api
from fondaco.domain.identity.policy.builtin import builtin, in_force
from fondaco.domain.identity.policy.events import PolicyPublished, PublishPolicy
from fondaco.domain.identity.policy.model import (
    ENTRYPOINT,
    Action,
    Decision,
    Resource,
    Version,
    Versions,
    stream_of,
    subject_of,
)
from fondaco.kernel.errors import Corrupt, FondacoError, Invalid, NotFound, Unavailable
from fondaco.kernel.event import CommandId, Instant, request_id
from fondaco.kernel.operation import Stamp
from fondaco.ports.policy import Policy, Sources
from fondaco.ports.policy.rego import RegoPolicy
from fondaco.runtime.committer import Outcome

EXAMPLES_MAX: Final = 3  # of a change
CHANGES_MAX: Final = 200
TEXT_MAX: Final = 200


def in_process(sources: Sources) -> Policy:
    return RegoPolicy(sources, [ENTRYPOINT])


class Authority:
    """What doors and operations ask. Belongs to the loop's thread."""

    def __init__(self, kernel: Kernel, directory: Directory) -> None:
        settings = kernel.settings
        self._kernel, self._directory = kernel, directory
        self._four_eyes, self._demo = settings.four_eyes, settings.demo
        folder = kernel.files.root / "decisions"
        self.log = DecisionLog(
            folder, settings.decisions_quota_bytes, kernel.now, at_rest(kernel.files)
        )
        self._writing = asyncio.Lock()
        self._gathering = Gathering()
        self._grants = Grants(
            in_process,
            Resources(kernel),
            kernel.accounts.get,
            kernel.now,
            self._alone,
            self._note,
        )
        self.authorise = self._grants.authorise
        self._told: dict[str, asyncio.Future[Outcome]] = {}  # the last act of each tenant
        self._in_force: dict[str, int] = {}  # version by tenant
        self._tenants: list[str] = []
        self._actions: dict[str, Action] = {}

    def know(self, actions: Iterable[Action]) -> None:
        """What doors serve: what `decide` is asked about."""
        self._actions = {each.operation: each for each in actions}

    def _alone(self, tenant: str) -> bool:
        """One person may do both halves, as in `ApprovalsDesk`."""
        return self._four_eyes == "off" or (
            self._four_eyes == "on" and self._demo and tenant == DEMO
        )

    # --- What is kept -----------------------------------------------------------------------------

    def _note(
        self, given: dict[str, Any], decision: Decision, action: Action, _: Any, weight: int
    ) -> None:
        self.log.note(given, decision, weight)
        kept = action.is_privileged or is_lent(given["subject"]["caller"])
        if decision.allow and not kept:
            return
        subject, place, at = given["subject"], given["environment"], self._kernel.now()
        account = given["resource"].get("account", "")
        if decision.allow:
            act = ActNoted(
                at, subject["caller"], subject["user"], action.operation, action.scope, account,
                place["door"], place["address"], decision.revision,
            )  # fmt: skip
            self._tell_act(subject["tenant"], act)
            return
        reason = decision.reasons[0]
        denial = DenialsNoted(
            at, at, 1, subject["caller"], subject["user"], action.operation, action.scope,
            reason["code"], reason["text"][:TEXT_MAX], account, place["door"], place["address"],
            decision.revision,
        )  # fmt: skip
        self._gathering.denial(subject["tenant"], denial)

    def denied(self, caller: Any, action: Action, error: FondacoError, door: str) -> None:
        """Of what is denied elsewhere: an unknown token, a wrong password, one's own approval."""
        if isinstance(error, PolicyDenied):
            return
        at, subject = self._kernel.now(), subject_of(caller)
        denial = DenialsNoted(
            at, at, 1, subject["caller"], subject["user"], action.operation, action.scope,
            error.code, error.message[:TEXT_MAX], "", door, "", "",
        )  # fmt: skip
        self._gathering.denial(subject["tenant"], denial)

    def _tell_act(self, tenant: str, act: ActNoted) -> None:
        """Into the queue of the disk before what was allowed, whatever that writes. Raises
        `Unavailable`: nothing is done of which no line is kept."""
        told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        command = NoteAudit(CommandId(f"noted/{act.at}"), act.at, (act,))
        self._kernel.submit(audit_of(tenant), command).then(told.set_result)
        self._told[tenant] = told

    async def noted(self, caller: Any) -> None:
        """Until the acts of the caller's tenant so far are durable. Raises what kept them from it,
        and then nobody may go on."""
        told = self._told.get(caller.tenant)
        if told is None:
            return
        outcome = await asyncio.shield(told)  # who goes away takes it from nobody else
        if isinstance(outcome, FondacoError):
            raise outcome.with_traceback(None)

    def _tell(self, found: Iterable[tuple[str, AuditEvent]]) -> None:
        by_tenant: dict[str, list[AuditEvent]] = defaultdict(list)
        for tenant, event in found:
            by_tenant[tenant].append(event)
        now = self._kernel.now()
        for tenant, events in by_tenant.items():
            command = NoteAudit(CommandId(f"noted/{now}"), now, tuple(events))
            self._kernel.ask_again_until_done(audit_of(tenant), command)

    # --- Over time --------------------------------------------------------------------------------

    async def open(self) -> None:
        """Rules that were published before are in force from the first request on."""
        self._tenants = await asyncio.to_thread(self._directory.tenants)
        for tenant in self._tenants:
            await self._kernel.wake(stream_of(tenant))
            await self._kernel.wake(audit_of(tenant))
        self._turn()

    async def tick(self) -> None:
        """Called every second."""
        self._turn()
        self._tell(self._gathering.take(self._kernel.now()))
        await self._flush()

    async def close(self) -> None:
        """The last minute's denials reach the journal, where it still takes entries."""
        at, found = self._kernel.now(), defaultdict(list)
        for tenant, event in self._gathering.take_all():
            found[tenant].append(event)
        for tenant, events in found.items():
            command = NoteAudit(CommandId(f"noted/{at}"), at, tuple(events))
            with suppress(Unavailable):
                await self._kernel.submit(audit_of(tenant), command)
        await self._flush()

    async def _flush(self) -> None:
        async with self._writing:
            await asyncio.to_thread(self.log.write, self.log.take())

    def _turn(self) -> None:
        """Versions whose time has come."""
        now = self._kernel.now()
        for tenant in self._tenants:
            memory = self._kernel.peek(stream_of(tenant))
            version = memory.state.in_force(now) if memory else None
            number = version.version if version else 0
            if number == self._in_force.get(tenant, 0):
                continue
            try:
                self._grants.put(tenant, version)
            except FondacoError as error:  # an engine of another build: the rules before stand
                say(f"policy {number} of {tenant} cannot be put in force: {error.message}")
            else:
                say(f"policy {number} of {tenant} is in force: {self._grants.revision(tenant)}")
            self._in_force[tenant] = number

    # --- What is asked about the rules ----------------------------------------------------------

    async def current(self, stamp: Stamp) -> api.PolicyReply:
        versions = await self._versions(stamp.tenant)
        now = self._kernel.now()
        newest = versions.in_force(now)
        return api.PolicyReply(
            self._grants.revision(stamp.tenant),
            newest.version if newest else 0,
            dict(newest.modules) if newest else {},
            msgspec.json.decode(newest.data) if newest else {},
            dict(builtin().modules),
            {str(role): sorted(map(str, SCOPES[role])) for role in SCOPES},
            [_shown(each, newest, now) for each in reversed(versions.items)],
        )

    async def check(self, stamp: Stamp, ask: api.PolicyText) -> api.CheckReply:
        modules, data = _parts(ask)
        trial = await tried(modules, data)
        return api.CheckReply(
            trial.wrong,
            in_force(modules, data).revision,
            trial.findings,
            [msgspec.structs.asdict(each) for each in trial.tests],
            trial.coverage_percent,
            trial.uncovered,
        )

    async def must_pass(self, stamp: Stamp, ask: api.PolicyText) -> None:
        trial = await tried(*_parts(ask), covers=False)
        if trial.wrong:
            raise Invalid(f"these rules cannot be published: {trial.wrong}")

    async def publish(self, stamp: Stamp, ask: api.PublishRequest) -> api.PublishedReply:
        await self.must_pass(stamp, ask)
        return await self._publish(stamp, *_parts(ask), Instant(ask.effective_at), ask.note, 0)

    async def must_exist(self, stamp: Stamp, version: int) -> None:
        versions = await self._versions(stamp.tenant)
        if version and versions.of(version) is None:
            known = ", ".join(str(each.version) for each in versions.items) or "none"
            raise NotFound(f"there is no version {version}; kept are {known}, and 0")

    async def rollback(self, stamp: Stamp, ask: api.RollbackRequest) -> api.PublishedReply:
        await self.must_exist(stamp, ask.version)
        before = (await self._versions(stamp.tenant)).of(ask.version)
        modules, data = (before.modules, before.data) if before else ((), "{}")
        return await self._publish(stamp, modules, data, Instant(0), ask.note, ask.version)

    async def _publish(
        self,
        stamp: Stamp,
        modules: tuple[tuple[str, str], ...],
        data: str,
        effective_at: Instant,
        note: str,
        like: int,
    ) -> api.PublishedReply:
        command = PublishPolicy(
            _command_id(stamp, modules, data, like),
            stamp.at,
            modules,
            data,
            in_force(modules, data).revision,
            effective_at,
            stamp.caller,
            note,
            like,
        )
        if stamp.tenant not in self._tenants:
            self._tenants.append(stamp.tenant)
        entries = await self._kernel.submit(stream_of(stamp.tenant), command)
        self._turn()
        event, versions = entries[-1].event, await self._versions(stamp.tenant)
        number = event.version  # type: ignore[attr-defined]  # both kinds have it
        made = versions.of(number)
        if made is None:
            raise Corrupt(f"version {number} was published and is not there")
        if isinstance(event, PolicyPublished):
            say(f"policy {number} of {stamp.tenant} was published by {stamp.caller}: {note}")
        return api.PublishedReply(
            number, made.revision, str(made.effective_at), entries[-1].position
        )

    # --- What is asked about decisions -----------------------------------------------------------

    async def what_if(self, stamp: Stamp, ask: api.WhatIfRequest) -> api.WhatIfReply:
        found = await self._read(stamp.tenant, ask.since, ask.limit)
        newest = (await self._versions(stamp.tenant)).in_force(self._kernel.now())
        now = (newest.modules, newest.data) if newest else ((), "{}")
        differences = await compared(now, _parts(ask), [line["input"] for line in found])
        changes: dict[tuple[str, str, str], api.Change] = {}
        for each in differences:
            line = found[each.nth]
            subject, action = line["input"]["subject"], line["input"]["action"]
            effect = "gains" if each.would else "loses"
            key = (effect, subject["caller"], action["operation"])
            so_far = changes.get(key) or api.Change(*key, 0, [], [])
            changes[key] = _more(so_far, line, each.reasons)
        ranked = sorted(changes.values(), key=lambda each: (-each.count, each.effect, each.caller))
        since = found[-1]["timestamp"] if found else ""
        return api.WhatIfReply(len(found), since, ranked[:CHANGES_MAX])

    async def decide(self, stamp: Stamp, ask: api.MayRequest) -> api.DecisionReply:
        action = self._actions.get(ask.operation)
        if action is None:
            raise NotFound(f"there is no operation {ask.operation[:64]}")
        caller = self._directory.caller_named(stamp.tenant, stamp.caller)
        account = ask.account_id
        own = self._kernel.accounts.get(account) == caller.tenant and caller.may_use(account)
        resource = Resource(account, own, ask.symbol, ask.notional)
        found = self._grants.decide(caller, action, resource, "rest", stamp.address)
        return api.DecisionReply(
            found.allow, list(found.reasons), list(found.obligations), found.revision
        )

    async def decisions(self, stamp: Stamp, ask: api.DecisionsRequest) -> api.DecisionsReply:
        def fits(line: Mapping[str, Any]) -> bool:
            subject = line["input"]["subject"]
            return (
                (not ask.outcome or line["result"]["allow"] == (ask.outcome == "allowed"))
                and (not ask.caller or ask.caller in (subject["caller"], subject["user"]))
                and (not ask.operation or ask.operation == line["input"]["action"]["operation"])
            )

        await self._flush()
        lines = self.log.read(stamp.tenant, ask.since)
        chosen = await asyncio.to_thread(lambda: list(islice(filter(fits, lines), ask.limit)))
        return api.DecisionsReply(chosen)

    async def export(self, stamp: Stamp, ask: api.ExportDecisionsRequest) -> str:
        found = await self._read(stamp.tenant, ask.since, ask.limit)
        return "".join(msgspec.json.encode(each).decode() + "\n" for each in reversed(found))

    async def _read(self, tenant: str, since: int, limit: int) -> list[dict[str, Any]]:
        await self._flush()
        lines = self.log.read(tenant, since)
        return await asyncio.to_thread(lambda: list(islice(lines, limit)))

    async def _versions(self, tenant: str) -> Versions:
        await self._kernel.wake(stream_of(tenant))
        memory = self._kernel.peek(stream_of(tenant))
        return memory.state if memory else Versions()


def _parts(ask: api.PolicyText) -> tuple[tuple[tuple[str, str], ...], str]:
    """Raises `Invalid` for data whose parts are not what rules read."""
    data = ask.data
    desks = data.get("desks", {})
    try:
        msgspec.convert(desks, dict[str, dict[str, list[str]]])
    except msgspec.ValidationError as error:
        said = 'data.desks is {"rates": {"members": ["ada"], "accounts": ["a1"]}}'
        raise Invalid(f"{said}: {error}") from None
    if "roles" in data:
        raise Invalid("data.roles is the house's: rules of your own can only take away")
    text = msgspec.json.encode(data, order="sorted").decode()
    return tuple(sorted(ask.modules.items())), text


def _shown(each: Version, newest: Version | None, now: Instant) -> api.VersionShown:
    state = "waiting" if each.effective_at > now else "in_force" if each is newest else "past"
    return api.VersionShown(
        each.version,
        each.revision,
        state,
        each.by,
        str(each.published_at),
        str(each.effective_at),
        each.note,
        each.like,
    )


def _more(change: api.Change, line: Mapping[str, Any], reasons: Iterable[str]) -> api.Change:
    example = {"decided_at": line["timestamp"], **line["input"]}
    return api.Change(
        change.effect,
        change.caller,
        change.operation,
        change.count + int(line["labels"]["weight"]),
        list(dict.fromkeys([*change.reasons, *reasons]))[:EXAMPLES_MAX],
        [*change.examples, example][:EXAMPLES_MAX],
    )


def _command_id(
    stamp: Stamp, modules: tuple[tuple[str, str], ...], data: str, like: int
) -> CommandId:
    """Of what has agreed to it, or of the request: done again, it is done once."""
    key = stamp.idempotency_key or stamp.request_id
    asked = blake2b(f"{stamp.tenant}/{stamp.caller}/{key}".encode(), digest_size=12).hexdigest()
    content = msgspec.json.encode((modules, data, like))
    return request_id(f"!policy-{asked}", blake2b(content, digest_size=8).hexdigest())
