"""`fondaco news import | list | remove`: the calendar of announcements of a running house."""

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote, urlencode

from fondaco.kernel.errors import Invalid

if TYPE_CHECKING:
    from fondaco.app.asking import Asking

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
IMPORTANCES: Final = ("low", "medium", "high")


def with_news(commands: Commands) -> None:
    news = commands.add_parser("news", help="Announcements, around which tiers open nothing.")
    asks = news.add_subparsers(metavar="command", required=True)
    add = _asked(
        asks, "import", _import,
        "Put announcements into the calendar, from CSV or JSON (docs/tiers.md); all or none.",
    )  # fmt: skip
    add.add_argument("file", type=Path, help=".csv or .json")
    add.add_argument("--reason", default="imported", help="it is kept in the journal [imported]")
    add.add_argument("--dry-run", action="store_true", help="only say what it would do")
    listed = _asked(asks, "list", _list, "What is expected, the next ones first.")
    listed.add_argument("--after", metavar="TIME", help="such as 2026-12-10T00:00:00Z [now]")
    listed.add_argument("--importance", choices=IMPORTANCES, help="at least [low]")
    listed.add_argument("--symbol", help="that it touches [any]")
    listed.add_argument("--limit", type=int, metavar="N", help="[100]")
    remove = _asked(asks, "remove", _remove, "Take an announcement out of the calendar.")
    remove.add_argument("id")
    remove.add_argument("--reason", default="removed", help="it is kept in the journal [removed]")


def _asked(asks: Commands, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    sub = asks.add_parser(name, help=text, description=text)
    sub.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
    sub.add_argument("--token", help="[the environment's FONDACO_TOKEN, or demo]")
    sub.add_argument("--json", action="store_true", help="one object, and nothing else")
    sub.set_defaults(run=run)
    return sub


def _import(asked: argparse.Namespace) -> None:
    said = {"reason": asked.reason, "dry_run": asked.dry_run, **_read(asked.file)}
    found = _house(asked).post("/api/news", said)
    if asked.json:
        print(json.dumps(found))
        return
    _print(found["items"])
    tried = " (only tried)" if asked.dry_run else ""
    print(
        f"{found['new']} new, {found['changed']} changed, {found['same']} known, "
        f"{found['touching_none']} that touch nothing here{tried}"
    )


def _list(asked: argparse.Namespace) -> None:
    named = ("after", "importance", "symbol", "limit")
    said = {name: getattr(asked, name) for name in named if getattr(asked, name) is not None}
    found = _house(asked).get(f"/api/news?{urlencode(said)}")
    if asked.json:
        print(json.dumps(found))
    else:
        _print(found["items"])


def _remove(asked: argparse.Namespace) -> None:
    query = urlencode({"reason": asked.reason})
    found = _house(asked).delete(f"/api/news/{quote(asked.id)}?{query}")
    print(json.dumps(found) if asked.json else f"{asked.id} is not expected any more")


def _read(file: Path) -> dict[str, Any]:
    """Raises `Invalid` for what cannot be read."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file}: {error}") from error
    if file.suffix.lower() != ".json":
        return {"csv": text}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Invalid(f"{file} is no JSON: {error}") from error
    items = found.get("items") if isinstance(found, dict) else found
    if not isinstance(items, list):
        raise Invalid(f'{file} must be a list of announcements, or {{"items": [...]}}')
    return {"items": items}


def _print(items: list[dict[str, Any]]) -> None:
    for each in items:
        touches = " ".join(each["touches"]) or "nothing here"
        print(f"{each['time']}  {each['importance']:<7}{each['id']}  {each['title']}: {touches}")


def _house(asked: argparse.Namespace) -> "Asking":
    from fondaco.app.asking import Asking

    return Asking(asked.url, asked.token or os.environ.get("FONDACO_TOKEN", "demo"))
