"""What a decision costs: rules in process, a grant that was decided before, and OPA over HTTP.

    python benchmarks/policy.py [--times N]

All in one run, of the same input and the same files. OPA is the server found on the path or in
build/opa; without it, it is left out. Prints JSON: microseconds at p50 and p99, and the ratio of
OPA's p50 to ours.
"""

import argparse
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from fondaco.app.policies.authority import in_process
from fondaco.app.policies.grants import Grants
from fondaco.app.policies.trying import TYPICAL
from fondaco.domain.identity.model import Action, Caller, Role, TenantId, UserId, scopes_of
from fondaco.domain.identity.policy.builtin import builtin
from fondaco.domain.identity.policy.model import ENTRYPOINT
from fondaco.kernel.errors import Unavailable
from fondaco.kernel.event import Instant
from fondaco.ports.policy.opa import OpaPolicy

BUILT: Final = Path(__file__).resolve().parents[1] / "build" / "opa"
BATCH: Final = 100  # grants timed at once: one is shorter than the clock is exact


def timed(act: Callable[[], Any], times: int, each: int = 1) -> dict[str, float]:
    spent = []
    for _ in range(times):
        began = time.perf_counter_ns()
        act()
        spent.append((time.perf_counter_ns() - began) / each / 1_000)
    spent.sort()
    return {"p50": round(spent[times // 2], 2), "p99": round(spent[times * 99 // 100], 2)}


def granted() -> Callable[[], None]:
    """A batch of orders through `authorise`, each of a caller who was decided before."""
    resources: Any = SimpleNamespace(of=lambda accounts, ask: [])
    grants = Grants(
        in_process,
        resources,
        {"demo": "acme"}.get,
        lambda: Instant(0),
        lambda _: False,
        lambda *_: None,
    )
    roles = (Role.TRADER,)
    who = Caller("ada/k", TenantId("acme"), UserId("ada"), roles, scopes_of(roles))
    action = Action("trading.place_order", "orders:write", reads=False, second=False)

    def batch() -> None:
        for _ in range(BATCH):
            grants.authorise(who, action, ("demo",), None, "rest", "127.0.0.1")

    return batch


def over_http(given: Any, times: int) -> dict[str, float] | None:
    found = shutil.which("opa") or (str(BUILT) if BUILT.exists() else None)
    if found is None:
        return None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [found, "run", "--server", "--addr", address, "--skip-version-check"]
    nothing = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=nothing, stderr=nothing) as server:
        try:
            policy = _ready(f"http://{address}")
            return timed(lambda: policy.ask(ENTRYPOINT, given), times)
        finally:
            server.terminate()


def _ready(url: str) -> OpaPolicy:
    deadline = time.monotonic() + 20
    while True:
        try:
            return OpaPolicy(url, builtin())
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5_000)
    times = parser.parse_args().times
    given, policy = TYPICAL[-1], in_process(builtin())
    policy.ask(ENTRYPOINT, given)
    found: dict[str, Any] = {
        "in_process_us": timed(lambda: policy.ask(ENTRYPOINT, given), times),
        "grant_us": timed(granted(), times // 10, BATCH),
        "opa_http_us": over_http(given, times),
    }
    if found["opa_http_us"]:
        found["ratio"] = round(found["opa_http_us"]["p50"] / found["in_process_us"]["p50"], 1)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
