"""Servers that the Go compiler makes, for tests that compare with them.

One is found on the path or in build/, where `FONDACO_SOAK=1` puts it: building takes minutes of the
Go compiler, which `make test` has not.
"""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Final

BUILD: Final = Path(__file__).resolve().parents[1] / "build"


def binary(name: str, source: str) -> str | None:
    """Its path; None where there is none and none is to be built."""
    built = BUILD / name
    found = shutil.which(name) or (str(built) if built.exists() else None)
    go = shutil.which("go")
    if found is None and go is not None and os.environ.get("FONDACO_SOAK") == "1":
        BUILD.mkdir(exist_ok=True)
        environment = {**os.environ, "GOBIN": str(BUILD)}
        subprocess.run([go, "install", source], env=environment, check=True, timeout=900)
        return str(built)
    return found


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
