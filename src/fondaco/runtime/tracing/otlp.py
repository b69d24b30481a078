"""Spans as OTLP says them: `ExportTraceServiceRequest` of opentelemetry-proto 1.x, in protobuf.

Seven messages with a dozen fields that the standard calls stable; their numbers are here, and the
official package decodes what we write in `tests/runtime/test_tracing.py`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from fondaco.runtime.tracing.spans import Attribute, Span

MEDIA_TYPE: Final = "application/x-protobuf"
SCOPE: Final = "fondaco"
_VARINT, _FIXED64, _BYTES = 0, 1, 2


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _field(number: int, content: bytes) -> bytes:
    """Bytes, a string or a message."""
    return b"%c%b%b" % (number << 3 | _BYTES, _varint(len(content)), content)


def _attribute(name: str, value: str | int) -> bytes:
    """A `KeyValue` at field 9 of a span, or at 1 of a resource: without its own head."""
    if isinstance(value, int):
        any_value = b"%c%b" % (3 << 3 | _VARINT, _varint(value))  # none of ours is below 0
    else:
        any_value = _field(1, value.encode())
    return _field(1, name.encode()) + _field(2, any_value)


def _span(span: Span) -> bytes:
    parts = [
        _field(1, bytes.fromhex(span.trace_id)),
        _field(2, bytes.fromhex(span.span_id)),
        _field(4, bytes.fromhex(span.parent_id)) if span.parent_id else b"",
        _field(5, span.name.encode()),
        b"%c%c" % (6 << 3 | _VARINT, span.kind),
        b"%c%b" % (7 << 3 | _FIXED64, span.start.to_bytes(8, "little")),
        b"%c%b" % (8 << 3 | _FIXED64, span.end.to_bytes(8, "little")),
    ]
    parts += [_field(9, _attribute(name, value)) for name, value in span.attributes]
    return b"".join(parts)


def resource(attributes: Iterable[Attribute]) -> bytes:
    """Who it is that has these spans: made once."""
    return _field(1, b"".join(_field(1, _attribute(*each)) for each in attributes))


def encoded(resource: bytes, version: str, spans: Iterable[Span]) -> bytes:
    scope = _field(1, _field(1, SCOPE.encode()) + _field(2, version.encode()))
    said = b"".join([_field(2, _span(span)) for span in spans])
    return _field(1, resource + _field(2, scope + said))


def rejected(reply: bytes) -> int:
    """How many spans an `ExportTraceServiceResponse` says were not taken; 0 where it is unreadable,
    since the status was that of a success."""
    partial = _fields(reply).get(1)
    if not isinstance(partial, bytes):
        return 0
    count = _fields(partial).get(1, 0)
    return count if isinstance(count, int) else 0


def _fields(message: bytes) -> Mapping[int, int | bytes]:
    found: dict[int, int | bytes] = {}
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        if key & 7 == _VARINT:
            found[key >> 3], at = _read_varint(message, at)
        elif key & 7 == _BYTES:
            length, at = _read_varint(message, at)
            found[key >> 3] = message[at : at + length]
            at += length
        else:
            break
    return found


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return value, at
