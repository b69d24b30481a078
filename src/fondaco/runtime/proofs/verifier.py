"""Check proofs from the journal of a Fondaco house. Needs Python 3.9 or newer, and nothing else.

FILE is what `fondaco proof`, GET /api/journal/proof or /api/journal/consistency gave; --root a root
that you have from elsewhere. Without it, a proof shows what is true if its root is right. Proven to
be an older state of one that you gave, a root counts as given for the files that come after.
Ends with 0 if all is proven, with 1 if not, with 2 on wrong use.

Hashes are SHA-256 as in RFC 9162, section 2.1. A leaf is position (8 bytes), place in its record
(4), events in the record (4), and the record, or its SHA-256 where it holds several events.
"""

import argparse
import json
import struct
import sys
import time
from hashlib import sha256
from typing import Any

_NUMBERS = "fdBHIQbhiq"  # MessagePack: what follows the first bytes 0xCA to 0xD3
_SIZED: dict[int, tuple[type, int]] = {
    0xC4: (bytes, 1), 0xC5: (bytes, 2), 0xC6: (bytes, 4), 0xD9: (str, 1), 0xDA: (str, 2),
    0xDB: (str, 4), 0xDC: (list, 2), 0xDD: (list, 4), 0xDE: (dict, 2), 0xDF: (dict, 4),
}  # fmt: skip


class Wrong(ValueError):
    """A proof that proves nothing."""


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def leaf(position: int, nth: int, count: int, record: bytes) -> bytes:
    content = record if count == 1 else sha256(record).digest()
    return sha256(struct.pack(">BQII", 0, position, nth, count) + content).digest()


def climb(at: int, last: int, start: bytes, path: list[bytes]) -> tuple[bytes, bytes]:
    """The roots of the log up to `at` and up to `last`, by RFC 9162, 2.1.3.2 and 2.1.4.2."""
    older = newer = start
    for other in path:
        if last == 0:
            raise Wrong("the path is too long")
        if at % 2 or at == last:
            older, newer = node(other, older), node(other, newer)
            while at and at % 2 == 0:
                at, last = at >> 1, last >> 1
        else:
            newer = node(newer, other)
        at, last = at >> 1, last >> 1
    if last:
        raise Wrong("the path is too short")
    return older, newer


def check_inclusion(leaf: bytes, index: int, size: int, root: bytes, path: list[bytes]) -> None:
    if not 0 <= index < size or climb(index, size - 1, leaf, path)[1] != root:
        raise Wrong("the path does not lead from the entry to the root")


def check_consistency(old: int, size: int, older: bytes, root: bytes, path: list[bytes]) -> None:
    at, last = old - 1, size - 1
    while at % 2 and last > 0:
        at, last = at >> 1, last >> 1
    if not old & (old - 1):  # the old root is a node of the new tree
        path = [older, *path]
    if not (path and 0 < old < size) or climb(at, last, path[0], path[1:]) != (older, root):
        raise Wrong("the path does not lead from one root to the other")


def unpack(packed: bytes, at: int = 0) -> tuple[Any, int]:
    """One MessagePack value, and where it ends."""
    first, at = packed[at], at + 1
    if first < 0x80 or first >= 0xE0:
        return first - (256 if first >= 0xE0 else 0), at
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first], at
    if 0xCA <= first <= 0xD3:
        form = f">{_NUMBERS[first - 0xCA]}"
        return struct.unpack_from(form, packed, at)[0], at + struct.calcsize(form)
    kind, width = _SIZED.get(first) or ((dict, list, str, str)[(first - 0x80) >> 4], 0)
    short = first & (31 if kind is str else 15)
    length = int.from_bytes(packed[at : at + width], "big") if width else short
    at += width
    if kind in (bytes, str):
        part = packed[at : at + length]
        return (part if kind is bytes else part.decode()), at + length
    items = []
    for _ in range(length * (2 if kind is dict else 1)):
        item, at = unpack(packed, at)
        items.append(item)
    return (items if kind is list else dict(items[n : n + 2] for n in range(0, len(items), 2))), at


def told(nth: int, record: bytes) -> tuple[str, int]:
    """What an entry says, from the bytes that are proven, and how many its record holds."""
    (stream, version, cause, at, _, count, codec, key, payload), end = unpack(record)
    if end != len(record) or not 0 <= nth < count:
        raise Wrong("the record does not hold that entry")
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // 10**9))
    event = "encrypted" if key or codec != 1 else json.dumps(unpack(payload)[0][nth], default=repr)
    return f"{stream} version {version + nth + 1} at {when} because of {cause}\n  {event}", count


def check(proof: dict[str, Any], known: dict[int, bytes]) -> str:
    """What is proven, in words. `known` are roots by size, and get those that follow from them."""
    size, root = proof["size"], bytes.fromhex(proof["root"])
    path = [bytes.fromhex(each) for each in proof["path"]]
    stated = {size: root}
    if proof["proof"] == "inclusion":
        position, nth, record = proof["position"], proof["nth"], bytes.fromhex(proof["record"])
        words, count = told(nth, record)
        check_inclusion(leaf(position, nth, count, record), position - 1, size, root, path)
        words = f"entry {position} of {size} is {words}"
    else:
        old, older = proof["old_size"], bytes.fromhex(proof["old_root"])
        check_consistency(old, size, older, root, path)
        stated[old] = older
        words = f"{size} entries begin with the {old} of root {older.hex()}@{old}"
    if any(known.get(at, hash_) != hash_ for at, hash_ in stated.items()):
        raise Wrong("it is of another root than you gave")
    if known and not known.keys() & stated.keys():
        raise Wrong(f"you gave no root of {size} entries")
    trust = "which you gave" if size in known else "WHICH YOU MUST HAVE FROM ELSEWHERE"
    known.update(stated if size in known else {})
    return f"{words}\n  if the root is {root.hex()}@{size}, {trust}"


def main() -> int:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("verifier.py", description=__doc__, formatter_class=form)
    given = parser.add_argument("--root", action="append", default=[], metavar="HASH@SIZE")
    given.type = lambda text: (int(text[65:]), bytes.fromhex(text[:64]))
    parser.add_argument("files", nargs="+", metavar="FILE")
    asked, wrong = parser.parse_args(), 0
    known = dict(asked.root)
    for name in asked.files:
        try:
            with open(name, encoding="utf-8") as file:
                sys.stdout.write(f"{name}: {check(json.load(file), known)}\n")
        except (OSError, LookupError, TypeError, ValueError, RuntimeError, struct.error) as error:
            wrong = 1
            sys.stdout.write(f"{name}: NOT PROVEN: {error!r}\n")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
