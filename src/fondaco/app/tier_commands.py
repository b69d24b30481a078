"""`fondaco tier define | attach | publish | retire | sold`: tiers of a running house."""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from fondaco.kernel.errors import Invalid, Refused

if TYPE_CHECKING:
    from fondaco.app.asking import Asking

Asks: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
POLL_S: Final = 0.2


def with_offers(asks: Asks) -> None:
    for name, text in (
        (
            "define",
            "Keep a version of a tier in a running house, as a draft; --dry-run only tries.",
        ),
        ("attach", "Simulate a version in a running house, and attach its odds."),
        ("publish", "Sell a version, once somebody else has agreed."),
        ("retire", "Sell a version no more."),
        ("sold", "What a running house sells, with its odds."),
    ):
        sub = asks.add_parser(name, help=text, description=text)
        sub.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
        sub.add_argument("--token", help="[the environment's FONDACO_TOKEN, or demo]")
        if name == "define":
            sub.add_argument("file", type=Path, help="the text; docs/tiers.md")
            sub.add_argument("--dry-run", action="store_true")
        elif name != "sold":
            sub.add_argument("tier")
            sub.add_argument("version", type=int)
        if name == "attach":
            sub.add_argument(
                "--trader", action="append", default=[], metavar="KIND[:NAME=VALUE,…]",
                help="may be said again [the usual five]; docs/tiers.md",
            )  # fmt: skip
            sub.add_argument("--paths", type=int, default=20_000, metavar="N", help="[20000]")
            sub.add_argument("--seed", type=int, default=1, metavar="N", help="[1]")
        if name in ("publish", "retire"):
            sub.add_argument("--note", required=True, help="why; it is kept in the journal")
            when = "--effective-from" if name == "publish" else "--ends-at"
            sub.add_argument(when, type=int, default=0, metavar="NS", help="[at once]")
        sub.set_defaults(run=_RUN[name])


def _define(asked: argparse.Namespace) -> int:
    try:
        text = asked.file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{asked.file}: {error}") from error
    found = _house(asked).post("/api/tiers", {"text": text, "dry_run": asked.dry_run})
    _print(found)
    return 0 if found["publishable"] else 1


def tried(text: str, url: str, token: str | None) -> dict[str, Any]:
    """What a running house says of a text; it keeps nothing."""
    house = _house(argparse.Namespace(url=url, token=token))
    found: dict[str, Any] = house.post("/api/tiers", {"text": text, "dry_run": True})
    return found


def _attach(asked: argparse.Namespace) -> None:
    house, path = _house(asked), _path(asked)
    said = {"traders": asked.trader, "paths": asked.paths, "seed": asked.seed}
    found = house.post(f"{path}/simulate", said)
    while found["state"] == "running":
        if sys.stderr.isatty():
            text = f"\r{found['done']:,} of {found['total']:,} paths"
            print(text, end="", file=sys.stderr, flush=True)
        time.sleep(POLL_S)
        found = house.get(f"{path}/simulation")
    if found["state"] != "attached":
        raise Refused(f"the simulation was {found['state']}: {found['error']}".rstrip(": "))
    _print(found)


def _publish(asked: argparse.Namespace) -> None:
    said = {"note": asked.note, "effective_from": asked.effective_from}
    _print(_house(asked).post(f"{_path(asked)}/publish", said))


def _retire(asked: argparse.Namespace) -> None:
    said = {"note": asked.note, "ends_at": asked.ends_at}
    _print(_house(asked).post(f"{_path(asked)}/retire", said))


def _sold(asked: argparse.Namespace) -> None:
    for each in _house(asked).get("/api/tiers")["items"]:
        print(
            f"{each['tier']} version {each['version']}: {each['title']}, "
            f"{each['currency']} {each['fee']}"
        )
        for odds in (each["odds"] or {"traders": []})["traders"]:
            print(
                f"  {odds['trader']:<24}passes {odds['pass_probability']:7.2%}  is paid "
                f"{odds['payout_mean']:>12,.2f}  the firm has {odds['firm_profit_mean']:>12,.2f}"
            )


_RUN: Final = {
    "define": _define,
    "attach": _attach,
    "publish": _publish,
    "retire": _retire,
    "sold": _sold,
}


def _path(asked: argparse.Namespace) -> str:
    return f"/api/tiers/{asked.tier}/versions/{asked.version}"


def _house(asked: argparse.Namespace) -> "Asking":
    from fondaco.app.asking import Asking

    return Asking(asked.url, asked.token or os.environ.get("FONDACO_TOKEN", "demo"))


def _print(found: Mapping[str, Any]) -> None:
    print(json.dumps(found, indent=2))
