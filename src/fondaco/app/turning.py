"""How a process of ours turns what it is there for, and waits while something else is away."""

from collections.abc import Callable
from threading import Event as Flag

from fondaco.app.say import say
from fondaco.kernel.errors import Unavailable


def turn_until(
    stop: Flag, what: str, step: Callable[[], bool], wait_s: float, again_max_s: float
) -> None:
    """`step` takes a turn and says whether there is more to do at once. One that fails is taken
    again, later and later; the log hears of the first. `what` is said in the plural."""
    again_s = wait_s
    while not stop.is_set():
        try:
            if not step():
                stop.wait(wait_s)
            again_s = wait_s
        except (Unavailable, OSError) as error:
            if again_s == wait_s:
                say(f"{what} wait: {error}; they go on when that is mended")
            stop.wait(again_s)
            again_s = min(2 * again_s, again_max_s)
