"""/metrics: what was counted, as Prometheus reads it (text format 0.0.4).

Counters are plain ints that the doors keep; they are put into words when somebody asks.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from fondaco.gateway.rest import Endpoint
from fondaco.gateway.tally import EDGES_S, Tally

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
OPEN_MEDIA_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Metric(NamedTuple):
    """One number of the house; those with the same name stand together."""

    name: str  # with its unit last: "fondaco_commit_seconds"
    help: str
    kind: Literal["counter", "gauge", "histogram"]
    value: float
    labels: tuple[tuple[str, str], ...] = ()
    part: str = ""  # of a histogram: "_bucket", "_sum" or "_count"


def rendered(
    endpoints: Sequence[Endpoint], sockets: Tally | None, metrics: Iterable[Metric]
) -> str:
    lines = [*_requests(endpoints, sockets), *_errors(endpoints)]
    lines += ["# HELP fondaco_request_seconds From a request read to its answer."]
    lines.append(_kind("request_seconds", "histogram"))
    for endpoint in endpoints:
        if endpoint.tally.statuses:
            lines += _histogram(endpoint)
    last = ""
    for metric in sorted(metrics, key=lambda each: each.name):
        if metric.name != last:
            lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
            last = metric.name
        lines.append(f"{metric.name}{metric.part}{_labels(metric.labels)} {metric.value:.12g}")
    return "\n".join(lines) + "\n"


def open_metrics(
    endpoints: Sequence[Endpoint], sockets: Tally | None, metrics: Iterable[Metric]
) -> str:
    """The same as OpenMetrics 1.0 has it: with the trace of a request beside its bucket."""
    shown: dict[str, str] = {}
    for endpoint in endpoints:
        for nth, found in endpoint.tally.examples.items():
            edge = str(EDGES_S[nth]) if nth < len(EDGES_S) else "+Inf"
            named = _labels((("trace_id", found.trace_id),))
            labels = _labels((("operation", endpoint.operation.name), ("le", edge)))
            bucket = f"fondaco_request_seconds_bucket{labels}"
            shown[bucket] = f" # {named} {found.seconds:.9g} {found.at_s:.3f}"
    lines = []
    for line in rendered(endpoints, sockets, metrics).splitlines():
        if line.startswith("#"):  # a counter is called without what its samples end in
            what, kind, name, text = line.split(" ", 3)
            line = f"{what} {kind} {name.removesuffix('_total')} {text}"
        lines.append(line + shown.get(line.rpartition(" ")[0], ""))
    return "\n".join([*lines, "# EOF"]) + "\n"


def _requests(endpoints: Sequence[Endpoint], sockets: Tally | None) -> Iterator[str]:
    yield "# HELP fondaco_requests_total Requests answered."
    yield _kind("requests_total", "counter")
    doors = [("http", each.operation.name, each.tally) for each in endpoints]
    if sockets is not None:
        doors.append(("ws", "trading.place_order", sockets))
    for door, name, tally in doors:
        for status, count in sorted(tally.statuses.items()):
            labels = (("operation", name), ("door", door), ("status", str(status)))
            yield f"fondaco_requests_total{_labels(labels)} {count}"


def _errors(endpoints: Sequence[Endpoint]) -> Iterator[str]:
    yield "# HELP fondaco_errors_total Errors by what they say, refusals by their reason."
    yield _kind("errors_total", "counter")
    for endpoint in endpoints:
        for code, count in sorted(endpoint.tally.codes.items()):
            labels = (("operation", endpoint.operation.name), ("code", code))
            yield f"fondaco_errors_total{_labels(labels)} {count}"


def _histogram(endpoint: Endpoint) -> Iterable[str]:
    name, total = endpoint.operation.name, 0
    for edge, count in zip((*map(str, EDGES_S), "+Inf"), endpoint.tally.buckets, strict=True):
        total += count
        labels = _labels((("operation", name), ("le", edge)))
        yield f"fondaco_request_seconds_bucket{labels} {total}"
    labels = _labels((("operation", name),))
    yield f"fondaco_request_seconds_sum{labels} {endpoint.tally.seconds:.9g}"
    yield f"fondaco_request_seconds_count{labels} {total}"


def _kind(name: str, kind: str) -> str:
    return f"# TYPE fondaco_{name} {kind}"


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    shown = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{shown}}}" if shown else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
