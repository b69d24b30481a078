"""One FIX message's way through the house, joined by one trace: `fondaco fix why`.

Nothing is noted for it: the tape has the message, the journal the command that it was, the records
the alerts that it proves, manifests and places where it is kept and who was told.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final, NamedTuple

import msgspec

from fondaco.app.files import Files
from fondaco.app.fix.archive import manifest
from fondaco.app.fix.carrying import Place
from fondaco.app.fix.measures import lake_of
from fondaco.app.fix.tracing import trace_of_message
from fondaco.domain.fix.message import loose, what_is_wrong
from fondaco.domain.fix.search.telling import name_of as type_name
from fondaco.domain.fix.store import messages as kept
from fondaco.domain.fix.trailing import TrailReply, TrailStep
from fondaco.domain.surveillance import store as alerts
from fondaco.domain.trading.why import Why, WhyStep
from fondaco.gateway.fix.keeping import source_of
from fondaco.kernel.errors import NotFound
from fondaco.kernel.instants import moment

ALERTS_MAX: Final = 10_000
_ORDERS: Final = frozenset("DFG89")
_NEVER: Final = 2**62
Explain = Callable[[str], Why]  # an order's life, by its id or its client's


class Kept(NamedTuple):
    """What a trail is read from: open stores, and the journal's explanation."""

    files: Files
    messages: Any
    records: Any
    explain: Explain


def trail(of: Kept, message_id: str) -> TrailReply:
    """Raises `NotFound`."""
    id = kept.id_named(message_id)
    found = kept.one(of.messages, id) if id >= 0 else None
    if found is None:
        raise NotFound(f"there is no FIX message {message_id[:40]!r}; search tells their ids")
    own = trace_of_message(found.session, found.id)
    wrong = what_is_wrong(loose(found.raw))
    engine, trace_id = _engine(of.explain, found, wrong) if not kept.capture_of(id) else ([], own)
    trace_id = trace_id or own
    steps = [*_came(found, wrong, trace_id), *engine]
    if not engine and not kept.capture_of(id):
        reason = f"it is garbled, {wrong}" if wrong else "it is the session's own, or is no order"
        said = f"not handed to the engine: {reason}; the detectors were shown it as it came"
        steps.append(TrailStep("engine", None, said, trace_id))
    steps += _security(of.records, found, trace_id)
    steps += _storage(of.files, found, trace_id)
    return TrailReply(message_id, found.session, trace_id, steps)


def _came(found: kept.Kept, wrong: str | None, trace_id: str) -> Iterator[TrailStep]:
    at = moment(found.at)
    verb = "received from" if found.direction == "in" else "sent to"
    name = type_name(found.raw) or "bytes"
    number = f" {found.seq_num}" if found.seq_num >= 0 else ""
    yield TrailStep("message", at, f"{name}{number} {verb} {found.session}", trace_id)
    capture = kept.capture_of(found.id)
    place = f"read from capture {capture}" if capture else f"on the tape at {found.id}"
    said = f"{place}, {len(found.raw)} bytes{f', garbled: {wrong}' if wrong else ''}"
    yield TrailStep("ingestion", at, said, trace_id)


def _engine(explain: Explain, found: kept.Kept, wrong: str | None) -> tuple[list[TrailStep], str]:
    """Entries of the journal that the message led to, or that it tells of; and their trace."""
    message = loose(found.raw)
    if wrong or found.msg_type not in _ORDERS:
        return [], ""
    asked = message.text(11) or ""
    for name in (message.text(37) or "", asked):
        try:
            life = explain(name) if name else None
        except NotFound:
            continue
        if life is not None and life.steps:
            break
    else:
        return [], ""
    began = [each for each in life.steps if found.direction == "in" and _is_of(each, asked)]
    trace_id = began[0].trace_id if began else life.trace_id
    steps = [each for each in life.steps if not began or each.trace_id == trace_id]
    return [step for each in steps for step in _told(each, life.about)], trace_id


def _is_of(step: WhyStep, asked: str) -> bool:
    """Whether a client's request of that name set it off."""
    return any(cause.by == "request" and cause.id.endswith(asked) for cause in step.causes)


def _told(step: WhyStep, order: str) -> Iterator[TrailStep]:
    took = ", ".join(f"{each.name} {each.took_us} µs" for each in step.spans)
    said = f"{step.stream}: {step.said}{f' ({took})' if took else ''}"
    yield TrailStep("engine", step.at, said, step.trace_id, step.position, order)
    if step.checks:
        rules = ", ".join(f"{each.name} {each.left} {each.unit}" for each in step.checks)
        said = f"{len(step.checks)} rules were weighed; left before it: {rules}"
        yield TrailStep("compliance", step.at, said, step.trace_id, step.position, order)


def _security(records: Any, found: kept.Kept, trace_id: str) -> Iterator[TrailStep]:
    capture, name = kept.capture_of(found.id), kept.name_of(found.id)
    page = alerts.page(
        records, below=_NEVER, limit=ALERTS_MAX, capture=capture, after=found.at,
    )  # fmt: skip
    proves = [each for each in page if any(proof.message == name for proof in each.proofs)]
    for each in reversed(proves):
        said = f"it proves an alert, {each.severity.name.lower()}: {each.title}: {each.reason}"
        yield TrailStep("security", moment(each.last_at), said, trace_id, None, each.alert)
    if not proves:
        yield TrailStep("security", None, "shown to the detectors; it proves no alert", trace_id)


def _storage(files: Files, found: kept.Kept, trace_id: str) -> Iterator[TrailStep]:
    yield TrailStep("storage", None, "found by search", trace_id, None, files.messages.name)
    if kept.capture_of(found.id):
        return
    archived = [
        each for each in manifest(files.fix_archive).files if each.first <= found.id <= each.last
    ]
    for file in archived:
        yield TrailStep("storage", None, "may be in the archive", trace_id, None, file.file)
    source = source_of(found.session)  # type: ignore[arg-type]  # the name is all of it
    lake = lake_of(files)
    if lake is not None:
        carried = lake.positions().get(source, -1) >= found.id
        said = "in the columns" if carried else "in the columns within about a minute"
        parts = lake.parts(found.at, found.at + 1, found.session) if carried else []
        yield TrailStep("analytics", None, said, trace_id, None, parts[0].path if parts else "")
    for path in sorted(files.places.glob("bus-*.json")):
        place = msgspec.json.decode(path.read_bytes(), type=Place)
        told = place.sources.get(source, -1) >= found.id
        said = f"{'published' if told else 'waits to be published'} to {place.to}"
        yield TrailStep("analytics", None, said, trace_id)


def trail_in(files: Files, message_id: str) -> TrailReply:
    """Of a data directory, whether a house runs on it or not."""
    from fondaco.app.fix.store import open_messages
    from fondaco.app.machines import open_records
    from fondaco.app.offline import explaining

    if not files.messages.exists():
        raise NotFound(f"{files.root} holds no messages; name the data directory of a house")
    with (
        closing(open_messages(files)) as store,
        closing(open_records(files)) as records,
        explaining(files) as explain,
    ):
        records.create(alerts.metadata)
        with store.reading() as conn, records.reading() as recorded:
            return trail(Kept(files, conn, recorded, explain), message_id)


def lines_of(found: TrailReply) -> Iterator[str]:
    """For people."""
    yield f"message {found.message} of {found.session}: trace {found.trace_id}"
    for each in found.steps:
        where = f" @{each.position}" if each.position is not None else ""
        more = f"  [{each.reference}]" if each.reference else ""
        yield f"{each.at or '':<27} {each.stage:<10}{where} {each.said}{more}"
        if each.trace_id != found.trace_id:
            yield f"{'':<27} {'':<10} of trace {each.trace_id}"
