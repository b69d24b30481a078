"""A house tells a real collector, over real HTTP, what it did; and says how long its hops took."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from collector import Collector, collecting
from running import Running, house, order

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
NEEDED = frozenset({
    "request account", "decide account", "commit account", "views account",
    "deliver venue", "decide venue", "commit venue", "postings venue", "views venue",
    "deliver account", "postings account",
})  # fmt: skip


def until(holds: Callable[[], Any], within_s: float = 60.0) -> Any:
    end = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
    return found


def place(running: Running, key: str, **headers: str) -> Any:
    terms = {"ord_type": "market", "time_in_force": "ioc", "cl_ord_id": key}
    body = order(key) | terms
    del body["price"]
    client = running.client()
    reply = client.ask("POST", "/api/orders", body, headers=headers)
    client.close()
    assert reply.status == 201, reply.body
    return reply


def whole_trace(collector: Collector, trace_id: str) -> list[Any]:
    """Its spans, once they are those of a whole order."""

    def missing() -> frozenset[str]:
        return NEEDED - {span.name for span in collector.of_trace(trace_id)}

    end = time.monotonic() + 60
    while lacks := missing():
        assert time.monotonic() < end, f"the trace lacks {sorted(lacks)}"
        time.sleep(0.05)
    return list(collector.of_trace(trace_id))


def numbers(running: Running) -> dict[str, float]:
    client = running.client()
    text = client.ask("GET", "/metrics").body.decode()
    client.close()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


Traced = tuple[Running, Collector]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """A house that tells a collector. The last test that takes it kills its trading."""
    with collecting() as collector:
        options = ["--set", f"otlp_endpoint={collector.url}"]
        with house(tmp_path_factory.mktemp("traced") / "house", options=options) as running:
            yield running, collector


def test_hops_are_histograms_with_percentiles_in_metrics(traced: Traced) -> None:
    running, _ = traced
    place(running, "one")
    wanted = 'fondaco_hop_seconds_count{hop="filled"}'
    found = until(lambda: (n := numbers(running)).get(wanted) and n)
    for hop in ("decided", "durable", "routed", "filled", "told"):
        count = found[f'fondaco_hop_seconds_count{{hop="{hop}"}}']
        assert count >= 1
        assert found[f'fondaco_hop_seconds_bucket{{hop="{hop}",le="+Inf"}}'] == count
        half = found[f'fondaco_hop_quantile_seconds{{hop="{hop}",quantile="0.5"}}']
        most = found[f'fondaco_hop_quantile_seconds{{hop="{hop}",quantile="0.99"}}']
        assert 0 < half <= most


def test_one_id_is_in_the_log_the_trace_and_the_metrics(tmp_path: Path) -> None:
    """Requirement A27."""
    log = tmp_path / "log"
    with collecting() as collector:
        options = ["--set", f"otlp_endpoint={collector.url}", "--set", "log_level=DEBUG"]
        with house(tmp_path / "house", options=options, log=log) as running:
            reply = place(running, "joined", **GIVEN)
            _, trace_id, span_id, _ = reply.headers["traceparent"].split("-")
            assert trace_id == TRACE
            client = running.client()
            taken = client.ask("PUT", "/api/accounts/demo/owner", {"user": "demo"})
            other = taken.headers["traceparent"].split("-")[1]
            assert span_id in {span.span_id.hex() for span in whole_trace(collector, TRACE)}
            reply = client.ask("GET", "/openmetrics")
            text = reply.body.decode()
            client.close()
            assert running.stop() == 0
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    examples = {
        sample.labels["operation"]: (sample.exemplar.labels["trace_id"], sample.exemplar.value)
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
        if sample.exemplar
    }
    assert examples["trading.place_order"][0] == TRACE
    assert examples["vault.set_owner"][0] == other
    assert all(value > 0 for _, value in examples.values())
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    logged = {line["trace_id"]: line["operation"] for line in lines}
    assert logged[TRACE] == "trading.place_order"
    assert logged[other] == "vault.set_owner"


def test_prices_have_hops_too(traced: Traced) -> None:
    running, _ = traced
    begun = numbers(running)
    wanted = 'fondaco_hop_seconds_count{hop="price_shown"}'
    found = until(lambda: (n := numbers(running)).get(wanted, 0) > begun.get(wanted, 0) and n)
    for hop in ("price_travelled", "price_taped", "price_shown"):
        assert found[f'fondaco_hop_seconds_count{{hop="{hop}"}}'] >= 1
    assert found['fondaco_hop_seconds_count{hop="price_told"}'] == 0, "nobody has subscribed"
    taped, shown = (found[f'fondaco_hop_seconds_sum{{hop="price_{hop}"}}'] for hop in HOPS)
    assert 0 < taped < 60
    assert 0 < shown < 60


HOPS = ("taped", "shown")


def test_orders_money_and_admin_are_whole_traces_at_a_collector_and_in_why(traced: Traced) -> None:
    running, collector = traced
    reply = place(running, "named", **GIVEN)
    assert reply.headers["traceparent"].startswith(f"00-{TRACE}-")
    spans = whole_trace(collector, TRACE)
    root = next(span for span in spans if span.name == "request account")
    assert root.parent_span_id.hex() == SPAN
    assert reply.headers["traceparent"] == f"00-{TRACE}-{root.span_id.hex()}-01"
    by_id = {span.span_id for span in spans}
    assert all(span.parent_span_id in by_id for span in spans if span is not root)

    own = place(running, "unnamed").headers["traceparent"].split("-")[1]
    whole_trace(collector, own)
    client = running.client()
    why = client.get(f"/api/why/{reply.body['order_id']}")
    assert why["trace_id"] == TRACE
    shown = {span["name"] for step in why["steps"] for span in step["spans"]}
    assert shown >= NEEDED
    assert client.get("/api/why/unnamed")["trace_id"] == own

    money = {"asset": "USD", "amount": "5", "transfer_id": "d1"}
    paid = client.ask("POST", "/api/accounts/demo/deposits", money)
    killed = client.ask("POST", "/api/risk/kill", {"reason": "test"}, headers=GIVEN)
    assert (paid.status, killed.status) == (201, 200), (paid.body, killed.body)
    client.close()
    for asked in (paid, killed):
        trace_id = asked.headers["traceparent"].split("-")[1]
        until(partial(collector.of_trace, trace_id))

    counted = until(lambda: (n := numbers(running))["fondaco_spans_sent_total"] and n)
    assert counted["fondaco_spans_dropped_total"] == 0
    assert set(collector.paths) == {"/v1/traces"}


def test_a_collector_that_is_away_holds_nobody_up_and_is_told_later(tmp_path: Path) -> None:
    with collecting() as collector:
        port = collector.port
    options = ["--set", f"otlp_endpoint=http://127.0.0.1:{port}"]
    with house(tmp_path / "house", options=options) as running:
        first = place(running, "unheard").headers["traceparent"].split("-")[1]
        until(lambda: numbers(running)["fondaco_spans_up"] == 0)
        with collecting(port) as collector:
            whole_trace(collector, first)
        assert running.stop() == 0
    with collecting() as another:  # all that was ever written, from a house that has stopped
        command = [sys.executable, "-m", "fondaco", "trace", "--data", str(tmp_path / "house")]
        path = os.pathsep.join(entry for entry in sys.path if entry)
        subprocess.run(
            [*command, "--to", another.url, "--after", "0"],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            check=True,
        )
        assert {span.name for span in another.of_trace(first)} >= NEEDED
