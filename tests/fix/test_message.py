"""The kernel, compiled and as its source says, against a naive parser."""

from collections.abc import Callable
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import fondaco.domain.fix.encoding as encoding_in_use
import fondaco.domain.fix.message as in_use
from fix import naive
from fondaco.domain.fix import Garbled, dictionary, encode, loose
from fondaco.kernel.errors import Invalid

SOH = "\x01"


def _source(module: ModuleType) -> ModuleType:
    """The kernel as its source says, whatever was compiled."""
    path = Path(str(module.__file__)).with_name(module.__name__.rpartition(".")[2] + ".py")
    spec = spec_from_file_location(path.stem + "_from_source", path)
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


KERNELS = {"in use": in_use, "source": _source(in_use)}
ENCODERS = {"in use": encoding_in_use, "source": _source(encoding_in_use)}
each = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
each_encoder = pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)

TAGS = st.sampled_from((1, 11, 34, 49, 52, 55, 56, 58, 90, 91, 93, 89, 95, 96, 354, 355, 453, 448))
VALUES = st.binary(max_size=12).map(lambda value: value.replace(b"\x01", b"|"))
# Anything at all, and what is nearly a message.
FIXISH = st.lists(
    st.sampled_from(
        (b"8=FIX.4.4", b"9=5", b"35=0", b"10=", b"95=3", b"96=a\x01b", b"\x01", b"=", b"-", b"0")
    )
    | st.binary(max_size=4),
    max_size=20,
).map(b"".join)


def with_trailer(body: bytes, begin: bytes = b"FIX.4.4") -> bytes:
    head = b"8=%b\x019=%d\x01" % (begin, len(body))
    return head + body + b"10=%03d\x01" % (sum(head + body) % 256)


MESSAGES = st.lists(st.tuples(TAGS, VALUES), max_size=90).map(
    lambda fields: with_trailer(b"".join(b"%d=%b\x01" % each for each in [(35, b"D"), *fields]))
)


@given(raw=st.binary(max_size=60) | FIXISH | FIXISH.map(with_trailer) | MESSAGES)
@example(raw=b"")
@example(raw=with_trailer(b"35=0\x01-1=HI\x01"))
@example(raw=with_trailer(b"35=0\x010=HI\x01"))
@example(raw=with_trailer(b"35=0\x01035=1\x01"))
@example(raw=with_trailer(b"35=0\x012147483648=1\x01"))
def test_compiled_uncompiled_and_naive_see_the_same(raw: bytes) -> None:
    fields = naive.fields_of(raw)
    for kernel in KERNELS.values():
        if naive.is_message(raw):
            message = kernel.parse(raw)
            assert message.raw == raw
            assert message.fields() == fields
            assert message.tags() == [tag for tag, _ in fields or ()]
            for tag, _ in fields or ():
                assert message.get(tag) == next(value for t, value in fields or () if t == tag)
            assert message.get(99_999) is None
        else:
            with pytest.raises(Garbled):
                kernel.parse(raw)
    first, second = (kernel.loose(raw) for kernel in KERNELS.values())
    assert first.fields() == second.fields()
    if fields is not None:
        assert first.fields() == fields


@given(raw=MESSAGES, at=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_message_with_one_byte_changed_is_garbled(raw: bytes, at: int, byte: int) -> None:
    """The checksum sees every single change, but for those that cancel out in the checksum."""
    changed = bytearray(raw)
    changed[at % len(raw)] = byte
    for kernel in KERNELS.values():
        if bytes(changed) != raw and not naive.is_message(bytes(changed)):
            with pytest.raises(Garbled):
                kernel.parse(bytes(changed))


NUMBERS = [  # text, whole number, in cents, exactly
    ("0", 0, 0, "0"),
    ("-0", 0, 0, "-0"),
    ("007", 7, 700, "7"),
    ("-12", -12, -1200, "-12"),
    ("12.5", None, 1250, "12.5"),
    ("12.500", None, 1250, "12.500"),
    ("12.505", None, None, "12.505"),
    (".5", None, 50, "0.5"),
    ("5.", None, 500, "5"),
    ("-.5", None, -50, "-0.5"),
    ("123456789012345678", 123456789012345678, 12345678901234567800, "123456789012345678"),
    ("99999999999999999999.99", None, 9999999999999999999999, "99999999999999999999.99"),
    ("", None, None, None),
    ("-", None, None, None),
    (".", None, None, None),
    ("+1", None, None, None),
    ("1e3", None, None, None),
    ("1,000", None, None, None),
    (" 1", None, None, None),
    ("1.2.3", None, None, None),
    ("1_000", None, None, None),
]


@each
@pytest.mark.parametrize(("text", "whole", "cents", "exact"), NUMBERS)
def test_numbers_are_exact_or_refused(
    kernel: ModuleType, text: str, whole: int | None, cents: int | None, exact: str | None
) -> None:
    message = kernel.parse(with_trailer(f"35=D{SOH}38={text}{SOH}".encode()))
    reads: list[tuple[Callable[[], object], object]] = [
        (lambda: message.integer(38), whole),
        (lambda: message.scaled(38, 2), cents),
        (lambda: message.decimal(38), None if exact is None else Decimal(exact)),
    ]
    for read, wanted in reads:
        if wanted is None:
            with pytest.raises(Invalid, match=r"field 38 is "):
                read()
        else:
            assert read() == wanted
    assert message.integer(999) is message.decimal(999) is message.scaled(999, 2) is None


@each
@given(units=st.integers(-(10**21), 10**21), places=st.integers(0, 9))
def test_scaled_is_the_decimal_times_a_power_of_ten(
    kernel: ModuleType, units: int, places: int
) -> None:
    value = Decimal(units).scaleb(-6)
    message = kernel.parse(with_trailer(f"35=D{SOH}44={value:f}{SOH}".encode()))
    assert message.decimal(44) == value
    whole = value.scaleb(places)
    if whole == whole.to_integral_value():
        assert message.scaled(44, places) == int(whole)
    else:
        with pytest.raises(Invalid, match="after the point"):
            message.scaled(44, places)


TIMES = [  # text, nanoseconds since 1970
    ("19700101-00:00:00", 0),
    ("20261121-14:30:00", 1795271400 * 10**9),
    ("20261121-14:30:00.1", 1795271400 * 10**9 + 100_000_000),
    ("20261121-14:30:00.123", 1795271400 * 10**9 + 123_000_000),
    ("20261121-14:30:00.123456", 1795271400 * 10**9 + 123_456_000),
    ("20261121-14:30:00.123456789", 1795271400 * 10**9 + 123_456_789),
    ("20261121-14:30:00.123456789987", 1795271400 * 10**9 + 123_456_789),
    ("20161231-23:59:60", 1483228800 * 10**9),
    ("20000229-00:00:00", 951782400 * 10**9),
    ("00010101-00:00:00", -62135596800 * 10**9),
    ("99991231-23:59:59.999999999", 253402300799 * 10**9 + 999_999_999),
    ("19000229-00:00:00", None),
    ("20261121", None),
    ("20261121-14:30:00.", None),
    ("20261121-14:30", None),
    ("20261121-24:00:00", None),
    ("20261121-14:60:00", None),
    ("20261121-14:30:61", None),
    ("20261121 14:30:00", None),
    ("20261321-14:30:00", None),
    ("20261121-14:30:00Z", None),
    ("20261121-14:30:00.12x", None),
    ("2026112a-14:30:00", None),
    ("20261121-1x:30:00", None),
    ("", None),
]


@each
@pytest.mark.parametrize(("text", "nanoseconds"), TIMES)
def test_timestamps_of_every_precision(
    kernel: ModuleType, text: str, nanoseconds: int | None
) -> None:
    message = kernel.parse(with_trailer(f"35=D{SOH}60={text}{SOH}".encode()))
    if nanoseconds is None:
        with pytest.raises(Invalid, match="which is not a UTC timestamp"):
            message.timestamp(60)
    else:
        assert message.timestamp(60) == nanoseconds


@each
def test_raw_data_may_hold_the_delimiter_and_text_its_own_encoding(kernel: ModuleType) -> None:
    said = "指値注文".encode("shift_jis")
    raw = encode(
        "FIX.4.4",
        [
            (35, b"B"),
            (347, b"Shift_JIS"),
            (95, b"5"),
            (96, b"a\x01=\x01b"),
            (148, b"\xe9t\xe9"),
            (358, b"%d" % len(said)),
            (359, said),
        ],
    )
    message = kernel.parse(raw)
    assert message.get(96) == b"a\x01=\x01b"
    assert message.text(359) == "指値注文"
    assert message.text(148) == "été"
    unknown = kernel.parse(with_trailer(b"35=B\x01358=2\x01359=\xe9\xe8\x01"))
    assert unknown.text(359) == "éè"
    for wrong in (b"96=abc\x01", b"95=\x0196=abc\x01", b"95=4\x0196=abc\x01", b"95=x\x0196=a\x01"):
        with pytest.raises(Garbled, match="raw data"):
            kernel.parse(with_trailer(b"35=B\x01" + wrong))


@each
def test_a_message_has_any_number_of_fields(kernel: ModuleType) -> None:
    fields = [(35, b"W"), *((5_000 + n, b"%d" % n) for n in range(700))]
    message = kernel.parse(encode("FIX.4.4", fields))
    assert message.count == 700 + 4
    assert message.fields()[2:-1] == fields
    assert message.integer(5_063) == 63
    assert message.integer(5_699) == 699
    assert message.get(5_700) is None
    assert message.find(5_650, 653, 654) == 653
    assert message.find(5_650, 654, 9_999) == -1
    with pytest.raises(IndexError):
        message.value_at(704)


GARBLED = [
    (b"", "first fields"),
    (b"35=0\x018=FIX.4.4\x019=5\x0110=000\x01", "first fields"),
    (b"8=FIX.4.4\x019=5\x0135=0\x0110=161\x01", "checksum is said to be 161 and is"),
    (b"8=FIX.4.4\x019=6\x0135=0\x0110=161\x01", "length is said to be 6 and is 5"),
    (b"8=FIX.4.4\x019=5\x0135=0\x0110=1\x01", "three digits"),
    (b"8=FIX.4.4\x019=5\x0135=0\x0110=0x1\x01", "three digits"),
    (b"8=FIX.4.4\x019=x\x0135=0\x0110=161\x01", "body length is not a number"),
    (b"8=FIX.4.4\x019=5\x0135=0\x0110=161", "does not end with SOH"),
    (b"8=FIX.4.4\x019=5\x0135=0\x01garbled\x0110=161\x01", "tag and ="),
]


@each
@pytest.mark.parametrize(("raw", "says"), GARBLED)
def test_what_is_garbled_says_why(kernel: ModuleType, raw: bytes, says: str) -> None:
    with pytest.raises(Garbled, match=says) as caught:
        kernel.parse(raw)
    assert caught.value.raw == raw
    assert kernel.what_is_wrong(loose(raw)) == caught.value.reason


@each_encoder
@given(fields=st.lists(st.tuples(st.integers(11, 80), VALUES), max_size=20))
def test_what_is_written_is_read_again(
    encoder: ModuleType, fields: list[tuple[int, bytes]]
) -> None:
    written = [(35, b"D"), *fields]
    raw = encoder.encode("FIX.4.4", written)
    assert raw == with_trailer(b"".join(b"%d=%b\x01" % each for each in written))
    assert naive.is_message(raw)
    for kernel in KERNELS.values():
        assert kernel.parse(raw).fields()[2:-1] == written


@each_encoder
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ([], "at least MsgType"),
        ([(49, b"A")], "begins with MsgType"),
        ([(35, b"D"), (58, b"x\x0154=2")], "delimiter"),
        ([(35, b"D"), (10, b"000")], "not a tag"),
        ([(35, b"D"), (0, b"0")], "not a tag"),
        ([(35, b"D"), (96, b"a\x01b")], "follows its length 95=3"),
        ([(35, b"D"), (95, b"2"), (96, b"a\x01b")], "follows its length 95=3"),
    ],
)
def test_what_nobody_could_read_is_not_written(
    encoder: ModuleType, fields: list[tuple[int, bytes]], says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        encoder.encode("FIX.4.4", fields)


def test_groups_nest_in_dictionary_order() -> None:
    fields = [
        (35, b"D"),
        (11, b"id"),
        (453, b"2"),
        *((448, b"A"), (447, b"D"), (452, b"1"), (802, b"2")),
        *((523, b"x"), (803, b"1"), (523, b"y"), (803, b"2")),
        *((448, b"B"), (452, b"3")),
        (54, b"1"),
    ]
    of = dictionary("FIX.4.4")
    first, second = in_use.parse(encode("FIX.4.4", fields)).group(453, of)
    assert (first.text(448), first.integer(452), second.text(448)) == ("A", 1, "B")
    assert [each.text(523) for each in first.group(802)] == ["x", "y"]
    assert second.group(802) == []
    assert second.fields() == [(448, b"B"), (452, b"3")]
    assert second.get(54) is None
