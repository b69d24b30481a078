"""Commands of `fondaco fix` that search and replay, and those that a house starts itself."""

import argparse
import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fondaco.app.as_whom import token_for
from fondaco.app.fix.measure_options import with_measures
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.kernel.instants import moment
from fondaco.settings import load

Kinds = Any  # argparse keeps its type to itself


def with_search(kinds: Kinds) -> None:
    """`fondaco fix search`, `replay`, `index` and `read-captures`."""
    text = "Search messages: search '35=D AND 55=EUR* AND 58:~\"limit\"' session.log"
    search = kinds.add_parser(
        "search", help="Search messages by tag, value, text.", description=text
    )
    search.add_argument("query", help="docs/fix-search.md has the language")
    search.add_argument("file", nargs="*", type=Path, help="pcap, pcapng or log, also gzipped")
    search.add_argument("--data", help="what a house has kept; it may run [.fondaco]")
    search.add_argument("--url", help="of a house that runs: http://127.0.0.1:8000")
    search.add_argument("--token", help="[FONDACO_TOKEN, or of `fondaco login`, or demo]")
    search.add_argument("--limit", type=int, default=1_000, help="messages [1000]")
    forms = search.add_mutually_exclusive_group()
    forms.add_argument("--raw", action="store_const", const="raw", dest="form", default="short")
    forms.add_argument("--json", action="store_const", const="json", dest="form")
    forms.add_argument("--count", action="store_const", const="count", dest="form")
    search.set_defaults(run=_search)
    _with_replay(kinds)
    for name, run in (("index", _index), ("publish", _publish), ("read-captures", _read)):
        child = kinds.add_parser(name, help="A process that `up` starts itself.")
        child.add_argument("--data", default=".fondaco", help="the data directory [.fondaco]")
        child.set_defaults(run=run)

    with_measures(kinds)
    archive = kinds.add_parser("archive", help="List archived messages, and check the files.")
    archive.add_argument("--data", default=".fondaco", help="the data directory [.fondaco]")
    archive.set_defaults(run=_archive)


def _with_replay(kinds: Kinds) -> None:
    text = "Say again to an acceptor what one side of a recorded session said; only shows it."
    replay = kinds.add_parser("replay", help=text, description=text)
    replay.add_argument("file", nargs="+", type=Path, help="pcap, pcapng or log, also gzipped")
    replay.add_argument("--to", required=True, metavar="HOST:PORT")
    replay.add_argument("--send", action="store_true", help="do it; without it nothing is sent")
    replay.add_argument("--allow-remote", action="store_true", help="also to another machine")
    replay.add_argument("--side", default="", metavar="COMPID", help="[whoever spoke first]")
    replay.add_argument("--target", default="", metavar="COMPID", help="with whom it spoke")
    replay.add_argument("--as-sender", default="", metavar="COMPID", help="[as recorded]")
    replay.add_argument("--as-target", default="", metavar="COMPID", help="[as recorded]")
    replay.add_argument("--username", default="", help="said at logon (553)")
    replay.add_argument("--password-env", default="", metavar="NAME", help="who holds 554")
    replay.add_argument("--suffix", default="", help="behind ClOrdIDs: they become other orders")
    replay.add_argument("--speed", default="1", help="2: twice as fast; max: without waiting [1]")
    replay.set_defaults(run=_replay)


def _search(asked: argparse.Namespace) -> int:
    """The exit status is 1 where nothing answers."""
    from fondaco.app.fix.search import line_of

    count = 0
    for hit in _hits(asked):
        count += 1
        if asked.form != "count":
            print(line_of(hit, asked.form))  # noqa: T201  # that is what was asked for
    if asked.form == "count":
        print(count)  # noqa: T201
    return 0 if count else 1


def _hits(asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from fondaco.app.files import Files
    from fondaco.app.fix.search import in_files, in_folder, in_house
    from fondaco.app.fix.sessions import Remote

    if bool(asked.file) + bool(asked.data) + bool(asked.url) > 1:
        raise Invalid("name files, --data or --url, one of them")
    if asked.file:
        return in_files(asked.query, asked.file, asked.limit)
    if asked.url:
        token = token_for(asked.token, asked.url)
        return in_house(asked.query, Remote(asked.url, token), asked.limit)
    return in_folder(asked.query, Files(Path(asked.data or ".fondaco")), asked.limit)


def _replay(asked: argparse.Namespace) -> int:
    from fondaco.app.fix.replay import Wanted, check_address, plan, replay

    check_address(asked.to, may_be_remote=asked.allow_remote)
    planned = plan(
        asked.file,
        Wanted(
            side=asked.side,
            target=asked.target,
            as_sender=asked.as_sender,
            as_target=asked.as_target,
            username=asked.username,
            password=_password(asked.password_env),
        ),
    )
    if not asked.send:
        for line in planned.lines():
            print(line)  # noqa: T201
        print(  # noqa: T201
            f"{len(planned.messages)} messages would be sent to {asked.to} as {planned.terms.id}, "
            f"{planned.passed_over} are passed over; --send does it"
        )
        return 0
    sent = asyncio.run(
        replay(planned, asked.to, print, speed=_speed(asked.speed), suffix=asked.suffix)
    )
    return 0 if sent == len(planned.messages) else 1


def _speed(text: str) -> float:
    try:
        speed = 0.0 if text == "max" else float(text)
    except ValueError:
        speed = -1.0
    if not (0 < speed <= 1e6 or text == "max"):
        raise Invalid(f"speed is {text[:20]!r}, must be max or a number above 0: 1 is as recorded")
    return speed


def _password(name: str) -> str:
    if name and name not in os.environ:
        raise NotFound(f"the environment has no {name}, which --password-env names; set it")
    return os.environ.get(name, "") if name else ""


def _archive(asked: argparse.Namespace) -> int:
    """The exit status is 1 where a file is not what the manifest says."""
    from fondaco.app.fix.archive import manifest, wrong

    folder = _files(asked).fix_archive
    known = manifest(folder)
    for each in known.files:
        span = f"{moment(each.first_at)} to {moment(each.last_at)}"
        print(f"{folder / each.file}  {each.messages} messages, {span}")  # noqa: T201
    amiss = wrong(folder)
    for line in amiss:
        print(f"WRONG: {line}")  # noqa: T201
    print(f"{known.messages} messages in {len(known.files)} files, {len(amiss)} wrong")  # noqa: T201
    return 1 if amiss else 0


def _index(asked: argparse.Namespace) -> None:
    from fondaco.app.fix.archive import retention_of
    from fondaco.app.fix.indexing import follow_messages

    settings = load({"data": asked.data}, os.environ)
    follow_messages(_files(asked), retention_of(settings))


def _publish(asked: argparse.Namespace) -> None:
    from fondaco.app.fix.publishing import publish

    publish(_files(asked), load({"data": asked.data}, os.environ))


def _read(asked: argparse.Namespace) -> None:
    from fondaco.app.fix.auditing import read_captures

    read_captures(_files(asked))


def _files(asked: argparse.Namespace) -> Any:
    """Where the house that was named is, as its settings say it."""
    from fondaco.app.files import Files

    settings = load({"data": asked.data}, os.environ)
    return Files(Path(settings.data), settings.journal, settings.store)
