"""A parser of FIX as one would write it in five minutes: the kernel's twin."""

from fondaco.domain.fix.lengths import LENGTH_OF

SOH = b"\x01"


def fields_of(raw: bytes) -> list[tuple[int, bytes]] | None:
    """Every field, or None where the bytes are no fields."""
    fields: list[tuple[int, bytes]] = []
    rest = raw
    while rest:
        head, equals, rest = rest.partition(b"=")
        digits = head.removeprefix(b"-")
        if not equals or not digits.isdigit() or (len(digits) > 1 and digits[:1] == b"0"):
            return None
        tag = int(head)
        if abs(tag) > 2**31 - 1:
            return None
        if tag in LENGTH_OF:
            said = next((value for each, value in reversed(fields) if each == LENGTH_OF[tag]), b"")
            if not said.isdigit() or rest[int(said) : int(said) + 1] != SOH:
                return None
            value, rest = rest[: int(said)], rest[int(said) + 1 :]
        else:
            value, end, rest = rest.partition(SOH)
            if not end:
                return None
        fields.append((tag, value))
    return fields


def is_message(raw: bytes) -> bool:
    """Whether length, checksum and the first three fields are right."""
    fields = fields_of(raw)
    if fields is None or len(fields) < 4 or [tag for tag, _ in fields[:3]] != [8, 9, 35]:
        return False
    tag, checksum = fields[-1]
    if tag != 10 or len(checksum) != 3 or not checksum.isdigit():
        return False
    length = fields[1][1]
    if not length.isdigit() or len(length) > 10:
        return False
    body = b"".join(b"%d=%b\x01" % field for field in fields[2:-1])
    head = b"".join(b"%d=%b\x01" % field for field in fields[:2])
    return int(length) == len(body) and int(checksum) == sum(head + body) % 256
