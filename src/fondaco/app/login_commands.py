"""`fondaco login`, `fondaco logout`: a session of a person for the command line, by RFC 8628. No
password is typed here: a person agrees in a browser, on any machine, by whatever they sign in with.
"""

import argparse
import time
from typing import Any, Final, TypeAlias

from fondaco.app import as_whom
from fondaco.kernel.errors import Denied, Unavailable

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
TRIES_AWAY: Final = 5  # polls in a row that found no house


def with_login(commands: Commands) -> None:
    text = "Sign in to a running house: agree in a browser, on this machine or another."
    login = commands.add_parser("login", help=text, description=text)
    login.add_argument("--scope", action="append", help="repeatable [all that you may do]")
    login.set_defaults(run=_login)
    text = "End what `fondaco login` has begun, there and here."
    logout = commands.add_parser("logout", help=text, description=text)
    logout.set_defaults(run=_logout)
    for each in (login, logout):
        each.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")


def _login(asked: argparse.Namespace) -> None:
    from fondaco.app.asking import Asking, form_of
    from fondaco.domain.identity.model import Scope

    url = asked.url.rstrip("/")
    scopes = ["offline_access", *(asked.scope or Scope)]
    form = {"client_id": as_whom.CLIENT, "scope": " ".join(scopes)}
    begun = form_of(url, "/oauth/device_authorization", form)
    print(f"Open {begun['verification_uri_complete']}")
    print(f"or {begun['verification_uri']} and type {begun['user_code']}", flush=True)
    as_whom.keep(url, _polled(url, begun))
    found = Asking(url, as_whom.signed_in(url)).get("/api/session")
    print(f"You are {found['user']} of {found['tenant']} at {url}.")


def _polled(url: str, begun: dict[str, Any]) -> dict[str, Any]:
    """The tokens, once somebody has agreed. Raises `Denied`."""
    from fondaco.app.asking import OAuthSaid, form_of

    form = {"grant_type": as_whom.DEVICE, "device_code": begun["device_code"]}
    wait_s, until = float(begun["interval"]), time.monotonic() + begun["expires_in"]
    away = 0
    while time.monotonic() < until:
        time.sleep(wait_s)
        try:
            return form_of(url, "/oauth/token", {**form, "client_id": as_whom.CLIENT})
        except OAuthSaid as said:
            away = 0
            if said.error == "slow_down":
                wait_s += 5.0
            elif said.error != "authorization_pending":
                raise Denied(said.message) from None
        except Unavailable:  # RFC 8628 section 3.5: wait longer each time
            wait_s, away = wait_s * 2, away + 1
            if away == TRIES_AWAY:
                raise
    raise Denied("nobody has agreed in time: begin again")


def _logout(asked: argparse.Namespace) -> None:
    from fondaco.app.asking import form_of

    url = asked.url.rstrip("/")
    kept = as_whom.forget(url)
    if kept is None:
        print(f"Nobody is signed in at {url}.")
        return
    token = kept["refresh_token"] or kept["access_token"]
    form_of(url, "/oauth/revoke", {"client_id": as_whom.CLIENT, "token": token})
    print(f"You are signed out at {url}.")
