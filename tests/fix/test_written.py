"""Messages as people write them down, and `fondaco fix decode` and `diff`."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix.test_message import with_trailer
from fondaco.cli import main
from fondaco.domain.fix import dictionary, encode, ordered, parse
from fondaco.domain.fix.written import messages_in

SAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "fix" / "samples"
ORDER = encode(
    "FIX.4.4",
    [
        *((35, b"D"), (34, b"2"), (49, b"A"), (52, b"20261121-10:00:00"), (56, b"B")),
        *((11, b"id"), (453, b"2"), (448, b"X"), (447, b"D"), (452, b"1"), (448, b"Y")),
        *((54, b"1"), (58, b"a|b;c"), (38, b"10")),
    ],
)
BEAT = with_trailer(b"35=0\x0134=3\x0149=A\x0156=B\x01")
DELIMITERS = [b"\x01", b"|", b"^A", b";", b"<SOH>", b"\\x01", b" ", b" | "]


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("line", [b"%b\n", b"2018/02/23 19:14:25.174454 %b\r\n", b"<ts, S> (%b)\n"])
def test_messages_are_found_behind_any_prefix_with_any_delimiter(
    delimiter: bytes, line: bytes
) -> None:
    text = b"".join(line % message.replace(b"\x01", delimiter) for message in (ORDER, BEAT, ORDER))
    assert list(messages_in(text)) == [ORDER, BEAT, ORDER]
    assert list(messages_in(text.replace(line[-1:], b""))) == [ORDER, BEAT, ORDER]


@given(text=st.binary(max_size=80))
def test_any_bytes_may_be_looked_at(text: bytes) -> None:
    for raw in messages_in(b"8=FIX.4.4|9=5|" + text):
        assert raw.startswith((b"8=FIX.4.4\x019=5", b"8=FIX"))


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/data/fix is not here")
@pytest.mark.parametrize(
    ("folder", "count"),
    [("quickfix_logviewer", 965), ("log4fix_j", 38), ("luxor_fix_protocol_tools", 9)],
)
def test_recorded_logs_have_the_messages_they_have(folder: str, count: int) -> None:
    files = (SAMPLES / folder).glob("*.log")
    assert sum(1 for path in files for _ in messages_in(path.read_bytes())) == count


def test_decode_says_it_in_words(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"in: " + ORDER + b"\nout: " + BEAT.replace(b"10=", b"10=x"))
    assert main(["fix", "decode", str(tmp_path / "log")]) == 0
    said = capsys.readouterr().out
    assert "NewOrderSingle (D), FIX.4.4\n" in said
    assert "54 Side                     1  (BUY)\n" in said
    assert said.index("[1]\n") < said.index("448 PartyID                  X")
    assert said.index("[2]\n") < said.index("448 PartyID                  Y")
    assert "Heartbeat (0), FIX.4.4 -- garbled:" in said


def test_decode_in_json_nests_groups(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "decode", "--json", ORDER.replace(b"\x01", b"|").decode()]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["msg_type"], told["name"]) == ("D", "NewOrderSingle")
    parties = next(field for field in told["fields"] if field["tag"] == 453)
    assert [[field["value"] for field in entry] for entry in parties["entries"]] == [
        ["X", "D", "1"],
        ["Y"],
    ]
    assert "garbled" not in told


def test_what_holds_no_message_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "decode", "8=nothing"]) == 2
    assert "no FIX message" in capsys.readouterr().err


def test_diff_tells_fields_apart(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    changed = encode(
        "FIX.4.4", [(t, b"Z" if v == b"Y" else v) for t, v in parse(ORDER).fields()[2:-1]]
    )
    one, other = (each.replace(b"\x01", b"|").decode() for each in (ORDER, changed))
    assert main(["fix", "diff", one, one]) == 0
    assert capsys.readouterr().out == ""
    assert main(["fix", "diff", one, other]) == 1
    said = capsys.readouterr().out.split()
    assert said == ["453[2].448", "PartyID", "Y", "|", "Z"]
    assert main(["fix", "diff", "--ignore", "448", one, other]) == 0


def test_diff_compares_recordings_by_number(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    late = BEAT.replace(b"34=3", b"34=4")
    for name, parts in (("a", (ORDER, BEAT)), ("b", (ORDER.replace(b"38=10", b"38=20"), late))):
        (tmp_path / name).write_bytes(b"\n".join(parts))
    assert main(["fix", "diff", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    said = capsys.readouterr().out
    assert "A -> B 2:\n  38" in said
    assert "A -> B 3: only in the first" in said
    assert "A -> B 4: only in the second" in said


def test_fields_are_written_in_order_and_groups_stay_whole() -> None:
    mixed = [
        *((55, b"MSFT"), (453, b"2"), (448, b"X"), (452, b"1"), (447, b"D"), (802, b"1")),
        *(
            (523, b"1"),
            (803, b"s"),
            (448, b"Y"),
            (452, b"2"),
            (11, b"id"),
            (34, b"2"),
            (93, b"1"),
            (89, b"s"),
        ),
        *((35, b"D"), (49, b"A"), (8, b"FIX.4.4")),
    ]
    assert [tag for tag, _ in ordered(mixed, dictionary("FIX.4.4"), "D")] == [
        *(8, 35, 34, 49, 11, 55, 453, 448, 447, 452, 802, 523, 803, 448, 452, 89, 93)
    ]
