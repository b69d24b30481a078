"""Kernels: the extension is used where it is made of the source beside it, and only there."""

import os
import shutil
import subprocess
import sys
import sysconfig
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import distributions
from pathlib import Path

import pytest

from fondaco.kernel.compiled import KERNELS, SourceFirst, in_use, module_name, state

KERNEL = KERNELS[0]
PURE = os.environ.get("FONDACO_PURE") == "1"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / KERNEL
    path.parent.mkdir(parents=True)
    path.write_text("ANSWER = 42\n")
    return path


def compile_(source: Path, made_of: bytes) -> None:
    """What an install leaves beside a source."""
    extension = source.with_suffix(EXTENSION_SUFFIXES[0])
    extension.write_bytes(b"")
    extension.with_name(extension.name + ".sha256").write_text(sha256(made_of).hexdigest() + "\n")


def test_a_kernel_is_compiled_only_while_its_source_is_what_was_compiled(
    tmp_path: Path, source: Path
) -> None:
    assert state(KERNEL, tmp_path / "elsewhere") == "absent"
    assert state(KERNEL, tmp_path) == "source"
    compile_(source, source.read_bytes())
    assert state(KERNEL, tmp_path) == "compiled"
    source.write_text("ANSWER = 43\n")
    assert state(KERNEL, tmp_path) == "outdated"
    source.with_suffix(EXTENSION_SUFFIXES[0] + ".sha256").unlink()
    assert state(KERNEL, tmp_path) == "outdated", "nobody knows what it was made of"


@pytest.mark.parametrize(
    ("pure", "made_of", "steps_in"),
    [
        (False, b"ANSWER = 42\n", False),
        (False, b"ANSWER = 41\n", True),
        (True, b"ANSWER = 42\n", True),
    ],
)
def test_the_source_goes_first_where_it_must(
    tmp_path: Path, source: Path, pure: bool, made_of: bytes, steps_in: bool
) -> None:
    compile_(source, made_of)
    finder = SourceFirst(pure=pure, root=tmp_path)
    found = finder.find_spec(module_name(KERNEL), None)
    assert (found is not None) == steps_in
    if found is not None:
        assert found.origin == str(source)
    assert finder.find_spec("fondaco.settings", None) is None


def test_every_listed_kernel_is_there() -> None:
    assert [kernel for kernel in KERNELS if state(kernel) == "absent"] == []


def test_pure_runs_everything_from_source() -> None:
    script = (
        "from importlib import import_module; from fondaco.kernel.compiled import in_use\n"
        "print([(state, import_module(name).__file__[-3:]) for name, state in in_use()])"
    )
    path = os.pathsep.join(filter(None, sys.path))
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={"FONDACO_PURE": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == str([("source", ".py")] * len(in_use()))


def test_an_install_beside_a_compiler_compiled_every_kernel() -> None:
    """So that a kernel Cython refuses cannot fall back to its source in silence."""
    if not any(installed.read_text("RECORD") for installed in distributions(name="fondaco")):
        pytest.skip("fondaco is on the path, not installed")
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        pytest.skip("no C compiler")
    expected = "source" if PURE else "compiled"
    assert [name for name, found in in_use() if found != expected] == []
