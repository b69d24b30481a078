"""What the house says of itself to whoever has not signed in yet."""

from collections.abc import Callable
from typing import Final

from fondaco import __version__
from fondaco.app.house import Kernel
from fondaco.domain.identity.model import DEMO
from fondaco.domain.identity.sessions import Environment, Welcome
from fondaco.settings import Settings

NAME: Final = "Fondaco"


def about(kernel: Kernel) -> Callable[[], Welcome]:
    """The answer to who asks which house this is. A demo house, which only this machine reaches,
    gives its token to anybody; the token is known to everybody anyway."""
    settings, label = kernel.settings, kernel.feed.label if kernel.feed else ""
    started_at, environment = kernel.now(), environment_of(label)
    token = DEMO if settings.demo else ""
    speed = _speed(settings) if environment == "replay" else ""

    def answer() -> Welcome:
        now = str(kernel.now())
        return Welcome(NAME, __version__, environment, label, speed, now, str(started_at), token)

    return answer


def environment_of(label: str) -> Environment:
    """Whose prices a feed brings. Of several, what is least a market is said of all."""
    names = [each.partition(":")[0] for each in label.split("; ")]
    if not label:
        return "none"
    if any(name == "synthetic" for name in names):
        return "synthetic"
    if any(name == "replay" for name in names):
        return "replay"
    return "paper"


def _speed(settings: Settings) -> str:
    _, _, speed = settings.feed.rpartition(",speed=")
    return speed if speed != settings.feed else "1"
