"""Fondaco: a trading house in one package. Orders, money, rules and records live on one journal."""

import os

from fondaco.kernel import compiled

__version__ = "0.1.0"

compiled.prefer(pure=os.environ.get("FONDACO_PURE") == "1")
