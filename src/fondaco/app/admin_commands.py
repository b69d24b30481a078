"""What `fondaco user` does with others: invite, lock, unlock, sign out, reset."""

import argparse
import json
from typing import Any, Final, TypeAlias

from fondaco.app.as_whom import token_for, typed_password

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

# By command: what it says, and what it asks of `/api/users/{user}/…` with a reason.
_ACTS: Final = {
    "lock": ("Lock somebody out, at every door and at once.", "lock"),
    "unlock": ("Let somebody in again who is locked.", "unlock"),
    "reset-second-factor": (
        "For who has lost their device; somebody else must agree.",
        "second-factor/reset",
    ),
}


def with_admin(asks: Commands) -> None:
    text = "Invite somebody: a link goes to their address; another person agrees to their roles."
    invite = _asking(asks, "invite", text, _invite)
    invite.add_argument("--email", required=True, help="kept encrypted")
    invite.add_argument("--name", default="", help="of the person; kept encrypted")
    invite.add_argument("--role", action="append", default=[], help="repeatable")
    invite.add_argument("--reason", default="", help="for the roles; kept in the journal")
    invite.add_argument("--hours", type=int, default=72, help="how long the link is good")
    _asking(asks, "withdraw", "Make an invitation good no more.", _withdraw)
    accept = _asking(
        asks, "accept", "Choose your password by the link that you were sent.", _accept
    )
    accept.add_argument("--tenant", required=True)
    accept.add_argument("--code", required=True)
    for name, (help_, _) in _ACTS.items():
        act = _asking(asks, name, help_, _act)
        act.add_argument("--reason", required=True, help="kept in the journal: it names nobody")
        act.set_defaults(what=name)
    text = "End every session of somebody, and what applications were given in their name."
    _asking(asks, "end-sessions", text, _end_sessions)
    _with_own(asks)


def _with_own(asks: Commands) -> None:
    """Of oneself: as who has signed in with `fondaco login`, or by --token."""
    text = "All that the house keeps of you, as JSON."
    mine = asks.add_parser("my-data", help=text, description=text)
    mine.set_defaults(run=_my_data)
    text = "Ask to be forgotten; somebody else must agree."
    delete = asks.add_parser("delete-me", help=text, description=text)
    delete.add_argument("--dry-run", action="store_true", help="say what goes and what stays")
    delete.add_argument("--user", default="", help="your own user name, to say that you mean it")
    delete.set_defaults(run=_delete_me)
    for each in (mine, delete):
        each.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
        each.add_argument("--token", help="[FONDACO_TOKEN, or of `fondaco login`, or demo]")


def _my_data(asked: argparse.Namespace) -> None:
    _tell(_house(asked).get("/api/users/my-data"))


def _delete_me(asked: argparse.Namespace) -> None:
    house, path = _house(asked), "/api/users/my-data/deletion"
    _tell(house.get(path) if asked.dry_run else house.post(path, {"user": asked.user or "nobody"}))


def _asking(asks: Commands, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    sub = asks.add_parser(name, help=text, description=text)
    sub.add_argument("--user", required=True)
    sub.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
    if name != "accept":
        sub.add_argument("--token", help="[FONDACO_TOKEN, or of `fondaco login`, or demo]")
    sub.set_defaults(run=run)
    return sub


def _house(asked: argparse.Namespace) -> Any:
    from fondaco.app.asking import Asking

    return Asking(asked.url, token_for(asked.token, asked.url))


def _invite(asked: argparse.Namespace) -> None:
    said = {"email": asked.email, "name": asked.name, "roles": asked.role, "reason": asked.reason}
    body = {"user": asked.user, "hours": asked.hours, **said}
    _tell(_house(asked).post("/api/users/invitations", body))


def _withdraw(asked: argparse.Namespace) -> None:
    _tell(_house(asked).delete(f"/api/users/{asked.user}/invitation"))


def _accept(asked: argparse.Namespace) -> None:
    from fondaco.app.asking import Asking

    body = {"tenant": asked.tenant, "user": asked.user, "code": asked.code}
    password = typed_password("New password: ")
    house = Asking(asked.url, "")
    _tell(house.post("/api/users/invitations/accept", {**body, "password": password}))


def _act(asked: argparse.Namespace) -> None:
    path = f"/api/users/{asked.user}/{_ACTS[asked.what][1]}"
    _tell(_house(asked).post(path, {"reason": asked.reason}))


def _end_sessions(asked: argparse.Namespace) -> None:
    _tell(_house(asked).post(f"/api/users/{asked.user}/end-sessions", {}))


def _tell(found: Any) -> None:
    print(json.dumps(found, indent=2))
