"""`python -m fondaco.bench` is `fondaco bench`."""

import sys

from fondaco.bench import main

sys.exit(main(sys.argv[1:]))
