"""`secret://name` where a setting would hold a secret: what the key ring has under that name.

A setting stays the reference wherever it is kept, shown or handed to another process; what it
stands for is read where it is used, by who uses it, and every read is in the ring's audit.
"""

from contextlib import closing
from difflib import get_close_matches
from typing import Final

from fondaco.app.files import Files
from fondaco.app.secrets import open_ring
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.settings import REFERENCE, Settings, fits, referable

NEAR: Final = 3  # names that are shown to who has mistyped one


def referred(files: Files, setting: str, value: str, settings: Settings | None = None) -> str:
    """The value itself, or what it refers to. Raises `Invalid`, and never says what it found."""
    if not value.startswith(REFERENCE):
        return value
    name = value.removeprefix(REFERENCE)
    if settings is None and not (files.secrets / "house").exists():
        raise _unknown(files, setting, name, [])  # and no ring is made for the sake of asking
    with closing(open_ring(files, settings)) as ring:
        try:
            found = ring.get(name, f"setting {setting}").decode("utf-8", "replace").strip()
        except NotFound:
            raise _unknown(files, setting, name, ring.names()) from None
    if not fits(setting, found):
        raise Invalid(
            f"{setting} is {value}, and what is kept under that name is nothing that {setting} may "
            f"be: put it again, `fondaco secrets put {name} --data {files.root}`"
        )
    return found


def check_references(files: Files, settings: Settings) -> None:
    """Before anything is begun. Raises `Invalid` for the first that leads nowhere."""
    for setting in referable():
        referred(files, setting, getattr(settings, setting), settings)


def _unknown(files: Files, setting: str, name: str, names: list[str]) -> Invalid:
    near = get_close_matches(name, names, NEAR)
    hint = f" (there is {', '.join(near)})" if near else ""
    return Invalid(
        f"{setting} is {REFERENCE}{name}, and no secret is kept under that name{hint}: "
        f"`fondaco secrets put {name} --data {files.root}` keeps one, typed or piped in"
    )
