"""`fondaco notify`: send oneself a test, and see what became of what was sent."""

import argparse
import os
import time
from pathlib import Path
from typing import Any, Final, TypeAlias

from fondaco.settings import load

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
WAIT_S: Final = 60.0
POLL_S: Final = 0.25


def with_notices(commands: Commands) -> None:
    notify = commands.add_parser("notify", help="Tests of how people are told, and the log of it.")
    kinds = notify.add_subparsers(metavar="command", required=True)
    test = kinds.add_parser("test", help="Send yourself a test, and wait for what comes of it.")
    test.add_argument("--way", default="email", choices=["inbox", "email", "push", "pager"])
    test.set_defaults(run=_test)
    log = kinds.add_parser("log", help="What was sent by which way, and what came of it.")
    log.add_argument("--everybody", action="store_true", help="of all in the tenant")
    log.add_argument("--state", default="", help="waiting, delivered, kept, refused, given_up …")
    log.add_argument("--limit", type=int, default=20)
    log.set_defaults(run=_log)
    for each in (test, log):
        each.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
        each.add_argument("--token", help="[the environment's FONDACO_TOKEN, or demo]")
    deliver = kinds.add_parser("deliver", help="Carry notices; `up` starts it itself.")
    deliver.add_argument("--data", default=".fondaco")
    deliver.set_defaults(run=_deliver)


def _deliver(asked: argparse.Namespace) -> None:
    from fondaco.app.files import Files
    from fondaco.app.notices.child import deliver

    settings = load({"data": asked.data}, os.environ)
    deliver(Files(Path(settings.data), settings.journal, settings.store), settings)


def _house(asked: argparse.Namespace) -> Any:
    from fondaco.app.asking import Asking

    return Asking(asked.url, asked.token or os.environ.get("FONDACO_TOKEN", "demo"))


def _test(asked: argparse.Namespace) -> int:
    house = _house(asked)
    numbers = set(house.post("/api/notifications/test", {"way": asked.way})["numbers"])
    end = time.monotonic() + WAIT_S
    while True:
        items = house.get("/api/notifications/deliveries?limit=500")["items"]
        mine = [each for each in items if each["number"] in numbers]
        if all(each["state"] != "waiting" for each in mine) or time.monotonic() > end:
            break
        time.sleep(POLL_S)
    for each in mine:
        print(_shown(each))
    return 0 if all(each["state"] in ("delivered", "kept") for each in mine) else 1


def _log(asked: argparse.Namespace) -> None:
    query = f"limit={asked.limit}"
    query += "&everybody=true" if asked.everybody else ""
    query += f"&state={asked.state}" if asked.state else ""
    for each in _house(asked).get(f"/api/notifications/deliveries?{query}")["items"]:
        print(_shown(each))


def _shown(line: dict[str, Any]) -> str:
    who = f" {line['user']}" if line["user"] else ""
    return (
        f"{line['number']:>6} {line['way']:<6}{who} {line['kind']}: {line['state']}"
        f"{', ' + line['detail'] if line['detail'] else ''}"
    )
