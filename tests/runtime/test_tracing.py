"""Times beside the journal, spans made of both, and their way to a collector."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from fondaco.kernel import trace
from fondaco.kernel.codec import Codec
from fondaco.kernel.errors import Invalid, Unavailable
from fondaco.kernel.event import (
    CommandId,
    Decision,
    Event,
    Instant,
    StreamId,
    message_id,
    request_id,
)
from fondaco.ports.journal.memory import MemoryJournal
from fondaco.runtime.committer import Answer, Committer, Lease, Turn
from fondaco.runtime.tracing import otlp
from fondaco.runtime.tracing.export import Away, Collector, Exporter
from fondaco.runtime.tracing.hops import EDGES_US, Histogram, Hops
from fondaco.runtime.tracing.looking import Beside, Traced
from fondaco.runtime.tracing.noting import FILES, Noted, Notes
from fondaco.runtime.tracing.prices import PricePath
from fondaco.runtime.tracing.rows import Commit, Request, Shown
from fondaco.runtime.tracing.spans import Posts, Span
from fondaco.runtime.tracing.watch import COMMITS, REQUESTS, SHOWN, HouseWatch, ViewsWatch

QUOTA = 1 << 24
US = 1_000


class Said(Event, frozen=True, gc=False, tag="test.said.v1"):
    text: str


class Booked(Event, frozen=True, gc=False, tag="test.booked.v1"):
    text: str


CODEC = Codec(Said | Booked)
ROW = Commit(1, 2, 10, 1, 2, [0, 1], [3, 4])


# --- Rows ---------------------------------------------------------------------------------------


def commits(folder: Path, quota: int = QUOTA) -> Notes[Commit]:
    return Notes(folder, COMMITS, lambda row: (row.first, row.last), quota)


def row(first: int, count: int = 1) -> Commit:
    return Commit(first, first + count - 1, first * 10, 1, 2, [0], [5])


@given(st.lists(st.lists(st.integers(1, 4), max_size=5), max_size=8), st.integers(1, 3))
def test_what_was_noted_is_read_once_and_in_order_and_found(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], lives: int
) -> None:
    folder = tmp_path_factory.mktemp("notes")
    reader, found, first = Noted(folder, COMMITS, Commit), [], 1
    written: list[Commit] = []
    for _ in range(lives):
        notes = commits(folder)
        for batch in batches:
            for count in batch:
                written.append(row(first, count))
                notes.add(written[-1])
                first += count
            notes.flush()
            found += reader.more()
        notes.close()
    while rows := reader.more():
        found += rows
    assert found == written
    assert notes.lost == 0
    again = Noted(folder, COMMITS, Commit)
    for one in written:
        assert one in list(again.around(one.last))
    assert [each for each in again.around(first) if each.last >= first] == []


def test_what_a_death_has_torn_off_is_passed_over(tmp_path: Path) -> None:
    notes = commits(tmp_path)
    notes.add(row(1))
    notes.flush()
    reader = Noted(tmp_path, COMMITS, Commit)
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) - 1])
    assert reader.more() == [row(1)]
    assert reader.more() == []
    notes = commits(tmp_path)  # the next life
    notes.add(row(2))
    notes.flush()
    assert reader.more() == [row(2)]
    assert list(Noted(tmp_path, COMMITS, Commit).around(2)) == [row(2)]


def test_the_oldest_files_go_when_all_are_too_large(tmp_path: Path) -> None:
    notes = commits(tmp_path, quota=FILES * 100)
    for first in range(1, 400):
        notes.add(row(first))
        notes.flush()
    files = list(tmp_path.iterdir())
    assert len(files) <= FILES
    assert sum(path.stat().st_size for path in files) < (FILES + 1) * 200
    found = [each.first for each in Noted(tmp_path, COMMITS, Commit).more()]
    assert found[0] > 100
    assert list(Noted(tmp_path, COMMITS, Commit).around(399)) == [row(399)]


def test_a_disk_that_refuses_costs_rows_and_nobody_else_anything(tmp_path: Path) -> None:
    notes = commits(tmp_path / "never" / "made")
    (tmp_path / "never").write_text("a file where a folder should be")
    notes.add(row(1))
    notes.flush()
    assert notes.lost == 1


# --- What the committer notes --------------------------------------------------------------------


class Ticking:
    """A clock on which every look takes a microsecond."""

    def __init__(self, at: int = 1_000_000) -> None:
        self.at = at

    def __call__(self) -> int:
        self.at += US
        return self.at


def turn(stream: str, version: int, count: int, lease: Lease | None = None) -> Turn:
    events = tuple(Said(str(nth)) for nth in range(count))
    cause = request_id(f"{stream}-{version}", "x")
    decision = Decision(StreamId(stream), version, cause, Instant(1), 0, events)
    return Turn(decision.stream, decision, Answer(), lease or Lease())


def test_each_turn_of_a_group_has_its_time_and_what_was_not_written_has_none(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        clock = Ticking()
        watch = HouseWatch(tmp_path, clock, QUOTA)
        journal = MemoryJournal(CODEC)
        committer = Committer(journal, watch=watch)
        lost = Lease(Unavailable("lost"))
        decided = []
        for made in (
            turn("a", 0, 2),
            turn("b", 0, 1, lost),
            Turn(StreamId("a"), None, Answer(), Lease()),  # a retry decides nothing
            turn("c", 0, 3),
        ):
            committer.enqueue(made)
            decided.append(clock.at)
        running = asyncio.create_task(committer.run())
        committer.close()
        await running
        watch.flush()
        beside = Beside(tmp_path)
        found = [beside.commit(position) for position in range(1, 7)]
        assert found[5] is None
        commit = found[0]
        assert commit is not None
        assert found[:5] == [commit] * 5
        assert (commit.first, commit.last) == (1, 5)
        assert [commit.decided(at) for at in range(1, 6)] == [decided[0]] * 2 + [decided[3]] * 3
        assert decided[3] < commit.began < commit.durable < commit.told

    asyncio.run(run())


# --- Spans ----------------------------------------------------------------------------------------


class History:
    """A journal with its times beside it, made by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = MemoryJournal(CODEC)
        self.clock = Ticking()
        self.watch = HouseWatch(folder, self.clock, QUOTA)
        self.views = ViewsWatch(folder, self.clock, QUOTA, lambda _: None)
        self.versions: dict[str, int] = {}

    def write(self, stream: str, cause: CommandId, *events: Event, at: int = 0) -> Sequence[Any]:
        """One turn in a group of its own, with all its times."""
        at = at or self.clock()
        decided = self.clock()
        version = self.versions.get(stream, 0)
        decision = Decision(StreamId(stream), version, cause, Instant(at), 0, events)
        self.versions[stream] = version + len(events)
        began = self.clock()
        entries = self.journal.append([decision])
        self.watch.committed(
            [entries[0].position], [decided], entries[-1].position, began, self.clock()
        )
        self.watch.flush()
        return entries

    def show(self, entries: Sequence[Any]) -> None:
        self.views.shown(entries, self.clock(), {"trading_v1": 5, "ledger_v1": 7})

    def order(self, key: str, at: int = 0) -> list[Any]:
        """A request to an account, what the venue says to it, and what the account books."""
        [asked] = self.write("account/a", request_id(key, "x"), Said("accepted"), at=at)
        cause = message_id(asked.stream, asked.version)
        [done] = self.write("venue/P/X", cause, Said("executed"))
        cause = message_id(done.stream, done.version)
        booked = self.write("account/a", cause, Booked("one"), Said("two"))
        entries = [asked, done, *booked]
        self.show(entries)
        return entries

    def exporter(self, send: Callable[[bytes], int], position: int = 0) -> Exporter:
        return Exporter(
            self.journal,
            Noted(self.folder, COMMITS, Commit),
            Noted(self.folder, REQUESTS, Request),
            Noted(self.folder, SHOWN, Shown),
            send,
            lambda: 10**18 if self.clock.at > 10**17 else self.clock.at,
            resource=otlp.resource([("service.name", "fondaco")]),
            version="1",
            position=position,
            posts=Posts("ledger_v1", frozenset({"test.booked.v1"})),
        )


def decoded(content: bytes) -> list[Any]:
    request = ExportTraceServiceRequest.FromString(content)
    [resource] = request.resource_spans
    [scope] = resource.scope_spans
    assert scope.scope.name == otlp.SCOPE
    return list(scope.spans)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


class Sent:
    def __init__(self) -> None:
        self.spans: list[Any] = []

    def __call__(self, content: bytes) -> int:
        self.spans += decoded(content)
        return 0


def test_an_order_is_one_trace_from_its_request_to_the_views(history: History) -> None:
    entries = history.order("mine")
    sent = Sent()
    exporter = history.exporter(sent)
    assert exporter.step()
    assert not exporter.step()
    assert exporter.progress.position == 4
    assert [span.name for span in sent.spans] == [
        "request account", "decide account", "commit account", "views account",
        "deliver venue", "decide venue", "commit venue", "views venue",
        "deliver account", "decide account", "commit account", "postings account", "views account",
    ]  # fmt: skip
    assert exporter.progress.sent == len(sent.spans)
    expected = trace.trace_of(entries[0].stream, entries[0].caused_by)
    assert {span.trace_id.hex() for span in sent.spans} == {expected}
    root, *others = sent.spans
    assert root.parent_span_id == b""
    assert root.span_id.hex() == trace.request_span(entries[0].at)
    ids = [span.span_id for span in sent.spans]
    assert len(set(ids)) == len(ids)
    named = {span.span_id: span for span in sent.spans}
    for span in others:
        assert span.parent_span_id in named
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
    deliveries = [span for span in sent.spans if span.name.startswith("deliver")]
    assert deliveries[0].parent_span_id == root.span_id
    assert deliveries[1].parent_span_id == deliveries[0].span_id
    took = {
        span.name: span.end_time_unix_nano - span.start_time_unix_nano for span in sent.spans[:4]
    }
    assert took["decide account"] == US
    assert took["commit account"] == 2 * US
    postings = next(span for span in sent.spans if span.name == "postings account")
    assert postings.end_time_unix_nano - postings.start_time_unix_nano == 7


def test_a_trace_that_the_caller_named_is_gone_on_with(history: History) -> None:
    at = history.clock()
    history.watch.note(Request(at, "a" * 32, "b" * 16, "corr", "trading.place_order"))
    history.order("mine", at=at)
    sent = Sent()
    history.exporter(sent).step()
    assert {span.trace_id.hex() for span in sent.spans} == {"a" * 32}
    assert sent.spans[0].parent_span_id.hex() == "b" * 16
    told = {each.key: each.value.string_value for each in sent.spans[0].attributes}
    assert told["fondaco.correlation_id"] == "corr"
    assert told["fondaco.operation"] == "trading.place_order"


def test_several_commands_of_one_request_are_one_trace_with_one_root(history: History) -> None:
    at = history.clock()
    request = Request(at, "a" * 32, "", "corr", "trading.place_orders", has_end=True)
    history.watch.note(request)
    for key in ("one", "two"):
        history.order(key, at=at)
    ended = Request(at, "a" * 32, "", "corr", "trading.place_orders", True, at + 99_000, 200)
    history.watch.note(ended)
    history.watch.flush()
    sent = Sent()
    exporter = history.exporter(sent)
    while exporter.step():
        pass
    roots = [span for span in sent.spans if not span.parent_span_id]
    assert [root.name for root in roots] == ["request trading.place_orders"]
    assert roots[0].end_time_unix_nano == at + 99_000
    ids = [span.span_id for span in sent.spans]
    assert len(set(ids)) == len(ids)
    below = [span for span in sent.spans if span.parent_span_id == roots[0].span_id]
    assert sum(span.name == "decide account" for span in below) == 2


def test_what_a_watcher_sets_off_begins_a_trace(history: History) -> None:
    [entry] = history.write("account/a", CommandId("trigger/7/99"), Said("triggered"))
    history.show([entry])
    sent = Sent()
    history.exporter(sent).step()
    assert [span.name for span in sent.spans][:2] == ["watch account", "decide account"]


@pytest.mark.parametrize("position", [1, 2])
def test_who_comes_along_later_tells_the_same_spans(history: History, position: int) -> None:
    """Causes are looked up in the journal, their times beside it."""
    history.order("mine")
    whole, part = Sent(), Sent()
    history.exporter(whole).step()
    history.exporter(part, position).step()
    assert part.spans == whole.spans[-len(part.spans) :]


def test_spans_wait_for_their_times_and_not_for_ever(history: History) -> None:
    [entry] = history.write("account/a", request_id("k", "x"), Said("accepted"))
    sent = Sent()
    exporter = history.exporter(sent)
    assert not exporter.step()  # no view has shown it yet
    assert sent.spans == []
    history.show([entry])
    assert exporter.step()
    assert [span.name for span in sent.spans][-1] == "views account"
    history.write("account/a", request_id("l", "x"), Said("accepted"))
    assert not exporter.step()
    history.clock.at = 10**17 + 1  # long after
    assert exporter.step()
    assert [span.name for span in sent.spans][4:] == [
        "request account", "decide account", "commit account",
    ]  # fmt: skip


def test_a_collector_that_is_away_loses_nothing_and_one_that_refuses_is_counted(
    history: History,
) -> None:
    history.order("one")
    answers: list[Exception | int] = [Away("no"), 3]
    sent = Sent()

    def send(content: bytes) -> int:
        if answers:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            sent(content)
            return answer
        return sent(content)

    exporter = history.exporter(send)
    with pytest.raises(Away):
        exporter.step()
    assert exporter.progress.position == 0
    history.order("meanwhile")
    assert exporter.step()
    assert (exporter.progress.sent, exporter.progress.dropped) == (10, 3)
    assert exporter.progress.position == 4
    assert len(sent.spans) == 13


def test_who_is_too_far_behind_goes_on_and_counts_what_was_left_out(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondaco.runtime.tracing.export.BEHIND_MAX", 4)
    for nth in range(3):
        history.order(str(nth))
    sent = Sent()
    exporter = history.exporter(sent)
    while exporter.step():
        pass
    assert exporter.progress.skipped == 8
    assert exporter.progress.position == 12
    assert len(sent.spans) == 13


def test_one_who_asks_about_an_entry_is_told_the_same_spans(history: History) -> None:
    entries = history.order("mine")
    sent = Sent()
    history.exporter(sent).step()
    beside = Beside(history.folder, Posts("ledger_v1", frozenset({"test.booked.v1"})))
    trace_id, spans = Traced(history.journal, beside).spans(entries[2])
    assert trace_id == sent.spans[0].trace_id.hex()
    assert [(each.name, each.start, each.end) for each in spans] == [
        (each.name, each.start_time_unix_nano, each.end_time_unix_nano) for each in sent.spans[8:]
    ]
    assert Traced(history.journal, None).spans(entries[2]) == (trace_id, [])


# --- Hops -----------------------------------------------------------------------------------------


def test_hops_are_summed_up_from_what_was_noted(history: History) -> None:
    noted = Noted(history.folder, COMMITS, Commit)
    history.order("before anybody looks")
    hops = Hops(noted, venues="venue/", executions=frozenset({"test.booked.v1"}))
    for key in ("one", "two"):
        hops.hear(history.order(key))
    assert not hops.step()
    counts = {name: found.count for name, found in hops.histograms.items()}
    assert counts == {"decided": 2, "durable": 6, "routed": 2, "filled": 2, "told": 6}
    assert hops.histograms["decided"].sum_us == 2
    assert hops.histograms["durable"].sum_us == 12  # decided, begun, durable: a microsecond each


@given(st.lists(st.integers(0, EDGES_US[-1]), min_size=1), st.sampled_from([0.5, 0.99, 1.0]))
def test_a_percentile_lies_in_the_bucket_of_the_one_that_it_stands_for(
    waits: list[int], share: float
) -> None:
    histogram = Histogram()
    for us in waits:
        histogram.add(us * US)
    rank = max(int(len(waits) * share + 0.999999), 1)
    exact = sorted(waits)[rank - 1]
    found = histogram.quantile_us(share)
    lower = max((edge for edge in EDGES_US if edge < exact), default=0)
    upper = min(edge for edge in EDGES_US if edge >= exact)
    assert lower <= found <= upper
    assert histogram.sum_us == sum(waits)


# --- OTLP -----------------------------------------------------------------------------------------

ids = st.text("0123456789abcdef", min_size=16, max_size=16)
spans_made = st.builds(
    Span,
    trace_id=st.text("0123456789abcdef", min_size=32, max_size=32),
    span_id=ids,
    parent_id=st.just("") | ids,
    name=st.text(max_size=200),
    kind=st.sampled_from([1, 2, 5]),
    start=st.integers(0, 2**63),
    end=st.integers(0, 2**63),
    attributes=st.lists(
        st.tuples(st.text(min_size=1), st.text(max_size=300) | st.integers(0, 2**63 - 1)),
        max_size=4,
    ).map(tuple),
)


@given(st.lists(spans_made, max_size=5))
def test_the_official_package_reads_what_we_write(spans: list[Span]) -> None:
    content = otlp.encoded(otlp.resource([("service.name", "x"), ("n", 7)]), "1.2", spans)
    request = ExportTraceServiceRequest.FromString(content)
    [resource] = request.resource_spans
    assert [each.key for each in resource.resource.attributes] == ["service.name", "n"]
    [scope] = resource.scope_spans
    assert (scope.scope.name, scope.scope.version) == ("fondaco", "1.2")
    found = [
        Span(
            each.trace_id.hex(),
            each.span_id.hex(),
            each.parent_span_id.hex(),
            each.name,
            each.kind,
            each.start_time_unix_nano,
            each.end_time_unix_nano,
            tuple(
                (one.key, one.value.int_value)
                if one.value.HasField("int_value")
                else (one.key, one.value.string_value)
                for one in each.attributes
            ),
        )
        for each in scope.spans
    ]
    assert found == spans


@given(st.integers(0, 2**40), st.text())
def test_what_a_collector_did_not_take_is_read(count: int, text: str) -> None:
    reply = ExportTraceServiceResponse()
    reply.partial_success.rejected_spans = count
    reply.partial_success.error_message = text
    assert otlp.rejected(reply.SerializeToString()) == count


@given(st.binary())
def test_any_other_reply_stops_nobody(reply: bytes) -> None:
    assert otlp.rejected(reply) >= 0


@pytest.mark.parametrize("url", ["", "localhost:4318", "ftp://here", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="http://host:4318"):
        Collector(url, {})


def test_what_a_recording_says_of_its_time_is_not_counted() -> None:
    path = PricePath()
    second = 1_000_000_000
    for said, at in ((0, 2), (0, second), (2, 0), (0, 61 * second), (0, 10**18)):
        path.arrived(said, at)
    travelled = path.histograms["price_travelled"]
    assert (travelled.count, travelled.sum_us) == (3, 1_000_000)
    path.took(5_000, 7_000)
    path.told(11_000)
    sums = [path.histograms[f"price_{hop}"].sum_us for hop in ("taped", "shown", "told")]
    assert sums == [5, 7, 11]
