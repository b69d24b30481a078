"""Versions of the API in a running house: which there are, and who asks for them."""

from contextlib import closing
from pathlib import Path

from running import house


def test_who_still_uses_what_is_reported(tmp_path: Path) -> None:
    data = tmp_path / "house"
    with house(data) as running, closing(running.client()) as client:
        first, second = client.get("/api/versions")["items"]
        assert (first["major"], first["sunset"], second["sunset"]) == (1, "2027-11-22", None)
        assert second["changes"][0]["title"].startswith("Times are RFC 3339")
        client.get("/api/v2/orders")
        before = {use["major"]: use for use in client.get("/api/versions/uses")["items"]}
        assert (before[1]["is_ending"], before[2]["is_ending"]) == (True, False)
        assert before[2]["requests"] == 1
        assert running.stop() == 0
    with house(data) as running, closing(running.client()) as client:
        after = {use["major"]: use for use in client.get("/api/versions/uses")["items"]}
        assert after[2]["requests"] == 1
        assert after[1]["requests"] > before[1]["requests"]
