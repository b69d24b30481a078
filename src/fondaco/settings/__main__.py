"""`python -m fondaco.settings`: docs/settings.md."""

import sys

from fondaco.settings.reading import page

sys.stdout.write("\n".join(page()) + "\n")
