"""Topics of a whole house: published while it trades, tailed by the command, whole after a kill."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from app.firm import until
from fondaco.app.topics.catalog import topics
from fondaco.cli import main
from running import Running, begin, house, order
from servers import valkey

SOAK: Final = os.environ.get("FONDACO_SOAK") == "1"
PLACED: Final = "trading.order-placed"


def kafka() -> str:
    import brokers

    return brokers.kafka().url


BUSES: Final[dict[str, Callable[[], str]]] = {
    "files": lambda: "file://",
    "redis": lambda: valkey().url,
} | ({"kafka": kafka} if SOAK else {})


@pytest.fixture(scope="module", params=BUSES)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, Path]]:
    data = tmp_path_factory.mktemp("topics")
    (data / "fondaco.toml").write_text(f'topics = "{BUSES[request.param]()}"\n')
    with house(data, log=data / "log") as running:
        yield running, data


def placed(running: Running, *names: str) -> list[str]:
    found = [running.client().ask("POST", "/api/orders", order(name)) for name in names]
    assert [each.status for each in found] == [201] * len(names)
    return [str(each.body["order_id"]) for each in found]


def tailed(capsys: Any, data: Path, *more: str) -> list[Any]:
    capsys.readouterr()
    assert main(["topics", "tail", "--data", str(data), *more]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_what_is_written_is_published_and_tailed_each_entry_once(
    served: tuple[Running, Path], capsys: Any, tmp_path: Path
) -> None:
    running, data = served
    place = ("--place", str(tmp_path / "place"))
    first = placed(running, "topic-1", "topic-2")
    lines = tailed(capsys, data, PLACED, "--count", "2", *place)
    assert [each["value"]["data"]["order_id"] for each in lines] == first
    assert {(each["topic"], each["key"]) for each in lines} == {(PLACED, "account/demo")}
    positions = [int(each["headers"]["position"]) for each in lines]
    assert [each["value"]["data"]["position"] for each in lines] == positions == sorted(positions)
    journal = running.client().get(f"/api/why/{first[0]}")
    assert lines[0]["headers"]["trace_id"] == journal["trace_id"]
    second = placed(running, "topic-3")
    lines = tailed(capsys, data, "trading.*", "--count", "1", *place)
    assert lines[0]["value"]["data"].get("order_id", second[0]) in [*first, *second]
    lines = tailed(capsys, data, PLACED, "--count", "1", "--place", str(tmp_path / "other"))
    assert lines[0]["value"]["data"]["order_id"] == first[0], "another reader has its own place"
    assert "published up to" in running.client().get("/ready")["checks"]["topics"]["text"]


def test_the_document_has_every_topic_as_a_channel(served: tuple[Running, Path]) -> None:
    shown = served[0].client().get("/api/asyncapi.json")["channels"]
    for each in topics():
        channel = shown[each.name]
        assert channel["address"] == each.name
        assert channel["messages"].keys() == set(each.types)


def test_the_command_lists_topics_and_refuses_what_is_none(capsys: Any, tmp_path: Path) -> None:
    assert main(["topics", "list"]) == 0
    assert PLACED in capsys.readouterr().out
    assert main(["topics", "list", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in shown["topics"]] == [each.name for each in topics()]
    assert main(["topics", "tail", "--data", str(tmp_path)]) != 0
    assert "publishes nowhere" in capsys.readouterr().err
    assert main(["topics", "tail", "trading.order-lost", "--bus", "file://"]) != 0
    assert "fondaco topics list" in capsys.readouterr().err


def test_a_house_that_is_killed_publishes_what_it_had_not_and_loses_nothing(
    tmp_path: Path, capsys: Any
) -> None:
    data = tmp_path / "house"
    at = ("--set", "topics=file://")
    running, sent = begin(data, options=at).wait(), []
    try:
        for number in range(3):
            sent += placed(running, *(f"killed-{number}-{nth}" for nth in range(5)))
            running.kill()  # what was acknowledged a moment ago may not be published yet
            running = begin(data, options=at).wait()

        def told() -> list[str]:
            lines = tailed(capsys, data, PLACED, "--once", "--bus", f"file://{data}/published")
            return [each["value"]["data"]["order_id"] for each in lines]

        until(lambda: len(told()) >= len(sent))
        assert told() == sent
    finally:
        running.kill()
