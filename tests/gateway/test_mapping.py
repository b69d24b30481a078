"""Requests of old partners, made into ours: by a table of rules, and at the door of a house."""

from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.gateway.mapping import Map, load, mapped_body, mapped_headers
from fondaco.kernel.errors import FondacoError, Invalid
from running import house

RULES: Final = """
[[maps]]
name = "oldco"
path = "/partners/oldco/order"
to = "/api/orders"
ignore = ["trace"]

[maps.headers]
Authorization = { from = "X-Oldco-Key", shape = "Bearer {}" }
X-Correlation-Id = "X-Oldco-Ref"

[maps.body]
account_id = "acct"
cl_ord_id = "ref"
symbol = "instrument.code"
side = { from = "bs", values = { B = "buy", S = "sell" } }
order_qty = { from = "qty", as_text = true }
ord_type = { value = "market" }
time_in_force = { from = "tif", values = { 3 = "ioc" }, optional = true }
"""
THEIRS: Final[dict[str, Any]] = {
    "acct": "demo", "ref": "old-1", "instrument": {"code": "BTC-USD"}, "bs": "B", "qty": 0.001,
    "tif": 3, "trace": "x",
}  # fmt: skip
OURS: Final = {
    "account_id": "demo", "cl_ord_id": "old-1", "symbol": "BTC-USD", "side": "buy",
    "order_qty": "0.001", "ord_type": "market", "time_in_force": "ioc",
}  # fmt: skip


def rules(folder: Path, text: str = RULES) -> tuple[Map, ...]:
    path = folder / "maps.toml"
    path.write_text(text)
    return load(path)


@pytest.fixture
def oldco(tmp_path: Path) -> Map:
    return rules(tmp_path)[0]


def said(found: Map, theirs: Any) -> Any:
    raw = theirs if isinstance(theirs, bytes) else msgspec.json.encode(theirs)
    return msgspec.json.decode(mapped_body(found, raw))


def test_fields_are_renamed_reworded_set_and_left_out(oldco: Map) -> None:
    assert said(oldco, THEIRS) == OURS
    less = {name: value for name, value in THEIRS.items() if name not in ("tif", "trace")}
    assert said(oldco, less) == {k: v for k, v in OURS.items() if k != "time_in_force"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"acct": None, "extra": 1}, "does not name: extra"),
        ({"instrument": {"code": "BTC-USD", "venue": "X"}}, "does not name: instrument.venue"),
        ({"bs": "X"}, "bs is 'X', must be one of B, S"),
        ({"instrument": "BTC-USD"}, "no field instrument.code"),
        (b"[1]", "no JSON object"),
        (b"{", "no JSON object"),
        (b"", "no field acct"),
        ({f"f{n}": n for n in range(200)}, "more than 100 fields"),
        (b'{"a":' * 9 + b"1" + b"}" * 9, "deeper than 8"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "no JSON object|deeper"),
    ],
)
def test_what_no_rule_names_is_refused(oldco: Map, change: Any, why: str) -> None:
    theirs = change if isinstance(change, bytes) else {**THEIRS, **change}
    with pytest.raises(Invalid, match=why):
        said(oldco, theirs)


def test_headers_are_renamed_and_theirs_do_not_come_through(oldco: Map) -> None:
    came = [
        (b"host", b"here"), (b"x-oldco-key", b"demo"), (b"x-oldco-ref", b"r-1"),
        (b"authorization", b"Bearer other"), (b"content-type", b"text/plain"),
    ]  # fmt: skip
    found = dict(mapped_headers(oldco, came))
    assert found == {
        b"host": b"here",
        b"authorization": b"Bearer demo",
        b"x-correlation-id": b"r-1",
        b"content-type": b"application/json",
    }
    with pytest.raises(Invalid, match="above 4096 bytes"):
        mapped_headers(oldco, [(b"x-oldco-key", b"k" * 5_000)])
    with pytest.raises(Invalid, match="signed request"):
        mapped_headers(oldco, [(b"signature", b"sig=:AA==:")])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('path = "/api/orders"', "path"),
        ('to = "https://evil.example/"', "to"),
        ('method = "GET"', "method"),
        ('colour = "red"', "colour"),
        ('headers = { Host = "X-Host" }', "sets host"),
        ('headers = { Content-Length = "X-L" }', "sets content-length"),
        ('headers = { A = { from = "B", shape = "no place" } }', "shape"),
        ('body = { "a" = "x", "a.b" = "y" }', "within a"),
        ('body = { "a" = { optional = true } }', "either from or value"),
    ],
)
def test_rules_that_cannot_be_are_refused_before_anything_is_served(
    tmp_path: Path, line: str, why: str
) -> None:
    usual = {"name": '"x"', "path": '"/partners/x"', "to": '"/api/orders"'}
    key, _, value = line.partition(" = ")
    text = "\n".join(f"{name} = {each}" for name, each in {**usual, key: value}.items())
    with pytest.raises(Invalid, match=why):
        rules(tmp_path, f"[[maps]]\n{text}\n")


def test_two_maps_of_one_place_and_files_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="twice"):
        rules(tmp_path, RULES + RULES)
    with pytest.raises(Invalid, match="cannot be read"):
        load(tmp_path / "nothing.toml")


NAMES: Final = st.sampled_from(["a", "b", "c", "e", "f"])
BODIES: Final = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.integers(-(2**60), 2**60),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(NAMES, each, max_size=3),
)


@given(st.binary(max_size=200) | BODIES.map(msgspec.json.encode))
def test_no_bytes_are_too_bad(raw: bytes) -> None:
    found = Map("x", "/partners/x", "/api/orders", body={"a": "b", "c.d": "e.f"})
    try:
        made = msgspec.json.decode(mapped_body(found, raw))
    except FondacoError:
        return
    assert set(made) <= {"a", "c"}


def test_an_old_partner_places_an_order_at_the_door(tmp_path: Path) -> None:
    (tmp_path / "maps.toml").write_text(RULES)
    where = ["--set", f"request_maps={tmp_path / 'maps.toml'}"]
    with house(tmp_path / "data", options=where) as running:
        client = running.client("")
        theirs = {"X-Oldco-Key": "demo", "X-Oldco-Ref": "r-1"}
        path = "/partners/oldco/order"
        placed = client.ask("POST", path, THEIRS, headers=theirs)
        assert placed.status == 201, placed.body
        assert placed.headers["x-correlation-id"] == "r-1"
        again = client.ask("POST", path, THEIRS, headers=theirs)
        assert again.body["order_id"] == placed.body["order_id"], "as any other retry"
        assert client.ask("POST", path, THEIRS).status == 401
        wrong = client.ask("POST", path, {**THEIRS, "bs": "X"}, headers=theirs)
        assert (wrong.status, wrong.body["code"]) == (422, "invalid")
        assert client.ask("GET", path, headers=theirs).status == 405
        large = client.ask("POST", path, b"x" * (2 << 20), headers=theirs)
        assert large.status == 413
