"""Providers of others, of the file `providers.toml` in a data directory:

    [corp]
    issuer = "https://login.example.com"
    client_id = "fondaco"
    label = "Example"
    tenant = "acme"

    [[corp.roles]]
    claim = "groups"
    value = "traders"
    roles = ["trader"]

Its secret is in the key ring: `fondaco secrets put oidc/corp`. What else it may have are the fields
of `Trusted`. It is told to come back to <address of this house>/oauth/external/corp/callback.
"""

import asyncio
import os
import tomllib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import quote

import msgspec

from fondaco.app.files import Files
from fondaco.app.people import PeoplePart
from fondaco.app.say import say
from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import Caller, digest_of, token_of
from fondaco.domain.identity.oidc.foreign import Fetch, Fetched, ForeignProviders
from fondaco.domain.identity.oidc.model import SECOND_NS, fits, is_challenge
from fondaco.domain.identity.oidc.trusted import ProviderName, Trusted, check
from fondaco.domain.identity.people.desk import SignedIn
from fondaco.kernel.errors import Denied, Invalid, NotFound, Unavailable
from fondaco.ports.cache import Cache
from fondaco.ports.outbound import Outbound, Request
from fondaco.ports.secrets.audited import KeyRing
from fondaco.ports.store import Store

FILE: Final = "providers.toml"
WITHIN_S: Final = 5.0
HANDED_MS: Final = 60_000
SESSIONS_MAX: Final = 10_000
_HANDED: Final = "arrived:"


class _Handed(msgspec.Struct, frozen=True):
    tenant: str
    user: str
    factor: str
    challenge: str
    provider: str
    id_token: str


def trusted_in(files: Files) -> dict[str, Trusted]:
    """Raises `Invalid`, with the place in the file."""
    path = files.root / FILE
    try:
        told = tomllib.loads(path.read_text("utf-8"))
        found = msgspec.convert(told, dict[ProviderName, Trusted])
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise Invalid(f"{path}: {error}") from None
    for name, each in found.items():
        check(f"{path}: {name}", each)
    issuers = [each.issuer for each in found.values()]
    if len(set(issuers)) != len(issuers):
        raise Invalid(f"{path}: two providers have the same issuer")
    return found


def fetching(outbound: Outbound) -> Fetch:
    """For threads: the calls are made on this loop, where all that go outwards are."""
    loop = asyncio.get_running_loop()

    def fetch(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Fetched:
        asked = Request(method, url, tuple(headers.items()), body, within_s=WITHIN_S)
        under_way = asyncio.run_coroutine_threadsafe(outbound.ask(asked), loop)
        try:
            reply = under_way.result(2 * WITHIN_S)
        except TimeoutError:
            raise Unavailable("a provider does not answer in time", retry_after_s=10) from None
        return Fetched(reply.status, reply.headers, reply.body)

    return fetch


class ExternalPart:
    """Signing in with a provider of others, put together."""

    def __init__(
        self,
        foreign: ForeignProviders,
        people: PeoplePart,
        directory: Directory,
        cache: Cache,
        here: Callable[[], str],
    ) -> None:
        """`here` is the address of this house."""
        self.foreign, self._people, self._directory = foreign, people, directory
        self._cache, self._here = cache, here
        self._begun: OrderedDict[str, tuple[str, str]] = OrderedDict()  # provider and ID token
        self._trouble = ""
        people.sign_out_at = self.sign_out_at

    @property
    def labels(self) -> Mapping[str, str]:
        return {name: each.label or name for name, each in self.foreign.trusted.items()}

    def start(self, name: str, query: Mapping[str, str]) -> tuple[str, str]:
        """With `challenge` for a page that asks for its session itself, else for a cookie."""
        next_, challenge = query.get("next", "/"), query.get("challenge", "")
        if challenge:
            if not is_challenge(challenge):
                raise Invalid("challenge is no S256 of a proof")
            next_ = f"/#challenge={challenge}"
        elif next_.startswith("/#"):
            raise Invalid("next is a place of this house")
        return self.foreign.start(name, next_, self._back(name))

    def finish(
        self, name: str, query: Mapping[str, str], browser: str, address: str
    ) -> tuple[str, str, int]:
        arrived = self.foreign.finish(name, query, browser, self._back(name))
        user = self.foreign.user_of(arrived.who)
        factor, mark = arrived.who.second_factor, "/#challenge="
        if arrived.next.startswith(mark):
            code = token_of(os.urandom(32))
            challenge = arrived.next.removeprefix(mark)
            handed = _Handed(user.tenant, user.user, factor, challenge, name, arrived.id_token)
            sealed = self._people.sealing.seal(msgspec.json.encode(handed), "arrived")
            self._cache.put(_HANDED + digest_of(code), sealed, HANDED_MS)
            return f"/#/signed-in/{quote(code)}", "", 0
        found = self._begin(user.tenant, user.user, factor, address, name, arrived.id_token)
        return arrived.next, found.token, (found.ends_at - self._directory.clock()) // SECOND_NS

    def arrive(self, code: str, proof: str, address: str) -> SignedIn:
        """Raises `Denied`."""
        kept = self._cache.pop(_HANDED + digest_of(code))
        if kept is None:
            raise _gone()
        handed = msgspec.json.decode(self._people.sealing.unseal(kept, "arrived"), type=_Handed)
        if not fits(proof, handed.challenge):
            raise _gone()
        said = (handed.tenant, handed.user, handed.factor, address)
        return self._begin(*said, handed.provider, handed.id_token)

    def _begin(
        self, tenant: str, user: str, factor: str, address: str, name: str, id_token: str
    ) -> SignedIn:
        row: Any = SimpleNamespace(tenant=tenant, user=user, password="")
        found = self._people.desk.begin(row, factor, address, f"signed in with {name}")
        self._begun[found.session_id] = (name, id_token)
        while len(self._begun) > SESSIONS_MAX:
            self._begun.popitem(last=False)
        return found

    def sign_out_at(self, caller: Caller) -> str:
        """Where somebody who signs out here is signed out there, too; "" nowhere."""
        name, id_token = self._begun.pop(caller.key_id, ("", ""))
        if not name:
            return ""
        with suppress(Unavailable, Denied):
            return self.foreign.sign_out(name, id_token, f"{self._here()}/")
        return ""

    def tick(self) -> None:
        trouble = self.foreign.tick()
        if trouble != self._trouble:
            self._trouble = trouble
            say(f"providers: {trouble or 'all answer again'}")

    def _back(self, name: str) -> str:
        return f"{self._here()}/oauth/external/{name}/callback"


def external_part(
    files: Files,
    ring: KeyRing,
    records: Store,
    directory: Directory,
    people: PeoplePart,
    cache: Cache,
    outbound: Outbound,
    here: Callable[[], str],
) -> ExternalPart:
    def secret(name: str) -> str:
        with suppress(NotFound):
            return ring.get(f"oidc/{name}", "house").decode()
        return ""

    trusted = trusted_in(files)
    fetch, clock = fetching(outbound), directory.clock
    foreign = ForeignProviders(trusted, secret, fetch, records, cache, clock, os.urandom)
    return ExternalPart(foreign, people, directory, cache, here)


def _gone() -> Denied:
    return Denied("this sign-in was finished before, or took too long", code="sign_in_failed")
