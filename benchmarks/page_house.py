"""A house with twenty synthetic instruments, for web_page.py: `fondaco` with a longer list."""

import sys

from fondaco.cli import main
from fondaco.domain.market import listings
from fondaco.domain.market.feeds import synthetic

MORE = (
    "ADA", "ALGO", "ATOM", "AVAX", "BCH", "DOGE", "DOT", "ETC", "FIL", "HBAR", "ICP", "LINK", "LTC",
    "NEAR", "UNI", "XLM", "XRP",
)  # fmt: skip

if __name__ == "__main__":
    for base in MORE:
        name = f"{base}USD"
        found = listings.listing(name, base, "USD", px_decimals=2, qty_decimals=4)
        listings.LISTINGS[name] = found
        synthetic.SHAPES[name] = synthetic.SHAPES["ETHUSD"]
    sys.exit(main(sys.argv[1:]))
