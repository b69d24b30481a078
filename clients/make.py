"""Makes both typed clients from today's OpenAPI document: `make clients`.

web/src/client/schema.ts and sockets.ts by openapi-typescript, clients/python by generator.py. Where
there is no npm the Python client is made alone, and that is said.
"""

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent))

import generator
import openapi

ROOT: Final = Path(__file__).resolve().parents[1]
TOOLS: Final = ROOT / "web/tools"
SCHEMA: Final = ROOT / "web/src/client/schema.ts"
SOCKETS: Final = ROOT / "web/src/client/sockets.ts"
PYTHON: Final = ROOT / "clients/python/src/fondaco_client"
TYPESCRIPT: Final = TOOLS / "node_modules/openapi-typescript/bin/cli.js"


def python_files() -> dict[Path, str]:
    """What the Python client is to be."""
    found = openapi.document()
    made = generator.files(found, openapi.digest(found))
    return {PYTHON / name: text for name, text in made.items()}


def documents() -> dict[Path, dict[str, Any]]:
    """What each TypeScript file is made from."""
    return {SCHEMA: openapi.document(), SOCKETS: openapi.sockets()}


def head(document: dict[str, Any], text: str) -> str:
    """The first line of a TypeScript file: of which document it is, and that nobody edited it."""
    made = sha256(text.encode()).hexdigest()
    return f"// Made by `make clients`: OpenAPI sha256 {openapi.digest(document)}, text {made}\n"


def typescript_files() -> dict[Path, str]:
    """What the TypeScript types are to be. Needs web/tools/node_modules."""
    found = {}
    for path, document in documents().items():
        text = _typescript(document)
        found[path] = head(document, text) + text
    return found


def _typescript(document: dict[str, Any]) -> str:
    with TemporaryDirectory() as folder:
        given, made = Path(folder) / "openapi.json", Path(folder) / "schema.ts"
        given.write_bytes(openapi.printed(document))
        node = shutil.which("node") or "node"
        subprocess.run(
            [node, str(TYPESCRIPT), str(given), "-o", str(made), "--empty-objects-unknown"],
            check=True, capture_output=True, cwd=TOOLS,
        )  # fmt: skip
        return made.read_text("utf-8")


def main() -> None:
    files = python_files()
    if TYPESCRIPT.is_file() or _install():
        files |= typescript_files()
    else:
        print("there is no npm here, so the TypeScript types stay as they are")
    for path, text in files.items():
        path.write_text(text, "utf-8")
        print(path.relative_to(ROOT))


def _install() -> bool:
    npm = shutil.which("npm")
    if npm is None:
        return False
    subprocess.run([npm, "ci", "--silent", "--ignore-scripts"], check=True, cwd=TOOLS)
    return True


if __name__ == "__main__":
    main()
