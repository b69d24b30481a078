"""What a house says of itself when it starts, and when the market it shows is another."""

import asyncio
import gc
import socket
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Final

from fondaco.app.house import Kernel
from fondaco.app.machines import MEMORY, SEGMENTS
from fondaco.app.say import say
from fondaco.domain.market.model import Switch
from fondaco.domain.market.wires import format_of
from fondaco.settings import Settings, without_secrets

# Often and little: what survives a look at thousands of young objects is never looked at again,
# where half a million at a time stop everybody for 200 ms. A full collection never comes.
FREEZE_THRESHOLD: Final = (5_000, 2, 1_000_000)
READY_POLL_S: Final = 0.02


def greet(kernel: Kernel, bound: socket.socket) -> None:
    settings, source, files = kernel.settings, kernel.feed, kernel.files
    label = source.label if source else "none"
    chosen_by = " (auto)" if settings.feed == "auto" else ""
    where = str(files.root.resolve())
    if settings.journal != SEGMENTS:
        where += f", journal at {without_secrets(settings.journal)}"
    if settings.cache != MEMORY:
        where += f", cache at {without_secrets(settings.cache)}"
    say(f"data in {where}, feed {label}{chosen_by}, listening on {url(bound, settings)}")
    for each in label.split("; "):
        if format_of(each):
            say(f"feed {each}: {format_of(each)}, never tried live")
    if not settings.tls_cert and not ip_address(bound.getsockname()[0]).is_loopback:
        say("others on the network can read keys and orders: set tls_cert and tls_key")
    if settings.demo:
        say("demo: account demo, header 'Authorization: Bearer demo'")


def url(bound: socket.socket, settings: Settings) -> str:
    host, port = bound.getsockname()[:2]
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def freeze() -> None:
    """What is here stays: do not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*FREEZE_THRESHOLD)


async def announce(checks: Callable[[], Mapping[str, tuple[bool, str]]], where: str) -> None:
    """Say where we are, once everything is as it must be to trade."""
    while not all(ok for ok, _ in checks().values()):
        await asyncio.sleep(READY_POLL_S)
    freeze()
    print(f"ready {where}", flush=True)  # noqa: T201  # scripts wait for this line


def tell_switch(switch: Switch) -> None:
    doubt = "" if switch.confirmed_at else ", unconfirmed: nothing is opened on it"
    say(
        f"{switch.symbol} is shown from {switch.after}, since {switch.before} is {switch.reason}; "
        f"{switch.jump_bps} bps from the last price{doubt}"
    )
