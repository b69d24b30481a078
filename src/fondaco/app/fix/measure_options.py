"""Commands of `fondaco fix` that measure, explain and report."""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from time import time_ns
from typing import Any

import msgspec

from fondaco.kernel.errors import Invalid
from fondaco.settings import load

Kinds = Any  # argparse keeps its type to itself


def with_measures(kinds: Kinds) -> None:
    """`fondaco fix series`."""
    text = "Messages, rejects and latencies of sessions over time, from a house's columns."
    series = kinds.add_parser("series", help=text, description=text)
    _with_data(series)
    series.add_argument("--session", help="only this one")
    series.add_argument("--after", metavar="ISO", help="[an hour before --before]")
    series.add_argument("--before", metavar="ISO", help="[now]")
    series.add_argument("--width", type=int, default=60, metavar="SECONDS", help="[60]")
    series.add_argument("--json", action="store_true")
    series.set_defaults(run=_series)


def _with_data(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--data", default=".fondaco", help="the data directory [.fondaco]")


def _series(asked: argparse.Namespace) -> None:
    from fondaco.app.fix.measures import lines_of, series_in
    from fondaco.domain.fix.measuring import WIDTH_MAX_S, SeriesRequest

    if not 1 <= asked.width <= WIDTH_MAX_S:
        raise Invalid(f"--width is {asked.width} s, must be from 1 to {WIDTH_MAX_S}")
    request = SeriesRequest(asked.session, _time(asked.after), _time(asked.before), asked.width)
    reply = series_in(files_of(asked), request, time_ns())
    if asked.json:
        print(msgspec.json.encode(reply).decode())  # noqa: T201  # that is what was asked for
        return
    for line in lines_of(reply):
        print(line)  # noqa: T201


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text[:40]!r} is no time: write 2026-11-22T09:30:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def files_of(asked: argparse.Namespace) -> Any:
    """Where the house that was named is, as its settings say it."""
    from fondaco.app.files import Files

    settings = load({"data": asked.data}, os.environ)
    return Files(Path(settings.data), settings.journal, settings.store)
