"""`python -m fondaco.bench` is `fondaco bench orders`."""

import sys

from fondaco.bench.orders import main

sys.exit(main())
