"""The house's own load: `fondaco bench orders` offers orders at their due times and says how long
each waited. It talks to a house as any client does, over its doors, and imports nothing of it."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """`orders` and its options, as they follow `fondaco bench`; answers the exit status."""
    if not arguments or arguments[0] != "orders":
        sys.stderr.write("usage: fondaco bench orders [--help]\n")
        return 0 if arguments and arguments[0] in ("-h", "--help") else 2
    from fondaco.bench.orders import main as orders

    return orders(arguments[1:])
