"""The page's build: never a reason for an install to fail, and never done twice."""

import os
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


def test_without_node_the_install_goes_on_and_says_so(tmp_path: Path) -> None:
    """In an interpreter that sees neither Node nor its wheel, from a copy that is not built."""
    for name in ("web_build.py", "setup.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "src/fondaco/kernel").mkdir(parents=True)
    compiled = "src/fondaco/kernel/compiled.py"
    (tmp_path / compiled).write_text("from typing import Final\nKERNELS: Final[tuple] = ()\n")
    (tmp_path / "web/src").mkdir(parents=True)
    nowhere = {**os.environ, "PATH": str(tmp_path), "PYTHONPATH": ""}
    made = subprocess.run(
        [sys.executable, "setup.py", "build_web"],
        cwd=tmp_path, env=nowhere, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "installed without its browser page: there is no Node" in made.stdout + made.stderr
