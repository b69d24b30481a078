"""The dispute pack of an assessment: everything that somebody outside needs to work out its verdict
without us. All of it lies in proven entries of the journal; nothing is said beside them."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from fondaco.app.assessments import verify
from fondaco.app.proofs import signature_verifier_text, verifier_text
from fondaco.domain.evaluation.assessments.events import AssessmentCreated
from fondaco.domain.evaluation.assessments.model import (
    Assessment,
    account_id,
    assessment_stream,
)
from fondaco.domain.evaluation.wording import wording
from fondaco.domain.reference.events import InstrumentListed
from fondaco.domain.reference.model import HOUSE_STREAM
from fondaco.domain.trading.model import account_stream
from fondaco.kernel.errors import Refused, Unavailable
from fondaco.kernel.event import Entry
from fondaco.ports.journal import Journal
from fondaco.runtime.proofs.proving import Proofs

ENTRIES_MAX: Final = 20_000
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the same pack is the same bytes


def pack(state: Assessment, journal: Journal, proofs: Proofs) -> bytes:
    """A zip. Raises `Refused` for more entries than a pack has, and `Unavailable` while the newest
    are not hashed yet."""
    entries = list(_entries(state, journal))
    if len(entries) > ENTRIES_MAX:
        raise Refused(
            f"the assessment has {len(entries)} entries, a pack at most {ENTRIES_MAX}",
            code="pack_too_large",
        )
    last = max(entry.position for entry in entries)
    size = proofs.size
    published = [root for root in proofs.published() if root.size >= last]
    root: Any = published[0] if published else None
    if root is None and size < last:
        raise Unavailable(f"{size} of {last} entries are hashed; ask again", code="view_behind")
    size = root.size if root is not None else size
    head = msgspec.to_builtins(root) if root is not None else {"size": size}
    head["root"] = proofs.root(size)
    terms = next(e.event.terms for e in entries if isinstance(e.event, AssessmentCreated))
    files = {
        "terms.json": terms.encode(),
        "rules.txt": _rules(state).encode(),
        "root.json": json.dumps(head, indent=1).encode(),
        "entries.json": msgspec.json.encode(
            [proofs.inclusion(entry.position, size) for entry in entries]
        ),
        "verifier.py": verifier_text().encode(),
        "signatures.py": signature_verifier_text().encode(),
        "verify.py": Path(verify.__file__).read_bytes(),
    }
    return _zipped(state, files)


def _entries(state: Assessment, journal: Journal) -> Iterator[Entry]:
    """Of the assessment, of all its accounts, and of what they could trade."""
    yield from journal.read(assessment_stream(state.assessment_id))
    for nth in range(1, state.accounts + 1):
        yield from journal.read(account_stream(account_id(state.assessment_id, nth)))
    for entry in journal.read(HOUSE_STREAM):
        if isinstance(entry.event, InstrumentListed):
            yield entry


def _rules(state: Assessment) -> str:
    assert state.tier is not None  # noqa: S101  # it was created
    lines: list[str] = []
    for heading, sentences in wording(state.tier):
        lines += [heading, *(f"  {each}" for each in sentences), ""]
    return "\n".join(lines)


def _zipped(state: Assessment, files: dict[str, bytes]) -> bytes:
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = {
        "assessment_id": state.assessment_id,
        "state": state.state,
        "fingerprint": state.fingerprint,
        "files": hashes,
    }
    files["manifest.json"] = json.dumps(manifest, indent=1, sort_keys=True).encode()
    files["SHA256"] = hashlib.sha256(files["manifest.json"]).hexdigest().encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()
