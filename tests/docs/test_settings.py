"""Settings: each source goes before the one below it, and a wrong value says what to do."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.inspect import IntType

import fondaco
from fondaco.kernel.errors import Invalid
from fondaco.settings import Knob, Settings, effective, knobs, load

HOUSE = Path(fondaco.__path__[0])
INTS = [knob for knob in knobs() if isinstance(knob.kind, IntType)]


def test_every_knob_has_a_default_that_is_allowed_a_unit_and_a_reason() -> None:
    assert load({}, {}) == Settings()
    assert len(knobs()) > 20
    for knob in knobs():
        assert len(knob.reason) > 20, knob.name
        assert knob.unit or knob.limit.startswith(("true", "one of")), knob.name
        assert not isinstance(knob.kind, IntType) or knob.kind.ge is not None, knob.name
        assert not isinstance(knob.kind, IntType) or knob.kind.le is not None, knob.name


@pytest.mark.parametrize(
    ("file", "environment", "arguments", "value", "source"),
    [
        ("", {}, {}, 8000, "default"),
        ("port = 1", {}, {}, 1, "file"),
        ("port = 1", {"FONDACO_PORT": "2"}, {}, 2, "environment"),
        ("port = 1", {"FONDACO_PORT": "2"}, {"port": "3"}, 3, "command line"),
        ("port = 1", {"FONDACO_PORT": "2"}, {"port": 3}, 3, "command line"),
        ("port = 1", {}, {"port": None}, 1, "file"),
        ("port = 1", {"FONDACO_PURE": "1", "PORT": "9"}, {}, 1, "file"),
    ],
)
def test_a_later_source_goes_first(
    tmp_path: Path,
    file: str,
    environment: dict[str, str],
    arguments: dict[str, object],
    value: int,
    source: str,
) -> None:
    (tmp_path / "fondaco.toml").write_text(file)
    arguments = {"data": str(tmp_path), **arguments}
    rows = {row.name: row for row in effective(arguments, environment)}
    assert (rows["port"].value, rows["port"].source) == (value, source)
    assert load(arguments, environment).port == value
    assert list(rows) == [knob.name for knob in knobs()]


def test_the_file_is_looked_for_where_the_data_is(tmp_path: Path) -> None:
    (tmp_path / "fondaco.toml").write_text('log_level = "DEBUG"\ndemo = true\n')
    settings = load({}, {"FONDACO_DATA": str(tmp_path)})
    assert (settings.log_level, settings.demo) == ("DEBUG", True)


@pytest.mark.parametrize(
    ("file", "environment", "arguments", "says"),
    [
        ("", {}, {"port": "70000"}, r"port is '70000', must be .* 0 to 65535 .*--port"),
        ("", {"FONDACO_PORT": "tcp://10.0.0.1:80"}, {}, "FONDACO_PORT"),
        ("port = true", {}, {}, r"port is 'True'.*fondaco.toml"),
        ('port = "8000"', {}, {}, "port is '8000', must be a whole number"),
        ("prot = 1", {}, {}, "prot .*did you mean port"),
        ("", {}, {"nonsense": 1}, "nonsense .*docs/settings.md"),
        ("port = ", {}, {}, "cannot be read"),
        ('data = "x"', {}, {}, "sets data"),
        ("", {}, {"feed": "bloomberg"}, "feed is 'bloomberg', must be one of auto"),
        ("", {}, {"feed": "binance:"}, "feed is 'binance:'"),
        ("", {}, {"feed": "synthetic:x"}, "feed is"),
        ("", {}, {"feed": "none,rate=1"}, "feed is"),
        ("", {}, {"log_level": "loud"}, "one of DEBUG, ERROR, INFO, WARN"),
        ("", {}, {"retention_idempotency_h": 23}, "from 24"),
        ("", {}, {"demo": True, "host": "0.0.0.0"}, "leave out --demo"),
        ("", {}, {"demo": True, "host": ""}, "leave out --demo"),
    ],
)
def test_a_wrong_value_says_what_to_do(
    tmp_path: Path,
    file: str,
    environment: dict[str, str],
    arguments: dict[str, object],
    says: str,
) -> None:
    (tmp_path / "fondaco.toml").write_text(file)
    with pytest.raises(Invalid, match=says):
        load({"data": str(tmp_path), **arguments}, environment)


@pytest.mark.parametrize(
    "feed",
    ["auto", "none", "synthetic", "synthetic,seed=3,rate=1", "replay:x,speed=2", "binance:BTCUSDT"],
)
def test_feeds_are_told_apart_by_their_first_word(feed: str) -> None:
    assert load({"feed": feed}, {}).feed == feed


@pytest.mark.parametrize("knob", knobs(), ids=lambda knob: knob.name)
def test_every_knob_turns_something(knob: Knob) -> None:
    """A setting that nobody reads is a promise that nobody keeps."""
    read = re.compile(rf"\bsettings\.{knob.name}\b")
    files = [path for path in HOUSE.rglob("*.py") if path.name != "settings.py"]
    assert [path for path in files if read.search(path.read_text("utf-8"))]


@pytest.mark.parametrize("knob", INTS, ids=lambda knob: knob.name)
@given(value=st.integers(-(2**64), 2**64))
def test_bounds_hold_from_every_source(knob: Knob, value: int) -> None:
    assert isinstance(knob.kind, IntType)
    allowed = (knob.kind.ge or 0) <= value <= (knob.kind.le or 0)
    for arguments, environment in (
        ({knob.name: value}, {}),
        ({knob.name: str(value)}, {}),
        ({}, {f"FONDACO_{knob.name.upper()}": str(value)}),
    ):
        if allowed:
            rows = {row.name: row.value for row in effective(arguments, environment)}
            assert rows[knob.name] == value
        else:
            with pytest.raises(Invalid, match=knob.name):
                effective(arguments, environment)
