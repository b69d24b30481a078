"""`fondaco assessment pack` and `fondaco report make | list | get`: papers of a running house."""

import argparse
import binascii
import io
import json
import os
import subprocess
import sys
import zipfile
from base64 import b64decode
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from fondaco.kernel.errors import Corrupt, Invalid

if TYPE_CHECKING:
    from fondaco.app.asking import Asking

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
KINDS: Final = (
    "assessment_summary", "trade_history", "performance_metrics", "risk_analysis", "compliance",
)  # fmt: skip
VERIFY_S: Final = 120.0


def with_papers(commands: Commands) -> None:
    _with_packs(commands)
    report = commands.add_parser("report", help="Reports of accounts in a running house.")
    asks = report.add_subparsers(metavar="command", required=True)
    make = _asked(asks, "make", _make, "Make a report of an account as it is now.")
    make.add_argument("kind", choices=KINDS)
    make.add_argument("account")
    make.add_argument("--currency", help="[the account's own]")
    make.add_argument("--time-zone", default="UTC", metavar="ZONE", help="of its days [UTC]")
    listed = _asked(asks, "list", _list, "The reports that there are, the newest first.")
    listed.add_argument("--account")
    listed.add_argument("--kind", choices=KINDS)
    listed.add_argument("--json", action="store_true", help="one object, and nothing else")
    get = _asked(asks, "get", _get, "Fetch a report, and hold it against its hash.")
    get.add_argument("report")
    get.add_argument("--form", choices=("pdf", "html"), default="pdf")
    get.add_argument("--out", type=Path, metavar="FILE", help="[REPORT.pdf]")


def _with_packs(commands: Commands) -> None:
    assessment = commands.add_parser("assessment", help="Assessments of a running house.")
    asks = assessment.add_subparsers(metavar="command", required=True)
    pack = _asked(
        asks, "pack", _pack,
        "Fetch the dispute pack of an assessment, and work its verdict out again with nothing but "
        "what is in it; exit status 1 where that is another one.",
    )  # fmt: skip
    pack.add_argument("assessment")
    pack.add_argument("--out", type=Path, metavar="DIR", help="a new folder [its name]")


def _asked(asks: Commands, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    sub = asks.add_parser(name, help=text, description=text)
    sub.add_argument("--url", default="http://127.0.0.1:8000", help="of the house")
    sub.add_argument("--token", help="[the environment's FONDACO_TOKEN, or demo]")
    sub.set_defaults(run=run)
    return sub


def _house(asked: argparse.Namespace) -> "Asking":
    from fondaco.app.asking import Asking

    return Asking(asked.url, asked.token or os.environ.get("FONDACO_TOKEN", "demo"))


# --- Packs ----------------------------------------------------------------------------------------


def _pack(asked: argparse.Namespace) -> int:
    found = _house(asked).get(f"/api/assessments/{asked.assessment}/pack")
    folder = asked.out or Path(asked.assessment)
    lay(found, folder)
    ran = subprocess.run(
        [sys.executable, "-I", "verify.py"], cwd=folder, capture_output=True, text=True,
        timeout=VERIFY_S, check=False,
    )  # fmt: skip
    print(f"{folder}: {found['file_name']}, SHA-256 {found['sha256']}")
    print((ran.stdout + ran.stderr).rstrip())
    return int(ran.returncode != 0)


def lay(found: dict[str, Any], folder: Path) -> None:
    """A pack's files into a new folder. Raises `Corrupt` for one that is not what was named, and
    `Invalid` where the folder holds something."""
    try:
        packed = b64decode(found["zip"], validate=True)
    except binascii.Error as error:
        raise Corrupt(f"the pack did not arrive: {error}") from error
    if sha256(packed).hexdigest() != found["sha256"]:
        raise Corrupt("the pack is not what the house has named: its SHA-256 differs; ask again")
    if folder.exists() and any(folder.iterdir()):
        raise Invalid(f"{folder} holds something already: name a new folder with --out")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        for name in archive.namelist():
            if PurePosixPath(name).name != name:
                raise Corrupt(f"the pack has a file {name!r}: packs have no folders")
            (folder / name).write_bytes(archive.read(name))


# --- Reports --------------------------------------------------------------------------------------


def _make(asked: argparse.Namespace) -> None:
    said = {"kind": asked.kind, "account_id": asked.account, "time_zone": asked.time_zone}
    if asked.currency:
        said["currency"] = asked.currency
    print(json.dumps(_house(asked).post("/api/reports", said), indent=1))


def _list(asked: argparse.Namespace) -> None:
    query = "".join(
        f"&{name}={value}"
        for name, value in (("account_id", asked.account), ("kind", asked.kind))
        if value
    )
    found = _house(asked).get(f"/api/reports?limit=1000{query}")
    if asked.json:
        print(json.dumps(found))
        return
    for each in found["items"]:
        print(
            f"{each['report_id']}  {each['made_at'][:19]}  {each['kind']:<20}{each['account_id']}"
        )


def _get(asked: argparse.Namespace) -> None:
    house = _house(asked)
    report = house.get(f"/api/reports/{asked.report}")
    hash_ = report[f"{asked.form}_sha256"]
    if not hash_:
        raise Invalid("it was made where PDFs could not be; --form html fetches its page")
    content = house.raw(report[f"{asked.form}_url"])
    if sha256(content).hexdigest() != hash_:
        raise Corrupt(f"what arrived is not report {asked.report}: its SHA-256 differs; ask again")
    to = asked.out or Path(f"{asked.report}.{asked.form}")
    to.write_bytes(content)
    print(f"{to}: {len(content)} bytes, SHA-256 {hash_}")
