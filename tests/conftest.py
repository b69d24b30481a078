"""How the whole suite runs: who judges it, and how hard Hypothesis looks."""

import os

from hypothesis import settings

from judge import IN_CI, pytest_addoption, pytest_configure

__all__ = ["pytest_addoption", "pytest_configure"]  # hooks, which pytest looks for here

# A busy machine is no counterexample, so nothing has a deadline. Where a change is judged, the same
# examples are tried each time; a soak tries many more, others each time.
settings.register_profile(
    "house", max_examples=35, deadline=None, derandomize=IN_CI, print_blob=True
)
settings.register_profile("soak", parent=settings.get_profile("house"), max_examples=2_000)
settings.load_profile("soak" if os.environ.get("FONDACO_SOAK") == "1" else "house")
