"""Asking in somebody else's name. The journal has it before anybody has a token of it, and a house
that is started again knows none of them."""

import asyncio
import os
from collections.abc import Callable
from typing import Final

from fondaco.app.approvals import MINUTE_NS, ApprovalsDesk, cause_of
from fondaco.app.say import say
from fondaco.domain.identity.approvals.api import GlassShown
from fondaco.domain.identity.approvals.events import (
    BeginImpersonation,
    EndImpersonation,
    ImpersonationBegun,
)
from fondaco.domain.identity.approvals.lending_api import LentReply
from fondaco.domain.identity.approvals.model import ID_PREFIX, id_of, open_lent
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import (
    LENT_PREFIX,
    Caller,
    digest_of,
    lent_caller_of,
    token_of,
)
from fondaco.domain.identity.people.desk import PeopleDesk
from fondaco.kernel.errors import Denied, Invalid, NotFound, Refused
from fondaco.kernel.event import Instant
from fondaco.kernel.operation import Stamp

ID_DIGITS: Final = 16


class LendingDesk:
    def __init__(
        self, approvals: ApprovalsDesk, directory: Directory, people: Callable[[], PeopleDesk]
    ) -> None:
        self._approvals, self._directory, self._people = approvals, directory, people
        self._lent: dict[tuple[str, int], str] = {}  # keys' ids
        approvals.on_reviewed = self._over

    async def lend(self, stamp: Stamp, user: str, reason: str, minutes: int) -> LentReply:
        most = self._approvals.glass_max_min
        if minutes > most:
            raise Invalid(
                f"minutes is {minutes}, must be at most {most}, which is the setting "
                "break_glass_max_min"
            )
        caller = await self._approvals.looking(stamp)
        tenant = caller.tenant
        users = await asyncio.to_thread(self._directory.users, tenant)
        found = next((each for each in users if each.user == user), None)
        if found is None or user in await asyncio.to_thread(self._directory.owners, tenant):
            raise NotFound(f"there is no person {user} in {tenant}")
        cause = cause_of("lend", stamp, f"{user}/{minutes}/{reason}".encode())
        until = Instant(stamp.at + minutes * MINUTE_NS)
        entries = await self._approvals.submit(
            tenant,
            BeginImpersonation(cause, stamp.at, caller.user, caller.name, user, reason, until),
        )
        begun = next(e.event for e in entries if isinstance(e.event, ImpersonationBegun))
        if open_lent(self._approvals.state(tenant), begun.number, stamp.at) is None:
            raise Refused(f"{id_of(begun.number)} has ended", code="glass_ended")
        token = token_of(os.urandom(32))
        lent = lent_caller_of(found, caller.user, LENT_PREFIX + digest_of(token)[:ID_DIGITS])
        self._over(tenant, begun.number)
        self._lent[tenant, begun.number] = lent.key_id
        self._directory.lend(token, lent, begun.until)
        name = id_of(begun.number)
        say(f"GLASS BROKEN by {caller.name}, who asks as {user} for {minutes} min: {reason}")
        text = (
            f"{caller.user} asks in your name for {minutes} minutes from now on, as "
            f"{name}. Everything that they do bears both names, and somebody else reviews it. If "
            f"you know of no reason, end it: fondaco approvals end {name}"
        )
        subject = "Somebody asks in your name"
        await asyncio.to_thread(self._people().write_to, tenant, user, subject, text)
        scopes = sorted(str(each) for each in lent.scopes)
        return LentReply(name, token, lent.name, scopes, str(begun.until))

    async def end(self, stamp: Stamp, approval_id: str) -> GlassShown:
        if not stamp.caller:
            raise Denied("sign in first", code="unauthenticated")
        caller = await self._approvals.looking(stamp)
        number = int(approval_id.removeprefix(ID_PREFIX))
        glass = self._approvals.state(caller.tenant).glasses.get(number)
        if glass is None or not glass.as_user or not _may_end(caller, glass.user, glass.as_user):
            raise NotFound(f"there is no {approval_id} of yours", code="unknown_approval")
        who = caller.behind or caller.user
        cause = cause_of("unlend", stamp, approval_id.encode())
        command = EndImpersonation(cause, stamp.at, number, who, caller.name)
        await self._approvals.submit(caller.tenant, command)
        self._over(caller.tenant, number)
        say(f"GLASS {approval_id} ended by {caller.name}")
        return self._approvals.shown_glass(caller, number)

    def _over(self, tenant: str, number: int) -> None:
        """Reviewed, or ended: nobody asks by it any more."""
        key_id = self._lent.pop((tenant, number), "")
        if key_id:
            self._directory.take_back(key_id)


def _may_end(caller: Caller, user: str, as_user: str) -> bool:
    return caller.user in (user, as_user) or caller.may("house:write")
