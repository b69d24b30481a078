"""A message that reaches no law has a trace of its own, and goes to the detectors as it came."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from fondaco.app.buses import open_bus
from fondaco.app.files import Files
from fondaco.app.fix.carrying import Noted
from fondaco.app.fix.columns import Columns, open_lake
from fondaco.app.fix.indexing import Indexing
from fondaco.app.fix.publishing import PublishingMessages
from fondaco.app.fix.store import open_messages
from fondaco.app.fix.trail import Kept, lines_of, trail
from fondaco.app.machines import open_records
from fondaco.domain.fix import encode
from fondaco.domain.surveillance import store as alerts
from fondaco.domain.trading.why import Why
from fondaco.gateway.fix.keeping import RECEIVED, source_of
from fondaco.kernel.errors import NotFound
from fondaco.kernel.event import Instant
from fondaco.ports.tape.segments import SegmentTape

SESSION = "FIX.4.4:HOUSE->BROKER"
S = 1_000_000_000


def nothing(_: str) -> Why:
    raise NotFound("there is no journal here")


def test_malformed_bytes_go_directly_to_the_security_engine(tmp_path: Path) -> None:
    """F27: nobody parses them first; what proves the alert is the exact message."""
    files = Files(tmp_path)
    source = source_of(SESSION)  # type: ignore[arg-type]
    with closing(SegmentTape(files.fix)) as tape:
        for number in range(1, 41):
            raw = encode("FIX.4.4", [(35, b"D"), (34, b"%d" % number), (49, b"B"), (56, b"H")])
            wrong = raw[:-4] + b"%03d\x01" % ((int(raw[-4:-1]) + 1) % 256)
            tape.append(source, Instant(1_795_341_600 * S + number * S), RECEIVED + wrong)
    (files.fix / f"{source}.name").write_text(SESSION)
    noted = Noted(files.places, "bus", "file://")
    with (
        closing(open_messages(files)) as store,
        closing(open_records(files)) as records,
    ):
        with closing(Indexing(files.fix, store, records)) as indexing:
            assert not indexing.step()
        with store.reading() as conn, records.reading() as recorded:
            found = alerts.page(recorded, below=2**62, limit=9)
            proof = found[0].proofs[0].message or ""
            before = trail(Kept(files, conn, recorded, nothing), proof)
        with closing(Columns(open_lake(files.fix_lake), files.fix, 9_999)) as columns:
            columns.step(1_795_341_600 * S)
        bus = open_bus("fix_publish_to", "file://", files)
        with closing(PublishingMessages(files.fix, bus, noted)) as carrier:
            carrier.step()
        with store.reading() as conn, records.reading() as recorded:
            told = trail(Kept(files, conn, recorded, nothing), proof)
            with pytest.raises(NotFound, match="search tells their ids"):
                trail(Kept(files, conn, recorded, nothing), "77")
    said = {each.stage: each for each in told.steps}
    assert "garbled" in said["ingestion"].said
    assert said["engine"].said.startswith("not handed to the engine: it is garbled")
    assert said["security"].reference in {each.alert for each in found}
    assert {each.trace_id for each in told.steps} == {told.trace_id}
    assert told.trace_id == before.trace_id
    analytics = [each.said for each in told.steps if each.stage == "analytics"]
    assert analytics == ["in the columns", "published to file://"]
    assert [each.stage for each in before.steps if each.stage == "analytics"] == []
    # What was published says the same trace.
    lines = (files.root / "published" / "fondaco.fix.messages").glob("*.jsonl")
    records_ = [json.loads(line) for path in lines for line in path.read_text().splitlines()]
    [mine] = [each for each in records_ if each["headers"]["id"] == proof]
    assert mine["headers"]["trace_id"] == told.trace_id
    assert any(told.trace_id in line for line in lines_of(told))
