"""Check whose the published roots of a Fondaco journal are. Needs Python 3.9 or newer, and nothing
else.

FILE is a copy of DIR/proofs/roots, or what GET /api/journal/roots gave; --key the public key that
you have from elsewhere, in 64 hexadecimal digits. Without it, signatures show that all roots are of
one owner, and not of whom. What `verifier.py` proves is true if its root is right: take that from
the lines that this prints. Ends with 0 if all is signed, with 1 if not, with 2 on wrong use.

Signatures are Ed25519 (RFC 8032, section 5.1) of: fondaco root HASH@SIZE TIME WHY KEY, and a
newline. Roots from before there was a key have none; after the first that is signed, all are.
"""

import argparse
import json
import sys
from hashlib import sha512
from typing import Any

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493  # order of the base point
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, x y = T/Z


def unpack(text: bytes) -> Point:
    """A point from its 32 bytes. Raises `ValueError` for what is none."""
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if len(text) != 32 or y >= P or (x * x - square) % P or (not x and sign):
        raise ValueError(f"{text.hex()} is no point of the curve")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


BASE = unpack((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def plus(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, point: Point) -> Point:
    found = (0, 1, 1, 0)
    while scalar:
        found = plus(found, point) if scalar & 1 else found
        point, scalar = plus(point, point), scalar >> 1
    return found


def is_signed(key: bytes, text: bytes, signature: bytes) -> bool:
    """Raises `ValueError` for a key or signature that cannot be one."""
    answer = int.from_bytes(signature[32:], "little")
    asked = int.from_bytes(sha512(signature[:32] + key + text).digest(), "little") % L
    one = times(answer, BASE)
    other = plus(unpack(signature[:32]), times(asked, unpack(key)))
    same = all((one[n] * other[2] - other[n] * one[2]) % P == 0 for n in (0, 1))
    return same and len(signature) == 64 and answer < L


def check(root: dict[str, Any], key: str) -> str:
    """What is wrong with a root's signature, or ""."""
    named = f"{root['root']}@{root['size']}"
    text = f"fondaco root {named} {root['at']} {root['why']} {root['key']}\n".encode()
    if key and root["key"] != key:
        return f"it names the key {root['key'] or 'of nobody'}"
    try:
        signed = is_signed(bytes.fromhex(root["key"]), text, bytes.fromhex(root["signature"]))
    except ValueError as error:
        return str(error)
    return "" if signed else "it is not signed by the key that it names"


def main() -> int:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("signatures.py", description=__doc__, formatter_class=form)
    parser.add_argument("--key", default="", help="the public key that you have from elsewhere")
    parser.add_argument("file", metavar="FILE")
    asked, wrong, size, key = parser.parse_args(), 0, 0, ""
    with open(asked.file, encoding="utf-8") as file:
        read = [json.loads(line) for line in file if line.strip()]
    for root in read[0].get("items", read) if read else ():
        key = key or asked.key.lower() if root["signature"] or key else ""
        said = "it is not of more entries than the one before" if root["size"] <= size else ""
        if key or root["signature"]:
            said = said or check(root, key)
            key = key or root["key"]
        wrong, size = wrong or bool(said), root["size"]
        shown = f"NOT PROVEN: {said}" if said else f"signed by {key}" if key else "before the key"
        sys.stdout.write(f"{root['root']}@{size} {root['at']}: {shown}\n")
    if asked.key and not key:
        wrong = True
        sys.stdout.write("NOT PROVEN: nothing is signed\n")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
