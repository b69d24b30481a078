"""`fondaco fix search`: over files, a data directory, or a running house."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fondaco.app.files import Files
from fondaco.app.fix.reading import read
from fondaco.app.fix.sessions import Remote
from fondaco.app.fix.store import open_messages
from fondaco.domain.fix.api import Sighting, Tally
from fondaco.domain.fix.search.asking import asked
from fondaco.domain.fix.search.model import Asked, Query
from fondaco.domain.fix.search.redaction import redacted
from fondaco.domain.fix.search.rules import answers
from fondaco.domain.fix.search.telling import name_of, summary, written
from fondaco.domain.fix.store import messages as kept
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.kernel.instants import moment

PAGE: Final = 200
Hit = dict[str, Any]


def in_files(text: str, paths: Sequence[Path], limit: int) -> Iterator[Hit]:
    """Messages of captures and logs that answer, in their order; each file is read through."""
    query, left = asked(text), limit
    for path in paths:
        tally = Tally()
        found: list[Hit] = []

        def see(
            seen: list[Sighting], tally: Tally = tally, found: list[Hit] = found, path: Path = path
        ) -> None:
            for each in seen:
                hit = _of_sighting(each, tally, query)
                if hit is not None:
                    found.append({**hit, "file": path.name, "offset": each.offset})

        read(path, see, lambda _: None)
        for hit in found:
            if left == 0:
                return
            left -= 1
            yield hit


def _of_sighting(seen: Sighting, tally: Tally, query: Query) -> Hit | None:
    line = tally.line_of(seen)
    raw = redacted(bytes(seen.raw))
    message = Asked(seen.at, str(line.session.name), "out" if line.side else "in", raw)
    return _hit(message, seen.msg_type, int(seen.seq)) if answers(message, query) else None


def in_folder(text: str, files: Files, limit: int) -> Iterator[Hit]:
    """Messages that a house has kept for search, the newest first."""
    if not files.messages.exists():
        raise NotFound(f"{files.root} holds no messages; name the data directory of a house")
    query, span, left = asked(text), kept.span_of(), limit
    with closing(open_messages(files)) as store, store.reading() as conn:
        while left:
            page = kept.search(conn, query, span, min(left, PAGE))
            for each in page.items:
                left -= 1
                yield {"id": kept.name_of(each.id), **_hit(each.asked, each.msg_type, each.seq_num)}
            if page.next is None:
                return
            span = kept.Span(span.above, page.next)


def in_house(text: str, remote: Remote, limit: int) -> Iterator[Hit]:
    """Messages of a running house, the newest first."""
    cursor, left = "", limit
    while left:
        query = urlencode({"query": text, "limit": min(left, PAGE), "cursor": cursor})
        page = remote.get(f"/api/fix/messages?{query}")
        for each in page["items"]:
            left -= 1
            yield each
        if page["next"] is None:
            return
        cursor = page["next"]


def _hit(message: Asked, msg_type: str, seq_num: int) -> Hit:
    return {
        "at": moment(message.at),
        "session": message.session,
        "direction": message.direction,
        "msg_type": msg_type,
        "name": name_of(message.raw),
        "seq_num": seq_num,
        "summary": summary(message.raw),
        "raw": written(message.raw),
    }


def line_of(hit: Hit, form: str) -> str:
    """A line for a terminal: "short", "raw" or "json"."""
    if form == "json":
        return json.dumps(hit, ensure_ascii=False)
    if form == "raw":
        if "raw" not in hit:
            raise Invalid("a house lists messages without their bytes: leave --raw out with --url")
        return str(hit["raw"])
    way = "<" if hit["direction"] == "in" else ">"
    name = hit["name"] or hit["msg_type"]
    return f"{hit['at']} {hit['session']} {way} {hit['seq_num']} {name}  {hit['summary']}".rstrip()
