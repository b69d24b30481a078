"""The commands `fondaco fix …`: what they are asked with, and what each calls."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fondaco.app.as_whom import token_for
from fondaco.kernel.errors import Invalid

EXIT_WRONG: Final = 1


def with_fix(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from fondaco.app.fix.options import with_search

    fix = commands.add_parser("fix", help="Read, speak and watch FIX.")
    kinds = fix.add_subparsers(metavar="command", required=True)
    decode = kinds.add_parser("decode", help="Say in words what messages say.")
    decode.add_argument(
        "source", nargs="*", default=["-"], help="a message with any delimiter, a file, or - [-]"
    )
    decode.add_argument("--dictionary", default="", metavar="NAME", help="FIX.4.4 …, or XML")
    decode.add_argument("--json", action="store_true", help="a line of JSON for each message")
    decode.set_defaults(run=_fix_decode)
    diff = kinds.add_parser("diff", help="Say what two messages, or two logs, say differently.")
    diff.add_argument("first", help="a message with any delimiter, a file, or -")
    diff.add_argument("second")
    diff.add_argument("--ignore", default="", metavar="TAGS", help="52,60 … [9,10]")
    diff.add_argument("--dictionary", default="", metavar="NAME", help="FIX.4.4 …, or XML")
    diff.add_argument("--json", action="store_true", help="a line of JSON for each message")
    diff.set_defaults(run=_fix_diff)
    with_search(kinds)
    _with_fix_sessions(kinds)
    _with_audit(kinds)


def _with_fix_sessions(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "Run a diagnostic acceptor: sessions ISLD with TW40 … TW50SP2, orders come back."
    echo = kinds.add_parser("echo", help=text, description=text)
    echo.add_argument("--port", type=int, required=True, help="0 takes a free one")
    echo.add_argument("--host", default="127.0.0.1")
    echo.set_defaults(run=_fix_echo)
    sessions = kinds.add_parser("sessions", help="Look at the sessions of a running house.")
    asks = sessions.add_subparsers(metavar="command", required=True)
    for name, help_ in (
        ("list", "Show all sessions, with their state and numbers."),
        ("show", "Show one session."),
        ("stop", "Log a session out, and let nobody log on."),
        ("start", "Let it log on again."),
        ("sequence", "Set the numbers of a session that is stopped."),
    ):
        sub = asks.add_parser(name, help=help_, description=help_)
        sub.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
        sub.add_argument("--token", help="[FONDACO_TOKEN, or of `fondaco login`, or demo]")
        if name != "list":
            sub.add_argument("session", help="FIX.4.4:HOUSE->BROKER")
        if name == "sequence":
            sub.add_argument("--next-out", type=int, required=True, metavar="N")
            sub.add_argument("--next-in", type=int, required=True, metavar="N")
        if name in ("stop", "start", "sequence"):
            sub.add_argument("--reason", required=True, help="it is kept in the journal")
        sub.set_defaults(run=_fix_sessions, what=name)


def _with_audit(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    audit = kinds.add_parser("audit", help="Say what is in captures and logs, threats included.")
    audit.add_argument("file", nargs="+", type=Path, help="pcap, pcapng or log, also gzipped")
    audit.add_argument("--json", action="store_true", help="the whole report as JSON")
    audit.add_argument("--html", type=Path, metavar="FILE", help="write it as a page by itself")
    audit.add_argument(
        "--export", choices=("ecs", "cef", "ocsf"), help="print alerts as lines for a SIEM"
    )
    audit.add_argument(
        "--evidence", type=Path, metavar="DIR", help="write the packets of each alert to a folder"
    )
    audit.add_argument("--limits", type=Path, metavar="TOML", help="thresholds of one's own")
    audit.add_argument("--no-threats", action="store_true", help="put sessions together, no more")
    audit.add_argument(
        "--fail-on",
        choices=("low", "medium", "high", "critical", "never"),
        default="high",
        help="exit with 1 where an alert is at least so severe [high]",
    )
    audit.set_defaults(run=_fix_audit)
    text = "Follow a log, a growing capture, or a network interface, alerts included."
    tail = kinds.add_parser("tail", help=text, description=text)
    tail.add_argument("file", type=Path, nargs="?")
    tail.add_argument("--full", action="store_true", help="every field in words")
    tail.add_argument("--no-follow", action="store_true", help="end where the file ends")
    tail.set_defaults(run=_fix_tail)
    text = "Capture an interface's packets into a file, and tell alerts as they come."
    capture = kinds.add_parser("capture", help=text, description=text)
    capture.set_defaults(run=_fix_capture)
    for sub in (audit, tail, capture):
        sub.add_argument("--baseline", type=Path, metavar="FILE", help="judge behaviour by it")
    _with_baseline(kinds)
    for sub, must in ((tail, False), (capture, True)):
        sub.add_argument("--interface", metavar="NAME", required=must, help="lo, eth0 …")
        sub.add_argument("--write", type=Path, metavar="FILE", required=must, help="a new pcap")
        sub.add_argument("--seconds", type=float, default=0, help="then end [never]")
        sub.add_argument("--promiscuous", action="store_true", help="also what is for others")
        sub.add_argument("--limits", type=Path, metavar="TOML", help="thresholds of one's own")


def _with_baseline(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    baseline = kinds.add_parser("baseline", help="Learn what sessions are usually like.")
    asks = baseline.add_subparsers(metavar="command", required=True)
    text = "Learn from captures and logs of clean days."
    learn = asks.add_parser("learn", help=text, description=text)
    learn.add_argument("file", nargs="+", type=Path, help="pcap, pcapng or log, also gzipped")
    learn.add_argument("--output", type=Path, required=True, metavar="FILE", help="a new file")
    learn.add_argument("--window", type=int, default=300, metavar="SECONDS", help="[300]")
    learn.add_argument("--no-forest", action="store_true", help="no anomaly score")
    learn.add_argument("--anyway", action="store_true", help="though there are alerts in them")
    learn.set_defaults(run=_fix_baseline_learn)
    text = "Show what was learned."
    show = asks.add_parser("show", help=text, description=text)
    show.add_argument("file", type=Path)
    show.set_defaults(run=_fix_baseline_show)


def _fix_echo(asked: argparse.Namespace) -> int:
    from fondaco.app.fix.echo import echo

    return echo(asked.host, asked.port)


def _fix_sessions(asked: argparse.Namespace) -> None:
    from fondaco.app.fix.sessions import Remote, table

    token = token_for(asked.token, asked.url)
    remote = Remote(asked.url, token)
    if asked.what == "list":
        for line in table(remote.list()):
            print(line)
    elif asked.what == "show":
        print_json(remote.show(asked.session))
    else:
        numbers = ("next_out", "next_in") if asked.what == "sequence" else ()
        more = {name: getattr(asked, name) for name in numbers}
        print_json(remote.order(asked.what, asked.session, asked.reason, **more))


def _fix_decode(asked: argparse.Namespace) -> None:
    from fondaco.app.fix.decode import decode

    for line in decode(asked.source, asked.dictionary, as_json=asked.json):
        print(line)


def _fix_diff(asked: argparse.Namespace) -> int:
    from fondaco.app.fix.diff import diff

    differ = False
    for line in diff(asked.first, asked.second, asked.dictionary, asked.ignore, as_json=asked.json):
        print(line)
        differ = True
    return EXIT_WRONG if differ else 0


def _fix_tail(asked: argparse.Namespace) -> None:
    from fondaco.app.fix.audit import limits_of
    from fondaco.app.fix.baseline import read_baseline
    from fondaco.app.fix.tail import tail

    if (asked.file is None) == (asked.interface is None):
        raise Invalid("name what to follow: either a file, or --interface NAME")
    if asked.interface is not None:
        _fix_capture(asked)
        return
    for line in tail(
        asked.file,
        follow=not asked.no_follow,
        full=asked.full,
        limits=limits_of(asked.limits),
        baseline=asked.baseline and read_baseline(asked.baseline),
    ):
        print(line, flush=True)


def _fix_capture(asked: argparse.Namespace) -> None:
    from fondaco.app.fix.audit import limits_of
    from fondaco.app.fix.baseline import read_baseline
    from fondaco.app.fix.capture import capture, until_told

    following = asked.run is _fix_tail
    with until_told() as ended:
        for line in capture(
            asked.interface,
            write=asked.write,
            seconds=asked.seconds,
            messages=following,
            full=following and asked.full,
            promiscuous=asked.promiscuous,
            limits=limits_of(asked.limits),
            baseline=asked.baseline and read_baseline(asked.baseline),
            ended=ended,
        ):
            print(line, flush=True)


def _fix_audit(asked: argparse.Namespace) -> int:
    from fondaco.app.fix.audit import audit, is_bad, limits_of
    from fondaco.app.fix.audit_text import lines_of
    from fondaco.app.fix.baseline import read_baseline
    from fondaco.app.fix.evidence import write_evidence
    from fondaco.app.fix.exports import exported
    from fondaco.app.fix.page import page_of

    report = audit(
        asked.file,
        limits_of(asked.limits),
        threats=not asked.no_threats,
        baseline=asked.baseline and read_baseline(asked.baseline),
    )
    if asked.evidence is not None:
        write_evidence(report.alerts, asked.file, asked.evidence)
    if asked.html is not None:
        asked.html.write_text(page_of(report), "utf-8")
    if asked.export:
        lines = exported(report, asked.export)
    elif asked.json:
        lines = iter([report.as_json()])
    else:
        lines = lines_of(report)
    for line in lines:
        print(line)
    return EXIT_WRONG if is_bad(report, asked.fail_on) else 0


def _fix_baseline_learn(asked: argparse.Namespace) -> None:
    from fondaco.app.fix.baseline import learn, lines_of

    if asked.output.exists():
        raise Invalid(f"{asked.output} is there already: name a new file")
    found = learn(
        asked.file, window_s=asked.window, forest=not asked.no_forest, anyway=asked.anyway
    )
    asked.output.write_bytes(found.encoded())
    for line in lines_of(found):
        print(line)


def _fix_baseline_show(asked: argparse.Namespace) -> None:
    from fondaco.app.fix.baseline import lines_of, read_baseline

    for line in lines_of(read_baseline(asked.file)):
        print(line)


def print_json(found: Mapping[str, Any]) -> None:
    print(json.dumps(found, indent=2))
