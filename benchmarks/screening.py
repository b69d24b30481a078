"""What screening finds, and what it takes for somebody else, beside rapidfuzz's own scorers.

    python benchmarks/screening.py [--people N] [--strangers N] [--seed N]

Names are invented: made of syllables of several languages, so nobody is called so on purpose.
People are listed; each is looked up under spellings that such lists miss: other romanisations,
scripts, orders of words, left out middle names, initials, slips of the hand. Strangers are made the
same way, share given names with those who are listed, and must not be found.

Peers look through the same names, and each may take as many strangers for somebody as we do: their
threshold is the lowest that does. Prints JSON: recall by kind of change and over all, precision,
how many of a hundred strangers are hits, milliseconds for each look; the ratio is misses of the
best peer to ours.
"""

import argparse
import csv
import json
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from anyascii import anyascii
from rapidfuzz import fuzz, process, utils

from fondaco.ports.screening import Sought
from fondaco.ports.screening.local import THRESHOLD, LocalLists

# Syllables of given and family names, by language.
_SYLLABLES: Final = """
slavic: va ne mi ro sla vla di zo ra bo le ya ke tsi sha zhe / ov ev enko ski ich ova chuk yn tskaya
arabic: abd ha mu sa ka ri ya na fa kha ra shi qa ju za mah / mad rim sin lid wi far din jib hadi
germanic: ger hel wil kä mül schö brü gün wal her öst / mann bach hardt feld stein berger ström
chinese: xiao zhen jian hui ming qing yu hong wei chao / ping lin feng hua qiang liang zhou
romance: gio ma fer bel ro ca de lu san ra jo nu / nelli ndez ñiga ccio tti reira nço gnoli
"""
SOUNDS: Final = {
    language: tuple(half.split() for half in sounds.split("/"))
    for language, sounds in (line.split(":") for line in _SYLLABLES.strip().splitlines())
}
# Romanisations that stand for the same: each is written in the place of the other.
ROMAN: Final = (
    ("kh", "h"), ("ya", "ia"), ("yu", "iu"), ("zh", "j"), ("sh", "sch"), ("ts", "tz"), ("q", "k"),
    ("ou", "u"), ("ee", "i"), ("mad", "med"), ("w", "v"), ("ph", "f"), ("ov", "off"), ("ä", "ae"),
    ("ö", "oe"), ("ü", "ue"), ("ski", "sky"), ("dd", "d"), ("ch", "tch"), ("x", "ks"), ("j", "dj"),
    ("ñ", "n"), ("ç", "s"), ("ck", "k"), ("i", "y"),
)  # fmt: skip
CYRILLIC: Final = dict(zip("abvgdezijklmnoprstufhcyw", "абвгдезийклмнопрстуфхциш", strict=True))


class Namer:
    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def part(self, language: str, ends: bool) -> str:
        first, last = SOUNDS[language]
        body = "".join(self.draw.choice(first) for _ in range(self.draw.choice((1, 2, 2))))
        return (body + (self.draw.choice(last) if ends else self.draw.choice(first))).capitalize()

    def name(self) -> str:
        language = self.draw.choice(list(SOUNDS))
        given = [self.part(language, False) for _ in range(self.draw.choice((1, 1, 2)))]
        return " ".join([*given, self.part(language, True)])

    def stranger(self, listed: list[str]) -> str:
        """Half of them share a given name with somebody who is listed."""
        name = self.name()
        if self.draw.random() < 0.5:
            return " ".join([self.draw.choice(listed).split()[0], *name.split()[1:]])
        return name

    # --- What becomes of a name ------------------------------------------------------------------

    def changes(self, name: str) -> Iterator[tuple[str, str]]:
        words = name.split()
        yield "the same", name
        yield "capitals, family name first", f"{words[-1].upper()}, {' '.join(words[:-1])}"
        yield "other order", " ".join(self.draw.sample(words, len(words)))
        yield "no diacritics", anyascii(name)
        yield "another romanisation", self.romanised(name)
        yield "cyrillic", "".join(CYRILLIC.get(c, c) for c in anyascii(name).lower()).title()
        yield "one slip", self.slip(name)
        yield "two slips", self.slip(self.slip(name))
        yield (
            "run together",
            "".join([words[0], *[w.lower() for w in words[1:-1]]]) + " " + words[-1],
        )
        yield "parted", self.parted(name)
        if len(words) > 2:
            yield "no middle name", f"{words[0]} {words[-1]}"
            yield "middle initial", f"{words[0]} {words[1][0]}. {words[-1]}"
        else:
            yield "a middle name more", f"{words[0]} {self.name().split()[0]} {words[-1]}"
        yield "romanisation and slip", self.slip(self.romanised(name))

    def romanised(self, name: str) -> str:
        fits = [pair for pair in ROMAN if pair[0] in name.lower()]
        for one, other in self.draw.sample(fits, min(2, len(fits))):
            name = name.lower().replace(one, other).title()
        return name

    def slip(self, name: str) -> str:
        """A letter left out, put in, another, doubled, or two in each other's place."""
        at = self.draw.randrange(1, len(name) - 1)
        letter = self.draw.choice("abcdefghijklmnoprstuvyz")
        kinds = (
            name[:at] + name[at + 1 :],
            name[:at] + letter + name[at:],
            name[:at] + letter + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[:at] + name[at + 1] + name[at] + name[at + 2 :],
        )
        return self.draw.choice(kinds)

    def parted(self, name: str) -> str:
        words = name.split()
        word = max(words, key=len)
        half = len(word) // 2
        return name.replace(word, f"{word[:half]}-{word[half:].capitalize()}")


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--people", type=int, default=2_000)
    asked.add_argument("--strangers", type=int, default=2_000)
    asked.add_argument("--seed", type=int, default=37)
    options = asked.parse_args()
    namer = Namer(options.seed)
    listed = list(dict.fromkeys(namer.name() for _ in range(options.people)))
    known = {anyascii(name).lower() for name in listed}
    strangers = [namer.stranger(listed) for _ in range(options.strangers)]
    strangers = [name for name in strangers if anyascii(name).lower() not in known]
    sought = [
        (number, kind, text)
        for number, name in enumerate(listed[: options.strangers])
        for kind, text in namer.changes(name)
    ]
    with tempfile.TemporaryDirectory() as folder:
        ours = look(written(Path(folder), listed))
        found, spent = judged(ours, sought)
        wrong = [bool(ours(name)) for name in strangers]
    rate = sum(wrong) / len(wrong)
    recall = sum(ok for _, ok in found) / len(found)
    peers = {
        name: peer(scorer, listed, sought, strangers, rate)
        for name, scorer in (
            ("WRatio", fuzz.WRatio), ("token_sort_ratio", fuzz.token_sort_ratio),
            ("token_set_ratio", fuzz.token_set_ratio),
        )
    }  # fmt: skip
    by_kind = defaultdict[str, list[bool]](list)
    for kind, ok in found:
        by_kind[kind].append(ok)
    hits = sum(ok for _, ok in found)
    best = max(each["recall"] for each in peers.values())
    said = {
        "listed": len(listed),
        "looks": len(sought),
        "threshold": THRESHOLD,
        "recall": round(recall, 4),
        "recall_by_change": {k: round(sum(v) / len(v), 4) for k, v in by_kind.items()},
        "precision": round(hits / (hits + sum(wrong)), 4),
        "strangers_hit_per_100": round(100 * rate, 2),
        "ms_a_look": round(spent * 1_000, 2),
        "peers_at_the_same_rate_of_strangers": peers,
        "misses_of_best_peer_to_ours": round((1 - best) / max(1 - recall, 1e-9), 2),
    }
    print(json.dumps(said, indent=2))


def written(folder: Path, listed: list[str]) -> Path:
    path = folder / "listed.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "schema", "name", "aliases", "birth_date", "countries", "sanctions"])
        rows.writerows([n, "Person", name, "", "", "", "x"] for n, name in enumerate(listed))
    return path


def look(path: Path) -> Callable[[str], list[int]]:
    lists = LocalLists([path])
    return lambda name: [int(hit.entry_id) for hit in lists.screen(Sought((name,)))]


def judged(
    ask: Callable[[str], list[int]], sought: list[tuple[int, str, str]]
) -> tuple[list[tuple[str, bool]], float]:
    began = time.perf_counter()
    found = [(kind, number in ask(text)) for number, kind, text in sought]
    return found, (time.perf_counter() - began) / len(sought)


def peer(
    scorer: Any, listed: list[str], sought: list[Any], strangers: list[str], rate: float
) -> dict[str, float]:
    """Recall at the lowest threshold that takes no more strangers for somebody than we do."""

    def plain(text: str) -> str:
        return str(utils.default_process(anyascii(text)))

    names = [plain(name) for name in listed]
    best = sorted(
        (process.extractOne(plain(name), names, scorer=scorer)[1] for name in strangers),
        reverse=True,
    )
    threshold = best[min(int(rate * len(best)), len(best) - 1)] + 1e-9
    scores = [scorer(plain(text), names[number]) for number, _, text in sought]
    reached = sum(each >= threshold for each in scores)
    return {"threshold": round(threshold, 1), "recall": round(reached / len(sought), 4)}


if __name__ == "__main__":
    main()
