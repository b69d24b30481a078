"""Which passwords are refused: short, common, like a name, or stolen elsewhere. NIST SP 800-63B."""

import asyncio
import tempfile
from collections.abc import Callable
from hashlib import sha1
from pathlib import Path
from threading import Event
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.identity.people.crowd import Crowd
from fondaco.domain.identity.people.passwords import check
from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.ports.breached import breached

STOLEN: Final = {"password": 9_545_824, "correct horse battery staple": 7, "ünïcode wörds gö": 1}
# Of the service's own page on its ranges.
PUBLISHED: Final = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8"


def digest(password: str) -> str:
    return sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def ranges(folder: Path, stolen: dict[str, int]) -> Path:
    """As the range API answers; half of the files have an ending, as its downloader writes them."""
    for password, count in stolen.items():
        found = digest(password)
        name = found[:5] + (".txt" if count % 2 else "")
        with (folder / name).open("a") as file:
            file.write(f"{'0' * 35}:1\r\n{found[5:]}:{count}\r\n{'F' * 35}:2")
    return folder


def sorted_file(folder: Path, stolen: dict[str, int]) -> Path:
    found = folder / "pwned.txt"
    lines = sorted(f"{digest(password)}:{count}\r\n" for password, count in stolen.items())
    found.write_text("".join(lines), newline="")
    return found


@pytest.mark.parametrize("form", [ranges, sorted_file])
def test_what_was_stolen_is_found(form: Callable[..., Path], tmp_path: Path) -> None:
    assert digest("password") == PUBLISHED
    seen = breached(form(tmp_path, STOLEN))
    assert {password: seen(password) for password in STOLEN} == STOLEN
    assert seen("nobody has ever had this") == 0


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60, unique=True))
def test_each_line_of_a_sorted_file_is_found_and_nothing_else(numbers: list[int]) -> None:
    half = len(numbers) // 2 + 1
    stolen = {f"password {number}": number + 1 for number in numbers[:half]}
    with tempfile.TemporaryDirectory() as folder:
        seen = breached(sorted_file(Path(folder), stolen))
        assert {password: seen(password) for password in stolen} == stolen
        assert not any(seen(f"password {number}") for number in numbers[half:])


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("password\nletmein\n")
    (tmp_path / "empty").mkdir()
    for each in ("words", "empty", "missing"):
        with pytest.raises(Invalid):
            breached(tmp_path / each)
    gone = sorted_file(tmp_path, STOLEN)
    seen = breached(gone)
    gone.unlink()
    with pytest.raises(Unavailable):
        seen("password")


@pytest.mark.parametrize(
    "password",
    [
        "short words", "x" * 129, "aaaaaaaaaaaaaaaa", "abcdefghijklmnop", "0987654321098765",
        "Password12345", "P4ssw0rd!1234", "drowssap12345", "adalovelace1815", "Lovelace!18156",
        "L0velace-2024!", "ecalevol-2024!", "trader7-trader7-t", "ada@example 123",
    ],
)  # fmt: skip
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(password, "trader7-trader7", "ada.example", "Ada Lovelace")
    assert refused.value.code == "weak_password"


@pytest.mark.parametrize(
    "password",
    ["nine plain words help here", "correct horse battery staple", "горы и долины, реки",
     "x9#kQ!vv2Lp0 ", "lovelace had a mill of numbers"],
)  # fmt: skip
def test_no_kind_of_character_is_asked_for(password: str) -> None:
    check(password, "ada", "ada.example", "Ada Lovelace")


def test_a_crowd_is_turned_away_at_once_and_holds_up_nobody() -> None:
    async def meet() -> None:
        gate, crowd = Event(), Crowd(threads=2, inside_max=3)
        waiting = [asyncio.create_task(crowd.run(lambda: gate.wait(10))) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await crowd.run(lambda: True)
        assert await asyncio.to_thread(lambda: "others have threads of their own")
        gate.set()
        assert await asyncio.gather(*waiting) == [True] * 3
        assert await crowd.run(lambda: True)

    asyncio.run(meet())
