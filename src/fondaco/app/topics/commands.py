"""`fondaco topics`: the catalogue of the bus, and what is said there."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from fondaco.kernel.errors import Invalid
from fondaco.settings import Settings, load

if TYPE_CHECKING:
    from fondaco.app.topics.reading import Taken

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
POLL_S: Final = 0.2


def with_topics(commands: Commands) -> None:
    topics = commands.add_parser("topics", help="What the house says on a bus.")
    kinds = topics.add_subparsers(metavar="command", required=True)
    show = kinds.add_parser("list", help="Every topic, its key, and the types of its records.")
    show.add_argument("--json", action="store_true", help="with what each header says")
    show.set_defaults(run=_list)
    tail = kinds.add_parser("tail", help="Print records as they come, each entry once.")
    tail.add_argument("topic", nargs="*", default=["*"], help="trading.*, or one of the list [*]")
    tail.add_argument("--bus", default="", help="its address [the setting topics of --data]")
    tail.add_argument("--new", action="store_true", help="leave out what is there already")
    tail.add_argument(
        "--place", type=Path, metavar="FILE", help="keep how far was read, and go on from there"
    )
    tail.add_argument("--count", type=int, default=0, help="end after so many [never]")
    tail.add_argument("--once", action="store_true", help="end where the topics end now")
    tail.set_defaults(run=_tail)
    tell = kinds.add_parser("publish", help="Publish what the journal says; `up` starts it itself.")
    tell.set_defaults(run=_publish)
    for each in (tail, tell):
        each.add_argument("--data", default=".fondaco")


def _publish(asked: argparse.Namespace) -> None:
    from fondaco.app.files import Files
    from fondaco.app.topics.publishing import publish

    settings = load({"data": asked.data}, os.environ)
    publish(Files(Path(settings.data), settings.journal, settings.store), settings)


def _list(asked: argparse.Namespace) -> None:
    from fondaco.app.topics.catalog import HEADERS, topics

    found = topics()
    if asked.json:
        shown = {"headers": HEADERS, "topics": [each._asdict() for each in found]}
        print(msgspec.json.format(msgspec.json.encode(shown)).decode())
        return
    width = max(len(each.name) for each in found)
    for each in found:
        print(f"{each.name:{width}}  {each.family:11}  {each.key:10}  {', '.join(each.types)}")


def _tail(asked: argparse.Namespace) -> None:
    from fondaco.app.buses import NOWHERE, open_bus
    from fondaco.app.files import Files
    from fondaco.app.topics.reading import Reading, read_places, write_places

    settings: Settings = load({"data": asked.data}, os.environ)
    address = asked.bus or settings.topics
    if address == NOWHERE:
        raise Invalid("topics is none: this house publishes nowhere; name a bus with --bus")
    files = Files(Path(settings.data), settings.journal, settings.store)
    names, left = _chosen(asked.topic), asked.count or -1
    with closing(open_bus("topics", address, files)) as bus:
        reading = Reading(bus, names, read_places(asked.place) if asked.place else {})
        while asked.new and reading.step():
            pass
        while left:
            found = reading.step()
            for each in found[: left if left > 0 else None]:
                _print(each)
                left -= 1
            sys.stdout.flush()
            if asked.place and found:
                write_places(asked.place, reading.places)
            if not found and asked.once:
                return
            if not found:
                time.sleep(POLL_S)


def _print(taken: "Taken") -> None:
    line = {
        "topic": taken.topic,
        "partition": taken.partition,
        "offset": taken.offset,
        "key": taken.record.key,
        "headers": taken.record.headers,
        "value": msgspec.Raw(taken.record.value),
    }
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")


def _chosen(patterns: Sequence[str]) -> list[str]:
    from fondaco.app.topics.catalog import topics
    from fondaco.domain.notify.model import matches

    names = [each.name for each in topics()]
    for pattern in patterns:
        if not any(matches(pattern, name) for name in names):
            raise Invalid(f"no topic is {pattern[:60]!r}; `fondaco topics list` has them all")
    return [name for name in names if any(matches(each, name) for each in patterns)]
