"""The kernel against two dicts, and its reader against the instrument's own."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fondaco.domain.market.book as in_use
from fondaco.domain.market.listings import LISTINGS

INT64_MAX = 2**63 - 1


def _source() -> ModuleType:
    """The kernel as its source says, whatever was compiled."""
    path = Path(in_use.__file__).with_name("book.py")
    spec = spec_from_file_location("book_from_source", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


KERNELS = {"in use": in_use, "source": _source()}
each = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)

# Near the touch, far off, and at the ends of 64 bits.
PX = st.integers(1, 60) | st.integers(1, 100_000) | st.just(INT64_MAX)
QTY = st.just(0) | st.integers(1, 5) | st.just(INT64_MAX)
CHANGES = st.lists(st.tuples(st.sampled_from((0, 1)), PX, QTY), max_size=400)


@each
@given(changes=CHANGES)
def test_the_book_equals_two_dicts(kernel: ModuleType, changes: list[tuple[int, int, int]]) -> None:
    book = kernel.Book()
    twins: tuple[dict[int, int], dict[int, int]] = ({}, {})
    versions: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for version, (side, px, qty) in enumerate(changes, 1):
        book.apply(side, px, qty, version)
        if qty:
            twins[side][px], versions[side][px] = qty, version
        else:
            twins[side].pop(px, None)
            versions[side].pop(px, None)
    bids, asks = sorted(twins[0].items(), reverse=True), sorted(twins[1].items())
    assert book.depth(0, 1_000) == bids
    assert book.depth(1, 1_000) == asks
    assert book.depth(0, 3) == bids[:3]
    assert (book.size(0), book.size(1)) == (len(bids), len(asks))
    assert book.best_bid() == (bids[0][0] if bids else -1)
    assert book.best_ask() == (asks[0][0] if asks else -1)
    assert book.crossed() == bool(bids and asks and bids[0][0] >= asks[0][0])
    for side, px, _ in changes:
        assert book.qty(side, px) == twins[side].get(px, 0)
        assert book.version(side, px) == versions[side].get(px, -1)
    book.clear()
    assert book.depth(0, 9) == book.depth(1, 9) == []


@given(changes=CHANGES)
def test_compiled_and_source_are_the_same_book(changes: list[tuple[int, int, int]]) -> None:
    books = [kernel.Book() for kernel in KERNELS.values()]
    for book in books:
        for side, px, qty in changes:
            book.apply(side, px, qty)
    assert books[0].digest() == books[1].digest()
    assert books[0].depth(0, 999) == books[1].depth(0, 999)


@each
def test_a_book_grows_as_far_as_it_must(kernel: ModuleType) -> None:
    book = kernel.Book()
    for px in range(1_500, 0, -1):
        book.apply(0, px, px)
        book.apply(1, 10_000 + px, px)
    assert book.depth(0, 10**9) == [(px, px) for px in range(1_500, 0, -1)]
    assert book.depth(1, 10**9) == [(10_000 + px, px) for px in range(1, 1_501)]


@each
@pytest.mark.parametrize(("px", "qty"), [(2**63, 1), (1, 2**63), (-(2**63) - 1, 1)])
def test_what_does_not_fit_64_bits_is_refused(kernel: ModuleType, px: int, qty: int) -> None:
    book = kernel.Book()
    with pytest.raises((OverflowError, ValueError)):
        book.apply(0, px, qty)
    assert book.size(0) == 0


@each
@pytest.mark.parametrize(("px", "qty"), [(-1, 1), (1, -1)])
def test_nothing_is_below_zero(kernel: ModuleType, px: int, qty: int) -> None:
    with pytest.raises(ValueError, match="below zero"):
        kernel.Book().apply(0, px, qty)


@each
@given(px=st.integers(0, 10**11), qty=st.integers(0, 10**11))
def test_decimals_are_read_as_the_instrument_reads_them(
    kernel: ModuleType, px: int, qty: int
) -> None:
    instrument = LISTINGS["BTCUSDT"].instrument
    book = kernel.Book(2, 1, 5, 1)
    for pad in ("", "000"):
        px_text, qty_text = (
            f"{px // 100}.{px % 100:02}{pad}",
            f"{qty // 10**5}.{qty % 10**5:05}{pad}",
        )
        assert book.read_px(f'"{px_text}"'.encode()) == px == instrument.ticks(px_text)
        assert book.read_qty(f'"{qty_text}"'.encode()) == qty == instrument.lots(qty_text)


READ = [  # text, ticks of 0.05, lots of 0.5
    (b'"1.00"', 20, 2),
    (b'"0.05"', 1, 0),
    (b'"7"', 140, 14),
    (b'"7."', 140, 14),
    (b'"0.5000"', 10, 1),
    (b'"00.50"', 10, 1),
    (b'"1.04"', None, 2),  # a price off its tick is an error, a quantity is cut to whole lots
    (b'"1.051"', None, 2),
    (b'"0.99999999"', None, 1),
]


@each
@pytest.mark.parametrize(("text", "ticks", "lots"), READ)
def test_ticks_and_lots_need_not_be_powers_of_ten(
    kernel: ModuleType, text: bytes, ticks: int | None, lots: int
) -> None:
    book = kernel.Book(2, 5, 1, 5)
    if ticks is None:
        with pytest.raises(ValueError, match="whole number of ticks"):
            book.read_px(text)
    else:
        assert book.read_px(text) == ticks
    before = book.cut
    assert book.read_qty(text) == lots
    assert (book.cut > before) == (text in {b'"0.05"', b'"1.04"', b'"1.051"', b'"0.99999999"'})


@each
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'"',
        b'""',
        b'"."',
        b'".5"',
        b'"-1"',
        b'"+1"',
        b'"1e3"',
        b'"1.2.3"',
        b'"1',
        b"1",
        b'"1 "',
        b'" 1"',
        b'"NaN"',
        b'"\xd9\xa1"',
        b'"1234567890123456789"',
        b'"12345678901234567.00"',
        b'"0x1"',
    ],
)
def test_what_is_no_number_is_refused(kernel: ModuleType, text: bytes) -> None:
    book = kernel.Book(2, 1, 5, 1)
    with pytest.raises(ValueError, match="a number"):
        book.read_px(text)
    with pytest.raises(ValueError, match="a number"):
        book.read_qty(text)


@each
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[",
        b"]",
        b"{}",
        b'["1","2"]',
        b'[["1"]]',
        b'[["1","2"]',
        b'[["1","2",3]]',
        b'[["1","2","3"',
        b'[["1","2"],]',
        b'[["1","2"]["3","4"]]',
        b"[[1,2]]",
        b'[ ["1","2"]]',
        b'[["1","2"]]x',
        b"[[]]",
        b'[["1" "2"]]',
    ],
)
def test_what_are_no_levels_is_refused(kernel: ModuleType, text: bytes) -> None:
    for read in (kernel.Book().read_levels, kernel.Book().load_levels):
        with pytest.raises(ValueError, match=r"a level|levels are|a number"):
            read(0, text)


@each
@given(text=st.binary(max_size=60) | st.text('[]",.0123456789', max_size=60).map(str.encode))
def test_no_bytes_harm_the_reader(kernel: ModuleType, text: bytes) -> None:
    book = kernel.Book(2, 1, 5, 1)
    try:
        count = book.read_levels(0, text, 1)
    except ValueError:
        return
    assert book.size(0) <= count


@each
@given(
    levels=st.dictionaries(st.integers(1, 500), st.integers(0, 9), max_size=200),
    side=st.sampled_from((0, 1)),
)
def test_a_snapshot_in_any_order_replaces_the_side(
    kernel: ModuleType, levels: dict[int, int], side: int
) -> None:
    book = kernel.Book()
    book.apply(side, 777, 7)
    text = ",".join(f'["{px}","{qty}"]' for px, qty in levels.items())
    assert book.load_levels(side, f"[{text}]".encode(), 5) == len(levels)
    expected = sorted(((px, qty) for px, qty in levels.items() if qty), reverse=side == 0)
    assert book.depth(side, 1_000) == expected
    assert all(book.version(side, px) == 5 for px, _ in expected)
