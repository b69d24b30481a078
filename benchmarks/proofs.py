"""What the Merkle log costs: leaves a second, a proof's time, and `verify`; JSON out.

    python benchmarks/proofs.py --leaves 1000000
    python benchmarks/proofs.py --peer PYTHON     # where `pip install pymerkle` was run

The journal is written to --on (a folder; memory where there is none) in frames of ten records
of one event, as a house under load does. The peer is pymerkle in another Python: the same number of
entries into its fastest store, the same proofs. It has no journal to verify.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from fondaco.kernel.codec import Codec
from fondaco.kernel.event import CommandId, Decision, Event, Instant, StreamId
from fondaco.ports.journal._disk import Disk
from fondaco.ports.journal.segments import SegmentJournal
from fondaco.runtime.proofs import roots
from fondaco.runtime.proofs.audit import audit
from fondaco.runtime.proofs.growth import Growth
from fondaco.runtime.proofs.proving import Proofs
from fondaco.runtime.proofs.tree import Tree
from fondaco.runtime.proofs.verifier import check_inclusion, leaf

FRAME: Final = 10
PROOFS: Final = 500


class Written(Event, frozen=True, gc=False, array_like=True, tag="bench.written.v1"):
    content: bytes


class Unsynced(Disk):
    """Writing is not what is measured."""

    def fdatasync(self, file: int) -> None:
        pass


CODEC: Final = Codec(Written)


def write(folder: Path, count: int) -> None:
    content = os.urandom(160)
    with closing(SegmentJournal(folder, CODEC, disk=Unsynced())) as journal:
        streams = [StreamId(f"account/{n}") for n in range(FRAME)]
        for turn in range(count // FRAME):
            at = Instant(1_700_000_000_000_000_000 + turn)
            cause = CommandId(f"bench-{turn}#0123456789abcdef")
            journal.append([Decision(s, turn, cause, at, 1, (Written(content),)) for s in streams])


def ours(folder: Path, count: int) -> dict[str, Any]:
    journal_folder, proofs_folder = folder / "journal", folder / "proofs"
    write(journal_folder, count)
    size = sum(path.stat().st_blocks * 512 for path in journal_folder.glob("*.seg"))
    with closing(SegmentJournal(journal_folder, CODEC, writer=False)) as journal:
        began = time.process_time()
        log = Growth(proofs_folder, journal, lambda: Instant(1), lambda _: None, every_s=86_400)
        log.finish()
        log.close()
        grown = time.process_time() - began
        began = time.process_time()
        position = 0
        while batch := journal.follow(position, 2_048):
            position = batch[-1].position
        read = time.process_time() - began
        with closing(Proofs(proofs_folder, journal, CODEC)) as proofs:
            began = time.process_time()
            found = [proofs.inclusion(1 + n * 7_919 % count) for n in range(PROOFS)]
            proving = time.process_time() - began
        began = time.process_time()
        for each in found:
            record, path = bytes.fromhex(each.record), [bytes.fromhex(h) for h in each.path]
            hashed = leaf(each.position, each.nth, 1, record)
            check_inclusion(hashed, each.position - 1, each.size, bytes.fromhex(each.root), path)
        checking = time.process_time() - began
        with closing(Tree(proofs_folder)) as tree:
            began = time.process_time()
            verdict = audit(journal.walk(beyond=True), tree, roots.published(proofs_folder))
            verified = time.process_time() - began
    if verdict.finding is not None or verdict.entries != position:
        raise SystemExit(f"it does not verify: {verdict}")
    return {
        "leaves": position,
        "leaves_per_s": round(position / grown),
        "us_per_leaf": round(grown / position * 1e6, 2),
        "us_to_decode_an_entry": round(read / position * 1e6, 2),
        "proof_us": round(proving / PROOFS * 1e6),
        "check_us": round(checking / PROOFS * 1e6),
        "verify_mb_per_s": round(size / verified / 1e6),
        "verify_entries_per_s": round(position / verified),
    }


PEER: Final = """
import json, os, sys, time
from pymerkle import InmemoryTree, verify_inclusion
count, proofs = int(sys.argv[1]), int(sys.argv[2])
tree, record = InmemoryTree(algorithm="sha256"), os.urandom(230)
began = time.process_time()
for n in range(count):
    tree.append_entry(record)
grown = time.process_time() - began
root, began = tree.get_state(), time.process_time()
found = [tree.prove_inclusion(1 + n * 7919 % count) for n in range(proofs)]
proving = time.process_time() - began
for n, proof in enumerate(found):
    verify_inclusion(tree.get_leaf(1 + n * 7919 % count), root, proof)
print(json.dumps({
    "leaves": count, "leaves_per_s": round(count / grown),
    "us_per_leaf": round(grown / count * 1e6, 2), "proof_us": round(proving / proofs * 1e6),
}))
"""


def peer(python: str, count: int) -> dict[str, Any]:
    command = [python, "-c", PEER, str(count), str(PROOFS)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--on", type=Path, default=None)
    parser.add_argument("--peer", default="", help="a Python that has pymerkle")
    asked = parser.parse_args()
    memory = Path("/dev/shm")  # noqa: S108
    place = asked.on or (memory if memory.is_dir() else None)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        told: dict[str, Any] = {"house": ours(Path(folder), asked.leaves)}
    if asked.peer:
        told["pymerkle"] = peer(asked.peer, asked.leaves)
        told["ratio"] = {
            "leaves": round(told["house"]["leaves_per_s"] / told["pymerkle"]["leaves_per_s"], 2),
            "proofs": round(told["pymerkle"]["proof_us"] / told["house"]["proof_us"], 2),
        }
    json.dump(told, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
