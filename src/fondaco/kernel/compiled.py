"""Which files a C compiler may speed up, and which of them it did.

A kernel is an ordinary `.py` file. Where `pip install` finds a C compiler, Cython makes an
extension of it that lies beside the source and goes before it; where there is none, the source
runs, with the same results. Beside each extension stands the SHA-256 of the source that it was
made of: after an edit the extension is passed over until the next install, so that nobody ever
runs, or tests, something else than what they read.
"""

import sys
from collections.abc import Sequence
from hashlib import sha256
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final, Literal, TypeAlias

# The one list. setup.py reads it without importing anything, so it holds plain text only. Files
# that `import cython` are typed for speed; the others are compiled as they are. No
# `__init__.py`: an extension cannot stand for a folder.
KERNELS: Final = (
    "fondaco/domain/evaluation/simulation/paths.py",
    "fondaco/domain/fix/capture/packets.py",
    "fondaco/domain/fix/capture/sighting.py",
    "fondaco/domain/fix/capture/tally.py",
    "fondaco/domain/fix/capture/wire.py",
    "fondaco/domain/market/book.py",
    "fondaco/domain/surveillance/fix/bounded.py",
    "fondaco/domain/surveillance/fix/content.py",
    "fondaco/domain/surveillance/fix/logons.py",
    "fondaco/domain/surveillance/fix/novelty.py",
    "fondaco/domain/surveillance/fix/sequences.py",
    "fondaco/domain/surveillance/fix/times.py",
    "fondaco/domain/surveillance/fix/traffic.py",
    "fondaco/domain/surveillance/fix/triage.py",
    "fondaco/domain/surveillance/fix/watch.py",
    "fondaco/domain/trading/equity.py",
    "fondaco/domain/trading/rules/entry.py",
    "fondaco/domain/trading/rules/evolve.py",
    "fondaco/domain/trading/rules/holds.py",
    "fondaco/domain/trading/rules/lists.py",
    "fondaco/domain/trading/rules/risk.py",
    "fondaco/domain/venues/crossing/matching.py",
    "fondaco/domain/venues/crossing/one_by_one.py",
    "fondaco/domain/trading/rules/weighed.py",
    "fondaco/domain/fix/checking.py",
    "fondaco/domain/fix/encoding.py",
    "fondaco/domain/fix/message.py",
    "fondaco/runtime/answered.py",
)

# Kernels that read each other's objects as C does, by `.pxd` files beside them: an extension of one
# fits only the others that were made with it, so they run compiled together or not at all.
BOUND: Final = (
    "fondaco/domain/fix/capture/packets.py",
    "fondaco/domain/fix/capture/sighting.py",
    "fondaco/domain/fix/capture/tally.py",
    "fondaco/domain/fix/capture/wire.py",
    "fondaco/domain/surveillance/fix/triage.py",
)

State: TypeAlias = Literal["compiled", "source", "outdated", "absent"]

_ROOT: Final = Path(__file__).parents[2]  # what holds the package: src/ or site-packages/


def module_name(kernel: str) -> str:
    return kernel.removesuffix(".py").replace("/", ".")


def state(kernel: str, root: Path = _ROOT) -> State:
    """What there is of a kernel: an extension, a source alone, or an extension of other source."""
    source = root / kernel
    if not source.is_file():
        return "absent"
    extension = _extension(source)
    if extension is None:
        return "source"
    made_of = extension.with_name(extension.name + ".sha256")
    if made_of.is_file() and made_of.read_text().strip() == fingerprint(kernel, root):
        return "compiled"
    return "outdated"


def fingerprint(kernel: str, root: Path = _ROOT) -> str:
    """The SHA-256 of all that an extension is made of: its source, and what it is bound to."""
    content = (root / kernel).read_bytes()
    if kernel in BOUND:
        beside = ((root / each).with_suffix(".pxd") for each in BOUND)
        content += b"".join(path.read_bytes() for path in beside if path.is_file())
    return sha256(content).hexdigest()


def in_use(root: Path = _ROOT) -> list[tuple[str, State]]:
    """Module and state of every kernel that this build has: what `fondaco doctor` says.

    Under FONDACO_PURE everything runs from source, and is reported so.
    """
    states = [(module_name(kernel), state(kernel, root)) for kernel in KERNELS]
    pure = any(isinstance(finder, SourceFirst) and finder.pure for finder in sys.meta_path)
    return [(name, "source" if pure else found) for name, found in states if found != "absent"]


class SourceFirst(MetaPathFinder):
    """Finds the source of kernels whose extension may not be used, and nothing else."""

    def __init__(self, *, pure: bool, root: Path = _ROOT) -> None:
        self.pure = pure
        self._root = root
        self._kernels = {module_name(kernel): kernel for kernel in KERNELS}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        kernel = self._kernels.get(fullname)
        if kernel is None:
            return None
        found = state(kernel, self._root)
        if found == "compiled" and kernel in BOUND:
            whole = all(state(each, self._root) in ("compiled", "absent") for each in BOUND)
            found = "compiled" if whole else "outdated"
        if found == "outdated" or (self.pure and found == "compiled"):
            return spec_from_file_location(fullname, self._root / kernel)
        return None


def prefer(*, pure: bool) -> None:
    """Called once, before any kernel is imported. `pure`: all kernels from source."""
    if not any(isinstance(finder, SourceFirst) for finder in sys.meta_path):
        sys.meta_path.insert(0, SourceFirst(pure=pure))


def _extension(source: Path) -> Path | None:
    candidates = (source.with_suffix(suffix) for suffix in EXTENSION_SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)
