"""Three years of a whole sandbox, with people who are known, a payout and what is kept: in one jump
as in a thousand steps, and after it was killed. All begin with copies of the same directory."""

import re
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from app.firm import INSTANT, Firm, asked_payout, bought, decided, moves, opened, shown, staffed
from app.test_kyc import BILL, PASSPORT, PERSON, added, put, upload
from app.test_test_clock import DAY, SANDBOX, YEARS, advanced, still
from fondaco.app.files import Files
from fondaco.app.machines import open_journal
from fondaco.app.test_clock.clock import OF_THE_MACHINE
from fondaco.domain.identity.kyc.events import CaseEvent, KycExpired
from fondaco.domain.identity.test_clock.model import STREAM
from fondaco.domain.payments import events as pay
from fondaco.kernel.event import Entry
from running import Running, begin, house, order

KNOWN_DAYS: Final = 400
TOLD: Final = (f"kyc_valid_days={KNOWN_DAYS}", "four_eyes=strict", "retention_idempotency_h=24")
OPTIONS: Final = (*SANDBOX, *(word for each in TOLD for word in ("--set", each)))
OF_ANOTHER_TIME: Final = ("identity_audit", "test_clock")


class Lived:
    """A directory whose house has ended, and what is written there."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def entries(self) -> list[Entry]:
        with closing(open_journal(Files(self.data))) as journal:
            position, found = 0, []
            while entries := journal.follow(position, 10_000):
                found += entries
                position = entries[-1].position
            return found

    def streams(self) -> dict[str, list[Any]]:
        """Everything of every stream, but the clock's, which says how it was moved, and who has
        signed in or asked, which is of the machine's time."""
        found: dict[str, list[Any]] = {}
        for each in self.entries():
            is_known = isinstance(each.event, CaseEvent)
            if is_known or not each.stream.startswith((STREAM, *OF_THE_MACHINE)):
                found.setdefault(each.stream, []).append((each.at, drawn(repr(each.event))))
        return found

    def views(self) -> dict[str, list[Any]]:
        """The rows of every view, but where in the journal they come from; without what is of the
        machine's time, and of how the clock was moved."""
        found = {}
        with closing(sqlite3.connect(Files(self.data).views)) as conn:
            names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            for (name,) in conn.execute(names).fetchall():
                if name.startswith(OF_ANOTHER_TIME):
                    continue
                cursor = conn.execute(f'SELECT * FROM "{name}"')  # noqa: S608  # our own names
                columns = [each[0] for each in cursor.description]
                kept = [nth for nth, each in enumerate(columns) if not is_place(each)]
                found[name] = sorted(drawn(repr([row[nth] for nth in kept])) for row in cursor)
        return found

    def kept_replies_since(self) -> int:
        """When the oldest of the answers was kept that are."""
        with closing(sqlite3.connect(Files(self.data).records)) as conn:
            oldest = "SELECT MIN(kept_at) FROM gateway_replies"
            return int(conn.execute(oldest).fetchone()[0] or sys.maxsize)


def drawn(text: str) -> str:
    """Without what a provider has drawn: the names of its messages and transfers."""
    return re.sub(r"(evt|tr)_[0-9a-f]+", r"\1", text)


def is_place(column: str) -> bool:
    return column.endswith("position") or column == "number"


def known(running: Running, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """wil is approved, until a day of the second year."""
    wil = added(running, data, monkeypatch, "wil", "trader")
    cora = added(running, data, monkeypatch, "cora", "compliance")
    assert put(wil, "wil", {"person": PERSON, "version": 0}).status == 200
    assert wil.ask("POST", "/api/users/wil/kyc", {}).status == 200
    assert upload(wil, "identity", "application/pdf", PASSPORT).status == 200
    assert upload(wil, "address", "image/jpeg", BILL).body["kyc_state"] == "in_review"
    case_id = wil.get("/api/users/wil/kyc")["case_id"]
    reply = cora.ask("POST", f"/api/kyc/cases/{case_id}/decide", {"decision": "approve"})
    assert reply.body["state"] == "approved", reply.body


def earned(firm: Firm, name: str) -> None:
    """By a price that somebody makes up."""
    account, ada = shown(firm, name)["account_id"], firm.of("ada")
    left = [0]
    for nth, (side, bid) in enumerate((("buy", "50000.00"), ("sell", "51000.00"))):
        left[0] = 1 - nth
        ask = f"{int(bid[:-3])}.01"
        advanced(ada, {"by": "1h", "prices": [{"symbol": "BTC-USD", "bid": bid, "ask": ask}]})
        terms = {"account_id": account, "side": side, "order_qty": "2"}
        asked = {**order(f"{account}.{nth}", **terms), "ord_type": "market"}
        del asked["price"]
        reply = firm.of("tim").ask("POST", "/api/orders", {**asked, "time_in_force": "ioc"})
        assert reply.status == 201, reply.body
        until(lambda: shown(firm, name)["open_positions"] == left[0])


def until(look: Callable[[], Any], every_s: float = 0.02) -> Any:
    deadline = time.monotonic() + 120
    while not (found := look()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(every_s)
    return found


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Firm, str, int]:
    """Somebody is known, a payout waits to be agreed to, a checkout to be paid; and when that is.
    The house has ended."""
    data = tmp_path_factory.mktemp("years") / "house"
    data.mkdir()
    (data / "fondaco.toml").write_text("password_memory_mib = 8\n")
    tokens = staffed(data)
    with pytest.MonkeyPatch.context() as patch, house(data, options=OPTIONS) as running:
        firm = Firm(running, tokens, data)
        opened(firm, INSTANT)
        known(running, data, patch)
        _, name = bought(firm, "instant")
        earned(firm, name)
        asked_payout(firm, name)
        left = firm.of("zoe").ask("POST", "/api/purchases", {"tier": "instant"}).body
        assert left["state"] == "awaiting_payment", left
        began = int(firm.of("ada").get("/api/test-clock")["now"])
        running.stop()
    return firm, name, began


def live(begun: tuple[Firm, str, int], data: Path, life: Callable[[Firm, str, int], None]) -> Lived:
    firm, name, began = begun
    shutil.copytree(firm.data, data)
    with house(data) as running:
        life(firm._replace(running=running, data=data), name, began)
        running.stop()
    with house(data) as running:  # what was killed has ended, and the views show all of it
        shows = running.client()
        until(lambda: shows.ask("GET", "/ready").body["checks"]["views"]["text"].startswith("0 "))
        running.stop()
    return Lived(data)


def agreed(firm: Firm, name: str, began: int) -> None:
    """On the tenth day; and time goes on at once, while it is on its way to be paid."""
    advanced(firm.of("ada"), {"to": str(began + 10 * DAY)})
    decided(firm, name, agrees=True)


def in_one(firm: Firm, name: str, began: int) -> None:
    agreed(firm, name, began)
    done = advanced(firm.of("ada"), {"to": str(began + YEARS * DAY)}, "once")
    assert done["state"] == "ready", done["error"] + done["failed_timer"]
    assert int(done["now"]) == began + YEARS * DAY
    again = advanced(firm.of("ada"), {"to": str(began + YEARS * DAY)}, "once")
    assert again["now"] == done["now"], "the same call moves nothing more"


def day_by_day(firm: Firm, name: str, began: int) -> None:
    agreed(firm, name, began)
    ada = firm.of("ada")
    for day in range(11, YEARS + 1):
        ada.ask("POST", "/api/test-clock/advance", {"to": str(began + day * DAY)})
        until(lambda: ada.get("/api/test-clock")["state"] != "advancing", 0.001)


def killed(firm: Firm, name: str, began: int) -> None:
    """Once between the payout's agreement and its payment, once before wil is known no longer."""
    agreeing = threading.Thread(target=agree_and_end, args=(firm, name, began), daemon=True)
    agreeing.start()
    until(
        lambda: any(isinstance(e.event, pay.PayoutOrdered) for e in Lived(firm.data).entries()), 0
    )
    firm.running.kill()
    agreeing.join(30)
    to = began + YEARS * DAY
    with house(firm.data) as running:
        ada = running.client(firm.tokens["ada"])
        ada.ask("POST", "/api/test-clock/advance", {"to": str(to)})
        until(lambda: int(ada.get("/api/test-clock")["now"]) > began + 100 * DAY)
        running.kill()
    again = begin(firm.data).wait()
    try:
        done = still(again.client(firm.tokens["ada"]))
        assert (done["state"], int(done["now"])) == ("ready", to), done
    finally:
        again.stop()


def agree_and_end(firm: Firm, name: str, began: int) -> None:
    with suppress(OSError, AssertionError, ValueError):
        agreed(firm, name, began)


def test_three_years_in_one_jump_are_a_thousand_days_and_what_was_killed_goes_on(
    begun: tuple[Firm, str, int], tmp_path: Path
) -> None:
    jump, daily, again = (
        live(begun, tmp_path / life.__name__, life) for life in (in_one, day_by_day, killed)
    )
    _, name, began = begun
    streams, views = jump.streams(), jump.views()
    assert sum(map(len, views.values())) > sum(map(len, streams.values()))
    for other in (daily, again):
        assert other.streams() == streams
        seen = other.views()
        assert [name for name in views if seen[name] != views[name]] == []
    # The end of what was known, at its own time and once.
    entries = jump.entries()
    [gone] = [each for each in entries if isinstance(each.event, KycExpired)]
    assert began + (KNOWN_DAYS - 1) * DAY < gone.at <= began + KNOWN_DAYS * DAY
    for each in (jump, daily, again):
        # The payout was paid on the day on which it was agreed to, and once.
        [paid] = [e for e in each.entries() if isinstance(e.event, pay.PayoutPaid)]
        assert paid.at == began + 10 * DAY
        assert [what for what, _ in moves(each.data, "payout")] == [f"{name}-1"]
        assert each.kept_replies_since() > began + (YEARS - 2) * DAY
    assert any(isinstance(each.event, pay.PurchaseExpired) for each in entries)
