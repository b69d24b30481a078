"""Holdings under tokens, and their names for who may have them and says why."""

import asyncio
from collections.abc import Callable
from hashlib import blake2b
from itertools import groupby
from typing import Any

import msgspec

from fondaco.app.house import Kernel
from fondaco.domain.identity.audit.events import NoteAudit, TokensRevealed
from fondaco.domain.identity.audit.model import stream_of
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.vault import store
from fondaco.domain.identity.vault.api import (
    HoldingsReply,
    RevealedName,
    RevealReply,
    TokenHolding,
)
from fondaco.domain.identity.vault.tokens import TokenVault
from fondaco.domain.trading.store.holdings import Held, holdings, shows
from fondaco.kernel.event import request_id
from fondaco.kernel.money import format_scaled
from fondaco.kernel.operation import Stamp
from fondaco.ports.store import Store


class VaultDesk:
    """What operations on holdings under tokens are answered from."""

    def __init__(
        self,
        kernel: Kernel,
        directory: Directory,
        records: Store,
        reading: Callable[[], Any],
        tokens: TokenVault,
    ) -> None:
        self._kernel, self._directory = kernel, directory
        self._records, self._reading, self._tokens = records, reading, tokens
        records.create(store.metadata)

    async def holdings(self, stamp: Stamp, cursor: str, limit: int) -> HoldingsReply:
        """Of those accounts that the caller may see. `limit` 0: all of them."""
        refs = self._kernel.refs
        rates, assets, currency = dict(refs.rates), dict(refs.assets), refs.currency
        allowed = self._directory.caller_named(stamp.tenant, stamp.caller).accounts

        def value(held: Held) -> str | None:
            rate = rates.get(held.name) if held.units is not None else None  # type: ignore[call-overload]
            if rate is None or held.currency != currency or currency not in assets:
                return None
            worth = held.units * rate.num // rate.den
            return format_scaled(worth, assets[currency].decimals)

        def look() -> HoldingsReply:
            with self._records.reading() as conn:
                owners = store.owners_of(conn, stamp.tenant)
            with self._reading() as conn:
                position, found = shows(conn), list(holdings(conn, stamp.tenant))
            found.sort(key=lambda held: held.account)
            by_token = {
                self._tokens.account(stamp.tenant, account): (account, list(rows))
                for account, rows in groupby(found, lambda held: held.account)
                if allowed is None or account in allowed
            }
            pages = sorted(token for token in by_token if token > cursor)
            chosen = pages[:limit] if limit else pages
            items = []
            for token in chosen:
                account, rows = by_token[token]
                user = owners.get(account)
                owner = None if user is None else self._tokens.owner(stamp.tenant, user)
                items += [_shown(token, owner, held, value(held)) for held in rows]
            more = chosen[-1] if len(pages) > len(chosen) else None
            return HoldingsReply(items, more, position)

        return await asyncio.to_thread(look)

    async def reveal(self, stamp: Stamp, tokens: list[str], reason: str) -> RevealReply:
        """Noted in the journal first. Raises `Unavailable` where it cannot be: then nobody is told
        anything."""
        caller = self._directory.caller_named(stamp.tenant, stamp.caller)
        accounts = [
            account
            for account, tenant in self._kernel.accounts.items()
            if tenant == stamp.tenant and caller.may_use(account)
        ]

        def look() -> list[Any]:
            with self._records.reading() as conn:
                owners = store.owners_of(conn, stamp.tenant)
            users = {owners[each] for each in accounts if each in owners}
            return list(self._tokens.reveal(stamp.tenant, tokens, accounts, sorted(users)))

        found = await asyncio.to_thread(look)
        who = f"{stamp.tenant}/{stamp.caller}/{stamp.request_id}".encode()
        asked = blake2b(who, digest_size=12)
        revealed = TokensRevealed(
            stamp.at, stamp.caller, caller.behind or caller.user, tuple(tokens), len(found), reason
        )
        content = blake2b(msgspec.json.encode(revealed), digest_size=8).hexdigest()
        command = NoteAudit(
            request_id(f"!reveal-{asked.hexdigest()}", content), stamp.at, (revealed,)
        )
        entries = await self._kernel.submit(stream_of(stamp.tenant), command)
        known = {each.token for each in found}
        return RevealReply(
            [RevealedName(each.token, each.kind, each.name) for each in found],
            [each for each in dict.fromkeys(tokens) if each not in known],
            entries[-1].position,
        )

    def owner(self, tenant: str, account: str) -> str | None:
        with self._records.reading() as conn:
            return store.owners_of(conn, tenant).get(account)

    def set_owner(self, stamp: Stamp, account: str, user: str | None) -> None:
        """Raises `NotFound` for an unknown user."""
        with self._records.writing() as conn:
            store.set_owner(conn, stamp.tenant, account, user, stamp.caller, stamp.at)


def _shown(token: str, owner: str | None, held: Held, value: str | None) -> TokenHolding:
    return TokenHolding(
        account=token,
        owner=owner,
        account_type=held.account_type,
        currency=held.currency,
        kind=held.kind,
        name=held.name,
        qty=held.qty,
        held=held.held,
        cost=held.cost,
        value=value,
    )
