"""What goes wrong, and when. Each seed has its own choice of kinds, so that some run without the
others: a fault that hides another one would hide it under every seed."""

from typing import Final

from fondaco.kernel.seeded import Seeded

# Each kind by its name, as it is printed.
CRASH: Final = "the process is killed"
POWER: Final = "the power is cut"
INSIDE: Final = "the process dies inside a call to the disk"
INSIDE_POWER: Final = "the power is cut inside a call to the disk"
STOP: Final = "the house is stopped in good order"
FULL: Final = "the disk is full"
SYNC: Final = "syncs fail"
WRITE: Final = "writes fail"
SLOW: Final = "the disk is slow"
LINES: Final = "lines delay, repeat and break"
PARTITION: Final = "a stream cannot be reached"
CLOCK: Final = "the machine's clock is set"
SILENCE: Final = "the market is silent"

KINDS: Final = (
    CRASH, POWER, INSIDE, INSIDE_POWER, STOP, FULL, SYNC, WRITE, SLOW, LINES, PARTITION, CLOCK,
    SILENCE,
)  # fmt: skip
DEADLY: Final = (CRASH, POWER, INSIDE, INSIDE_POWER, STOP)
# What may end a life in the middle of a fault that lasts, since the two together show what neither
# does alone: a sync that was believed, a message that was not heard.
STRIKES: Final = {SYNC: (POWER, INSIDE_POWER), LINES: (CRASH, POWER), PARTITION: (CRASH, POWER)}


def chosen(dice: Seeded) -> tuple[str, ...]:
    """About half of the kinds, and at least one that ends a life; a few seeds have none at all."""
    if dice.chance(1, 20):
        return ()
    kinds = tuple(kind for kind in KINDS if dice.chance(1, 2))
    if SYNC in kinds and POWER not in kinds and dice.chance(1, 2):
        kinds = (*kinds, POWER)  # which alone shows what a failed sync has lost
    return kinds if any(kind in DEADLY for kind in kinds) else (*kinds, dice.pick(DEADLY))


def weighed(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """To pick from: a failed sync shows nothing but together with a power cut, so it comes more
    often than what shows by itself."""
    return (*kinds, SYNC, SYNC) if SYNC in kinds else kinds
