"""As whom commands ask a running house: by a token that is named, or as who has signed in here.

`fondaco login` keeps what it was given in `fondaco/sessions.json` under XDG_CONFIG_HOME, or under
`~/.config`, which nobody else can read, for each house. An access token lasts ten minutes; the
refresh token behind it is good once, so that two commands at the same time take turns at the file.
"""

import fcntl
import getpass
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fondaco.kernel.errors import Denied

CLIENT: Final = "fondaco-cli"
DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
LEFT_S: Final = 30.0  # an access token with less left is renewed


def typed_password(prompt: str) -> str:
    """From the terminal without being shown, or the first line of what is piped in: never from the
    command line, which others on the machine can read."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.readline().rstrip("\n")


def token_for(named: str | None, url: str) -> str:
    """`named`, or the environment's FONDACO_TOKEN, or of who has signed in here, or "demo"."""
    return named or os.environ.get("FONDACO_TOKEN") or signed_in(url) or "demo"


def signed_in(url: str) -> str:
    """The access token of who has signed in at that house from here, renewed where it is old; ""
    for nobody. Raises `Denied` once the house has ended it."""
    if not _path().exists():
        return ""
    with _sessions() as kept:
        mine = kept.get(url)
        if mine is None:
            return ""
        if time.time() + LEFT_S >= mine["ends_at"]:
            from fondaco.app.asking import OAuthSaid, form_of

            try:
                form = {"grant_type": "refresh_token", "refresh_token": mine["refresh_token"]}
                found = form_of(url, "/oauth/token", {**form, "client_id": CLIENT})
            except OAuthSaid:
                del kept[url]
                raise Denied(f"you are not signed in at {url} any more: fondaco login") from None
            kept[url] = mine = _session(found)
        return str(mine["access_token"])


def keep(url: str, tokens: dict[str, Any]) -> None:
    with _sessions() as kept:
        kept[url] = _session(tokens)


def forget(url: str) -> dict[str, Any] | None:
    """What was kept; None for nothing."""
    with _sessions() as kept:
        found: dict[str, Any] | None = kept.pop(url, None)
        return found


def _session(tokens: dict[str, Any]) -> dict[str, Any]:
    return {
        "access_token": tokens["access_token"],
        "refresh_token": tokens.get("refresh_token", ""),
        "ends_at": time.time() + tokens["expires_in"],
    }


def _path() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "fondaco" / "sessions.json"


@contextmanager
def _sessions() -> Iterator[dict[str, Any]]:
    """By the address of the house; what is changed is written, whatever is raised behind it."""
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = path.read_text("utf-8") if path.exists() else "{}"
        kept = json.loads(before)
        try:
            yield kept
        finally:
            after = json.dumps(kept)
            if after != before:
                part = path.with_suffix(".part")
                part.touch(mode=0o600)
                part.chmod(0o600)
                part.write_text(after, "utf-8")
                part.replace(path)
