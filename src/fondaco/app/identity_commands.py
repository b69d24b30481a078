"""`fondaco user`, `fondaco approvals`: who signs in, and what needs a second person."""

import argparse
import json
import os
from collections.abc import Mapping
from typing import Any, TypeAlias

from fondaco.app.admin_commands import with_admin
from fondaco.app.agent_commands import with_agents
from fondaco.app.as_whom import token_for, typed_password
from fondaco.app.login_commands import with_login
from fondaco.app.policy_commands import with_policies
from fondaco.app.vault_commands import with_tokens
from fondaco.kernel.errors import Invalid
from fondaco.settings import load

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def with_people(commands: Commands) -> None:
    _with_users(commands)
    _with_erasure(commands)
    _with_approvals(commands)
    with_agents(commands)
    with_policies(commands)
    with_tokens(commands)
    with_login(commands)


def _with_users(commands: Commands) -> None:
    user = commands.add_parser("user", help="Give people a password; sign in to a running house.")
    asks = user.add_subparsers(metavar="command", required=True)
    for name, help_ in (
        ("add", "At the machine: a user who signs in, or a new password for one."),
        ("list", "Users of a running house and what they may do."),
        ("register", "Register yourself with a running house; a code goes to your address."),
        ("verify", "Give the code that was sent to your address."),
        ("login", "Sign in; prints a token for FONDACO_TOKEN."),
        ("sessions", "Where you are signed in."),
        ("logout", "End this session."),
    ):
        sub = asks.add_parser(name, help=help_, description=help_)
        if name == "add":
            sub.add_argument("--data", default=".fondaco")
            sub.add_argument("--role", action="append", default=[], help="repeatable")
        else:
            sub.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
        if name in ("list", "sessions", "logout"):
            sub.add_argument("--token", help="[FONDACO_TOKEN, or of `fondaco login`, or demo]")
        else:
            sub.add_argument("--tenant", required=True)
            sub.add_argument("--user", required=True)
        if name in ("add", "register"):
            sub.add_argument("--email", required=name == "register", default="nobody@localhost")
            sub.add_argument("--name", default="", help="of the person; kept encrypted")
        if name == "verify":
            sub.add_argument("--code", required=True)
        if name == "login":
            sub.add_argument("--code", default="", help="of your authenticator")
        sub.set_defaults(run=_user, what=name)
    with_admin(asks)


def _user(asked: argparse.Namespace) -> None:
    from fondaco.app.asking import Asking

    if asked.what == "add":
        _add(asked)
        return
    open_ = asked.what in ("register", "verify", "login")
    token = "" if open_ else token_for(asked.token, asked.url)
    house, path = Asking(asked.url, token), "/api/users"
    who = {"tenant": asked.tenant, "user": asked.user} if open_ else {}
    if asked.what == "list":
        for each in house.get(path)["items"]:
            print(f"{each['user']}  {', '.join(each['roles']) or '(nothing)'}")
    elif asked.what == "sessions":
        _tell(house.get(f"{path}/sessions"))
    elif asked.what == "logout":
        _tell(house.post(f"{path}/logout", {}))
    elif asked.what == "verify":
        _tell(house.post(f"{path}/verify", {**who, "code": asked.code}))
    elif asked.what == "register":
        more = {
            "email": asked.email,
            "name": asked.name,
            "password": typed_password("New password: "),
        }
        _tell(house.post(f"{path}/register", {**who, **more}))
    else:
        more = {
            "password": typed_password("Password: "),
            "code": asked.code,
            "device_name": "fondaco",
        }
        found = house.post(f"{path}/login", {**who, **more})
        if found["state"] == "code_needed":
            raise Invalid("a second factor is asked for: give its code with --code")
        print(found["token"])


def _add(asked: argparse.Namespace) -> None:
    from pathlib import Path

    from fondaco.app.files import Files
    from fondaco.app.offline import add_person

    settings = load({"data": asked.data}, os.environ)
    files = Files(Path(settings.data), settings.journal, settings.store)
    password = typed_password("New password: ")
    _tell(
        add_person(
            files,
            settings,
            (asked.tenant, asked.user),
            asked.role,
            password,
            asked.email,
            asked.name,
        )
    )


def _with_erasure(commands: Commands) -> None:
    text = "Forget a person of a running house; somebody else must agree."
    erase = commands.add_parser("erase", help=text, description=text)
    erase.add_argument("user")
    erase.add_argument("--dry-run", action="store_true", help="say what lies where, and no more")
    erase.add_argument("--reason", default="", help="kept in the journal: it names nobody")
    erase.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
    erase.add_argument("--token", help="[FONDACO_TOKEN, or of `fondaco login`, or demo]")
    erase.set_defaults(run=_erase)


def _erase(asked: argparse.Namespace) -> None:
    from fondaco.app.asking import Asking

    house = Asking(asked.url, token_for(asked.token, asked.url))
    path = f"/api/users/{asked.user}/erasure"
    if asked.dry_run:
        _tell(house.get(path))
    elif not asked.reason:
        raise Invalid("say why with --reason; it stays in the journal and must name nobody")
    else:
        _tell(house.post(path, {"reason": asked.reason}))


def _with_approvals(commands: Commands) -> None:
    approvals = commands.add_parser(
        "approvals", help="What waits for a second person in a running house; agree or refuse."
    )
    asks = approvals.add_subparsers(metavar="command", required=True)
    for name, help_ in (
        ("list", "Show what waits, what was decided, and glass that was broken."),
        ("show", "Show one of them."),
        ("approve", "Agree to what somebody else has asked; it is done at once."),
        ("reject", "Refuse what somebody else has asked."),
        ("break-glass", "In an emergency: need no second person for some minutes."),
        ("lend", "In an emergency: a token in somebody else's name, for some minutes."),
        ("end", "End asking in somebody else's name before its time."),
        ("review", "Say whether glass that somebody else has broken was broken rightly."),
    ):
        sub = asks.add_parser(name, help=help_, description=help_)
        sub.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
        sub.add_argument("--token", help="[FONDACO_TOKEN, or of `fondaco login`, or demo]")
        if name == "list":
            sub.add_argument("--state", choices=("waiting", "closed", "all"), default="waiting")
            sub.add_argument("--json", action="store_true")
        elif name in ("break-glass", "lend"):
            sub.add_argument("--minutes", type=int, default=15)
        else:
            sub.add_argument("approval", help="apr-7")
        if name == "lend":
            sub.add_argument("--user", required=True, help="in whose name")
        if name == "review":
            sub.add_argument("verdict", choices=("justified", "not_justified"))
        if name not in ("list", "show", "end"):
            sub.add_argument("--reason", required=True, help="it is kept in the journal")
        sub.set_defaults(run=_approvals, what=name)


def _approvals(asked: argparse.Namespace) -> None:
    from fondaco.app.asking import Asking, approvals_table

    house = Asking(asked.url, token_for(asked.token, asked.url))
    path = "/api/approvals"
    if asked.what == "list":
        found = house.get(f"{path}?state={asked.state}")
        for line in [json.dumps(found, indent=2)] if asked.json else approvals_table(found):
            print(line)
    elif asked.what == "show":
        _tell(house.get(f"{path}/{asked.approval}"))
    elif asked.what == "break-glass":
        order = {"reason": asked.reason, "minutes": asked.minutes}
        _tell(house.post(f"{path}/break-glass", order))
    elif asked.what == "lend":
        order = {"user": asked.user, "reason": asked.reason, "minutes": asked.minutes}
        _tell(house.post("/api/break-glass", order))
    elif asked.what == "end":
        _tell(house.post("/api/break-glass/end", {"approval_id": asked.approval}))
    else:
        said = {"verdict": asked.verdict} if asked.what == "review" else {}
        order = {"reason": asked.reason, **said}
        _tell(house.post(f"{path}/{asked.approval}/{asked.what}", order))


def _tell(found: Mapping[str, Any]) -> None:
    print(json.dumps(found, indent=2))
