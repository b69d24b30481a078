"""What `--feed` understands.

synthetic[,seed=N][,rate=N]       a market out of a seed, N updates a second of each instrument
replay:PATH[,speed=N]             a recording, N times as fast
binance:BTCUSDT,ETHUSDT           live; without names BTCUSDT, ETHUSDT and SOLUSDT
A; B; C                           several at once: where they name the same instrument, the first is
                                  shown, and the next one takes over when it fails
auto                              live if the exchange answers within three seconds, else synthetic
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from fondaco.domain.market.feeds import Feed
from fondaco.domain.market.feeds.archived import archives
from fondaco.domain.market.feeds.binance_live import BinanceFeed, answers
from fondaco.domain.market.feeds.captured import captures
from fondaco.domain.market.feeds.replay import Recording, ReplayFeed, Session, tape_recordings
from fondaco.domain.market.feeds.several import together
from fondaco.domain.market.feeds.synthetic import RATE, SEED, SyntheticFeed
from fondaco.domain.market.listings import listed
from fondaco.kernel.errors import Invalid
from fondaco.kernel.seeded import Seeded
from fondaco.ports.tape import Tape

USAGE: Final = (
    "synthetic[,seed=N][,rate=N], replay:PATH[,speed=N], binance:NAME,…, several of these parted "
    "by ';', or auto"
)
LIVE: Final = "binance:BTCUSDT,ETHUSDT,SOLUSDT"


def feed(spec: str, *, open_tape: Callable[[Path], Tape], seed: int = SEED) -> Feed:
    """The feed that `spec` names. `open_tape` opens a folder that this house wrote; `seed` is for
    what a feed leaves to chance and the spec does not say."""
    named = [_one(each.strip(), open_tape, seed) for each in spec.split(";")]
    return together(named)


def _one(spec: str, open_tape: Callable[[Path], Tape], seed: int) -> Feed:
    kind, _, rest = spec.partition(":")
    if kind == "replay" and rest:
        path_text, options = _options(rest, ("speed",))
        path = Path(path_text).expanduser()
        speed = _number(options.get("speed", "1"), "speed")
        return together([ReplayFeed(each, speed=speed) for each in _sessions(path, open_tape)])
    if kind == "binance":
        names = (rest or LIVE.partition(":")[2]).split(",")
        listings = listed(name.strip() for name in names)
        if any(each.instrument.quote == "USD" for each in listings):
            raise Invalid("the exchange has no pairs in USD; take USDT: BTCUSDT")
        return BinanceFeed(listings, Seeded(seed))
    name, options = _options(spec, ("seed", "rate"))
    if name == "synthetic":
        return SyntheticFeed(
            seed=_whole(options.get("seed", str(seed)), "seed"),
            rate=_whole(options.get("rate", str(RATE)), "rate"),
        )
    raise Invalid(f"feed is {spec[:80]!r}, must be {USAGE}")


def _sessions(path: Path, open_tape: Callable[[Path], Tape]) -> Sequence[Session]:
    """What a path holds: a tape of this house, captures or archives of exchanges, or lines."""
    if path.is_dir() and any(path.glob("*/*.seg")):
        return tape_recordings(open_tape(path))
    return captures(path) or archives(path) or [Recording(path)]


async def chosen(spec: str) -> str:
    """`auto` as what it is today; anything else as it is."""
    if spec != "auto":
        return spec
    return LIVE if await answers() else "synthetic"


def _options(text: str, known: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """Split "PATH,speed=2" from its end, since a path may hold commas itself."""
    options: dict[str, str] = {}
    while True:
        before, comma, last = text.rpartition(",")
        name, equals, value = last.partition("=")
        if not comma or not equals or name not in known:
            break
        text, options[name] = before, value
    return text, options


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Invalid(f"{what} is {text[:40]!r}, must be a number") from None


def _whole(text: str, what: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Invalid(f"{what} is {text[:40]!r}, must be a whole number")
    return int(text)
