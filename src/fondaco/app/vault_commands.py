"""`fondaco tokens`: holdings without names, and names for who may have them and says why."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Final, TypeAlias

from fondaco.kernel.errors import Invalid

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
EXPORT: Final = "/api/analytics/holdings/export?form="
NUMBERS: Final = ("qty", "held", "cost", "value")


def with_tokens(commands: Commands) -> None:
    text = "What accounts hold, under tokens in place of names; and who a token stands for."
    tokens = commands.add_parser("tokens", help=text, description=text)
    asks = tokens.add_subparsers(metavar="command", required=True)
    for name, help_ in (
        ("holdings", "Every holding of every account, without a name."),
        ("reveal", "Have names back; that you did, and why, is in the journal."),
        ("owner", "Say whom an account belongs to."),
    ):
        sub = asks.add_parser(name, help=help_, description=help_)
        url = os.environ.get("FONDACO_URL", "http://127.0.0.1:8000")
        sub.add_argument("--url", default=url, help="of the house [FONDACO_URL]")
        sub.add_argument("--token", help="[the environment's FONDACO_TOKEN, or demo]")
        if name == "holdings":
            sub.add_argument("--form", choices=("csv", "jsonl", "parquet"), default="csv")
            sub.add_argument("--out", type=Path, help="a file [standard output]")
        elif name == "reveal":
            sub.add_argument("tokens", nargs="+")
            sub.add_argument("--reason", required=True, help="it is kept: name nobody in it")
        else:
            sub.add_argument("account")
            sub.add_argument("--user", required=True, help='"" for nobody')
        sub.set_defaults(run=_tokens, what=name)


def _tokens(asked: argparse.Namespace) -> None:
    from fondaco.app.asking import Asking

    house = Asking(asked.url, asked.token or os.environ.get("FONDACO_TOKEN", "demo"))
    if asked.what == "reveal":
        _tell(house.post("/api/analytics/reveal", {"tokens": asked.tokens, "reason": asked.reason}))
    elif asked.what == "owner":
        _tell(house.put(f"/api/accounts/{asked.account}/owner", {"user": asked.user or None}))
    elif asked.form == "parquet":
        if asked.out is None:
            raise Invalid("Parquet goes into a file: name it with --out")
        lines = house.text(EXPORT + "jsonl").splitlines()
        write_parquet([json.loads(line) for line in lines], asked.out)
    elif asked.out is not None:
        asked.out.write_text(house.text(EXPORT + asked.form), "utf-8")
    else:
        sys.stdout.write(house.text(EXPORT + asked.form))


def _tell(found: dict[str, Any]) -> None:
    print(json.dumps(found, indent=2))


def write_parquet(rows: list[dict[str, Any]], path: Path) -> None:
    """Text is text; amounts are decimals of 38 digits, 12 behind the point, as in the lake."""
    try:
        import polars as pl
    except ImportError as error:
        raise Invalid("this needs more than is installed: pip install 'fondaco[lake]'") from error
    from fondaco.domain.identity.vault.api import TokenHolding

    names = TokenHolding.__struct_fields__
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))
    amounts = [pl.col(each).cast(pl.Decimal(38, 12)) for each in NUMBERS]
    frame.with_columns(amounts).write_parquet(path)
