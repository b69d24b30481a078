"""`fondaco clock show | advance | cancel`: the time of a sandbox that runs."""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from fondaco.kernel.errors import Invalid, Refused

if TYPE_CHECKING:
    from fondaco.app.asking import Asking

Asks: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
POLL_S: Final = 0.1
SECOND_NS: Final = 1_000_000_000


def with_clock(commands: Asks) -> None:
    text = "The time of a sandbox: fondaco up --sandbox; docs/test-clock.md."
    clock = commands.add_parser("clock", help=text, description=text)
    asks = clock.add_subparsers(metavar="command", required=True)
    for name, text in (
        ("show", "What time it is there, and what is due next."),
        ("advance", "Move it on, and wait until it is there."),
        ("cancel", "Let it stand where it is."),
    ):
        sub = asks.add_parser(name, help=text, description=text)
        sub.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
        sub.add_argument("--token", help="[the environment's FONDACO_TOKEN, or demo]")
        sub.add_argument("--json", action="store_true", help="as the API says it")
        if name == "advance":
            how = sub.add_mutually_exclusive_group()
            how.add_argument("--to", metavar="TIME", help="2027-03-01T00:00:00Z")
            how.add_argument("--by", metavar="SPAN", help="30s, 90m, 12h, 1d or 2w")
            how.add_argument("--next", action="store_true", help="to whatever is due next")
            sub.add_argument(
                "--prices", type=Path, metavar="FILE",
                help='JSON, [{"at": TIME, "symbol": "BTC-USD", "bid": "…", "ask": "…"}, …]',
            )  # fmt: skip
        sub.set_defaults(run=_RUN[name])


def _show(asked: argparse.Namespace) -> None:
    _print(_house(asked).get("/api/test-clock"), asked)


def _cancel(asked: argparse.Namespace) -> None:
    _print(_house(asked).delete("/api/test-clock/advance"), asked)


def _advance(asked: argparse.Namespace) -> None:
    house = _house(asked)
    ask: dict[str, Any] = {"prices": _prices(asked.prices)} if asked.prices else {}
    if asked.next:
        found = house.get("/api/test-clock")
        if not found["next"]:
            raise Refused("nothing is due there")
        ask["to"] = found["next"][0]["at"]
    elif asked.to or asked.by:
        ask |= {"to": asked.to} if asked.to else {"by": asked.by}
    found = house.post("/api/test-clock/advance", ask)
    while found["state"] == "advancing":
        if sys.stderr.isatty():
            print(f"\r{found['progress']:.0%}  {_text(found['now'])}", end="", file=sys.stderr)
        time.sleep(POLL_S)
        found = house.get("/api/test-clock")
    _print(found, asked)
    if found["state"] == "failed":
        raise Refused(f"it stands at {_text(found['now'])}: {found['failed_timer']}")


def _prices(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Invalid(f"{path}: {error}") from error


def _house(asked: argparse.Namespace) -> "Asking":
    from fondaco.app.asking import Asking

    return Asking(asked.url, asked.token or os.environ.get("FONDACO_TOKEN") or "demo")


def _text(at: str) -> str:
    seconds, rest = divmod(int(at), SECOND_NS)
    shown = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{shown}.{rest:09d}".rstrip("0").rstrip(".") + "Z"


def _print(found: Mapping[str, Any], asked: argparse.Namespace) -> None:
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{found['state']}  {_text(found['now'])}")
    if found["error"]:
        print(f"failed: {found['failed_timer']}: {found['error']}")
    for each in found["next"]:
        print(f"  {_text(each['at'])}  {each['what']}  {each['stream']}".rstrip())


_RUN: Final = {"show": _show, "advance": _advance, "cancel": _cancel}
