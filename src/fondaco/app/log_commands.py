"""`fondaco logs`: the log, told to others."""

import argparse
import os
from pathlib import Path
from typing import TypeAlias

from fondaco.settings import load

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def with_logs(commands: Commands) -> None:
    logs = commands.add_parser("logs", help="The log, told to others.")
    kinds = logs.add_subparsers(metavar="command", required=True)
    tell = kinds.add_parser("ship", help="Tell it as log_to says; `up` starts it itself.")
    tell.add_argument("--data", default=".fondaco")
    tell.set_defaults(run=_ship)


def _ship(asked: argparse.Namespace) -> None:
    from fondaco.app.files import Files
    from fondaco.app.shipping import ship

    settings = load({"data": asked.data}, os.environ)
    ship(Files(Path(settings.data), settings.journal, settings.store), settings)
