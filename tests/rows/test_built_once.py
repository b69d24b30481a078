"""What several documents ask for is built once: rows O1 – O3; and money is exact: row X25."""

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from msgspec.inspect import FloatType, StructType, multi_type_info

import fondaco
from fondaco.app.kinds import KINDS
from fondaco.domain.ledger import model as ledger
from fondaco.domain.market.feeds import binance_live, replay, synthetic
from fondaco.domain.trading.events import TradingCommand
from fondaco.domain.trading.model import AccountState, TradingRefs
from fondaco.domain.venues.events import VenueCommand
from fondaco.domain.venues.model import VenueState

SOURCE: Final = Path(fondaco.__file__).parent
FEEDS: Final = (binance_live, replay, synthetic)
ONCE: Final = {
    "O1": ("Normaliser", "Board", "LiveBook", "Quality", "Mark", "Trade", "Tape", "Intake"),
    "O2": ("OrdStatus", "Order", "AccountState"),
    "O3": ("Limits", "Headroom", "Excess", "Reason", "Weighed"),
}


@cache
def classes() -> Counter[str]:
    return Counter(
        node.name
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    )


@pytest.mark.parametrize("row", ONCE)
def test_there_is_one_of_it(row: str) -> None:
    times = classes()
    assert {name: times[name] for name in ONCE[row]} == dict.fromkeys(ONCE[row], 1)


@pytest.mark.parametrize("module", FEEDS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_feed_hands_over_bytes_and_knows_no_book(module: Any) -> None:
    """All of them come in by the one way: tape first, then the one normaliser."""
    names = {
        alias.name
        for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert "Emit" in names
    assert not names & {"Board", "LiveBook", "Normaliser", "Book", "Quality", "Mark"}


def floats(kind: Any, path: str, seen: set[Any]) -> Iterator[str]:
    """Where in a type there is a float."""
    if isinstance(kind, FloatType):
        yield path
    if isinstance(kind, StructType):
        if kind.cls in seen:
            return
        seen.add(kind.cls)
        path = kind.cls.__name__
        for field in kind.fields:
            yield from floats(field.type, f"{path}.{field.name}", seen)
        return
    for name in ("type", "item_type", "key_type", "value_type"):
        if (inner := getattr(kind, name, None)) is not None:
            yield from floats(inner, path, seen)
    for inner in (*getattr(kind, "types", ()), *getattr(kind, "item_types", ())):
        yield from floats(inner, path, seen)


def test_no_amount_that_is_decided_kept_or_posted_is_a_float() -> None:
    books = [
        each
        for each in vars(ledger).values()
        if isinstance(each, type) and issubclass(each, msgspec.Struct)
    ]
    kinds = [
        *KINDS, *books, AccountState, VenueState, TradingRefs,
        *TradingCommand.__args__, *VenueCommand.__args__,
    ]  # fmt: skip
    seen: set[Any] = set()
    assert [place for kind in multi_type_info(kinds) for place in floats(kind, "", seen)] == []
    assert len(seen) > 50
