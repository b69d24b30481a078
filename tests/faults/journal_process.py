"""A process of its own with the journal open, told what to do a line at a time, in JSON."""

import contextlib
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from faults.noted import CODEC, A, decision
from fondaco.kernel.errors import FondacoError, Unavailable
from fondaco.ports.journal.segments import SegmentJournal


@contextlib.contextmanager
def journal_process(
    folder: Path, *, writer: bool, segment_bytes: int = 65536, under: tuple[str, ...] = ()
) -> Iterator["Told"]:
    command = [*under, sys.executable, __file__, str(folder), str(int(writer)), str(segment_bytes)]
    path = [entry for entry in sys.path if entry]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(path), "PATH": "/usr/bin:/bin"},
    )
    try:
        yield Told(process)
    finally:
        process.kill()
        process.communicate()


class Told:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def __call__(self, *words: object) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def obey(journal: SegmentJournal, verb: str, *words: Any) -> object:
    match verb:
        case "append":  # this many, one a time; the last position, and how many failed
            failed = 0
            for _ in range(words[0]):
                version = len(journal.read(A))
                try:
                    journal.append([decision(A, version, "x" * words[1])])
                except Unavailable:
                    failed += 1
            return [journal.head(), failed]
        case "look":
            return [journal.head(), [e.position for e in journal.follow(0, 1_000_000)]]
        case "follow":  # until this position
            seen: list[int] = []
            while len(seen) < words[0]:
                seen += [e.position for e in journal.follow(len(seen), 7)]
            return seen
        case "index":
            return journal.index_more(words[0])
        case "file_size_max":
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (words[0], hard))
            return 0
    raise ValueError(verb)


def say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    folder, writer, segment_bytes = sys.argv[1:]
    try:
        journal = SegmentJournal(
            Path(folder), CODEC, writer=writer == "1", segment_bytes=int(segment_bytes)
        )
    except FondacoError as error:
        for _ in sys.stdin:
            say([error.kind, error.message])
        return
    for line in sys.stdin:
        say(obey(journal, *json.loads(line)))


if __name__ == "__main__":
    main()
