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
    """`fondaco fix series`, `why` and `report`."""
    text = "Messages, rejects and latencies of sessions over time, from a house's columns."
    series = kinds.add_parser("series", help=text, description=text)
    _with_data(series)
    series.add_argument("--session", help="only this one")
    series.add_argument("--after", metavar="ISO", help="[an hour before --before]")
    series.add_argument("--before", metavar="ISO", help="[now]")
    series.add_argument("--width", type=int, default=60, metavar="SECONDS", help="[60]")
    series.add_argument("--json", action="store_true")
    series.set_defaults(run=_series)
    text = "Report a day of sessions: messages, rejects, latencies, alerts, top reasons."
    report = kinds.add_parser("report", help=text, description=text)
    _with_data(report)
    report.add_argument("day", help="in UTC: 2026-11-22")
    report.add_argument("--json", action="store_true")
    report.add_argument("--html", type=Path, metavar="FILE", help="write it as a page by itself")
    report.set_defaults(run=_report)
    text = "Tell a message's way through the house, in one trace."
    why = kinds.add_parser("why", help=text, description=text)
    _with_data(why)
    why.add_argument("message", help="its id; fondaco fix search --json tells it")
    why.add_argument("--json", action="store_true")
    why.set_defaults(run=_why)


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


def _report(asked: argparse.Namespace) -> None:
    from fondaco.app.fix.daily import lines_of, page_of_day, report_in

    found = report_in(files_of(asked), asked.day)
    if asked.html is not None:
        asked.html.write_text(page_of_day(found), "utf-8")
    if asked.json:
        print(msgspec.json.encode(found).decode())  # noqa: T201  # that is what was asked for
        return
    for line in lines_of(found):
        print(line)  # noqa: T201


def _why(asked: argparse.Namespace) -> None:
    from fondaco.app.fix.trail import lines_of, trail_in

    found = trail_in(files_of(asked), asked.message)
    if asked.json:
        print(msgspec.json.encode(found).decode())  # noqa: T201  # that is what was asked for
        return
    for line in lines_of(found):
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
