"""`fondaco secrets`, `fondaco keys` and `fondaco settings`: at the machine."""

import argparse
import getpass
import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from fondaco.kernel.errors import Invalid
from fondaco.settings import effective, load, without_secrets

if TYPE_CHECKING:
    from fondaco.app.files import Files

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
BY: str = "operator"


def with_secrets(commands: Commands) -> None:
    secrets = commands.add_parser("secrets", help="Keep, give and audit what is secret by name.")
    asks = secrets.add_subparsers(metavar="command", required=True)
    for name, help_ in (
        ("list", "Names, never values."),
        ("get", "Print one; that it was read is written down."),
        ("put", "Keep one, typed or piped in."),
        ("remove", "Remove one."),
        ("audit", "Who has read what, checked line by line."),
        ("reseal", "Have the ring unsealed by something else from now on."),
    ):
        sub = asks.add_parser(name, help=help_, description=help_)
        sub.add_argument("--data", default=".fondaco")
        if name in ("get", "put", "remove"):
            sub.add_argument("name", help="feed/kalshi, journal …")
        if name == "reseal":
            sub.add_argument("--unseal", required=True, help="key, file:PATH or env:NAME")
        sub.set_defaults(run=_secrets, what=name)
    keys = commands.add_parser("keys", help="The master key, and the keys that it wraps.")
    asks = keys.add_subparsers(metavar="command", required=True)
    for name, help_ in (
        ("status", "How many keys there are, and how many an older master has wrapped."),
        ("rotate", "Begin a new master and wrap every key anew; nothing else is written again."),
    ):
        sub = asks.add_parser(name, help=help_, description=help_)
        sub.add_argument("--data", default=".fondaco")
        if name == "rotate":
            sub.add_argument("--dry-run", action="store_true", help="say what it would do")
            sub.add_argument("--retire", action="store_true", help="and destroy the older masters")
        sub.set_defaults(run=_keys, what=name)
    seal = commands.add_parser("seal", help="Encrypt a data directory, or read a file of one.")
    seal.add_argument("--data", default=".fondaco")
    seal.add_argument("--open", type=Path, metavar="FILE", help="print a file of it in the clear")
    seal.set_defaults(run=_seal)
    settings = commands.add_parser("settings", help="Every setting, and which layer it comes from.")
    settings.add_argument("--data", default=None)
    settings.add_argument("--json", action="store_true")
    settings.set_defaults(run=_settings)


def _files(asked: argparse.Namespace) -> "Files":
    from fondaco.app.files import Files

    settings = load({"data": asked.data}, os.environ)
    return Files(Path(settings.data), settings.journal, settings.store)


def _seal(asked: argparse.Namespace) -> None:
    from fondaco.app.sealing import open_file, seal_house

    if asked.open is not None:
        sys.stdout.buffer.write(open_file(_files(asked), asked.open))
        return
    for line in seal_house(_files(asked)):
        print(line, flush=True)


def _secrets(asked: argparse.Namespace) -> None:
    from fondaco.app.secrets import open_ring, reseal
    from fondaco.ports.secrets.audited import audit_of

    files = _files(asked)
    if asked.what == "audit":
        for each in audit_of(files.secrets / "audit"):
            print(f"{each.at}  {each.what:<7} {each.name:<24} {each.by:<12} {each.outcome}")
        return
    if asked.what == "reseal":
        reseal(files, asked.unseal)
        print(f"{files.secrets} is unsealed by {asked.unseal} from now on")
        return
    with closing(open_ring(files)) as ring:
        if asked.what == "list":
            for name in ring.names():
                print(name)
        elif asked.what == "get":
            sys.stdout.buffer.write(ring.get(asked.name, BY) + b"\n")
        elif asked.what == "put":
            ring.put(asked.name, _typed(), BY)
        else:
            ring.remove(asked.name, BY)


def _typed() -> bytes:
    """Never from the command line, which others on the machine can read."""
    if sys.stdin.isatty():
        return getpass.getpass("Secret: ").encode()
    value = sys.stdin.buffer.read().rstrip(b"\r\n")
    if not value:
        raise Invalid("a secret is piped in or typed, and may not be empty")
    return value


def _keys(asked: argparse.Namespace) -> None:
    from fondaco.app.secrets import open_keys, open_ring

    files = _files(asked)
    with closing(open_ring(files)) as ring:
        keys = open_keys(files, ring)
        if asked.what == "status" or asked.dry_run:
            now = keys.rewrap(dry_run=True)
            told = msgspec.to_builtins(now)
            if asked.what == "rotate":
                told = {"keys": now.keys, "would_rewrap": now.keys, "data_written_again": 0}
            print(json.dumps(told, indent=2))
            return
        master = ring.rotate(BY)
        done = keys.rewrap()
        behind = keys.rewrap(dry_run=True).rewrapped  # what came in between is not thrown away
        gone = list(ring.retire(BY)) if asked.retire and not behind else []
        said = {"master": master, **msgspec.to_builtins(done), "masters_destroyed": gone}
        print(json.dumps(said, indent=2))


def _settings(asked: argparse.Namespace) -> None:
    rows = effective({"data": asked.data}, os.environ)
    if asked.json:
        shown = [row._replace(value=_shown(row.value)) for row in rows]
        print(json.dumps([row._asdict() for row in shown], indent=2))
        return
    width = max(len(row.name) for row in rows)
    for row in rows:
        print(f"{row.name:<{width}}  {_shown(row.value)!s:<24} {row.unit:<12} {row.source}")


def _shown(value: str | int | bool) -> str | int | bool:
    return without_secrets(value) if isinstance(value, str) else value
