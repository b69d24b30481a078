"""Reject reasons, their order, and that the fast way never says yes where the slow one says no."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.fix import (
    Dictionary,
    Garbled,
    Message,
    Options,
    RejectReason,
    dictionary,
    encode,
    parse,
    validate,
)
from fondaco.domain.fix.model import TEXTS
from fondaco.domain.fix.reading import table_of
from fondaco.domain.fix.validation import first_wrong, plan_for

FIX44 = dictionary("FIX.4.4")
HEADER = "35=D 34=2 49=TW44 52=20261121-14:30:00.123 56=ISLD"
ORDER = "11=ID 21=1 38=200.00 40=1 54=1 55=INTC 60=20261121-14:30:00"


def message(text: str, begin: str = "FIX.4.4") -> Message:
    """`text` has fields with spaces between them; a space in a value is written as _."""
    pairs = (each.partition("=") for each in text.split())
    made = b"".join(b"%b=%b\x01" % (a.encode(), b.replace("_", " ").encode()) for a, _, b in pairs)
    head = b"8=%b\x019=%d\x01" % (begin.encode(), len(made))
    return parse(head + made + b"10=%03d\x01" % (sum(head + made) % 256))


# A message, and what is wrong with it. Each row is wrong in its own way *and* in later ways, as far
# as one message can be: that tests the precedence.
WRONG = [
    (f"35=D 11=ID {HEADER[5:]} 35=* 38=+1 5000=", 14, 34),
    (f"{HEADER.replace('=D', '=*')} 38=+1 5000=", 11, None),
    (f"{HEADER.replace('56=ISLD', '')} 38=+1 5000=", 1, 56),
    (f"{HEADER} 38=+1 5000=", 1, 11),
    (f"{HEADER} 34=x {ORDER} 21=9 40=+ 5000=", 13, 34),
    (f"{HEADER.replace('34=2', '34=')} {ORDER} 40=+ 5000=", 4, 34),
    (f"{HEADER.replace('34=2', '34=-2')} {ORDER} 40=+ 5000=", 6, 34),
    (f"{HEADER} 43=X {ORDER} 5000=1", 6, 43),
    (f"{HEADER} {ORDER.replace('21=1', '21=')} 1=", 4, 1),
    (f"{HEADER} {ORDER.replace('200.00', '+200.00')} 999=x", 6, 38),
    (f"{HEADER} {ORDER.replace('21=1', '21=4')} 38=1", 5, 21),
    (f"{HEADER} {ORDER} 40=2", 13, 40),
    (f"{HEADER} {ORDER} 167=BOO 5000=", 5, 167),
    (f"{HEADER} {ORDER} 18=A_?", 5, 18),
    (f"{HEADER} {ORDER} 999=HI 5000=1", 0, 999),
    (f"{HEADER} {ORDER} 0=HI 999=", 0, 0),
    (f"{HEADER} {ORDER} -1=HI 999=", 0, -1),
    (f"{HEADER} {ORDER} 5000=HI", 0, 5000),
    (f"{HEADER} {ORDER} 150=F 386=2 336=1 999=", 2, 150),
    (f"{HEADER} {ORDER} 386=3 336=PRE 336=POST 453=1 447=D", 16, 386),
    (f"{HEADER} {ORDER} 453=1 447=D 452=1", 15, 447),
    (f"{HEADER} {ORDER} 453=1 448=A 447=?", 5, 447),
    (f"{HEADER} {ORDER} 453=2 448=A 452=x 448=B", 6, 452),
    (f"{HEADER} {ORDER} 453=1 448=A 802=2 523=x", 16, 802),
    (f"{HEADER} {ORDER} 453=1 448=", 4, 448),
]


@pytest.mark.parametrize(("text", "reason", "tag"), WRONG)
def test_the_first_thing_that_is_wrong_is_told(text: str, reason: int, tag: int | None) -> None:
    found = validate(message(text), FIX44)
    assert found is not None
    assert (found.reason, found.ref_tag) == (reason, tag)
    assert found.text == TEXTS[RejectReason(reason)]


RIGHT = [
    f"{HEADER} {ORDER}",
    f"{HEADER} {ORDER} 18=A_B",
    f"{HEADER} {ORDER} 386=2 336=PRE-OPEN 336=AFTER-HOURS",
    f"{HEADER} {ORDER} 453=0",
    f"{HEADER} {ORDER} 453=1 448=A 447=D 452=1 802=1 523=x 803=1",
    f"{HEADER} {ORDER} 354=3 355=a|b",
    f"{HEADER} 43=Y 122=20261121-14:30:00.123456789 {ORDER} 167=CS 44=-.5 126=20261121-14:30:60",
    f"{HEADER.replace('=D', '=0')}",
    f"{HEADER.replace('=D', '=0')} 112=HI 93=3 89=a|b",
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_passes(text: str) -> None:
    assert validate(message(text), FIX44) is None


def test_a_common_order_passes_at_once() -> None:
    for text in (RIGHT[0], RIGHT[1], RIGHT[6], RIGHT[7]):
        plan = plan_for(FIX44, FIX44, message(text).msg_type)
        assert plan is not None
        assert plan.surely_fine(message(text).raw)


OPTIONS = [
    (f"35=D 11=ID {HEADER[5:]} {ORDER[6:]}", Options(fields_in_order=False)),
    (f"{HEADER} {ORDER} 1=", Options(have_values=False)),
    (f"{HEADER} {ORDER} 5000=HI", Options(user_defined=False)),
    (f"{HEADER} {ORDER} 999=HI 150=F", Options(unknown_fields=True)),
    (f"{HEADER} {ORDER} 453=1 447=? 452=1", Options(group_members=False)),
]


@pytest.mark.parametrize(("text", "options"), OPTIONS)
def test_each_option_lets_one_thing_pass(text: str, options: Options) -> None:
    assert validate(message(text), FIX44) is not None
    assert validate(message(text), FIX44, options=options) is None


def test_applications_of_5_have_their_header_from_fixt() -> None:
    fixt, app = dictionary("FIXT.1.1"), dictionary("FIX.5.0SP2")

    def check(text: str) -> tuple[int, int | None] | None:
        found = validate(message(text, "FIXT.1.1"), app, transport=fixt)
        return None if found is None else (found.reason, found.ref_tag)

    order = ORDER.replace("21=1 ", "")
    assert check(f"{HEADER} {order}") is None
    assert check(f"{HEADER} 1128=9 {order}") is None
    assert check(f"{HEADER.replace('34=2', '')} {order}") == (1, 34)
    assert check(f"{HEADER} 1128=x {order}") == (5, 1128)
    assert check(f"{HEADER} {order} 98=0") == (2, 98)
    logon = message(f"{HEADER.replace('=D', '=A')} 98=0 108=30 1137=9", "FIXT.1.1")
    assert validate(logon, fixt) is None


def test_before_4_2_a_char_is_any_text() -> None:
    text = f"{HEADER} 11=ID 21=1 38=200 40=1 54=1 55=INTC 15=EURO"
    assert validate(message(text, "FIX.4.0"), dictionary("FIX.4.0")) is None


def test_the_fields_of_a_dictionary_of_ones_own_are_checked() -> None:
    from fix.test_dictionary import OWN

    of = Dictionary(table_of(OWN))
    whole = encode("FIX.4.4", [(35, b"U1"), (9001, b"n"), (9005, b"3"), (9007, b"a\x01b")][:2])
    assert validate(parse(whole, of), of) is not None  # its header knows 8 alone
    loose = Options(unknown_fields=True)
    assert validate(parse(whole, of), of, options=loose) is None


FIELDS = (
    st.sampled_from(sorted(FIX44.layout("D").members - {453, 386}))  # type: ignore[union-attr]
    | st.sampled_from((34, 43, 52, 93, 89, 999, 5000, 453, 448, 386, 336))
)
VALUES = st.sampled_from(
    ("1", "-1", "+1", "1.5", "Y", "A", "A_B", "D", "USD", "20261121", "20261121-14:30:00", "x", "")
) | st.text("019AYZ.-:", max_size=6)


@given(
    more=st.lists(st.tuples(FIELDS, VALUES), max_size=6),
    at=st.integers(0, 13),
    drop=st.booleans(),
)
def test_the_fast_way_never_says_yes_where_the_slow_one_says_no(
    more: list[tuple[int, str]], at: int, drop: bool
) -> None:
    parts = f"{HEADER} {ORDER}".split()
    parts[at : at + drop] = [] if drop else [f"{tag}={value}" for tag, value in more]
    if parts[0] != "35=D":
        return
    try:
        made = message(" ".join(parts))
    except Garbled:
        return
    slow = first_wrong(made, FIX44, FIX44)
    plan = plan_for(FIX44, FIX44, "D")
    assert plan is not None
    if plan.surely_fine(made.raw):
        assert slow is None
    assert validate(made, FIX44) == slow


@given(tag=st.sampled_from(sorted(FIX44.layout("D").members)), value=VALUES)  # type: ignore[union-attr]
def test_the_fast_way_knows_nearly_every_right_message(tag: int, value: str) -> None:
    """Where it must ask is in groups, raw data and several long values; nowhere else."""
    field, layout = FIX44.field(tag), FIX44.layout("D")
    assert field is not None
    assert layout is not None
    if tag in layout.groups or field.type == "DATA" or field.type.startswith("MULTIPLE"):
        return
    kept = [each for each in ORDER.split() if not each.startswith(f"{tag}=")]
    made = message(f"{HEADER} {' '.join(kept)} {tag}={value}")
    plan = plan_for(FIX44, FIX44, "D")
    assert plan is not None
    assert plan.surely_fine(made.raw) == (first_wrong(made, FIX44, FIX44) is None)


SCRIPTS = Path(__file__).parents[2].parent / "shared" / "data" / "fix" / "acceptance"


@pytest.mark.skipif(not SCRIPTS.is_dir(), reason="../shared/data/fix is not here")
@pytest.mark.parametrize("folder", ["fix42", "fix44", "fix50sp2"])
def test_the_acceptance_scripts_reject_what_we_reject(folder: str) -> None:
    """Every message of a script, and whether the next line expects a reject of it."""
    session = dictionary({"fix42": "FIX.4.2", "fix44": "FIX.4.4"}.get(folder, "FIXT.1.1"))
    app = dictionary("FIX.5.0SP2") if folder == "fix50sp2" else session
    seen = 0
    for path in sorted((SCRIPTS / folder).glob("14*.def")):
        lines = [line.rstrip(b"\r") for line in path.read_bytes().split(b"\n")]
        said = [line for line in lines if line[:2] in (b"I8", b"E8")]
        for sent, expected in pairwise(said):
            if sent[:1] != b"I" or expected[:1] != b"E" or b"<TIME" in sent[:1]:
                continue
            body = sent[1:].replace(b"<TIME>", b"20261121-14:30:00").split(b"\x01")
            fields = b"".join(each + b"\x01" for each in body[1:-1] if each[:3] != b"10=")
            head = body[0] + b"\x019=%d\x01" % len(fields)
            raw = head + fields + b"10=%03d\x01" % (sum(head + fields) % 256)
            made = parse(raw)
            of = session if session.layout(made.msg_type) and session is not app else app
            found = validate(made, of, transport=session if of is not session else None)
            answer = dict(each.partition(b"=")[::2] for each in expected[1:].split(b"\x01"))
            if answer[b"35"] == b"3":
                assert found is not None, path.name
                assert found.text.encode() == answer[b"58"], path.name
                assert str(found.ref_tag).encode() == answer.get(b"371", b"None"), path.name
                seen += 1
            else:
                assert found is None, path.name
    assert seen > 12
