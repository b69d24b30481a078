"""Whatever is sent where a payment provider speaks: no fault of ours, nothing believed unsigned,
nothing lost."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.test_purchases import HOOK, bought, post, press, secret_of, until
from fondaco.app.payments.intake import from_tape
from fondaco.ports.payments import signatures
from fondaco.ports.tape.segments import SegmentTape
from running import Running, house

# Signed, and: heard or ignored; no event; another one under a name that was used.
BELIEVED: Final = {200, 422, 409}
_ODD: Final = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=20),
    st.just("\x00\ud800"), st.just({}), st.just([[]]), st.just("9" * 400),
    st.just("pu_" + "a" * 24),
)  # fmt: skip


class Provider:
    def __init__(self, running: Running, folder: Path) -> None:
        self.running, self.folder = running, folder
        demo = running.client()
        purchase = bought(demo)
        assert press(running, purchase, "pay") < 400
        until(demo, purchase["purchase_id"], "completed")
        self.secret = secret_of(folder)
        # As they came: what is changed in them below is what a provider might say one day.
        self.events: list[dict[str, Any]] = [json.loads(raw) for _, raw in self.kept()]
        for each in list(self.events):
            its = each["data"]["object"]
            for kind, more in (
                ("payout.failed", {"metadata": {"payout_id": "po_1"}, "failure_code": "closed"}),
                ("charge.dispute.created", {"reason": "fraudulent", "status": "needs_response"}),
                ("charge.refunded", {"refunds": {"data": [{"id": "re_1"}]}}),
                ("refund.failed", {"failure_reason": "unknown"}),
            ):
                self.events.append({**each, "type": kind, "data": {"object": {**its, **more}}})

    def kept(self) -> list[tuple[dict[str, str], bytes]]:
        tape = SegmentTape(self.folder / "payments", quota_bytes=1 << 30)
        return [from_tape(frame.raw) for frame in tape.read(sources={"payments.sandbox"})]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    folder = tmp_path_factory.mktemp("told")
    with house(folder, log=folder / "log") as running:
        yield Provider(running, folder)


@st.composite
def changed(draw: Any, events: list[dict[str, Any]]) -> bytes:
    """An event with odd things in odd places, or what is none at all."""
    if draw(st.integers(0, 9)) == 0:
        return bytes(draw(st.binary(max_size=300)))
    event = json.loads(json.dumps(draw(st.sampled_from(events))))
    event["id"] = f"evt_{draw(st.integers(0, 2**64))}"
    for _ in range(draw(st.integers(0, 3))):
        at: Any = event
        while isinstance(at, dict) and at:
            name = draw(st.sampled_from(sorted(at)))
            if not isinstance(at[name], dict) or not at[name] or draw(st.integers(0, 4)) == 0:
                if draw(st.integers(0, 3)) == 0:
                    del at[name]
                else:
                    at[name] = draw(_ODD)
                break
            at = at[name]
    return json.dumps(event).encode()


def test_nothing_breaks_it_nothing_unsigned_is_believed_and_nothing_is_lost(
    provider: Provider,
) -> None:
    port, secret = provider.running.port, provider.secret
    sent: list[tuple[bytes, int]] = []

    @settings(
        max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(changed(provider.events), st.sampled_from(["ours", "theirs", "none", "old", "odd"]))
    def told(raw: bytes, signed: str) -> None:
        now = int(time.time())
        header = {
            "ours": signatures.header_of([secret], now, raw),
            "theirs": signatures.header_of(["whsec_guessed"], now, raw),
            "old": signatures.header_of([secret], now - 3_600, raw),
            "odd": "t=1,t=2,v1=,v1=é,,=",
            "none": "",
        }[signed]
        status = post(port, HOOK, raw, {signatures.HEADER: header.encode()} if header else {})  # type: ignore[dict-item]
        sent.append((raw, status))
        if signed == "ours":
            assert status in BELIEVED, raw
        else:
            assert status == 400, "not believed"

    told()
    kept = [raw for _, raw in provider.kept()][-len(sent) :]
    assert kept == [raw for raw, _ in sent], "each is on the tape, as it came"
    assert {200, 400} <= {status for _, status in sent}
    assert '"failure"' not in (provider.folder / "log").read_text()
    for other in ("stripe", "..", "x" * 300, "%00"):
        assert post(port, f"/payments/webhooks/{other}", b"{}") in (400, 404)
    demo = provider.running.client()
    purchase = bought(demo)  # and it goes on as ever
    assert press(provider.running, purchase, "pay") < 400
    until(demo, purchase["purchase_id"], "completed")
