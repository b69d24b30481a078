"""`fondaco key`: API keys, made at the machine, or rotated by their holder in a running house."""

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fondaco.app.as_whom import token_for
from fondaco.settings import load

if TYPE_CHECKING:
    from fondaco.app.files import Files

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def with_keys(commands: Commands) -> None:
    key = commands.add_parser("key", help="Make, list, rotate and revoke API keys.")
    kinds = key.add_subparsers(metavar="command", required=True)
    create = kinds.add_parser("create", help="Make a key; its token is shown this once.")
    create.add_argument("--data", default=".fondaco")
    create.add_argument("--tenant", required=True)
    create.add_argument("--user", required=True)
    create.add_argument("--name", default="key-1", help="of the key, unique for the user")
    create.add_argument("--role", action="append", default=[], help="for a new user; repeatable")
    create.add_argument("--account", action="append", default=None, help="confine it to these")
    create.add_argument("--network", action="append", default=[], help="CIDR; repeatable [any]")
    create.add_argument("--days", type=float, default=None, help="until it expires [never]")
    create.set_defaults(run=_create)
    shown = kinds.add_parser("list", help="Show a tenant's keys.")
    shown.add_argument("--data", default=".fondaco")
    shown.add_argument("--tenant", required=True)
    shown.set_defaults(run=_list)
    rotate = kinds.add_parser(
        "rotate", help="In a running house: a new token; the old one is good for a time of grace."
    )
    rotate.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
    rotate.add_argument("--token", help="[FONDACO_TOKEN, or of `fondaco login`, or demo]")
    rotate.add_argument("--key", required=True, dest="key_id")
    rotate.add_argument("--grace-hours", type=float, default=24.0)
    rotate.set_defaults(run=_rotate)
    revoke = kinds.add_parser("revoke", help="Refuse a key from now on.")
    revoke.add_argument("--data", default=".fondaco")
    revoke.add_argument("--tenant", required=True)
    revoke.add_argument("--key", required=True, dest="key_id")
    revoke.set_defaults(run=_revoke)


def _files(asked: argparse.Namespace) -> "Files":
    from fondaco.app.files import Files

    settings = load({"data": asked.data}, os.environ)
    return Files(Path(settings.data), settings.journal, settings.store)


def _create(asked: argparse.Namespace) -> None:
    from fondaco.app.offline import create_key

    made = create_key(
        _files(asked),
        asked.tenant,
        asked.user,
        asked.name,
        asked.role,
        asked.account,
        networks=asked.network,
        days=asked.days,
    )
    print(json.dumps(made, indent=2))


def _list(asked: argparse.Namespace) -> None:
    from fondaco.app.offline import list_keys

    for line in list_keys(_files(asked), asked.tenant):
        print(line)


def _rotate(asked: argparse.Namespace) -> None:
    from fondaco.app.asking import Asking

    house = Asking(asked.url, token_for(asked.token, asked.url))
    order = {"grace_s": int(asked.grace_hours * 3_600)}
    print(json.dumps(house.post(f"/api/keys/{asked.key_id}/rotate", order), indent=2))


def _revoke(asked: argparse.Namespace) -> None:
    from fondaco.app.offline import revoke_key

    revoke_key(_files(asked), asked.tenant, asked.key_id)
    print(f"{asked.key_id} is refused from now on")
