"""The chain from a device to the audit, and which of its links hold for a request (NIST SP 800-207,
section 3: every request is judged anew, by who asks, with what, from where and over what).

Pure: what is so is said in `Facts`. The order of LINKS is the order in which they are mended.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, NamedTuple

import msgspec

from fondaco.domain.identity.model import Caller
from fondaco.kernel.errors import Denied
from fondaco.kernel.event import Instant

Name = Literal[
    "encryption",
    "service_mesh",
    "user_authentication",
    "session",
    "mfa",
    "device_trust",
    "api_authorisation",
    "audit",
]
# With these somebody makes their chain whole, so a device and a factor are not asked for yet.
WAY_IN: Final = frozenset(
    {
        "identity.preference",
        "identity.session",
        "identity.set_preference",
        "users.add_passkey",
        "users.begin_passkey",
        "users.chain",
        "users.confirm_totp",
        "users.devices",
        "users.end_other_sessions",
        "users.end_session",
        "users.enrol_totp",
        "users.forget_device",
        "users.logout",
        "users.passkeys",
        "users.sessions",
        "users.trust_device",
    }
)
SHOWN_TO_ALL: Final = frozenset({"users.chain"})  # it says what is missing
_LATER: Final = frozenset({"mfa", "device_trust"})


class Facts(NamedTuple):
    """About one request. `peer` is the name in the certificate that its sender has shown;
    `is_allowed` None: not asked yet; `audit` is what keeps the house from writing down what is
    done, "" nothing."""

    caller: Any  # a Caller, or nobody
    peer: str
    is_encrypted: bool
    is_sealed: bool  # what lies on disk
    audit: str
    at: Instant
    is_allowed: bool | None = None


class LinkShown(msgspec.Struct, frozen=True, kw_only=True):
    """One link. `value` is what the house sees of it; `do` is what to do where it does not hold,
    and `code` what a request is refused with."""

    link: Name
    holds: bool
    value: str
    do: str = ""
    code: str = ""


def links(facts: Facts) -> list[LinkShown]:
    """All of them, in order."""
    return [look(facts) for look in _LOOKS]


def missing(facts: Facts, operation: str) -> LinkShown | None:
    """The first link that `operation` needs and that does not hold."""
    if operation in SHOWN_TO_ALL:
        return None
    for each in links(facts):
        if not each.holds and not (operation in WAY_IN and each.link in _LATER):
            return each
    return None


def refusal(link: LinkShown) -> Denied:
    words = link.link.replace("_", " ")
    return Denied(
        f"the link {words} is missing: {link.value}; {link.do}",
        code=link.code,
        link=link.link,
        value=link.value,
        do=link.do,
    )


def held_until(facts: Facts) -> Instant:
    """Up to when what held goes on holding by itself."""
    return Instant(getattr(facts.caller, "trusted_until", 0))


def _encryption(of: Facts) -> LinkShown:
    if not of.is_encrypted:
        do = "ask over TLS: https:// and wss:// (docs/tls.md)"
        return _link("encryption", "the request came in clear text", do)
    if not of.is_sealed:
        do = "whoever runs the house starts it with encrypt_at_rest=true (docs/secrets.md)"
        return _link("encryption", "what the house writes lies on disk in clear", do)
    return _link("encryption", "TLS, and encrypted at rest")


def _mesh(of: Facts) -> LinkShown:
    if not of.peer:
        do = (
            "show a certificate that tls_clients signs, or ask through the mesh, whose proxy says "
            "so in X-Forwarded-Client-Cert and is named in the setting proxies (docs/mesh.md)"
        )
        return _link("service_mesh", "no certificate was shown", do)
    return _link("service_mesh", of.peer)


def _user(of: Facts) -> LinkShown:
    caller = of.caller
    if not isinstance(caller, Caller):
        return _link("user_authentication", "nobody is known by this request", "sign in")
    if caller.behind:
        value = f"{caller.behind} asks in the name of {caller.user}"
        return _link("user_authentication", value, "ask in your own name")
    return _link("user_authentication", caller.user)


def _session(of: Facts) -> LinkShown:
    caller = of.caller
    if not isinstance(caller, Caller) or not caller.is_session:
        name = getattr(caller, "name", "") or "nobody"
        do = "sign in: a key or an application's token stands for no person who is there"
        return _link("session", f"{name} has no session", do)
    if caller.peer != of.peer:
        begun = caller.peer or "no certificate"
        do = "sign in again with the certificate that you show now"
        return _link("session", f"this session began with {begun}", do)
    return _link("session", caller.key_id)


def _mfa(of: Facts) -> LinkShown:
    factor = getattr(of.caller, "second_factor", "")
    if not factor:
        do = "set up a second factor (POST /api/users/totp, or a passkey) and sign in with it"
        return _link("mfa", "this session began with a password alone", do)
    return _link("mfa", factor)


def _device(of: Facts) -> LinkShown:
    device, until = getattr(of.caller, "device", ""), getattr(of.caller, "trusted_until", 0)
    if not device:
        return _link("device_trust", "the device is unknown", "sign in again on this device")
    if of.at >= until:
        value = f"{device} is known, and not trusted{' any more' if until else ''}"
        do = f"say that you trust it: POST /api/users/devices/{device}/trust, with a code"
        return _link("device_trust", value, do)
    return _link("device_trust", f"{device} is trusted")


def _allowed(of: Facts) -> LinkShown:
    if of.is_allowed is False:
        do = "ask for the role that gives the scope, or read GET /api/policy"
        return _link("api_authorisation", "the policy does not allow it", do)
    roles = ", ".join(getattr(of.caller, "roles", ())) or "no role"
    return _link("api_authorisation", f"asked of the policy for each request: {roles}")


def _audit(of: Facts) -> LinkShown:
    if of.audit:
        do = "ask again once the house writes; /ready says why it does not"
        return _link("audit", of.audit, do)
    return _link("audit", "the journal and the log of decisions take what is done")


_LOOKS: Final[tuple[Callable[[Facts], LinkShown], ...]] = (
    _encryption,
    _mesh,
    _user,
    _session,
    _mfa,
    _device,
    _allowed,
    _audit,
)
_CODES: Final[dict[Name, str]] = {
    "encryption": "link_encryption",
    "service_mesh": "link_mesh",
    "user_authentication": "link_user",
    "session": "link_session",
    "mfa": "link_mfa",
    "device_trust": "link_device",
    "api_authorisation": "denied",
    "audit": "link_audit",
}
CODES: Final[Iterable[str]] = tuple(_CODES.values())


def _link(link: Name, value: str, do: str = "") -> LinkShown:
    return LinkShown(link=link, holds=not do, value=value, do=do, code=_CODES[link] if do else "")
