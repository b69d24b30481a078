"""The file `fix.toml` of a data directory: with whom FIX is spoken, and how.

    [port]                                  # optional
    addresses = ["192.0.2.0/24"]            # from which anybody may connect; none named: any
    certificate = "fix.pem"                 # with these three it speaks TLS, and who connects
    key = "fix.key"                         # must show a certificate that `trusts` has signed
    trusts = "clients.pem"                  # or is

    [[session]]
    begin_string = "FIX.4.4"
    sender_comp_id = "HOUSE"                # ours
    target_comp_id = "BROKER"               # theirs; "*" is a template
    application = "orders"                  # who is given its messages
    key_id = "k-1f2e…"                      # the API key in whose name they trade, and for
    accounts = ["demo"]                     # which accounts; the first where they name none
    username = "broker"                     # what they must say at logon (553, 554)
    password_sha256 = "9f86d0…"
    pins = ["3c1b…"]                        # SHA-256 of the certificates they may show
    schedule = { start = "17:00", end = "16:00", time_zone = "America/Chicago" }
    dictionary = "broker.xml"               # what was agreed beside the standard, beside this file
    checks = { user_defined = false }       # what their messages are held to: `Options`

What else a session may have are the fields of `Terms` and of `Agreement`; `role = "initiator"`
connects to `connect = ["host:port", …]` in turn, with the password that the key ring has
(`password = "secret://fix/broker"`), or the environment variable that `password_env` names. With
`application = "venue"` and `venue = { mic = "BRKR", … }` (`VenueTerms`) orders of the house are
routed out to them.
"""

import tomllib
from collections.abc import Callable, Mapping
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Any, Final

import msgspec

from fondaco.domain.fix.api import (
    Admit,
    Checking,
    Dictionary,
    Message,
    Options,
    SessionId,
    Terms,
)
from fondaco.gateway.fix.switchboard import Agreement
from fondaco.kernel.errors import Invalid
from fondaco.settings import REFERENCE

_NAMES: Final = frozenset(SessionId.__struct_fields__)
_TERMS: Final = frozenset(Terms.__struct_fields__) - {"id", "password"}
_AGREED: Final = frozenset(
    {"addresses", "pins", "connect", "application", "key_id", "accounts", "venue"}
)
_PASSWORDS: Final = frozenset({"password", "password_sha256", "password_env"})


class Port(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the listening port asks of those who connect."""

    addresses: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""
    trusts: str = ""


class Connecting(msgspec.Struct, frozen=True, kw_only=True):
    """How an initiator's connection is made."""

    tls: bool = False
    trusts: str = ""
    certificate: str = ""
    key: str = ""
    server_name: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session of the file."""

    agreement: Agreement
    password_sha256: str = ""
    connecting: Connecting = Connecting()
    own: Dictionary | None = None  # of application messages; before FIXT of all of them
    checks: Options = Options()

    def checking(self, terms: Terms) -> Checking:
        """What messages of a session of these terms are held to."""
        return Checking(terms, self.checks, self.own)

    @property
    def admit(self) -> Admit:
        """What a Logon must say. The password is compared in constant time."""
        username, wanted = self.agreement.terms.username, self.password_sha256.lower()
        if not wanted or self.agreement.terms.role == "initiator":
            return lambda _: ""

        def admitted(message: Message) -> str:
            said = sha256(message.get(554) or b"").hexdigest()
            is_right = compare_digest(said, wanted) and (message.text(553) or "") == username
            return "" if is_right else "username or password is wrong"

        return admitted


class Agreements(msgspec.Struct, frozen=True):
    port: Port
    sessions: tuple[Session, ...]


def _no_ring(_: str) -> str:
    raise Invalid("there is no key ring here")


def read_agreements(
    path: Path, environment: Mapping[str, str], secret: Callable[[str], str] = _no_ring
) -> Agreements:
    """What the file says; nobody where there is none. `secret` gives what a reference stands for.
    Raises `Invalid` with the place."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Agreements(Port(), ())
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} cannot be read: {error}; mend or remove it") from error
    try:
        port = msgspec.convert(values.pop("port", {}), Port)
        sessions = values.pop("session", [])
        if values or not isinstance(sessions, list):
            raise Invalid(f"it has {', '.join(values) or 'no list of'} [[session]]")
        folder = path.parent
        said = (_session(each, environment, folder, secret) for each in sessions)
        return Agreements(port, tuple(said))
    except (msgspec.ValidationError, Invalid) as error:
        raise Invalid(f"{path}: {error}") from error


def demo_venue(address: str) -> Agreements:
    """Orders of this house go to another demo house, which knows us as DEMO."""
    said = {
        "begin_string": "FIX.4.4",
        "sender_comp_id": "DEMO",
        "target_comp_id": "FONDACO",
        "role": "initiator",
        "connect": [address],
        "application": "venue",
        "venue": {"mic": "FONDACO"},
    }
    return Agreements(Port(), (_session(said, {}),))


def demo_agreements(key_id: str, account: str) -> Agreements:
    """Sessions for whoever tries a demo house: FONDACO to DEMO, in three versions, trades for its
    account, and to WATCHER is told of it."""
    named = {"sender_comp_id": "FONDACO", "key_id": key_id, "accounts": [account]}
    demo = {**named, "target_comp_id": "DEMO", "application": "orders"}
    watcher = {**named, "target_comp_id": "WATCHER", "application": "drop_copy"}
    return Agreements(
        Port(),
        tuple(
            _session(values, {})
            for values in (
                {**demo, "begin_string": "FIX.4.2"},
                {**demo, "begin_string": "FIX.4.4"},
                {**demo, "begin_string": "FIXT.1.1", "default_appl_ver_id": "9"},
                {**watcher, "begin_string": "FIX.4.4"},
            )
        ),
    )


def _session(
    values: dict[str, Any],
    environment: Mapping[str, str],
    folder: Path = Path(),
    secret: Callable[[str], str] = _no_ring,
) -> Session:
    known = _NAMES | _TERMS | _AGREED | _PASSWORDS | {"dictionary", "checks"}
    known |= frozenset(Connecting.__struct_fields__)
    for name in values:
        if name not in known:
            raise Invalid(f"{name} is nothing that a session has")
    terms = {name: values[name] for name in values if name in _TERMS}
    if "password" in values:
        if not str(values["password"]).startswith(REFERENCE):
            raise Invalid("password says where it is kept, and not what it is: secret://fix/broker")
        terms["password"] = secret(str(values["password"]))
    elif "password_env" in values:
        variable = str(values["password_env"])
        if variable not in environment:
            raise Invalid(f"password_env names {variable}, which is not in the environment")
        terms["password"] = environment[variable]
    terms["id"] = {name: values[name] for name in values if name in _NAMES}
    agreed = {name: values[name] for name in values if name in _AGREED}
    agreement = msgspec.convert({"terms": terms, **agreed}, Agreement)
    if agreement.terms.role == "initiator" and not agreement.connect:
        raise Invalid(f"{agreement.terms.id} is an initiator and has nobody to connect to")
    return Session(
        agreement=agreement,
        password_sha256=str(values.get("password_sha256", "")),
        connecting=msgspec.convert(
            {n: v for n, v in values.items() if n in Connecting.__struct_fields__}, Connecting
        ),
        own=_own(folder, str(values.get("dictionary", ""))),
        checks=_checks(values.get("checks", {})),
    )


def _own(folder: Path, named: str) -> Dictionary | None:
    if not named:
        return None
    try:
        return Dictionary.read(folder / named)
    except OSError as error:
        raise Invalid(f"dictionary {named} cannot be read: {error}") from error


def _checks(values: Any) -> Options:
    known = Options.__struct_fields__
    for name in values:
        if name not in known:
            raise Invalid(f"checks has {name}, must be of {', '.join(known)}")
    return msgspec.convert(values, Options)
