"""The pages of the provider: they are forms, need no script, and are in no other page's frame."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

MEANS: Final[Mapping[str, str]] = {
    "openid": "know who you are here",
    "profile": "see your user name and name",
    "email": "see your address",
    "offline_access": "go on while you are away, for 30 days",
    "orders:read": "see orders",
    "orders:write": "place and cancel orders",
    "orders:propose": "propose orders, which somebody must agree to",
    "accounts:read": "see accounts, positions and money",
    "accounts:write": "open accounts and move money",
    "market:read": "see prices",
    "limits:read": "see limits",
    "limits:write": "ask to change limits",
    "house:read": "see how the house runs",
    "house:write": "run the house",
    "journal:read": "read the journal",
    "keys:write": "make and revoke your API keys",
    "webhooks:read": "see where your house tells of events, and what came of it",
    "webhooks:write": "have events sent to other programs",
    "tiers:read": "see what the prop firm sells",
    "tiers:write": "change what the prop firm sells",
    "evaluation:read": "see your assessments",
    "evaluation:ask": "ask for payouts of your assessments, and give them up",
    "evaluation:write": "give assessments away, and decide on payouts",
    "reports:read": "see reports",
    "reports:write": "make reports",
    "purchases:read": "see what was bought",
    "purchases:write": "buy in your name",
    "payments:read": "see everybody's purchases and the provider's books",
    "payments:write": "set coupons, affiliates and taxes, and give money back",
    "approvals:read": "see what waits for a second person",
    "approvals:write": "agree in your name to what others have asked",
    "kyc:read": "see who people are, and their documents",
    "kyc:write": "decide who is who they say they are",
    "analytics:read": "see holdings under tokens, without names",
    "tokens:reveal": "see whose a token is, for a reason that is kept",
}
_STYLE: Final = """
:root{color-scheme:dark light;--bg:#0D1117;--card:#141A22;--ink:#E7ECF2;--soft:#B3BDCA;
--edge:#74839A;--rule:#2E3A4A;--accent:#9DA8FF;--on:#0D1117;--bad:#FF9A9F}
@media (prefers-color-scheme:light){:root{--bg:#F4F1EA;--card:#FFFDF9;--ink:#1A1D21;--soft:#434A54;
--edge:#80796B;--rule:#D8D1C3;--accent:#3D46C2;--on:#FFFFFF;--bad:#A5132A}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--bg);
color:var(--ink);font:13px/20px "Inter Variable",system-ui,sans-serif}
main{width:min(400px,100vw - 32px);padding:24px;background:var(--card);
border:1px solid var(--rule);border-radius:3px}
h1{margin:0 0 4px;font-size:18px;line-height:24px;font-weight:600}
p{margin:0 0 16px;color:var(--soft);overflow-wrap:anywhere}
ul{margin:0 0 16px;padding:0;list-style:none;border-top:1px solid var(--rule)}
li{padding:6px 0;border-bottom:1px solid var(--rule);display:flex;justify-content:space-between;
gap:16px}
code{color:var(--soft);font:12px/20px ui-monospace,Menlo,"DejaVu Sans Mono",monospace}
label{display:block;margin:0 0 12px;color:var(--soft)}
input{display:block;width:100%;height:36px;margin-top:4px;padding:0 8px;color:var(--ink);
background:var(--bg);border:1px solid var(--edge);border-radius:3px;font:inherit;font-size:15px}
button{height:36px;padding:0 16px;border-radius:3px;border:1px solid var(--edge);
background:transparent;color:var(--ink);font:inherit;font-weight:600;cursor:pointer}
button.first{background:var(--accent);border-color:var(--accent);color:var(--on)}
.row{display:flex;gap:8px;justify-content:flex-end;margin-top:16px}
.bad{color:var(--bad)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
"""


class DeviceView(Protocol):
    """What a device asks for, to be shown."""

    @property
    def client(self) -> Any: ...

    @property
    def user_code(self) -> str: ...

    @property
    def scopes(self) -> Sequence[str]: ...

    @property
    def address(self) -> str: ...


def page(title: str, body: str) -> str:
    """A form or a word of ours, as all of these look."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} · Fondaco</title><style>{_STYLE}</style><main>{body}</main></html>"
    )


def policy(redirect_uri: str = "") -> str:
    """A form may lead to where the application is, and nowhere else."""
    found = urlsplit(redirect_uri)
    where = f"{found.scheme}://{found.netloc}" if found.netloc else f"{found.scheme}:"
    to = f"'self' {where}" if redirect_uri else "'self'"
    return (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {to}"
    )


def again(address: str) -> str:
    """Asks once more from here: a cookie of ours is not sent with a request that comes from another
    site's page, and this one comes from ours."""
    there = escape(address, quote=True)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="0;url={there}"><title>Fondaco</title>'
        f'<a href="{there}">Go on</a></html>'
    )


def consent(
    client: str, user: str, scopes: Sequence[str], redirect_uri: str, hidden: Mapping[str, str]
) -> str:
    found = urlsplit(redirect_uri)
    rows = _meanings(scopes)
    body = (
        f"<h1>{escape(client)} asks for access</h1>"
        f"<p>You are {escape(user)}. If you agree, it may do this in your name, and you are sent "
        f"back to {escape(found.netloc or found.scheme)}.</p><ul>{rows}</ul>"
        f'<form method="post" action="/oauth/authorize">{_hidden(hidden)}'
        '<div class="row"><button name="answer" value="no">Refuse</button>'
        '<button class="first" name="answer" value="yes">Agree</button></div></form>'
    )
    return page("Access", body)


def sign_in(
    client: str,
    hidden: Mapping[str, str],
    *,
    tenant: str,
    user: str,
    wrong: str,
    providers: Mapping[str, str],
    demo: bool,
    action: str = "/oauth/sign-in",
) -> str:
    said = f'<p class="bad" role="alert">{escape(wrong)}</p>' if wrong else ""
    others = "".join(
        f'<button name="provider" value="{escape(name, quote=True)}" formnovalidate>'
        f"Sign in with {escape(label)}</button>"
        for name, label in providers.items()
    )
    if demo:
        others += '<button name="demo" value="1" formnovalidate>Go on as demo</button>'
    body = (
        f"<h1>Sign in</h1><p>{escape(client)} asks who you are.</p>{said}"
        f'<form method="post" action="{action}">{_hidden(hidden)}'
        f"{_field('Firm', 'tenant', tenant, 'organization')}"
        f"{_field('User', 'user', user, 'username')}"
        f"{_field('Password', 'password', '', 'current-password', kind='password')}"
        f"{_field('Code, if you have a second factor', 'code', '', 'one-time-code', needed=False)}"
        f'<div class="row">{others}<button class="first">Sign in</button></div></form>'
    )
    return page("Sign in", body)


def device_code(csrf: str, wrong: str = "") -> str:
    told = f'<p class="bad" role="alert">{escape(wrong)}</p>' if wrong else ""
    body = (
        "<h1>Sign a device in</h1><p>Type the code that it shows you.</p>"
        f'{told}<form method="post" action="/oauth/device">{_hidden({"csrf": csrf})}'
        f"{_field('Code', 'user_code', '', 'off')}"
        '<div class="row"><button class="first">Go on</button></div></form>'
    )
    return page("Sign a device in", body)


def device_consent(asked: DeviceView, scopes: Sequence[str], user: str, csrf: str) -> str:
    """`scopes`: of those that are asked for, what this person may do."""
    rows = _meanings(scopes)
    hidden = _hidden({"csrf": csrf, "user_code": asked.user_code})
    body = (
        f"<h1>{escape(asked.client.name)} asks for access</h1>"
        f"<p>You are {escape(user)}. Agree only if you began this yourself, a moment ago, and your "
        f"device shows <strong>{escape(asked.user_code)}</strong>. It asks from "
        f"{escape(asked.address or 'here')}, and may then do this in your name, as far as you may:"
        f'</p><ul>{rows}</ul><form method="post" action="/oauth/device">{hidden}'
        '<div class="row"><button name="answer" value="no">Refuse</button>'
        '<button class="first" name="answer" value="yes">Agree</button></div></form>'
    )
    return page("Sign a device in", body)


def said(title: str, text: str) -> str:
    return page(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>")


def _meanings(scopes: Sequence[str]) -> str:
    return "".join(
        f"<li><span>{escape(MEANS.get(each, each))}</span><code>{escape(each)}</code></li>"
        for each in scopes
    )


def with_query(address: str, more: Mapping[str, str]) -> str:
    """`more` behind whatever the address asks already."""
    given = {name: value for name, value in more.items() if value}
    mark = "&" if "?" in address else "?"
    return f"{address}{mark}{urlencode(given)}" if given else address


def _hidden(fields: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name, quote=True)}" '
        f'value="{escape(value, quote=True)}">'
        for name, value in fields.items()
    )


def _field(
    label: str, name: str, value: str, complete: str, *, kind: str = "text", needed: bool = True
) -> str:
    return (
        f'<label>{escape(label)}<input type="{kind}" name="{name}" '
        f'value="{escape(value, quote=True)}" autocomplete="{complete}" autocapitalize="none"'
        f"{' required' if needed else ''}></label>"
    )
