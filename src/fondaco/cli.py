"""The command line: fondaco up | look | mesh | record | trace | replay | why | verify | proof |
rebuild | backup | restore | key | user | approvals | agents | mcp | secrets | keys | tier |
assessment | report | doctor | sim | fix | webhook | topics | notify | clock | bench."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fondaco.app.clock_commands import with_clock
from fondaco.app.evaluation_commands import with_tiers
from fondaco.app.fix.commands import with_fix
from fondaco.app.identity_commands import with_people
from fondaco.app.key_commands import with_keys
from fondaco.app.log_commands import with_logs
from fondaco.app.news_commands import with_news
from fondaco.app.notices.commands import with_notices
from fondaco.app.paper_commands import with_papers
from fondaco.app.payments.commands import with_purchases
from fondaco.app.secret_commands import with_secrets
from fondaco.app.simulate_commands import with_simulations
from fondaco.app.topics.commands import with_topics
from fondaco.app.webhooks.commands import with_webhooks
from fondaco.kernel.errors import FondacoError, Invalid
from fondaco.settings import effective, knobs, load, without_secrets

if TYPE_CHECKING:
    from fondaco.app.files import Files

EXIT_WRONG: Final = 1
EXIT_USAGE: Final = 2
# Knobs with an option of their own; the rest: --set.
_UP: Final = ("data", "port", "host", "feed", "journal", "cache", "fix_port", "fix_venue")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit status."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if not hasattr(asked, "run"):
        parser.print_help()
        return EXIT_USAGE
    asked.is_process = arguments is None
    try:
        status: int | None = asked.run(asked)
    except Invalid as error:  # what was asked cannot be
        print(f"fondaco: {error.message}", file=sys.stderr)
        return EXIT_USAGE
    except FondacoError as error:
        print(f"fondaco: {error.message}", file=sys.stderr)
        return EXIT_WRONG
    except BrokenPipeError:  # whoever read our lines has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_WRONG
    except OSError as error:
        print(f"fondaco: {error}", file=sys.stderr)
        return EXIT_WRONG
    except KeyboardInterrupt:
        return 130
    return status or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fondaco", description="A trading house in one package.")
    commands = parser.add_subparsers(metavar="command")

    def command(
        name: str, run: Callable[[argparse.Namespace], int | None], text: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    def with_data(
        name: str, run: Callable[[argparse.Namespace], int | None], text: str
    ) -> argparse.ArgumentParser:
        sub = command(name, run, text)
        sub.add_argument("--data", default=".fondaco", help="the data directory [.fondaco]")
        return sub

    def with_journal(
        name: str, run: Callable[[argparse.Namespace], int | None], text: str
    ) -> argparse.ArgumentParser:
        sub = with_data(name, run, text)
        sub.add_argument("--journal", help="where it is, unless in the data directory")
        return sub

    _with_settings(command("up", _up, "Serve a house until told to stop."))
    look = _with_settings(command("look", _look, "Serve what a house's views and journal say."))
    look.add_argument("--owner", default="", help="where the house is, told to who asks for more")
    _with_mesh(command("mesh", _mesh, "Print an Envoy configuration for a house and its doors."))
    follow = with_journal("follow", _follow, "Carry the journal into views; `up` starts it itself.")
    follow.add_argument("--snapshot-every", type=int, default=100_000)
    follow.add_argument("--checks-every", type=int, default=60, metavar="SECONDS")
    follow.add_argument("--root-every", type=int, default=86_400, metavar="SECONDS")
    follow.add_argument("--traces-quota", type=int, default=1 << 30, metavar="BYTES")
    _with_spans(with_journal("trace", _trace, "Export spans over OTLP; `up` starts it itself."))
    record = with_data("record", _record, "Write what a feed says to the tape, and nothing else.")
    record.add_argument("--feed", required=True, help="as for `up`")
    record.add_argument("--seconds", type=float, default=0.0, help="0: until interrupted")
    replay = with_journal("replay", _replay, "Work out every stream's state from the journal.")
    replay.add_argument("--until", type=int, default=-1, metavar="POSITION")
    replay.add_argument("--stream", default="", help="only this one, with its whole state")
    _with_books(with_journal)
    _with_settings(
        command("doctor", _doctor, "Say what runs compiled, and every setting's source.")
    )
    told = (with_webhooks, with_topics, with_notices, with_purchases, with_simulations)
    own = (with_keys, with_people, with_secrets, with_fix, with_tiers, with_news, with_papers)
    of_parts = (*own, *told, with_clock, with_logs)
    for with_more in of_parts:
        with_more(commands)
    _with_seeds(command("sim", _sim, "Run the house under a seed, among faults and crashes."))
    bench = commands.add_parser(
        "bench", help="Load a running house and measure it.", add_help=False
    )
    bench.add_argument("rest", nargs=argparse.REMAINDER)
    bench.set_defaults(run=_bench)
    return parser


def _with_books(with_journal: Callable[..., argparse.ArgumentParser]) -> None:
    """What reads the journal, checks it, and carries it elsewhere."""
    why = with_journal("why", _why, "Tell the life of an order, or what caused a journal position.")
    why.add_argument("id", help="an order_id, a cl_ord_id or a position")
    why.add_argument("--json", action="store_true")
    verify = with_journal(
        "verify", _verify, "Check journal and tape byte by byte, every root, the standing checks."
    )
    verify.add_argument(
        "--root", action="append", default=[], metavar="HASH@SIZE", help="one that you have kept"
    )
    verify.add_argument("--json", action="store_true", help="say nothing else, on stderr")
    _with_proofs(with_journal("proof", _proof, "Prove that an entry is in the journal."))
    with_journal("rebuild", _rebuild, "Fill the views anew and compare them with what they were.")
    backup = with_journal("backup", _backup, "Copy a house, running or not, to a new folder.")
    backup.add_argument("--to", required=True, type=Path)
    backup.add_argument("--keys", type=Path, help="a folder for the keys, kept in another place")
    restore = with_journal("restore", _restore, "Make a data directory out of a backup.")
    restore.add_argument("--from", required=True, type=Path, dest="source")
    restore.add_argument("--keys", type=Path, help="the newest copy of the house's keys")


def _with_settings(sub: argparse.ArgumentParser) -> argparse.ArgumentParser:
    reasons = {knob.name: knob.reason for knob in knobs()}
    for name in _UP:
        sub.add_argument(f"--{name.replace('_', '-')}", help=reasons[name])
    for name in ("demo", "sandbox"):
        sub.add_argument(f"--{name}", action="store_const", const=True, help=reasons[name])
    sub.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other setting; docs/settings.md lists them",
    )
    return sub


def _with_mesh(mesh: argparse.ArgumentParser) -> None:
    mesh.add_argument("--listen", default="127.0.0.1:8443", help="where clients come [%(default)s]")
    mesh.add_argument("--owner", required=True, help="host:port of the house")
    mesh.add_argument(
        "--reader", action="append", default=[], help="host:port of a door that reads"
    )
    mesh.add_argument("--cert", required=True, help="what Envoy shows its clients (PEM)")
    mesh.add_argument("--key", required=True)
    mesh.add_argument(
        "--clients", required=True, help="who signs the certificates of clients (PEM)"
    )
    mesh.add_argument("--mesh-cert", default="", help="what Envoy shows the house; none: plainly")
    mesh.add_argument("--mesh-key", default="")
    mesh.add_argument("--mesh-ca", default="", help="who signs the certificate of the house")
    mesh.add_argument("--admin", default="", help="host:port of Envoy's own page [none]")


def _with_spans(trace: argparse.ArgumentParser) -> None:
    trace.add_argument("--to", metavar="URL", help="the collector [the setting otlp_endpoint]")
    trace.add_argument(
        "--after", type=int, default=-1, metavar="POSITION", help="[where it had got to]"
    )


def _with_proofs(proof: argparse.ArgumentParser) -> None:
    proof.add_argument("position", nargs="?", type=int, help="of the entry; fondaco why tells")
    proof.add_argument("--size", type=int, default=0, help="of the log [of the newest root]")
    proof.add_argument(
        "--from", type=int, dest="old", metavar="SIZE", help="prove that the log began with this"
    )
    proof.add_argument("--roots", action="store_true", help="show the roots that were published")
    proof.add_argument("--verifier", action="store_true", help="print the program that checks")
    proof.add_argument(
        "--signatures", action="store_true", help="print the program that checks whose roots are"
    )


def _with_seeds(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--seed", type=int, required=True, metavar="N")
    sub.add_argument("--count", type=int, default=1, help="how many seeds, from N on [1]")
    sub.add_argument("--steps", type=int, default=0, help="requests and faults of a run [200]")
    sub.add_argument("--verbose", action="store_true", help="say everything as it happens")
    sub.add_argument("--json", action="store_true", help="a line of JSON for each seed")


def _given(asked: argparse.Namespace) -> dict[str, object]:
    given: dict[str, object] = {name: getattr(asked, name) for name in (*_UP, "demo", "sandbox")}
    for pair in asked.set:
        name, _, value = pair.partition("=")
        given[name] = value
    return given


def _files(asked: argparse.Namespace) -> "Files":
    """Where the house that was named is, as its settings say it."""
    from fondaco.app.files import Files

    given = {"data": asked.data, "journal": getattr(asked, "journal", None)}
    settings = load(given, os.environ)
    return Files(Path(settings.data), settings.journal, settings.store)


def _up(asked: argparse.Namespace) -> int:
    from fondaco.app.live import serve

    # Called by another program, that one's process is not ours to fork.
    return serve(load(_given(asked), os.environ), main if asked.is_process else None)


def _look(asked: argparse.Namespace) -> int:
    from fondaco.app.reading_door import look

    return look(load(_given(asked), os.environ), asked.owner)


def _mesh(asked: argparse.Namespace) -> None:
    from fondaco.app.mesh import envoy

    names = ("listen", "owner", "cert", "key", "clients", "mesh_cert", "mesh_key", "mesh_ca")
    given = {name: getattr(asked, name) for name in (*names, "admin")}
    _tell(envoy(readers=asked.reader, **given))


def _follow(asked: argparse.Namespace) -> None:
    from fondaco.app.follower import follow

    follow(
        _files(asked),
        snapshot_every=asked.snapshot_every,
        checks_every_s=asked.checks_every,
        root_every_s=asked.root_every,
        traces_quota_bytes=asked.traces_quota,
    )


def _trace(asked: argparse.Namespace) -> None:
    from fondaco.app.tracing import endpoint_of, trace

    given = {"data": asked.data, "journal": asked.journal, "otlp_endpoint": asked.to}
    endpoint = endpoint_of(load(given, os.environ), os.environ)
    if not endpoint:
        raise Invalid("there is no collector: name one with --to http://host:4318")
    trace(_files(asked), endpoint, asked.after, os.environ)


def _record(asked: argparse.Namespace) -> None:
    from fondaco.app.offline import record

    _tell(record(Path(asked.data), asked.feed, asked.seconds))


def _replay(asked: argparse.Namespace) -> None:
    from fondaco.app.offline import replay

    for line in replay(_files(asked), asked.until, asked.stream):
        print(line)


def _why(asked: argparse.Namespace) -> None:
    from fondaco.app.offline import explain

    print(explain(_files(asked), asked.id, as_json=asked.json))


def _verify(asked: argparse.Namespace) -> int:
    from fondaco.app.offline import verify

    found = verify(_files(asked), asked.root, progress=not asked.json)
    _tell(found)
    if found["wrong"] and not asked.json:
        print(f"fondaco: {found['wrong'][0]}", file=sys.stderr)
    return EXIT_WRONG if found["wrong"] else 0


def _proof(asked: argparse.Namespace) -> None:
    from fondaco.app import offline
    from fondaco.app.proofs import signature_verifier_text, verifier_text

    root = _files(asked)
    if asked.verifier:
        print(verifier_text(), end="")
    elif asked.signatures:
        print(signature_verifier_text(), end="")
    elif asked.roots:
        for line in offline.published(root):
            print(line)
    elif asked.old is not None:
        print(offline.prove_consistency(root, asked.old, asked.size))
    elif asked.position is not None:
        print(offline.prove(root, asked.position, asked.size))
    else:
        raise Invalid(
            "say what to prove: a position, --from SIZE, --roots, --verifier or --signatures"
        )


def _rebuild(asked: argparse.Namespace) -> int:
    from fondaco.app.offline import rebuild

    found = rebuild(_files(asked))
    _tell(found)
    return EXIT_WRONG if found["different"] else 0


def _backup(asked: argparse.Namespace) -> None:
    from fondaco.app.offline import backup

    _tell(backup(_files(asked), asked.to, asked.keys))


def _restore(asked: argparse.Namespace) -> None:
    from fondaco.app.offline import restore

    _tell(restore(asked.source, Path(asked.data), _files(asked).journal_at, asked.keys))


def _doctor(asked: argparse.Namespace) -> None:
    from fondaco.app.files import Files
    from fondaco.app.offline import examine

    rows = effective(_given(asked), os.environ)
    values = {row.name: str(row.value) for row in rows}
    for line in examine(Files(Path(values["data"]), values["journal"], values["store"])):
        print(line)
    print("\nsettings")
    width = max(len(row.name) for row in rows)
    for row in rows:
        value = without_secrets(str(row.value))
        print(f"  {row.name:<{width}}  {value:<24} {row.unit:<12} {row.source}")


def _sim(asked: argparse.Namespace) -> int:
    from fondaco.app.simulation import STEPS, simulate, text_of

    if asked.count < 1 or asked.steps < 0:
        raise Invalid("--count must be at least 1, and --steps at least 0, which is the usual")
    status = 0
    tell = print if asked.verbose else None
    for seed in range(asked.seed, asked.seed + asked.count):
        report = simulate(seed, asked.steps or STEPS, tell=tell)
        print(report.as_json() if asked.json else text_of(report), flush=True)
        status = EXIT_WRONG if report.invariant else status
    return status


def _bench(asked: argparse.Namespace) -> int:
    from fondaco.bench import main as bench

    return bench(asked.rest)


def _tell(found: Mapping[str, Any]) -> None:
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    sys.exit(main())
