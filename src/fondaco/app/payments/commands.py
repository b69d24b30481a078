"""`fondaco purchases`: what was bought, and the provider's books beside ours."""

import argparse
import json
import sys
from typing import Any, TypeAlias
from urllib.parse import urlencode

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def with_purchases(commands: Commands) -> None:
    purchases = commands.add_parser("purchases", help="What was bought, and whether it adds up.")
    asks = purchases.add_subparsers(metavar="command", required=True)
    text = "What was bought, newest first."
    listed = asks.add_parser("list", help=text, description=text)
    listed.add_argument("--state", default="", help="only those in it: completed, disputed, …")
    listed.set_defaults(run=_list)
    text = "Compare a day of ours with the provider's books; exit status 1 where they differ."
    reconcile = asks.add_parser("reconcile", help=text, description=text)
    reconcile.add_argument("--day", default="", metavar="YYYY-MM-DD", help="UTC [yesterday]")
    reconcile.set_defaults(run=_reconcile)
    for sub in (listed, reconcile):
        sub.add_argument("--json", action="store_true", help="one object, and nothing else")
        sub.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
        sub.add_argument("--token", help="[FONDACO_TOKEN, or of `fondaco login`, or demo]")


def _list(asked: argparse.Namespace) -> int:
    query = urlencode({"state": asked.state} if asked.state else {})
    found = _house(asked).get(f"/api/purchases?{query}")
    if asked.json:
        _print(found)
        return 0
    for each in found["items"]:
        name, state = each["purchase_id"], each["state"]
        what = f"{each['tier']} {each['total']} {each['currency']}"
        sys.stdout.write(f"{name}  {state:<16}  {what:<32}  {each['user']}\n")
    return 0


def _reconcile(asked: argparse.Namespace) -> int:
    query = urlencode({"day": asked.day} if asked.day else {})
    found = _house(asked).get(f"/api/purchases/reconciliation?{query}")
    if asked.json:
        _print(found)
    else:
        sys.stdout.write("\n".join(lines(found)) + "\n")
    return 0 if found["is_right"] else 1


def lines(found: dict[str, Any]) -> list[str]:
    said = [f"{found['day']}, {found['provider']}: {found['compared']} movements are the same"]
    for where, title in (("missing_here", "missing here"), ("missing_there", "missing there")):
        said += [
            f"{title}: {each['kind']} {each['reference']} {each['amount']} {each['currency']} "
            f"{each['name']}".rstrip()
            for each in found[where]
        ]
    said += [
        f"differs: {each['kind']} {each['reference']} is {each['ours']} {each['ours_currency']} "
        f"here, {each['theirs']} {each['theirs_currency']} there"
        for each in found["differ"]
    ]
    return said


def _house(asked: argparse.Namespace) -> Any:
    from fondaco.app.as_whom import token_for
    from fondaco.app.asking import Asking

    return Asking(asked.url, token_for(asked.token, asked.url))


def _print(found: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
