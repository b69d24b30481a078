"""Screening by files on this machine: nobody is told who was looked up."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from rapidfuzz import fuzz, process

from fondaco.kernel.errors import Invalid
from fondaco.ports.screening import Entry, Hit, ScreeningList, Sought
from fondaco.ports.screening.forms import read
from fondaco.ports.screening.names import Name, name_of, score

THRESHOLD: Final = 83  # benchmarks/screening.py says what is found with it, and what is not
CANDIDATES: Final = 400  # names that are looked at more closely
COARSE: Final = 58.0
DEMO: Final = Path(__file__).parent / "lists" / "demo.csv"
YEARS_APART: Final = 2


class _Listed(NamedTuple):
    list_name: str
    entry: Entry
    text: str
    name: Name


class _Loaded(NamedTuple):
    lists: tuple[ScreeningList, ...]
    listed: list[_Listed]
    sounds: list[str]
    joined: list[str]
    seen: tuple[tuple[int, int], ...]  # time and size of each file


class LocalLists:
    """Lists in files; see `forms`. `threshold` is the score from which on a name is a hit."""

    def __init__(self, paths: Iterable[Path], threshold: int = THRESHOLD) -> None:
        """Raises `Invalid` for what cannot be read."""
        self._paths = tuple(paths)
        self._threshold = threshold
        self._lock = Lock()
        self._loaded = self._load()

    def lists(self) -> Sequence[ScreeningList]:
        return self._loaded.lists

    def look_again(self) -> bool:
        with self._lock:
            before = self._loaded
            if self._seen() == before.seen:
                return False
            self._loaded = self._load()
            return [each.digest for each in self._loaded.lists] != [
                each.digest for each in before.lists
            ]

    def screen(self, sought: Sought) -> Sequence[Hit]:
        loaded = self._loaded
        best: dict[tuple[str, str], tuple[int, _Listed]] = {}
        for text in sought.names:
            name = name_of(text)
            for number in self._candidates(loaded, name):
                listed = loaded.listed[number]
                found = score(name, listed.name)
                key = (listed.list_name, listed.entry.entry_id)
                if found >= self._threshold and found > best.get(key, (0, None))[0]:
                    best[key] = (found, listed)
        hits = [_hit(found, listed, sought) for found, listed in best.values()]
        return sorted(hits, key=lambda each: (-each.score, each.list_name, each.entry_id))

    def _candidates(self, loaded: _Loaded, name: Name) -> set[int]:
        found: set[int] = set()
        if name.words:
            for asked, among, scorer in (
                (name.sounds, loaded.sounds, fuzz.token_ratio),
                (name.joined, loaded.joined, fuzz.ratio),
            ):
                near = process.extract(
                    asked, among, scorer=scorer, score_cutoff=COARSE, limit=CANDIDATES
                )
                found.update(number for _, _, number in near)
        return found

    def _seen(self) -> tuple[tuple[int, int], ...]:
        try:
            stats = [path.stat() for path in self._paths]
        except OSError as error:
            raise Invalid(f"a list cannot be read: {error}") from error
        return tuple((each.st_mtime_ns, each.st_size) for each in stats)

    def _load(self) -> _Loaded:
        lists, listed, seen = [], [], self._seen()
        for path in self._paths:
            form, (entries, left_out) = read(path)
            name = path.stem
            names = [(entry, text) for entry in entries for text in entry.names]
            digest = sha256(path.read_bytes()).hexdigest()
            lists.append(ScreeningList(name, form, digest, len(entries), len(names), left_out))
            listed += [_Listed(name, entry, text, name_of(text)) for entry, text in names]
        return _Loaded(
            tuple(lists),
            listed,
            [each.name.sounds for each in listed],
            [each.name.joined for each in listed],
            seen,
        )


def _hit(found: int, listed: _Listed, sought: Sought) -> Hit:
    entry, why = listed.entry, ["the same name" if found == 100 else "a name like it"]
    if entry.birth_years and sought.birth_year:
        apart = min(abs(each - sought.birth_year) for each in entry.birth_years)
        said = "fits" if apart <= YEARS_APART else f"differs by {apart} years"
        why.append(f"the birth year {said}")
    if entry.countries and sought.countries:
        known = {each.upper() for each in entry.countries}
        if all(len(each) == 2 for each in known):
            why.append(
                "a country fits" if known & set(sought.countries) else "no country is the same"
            )
    return Hit(listed.list_name, entry.entry_id, entry.topic, listed.text, found, tuple(why))
