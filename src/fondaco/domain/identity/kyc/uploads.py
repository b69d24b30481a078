"""Documents: uploaded in pieces, kept under their person's key, read by reviewers alone."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from typing import Any, Final

import msgspec

from fondaco.domain.identity.kyc import store
from fondaco.domain.identity.kyc.desk import DAY_NS, CaseDesk
from fondaco.domain.identity.kyc.events import DocumentAdded
from fondaco.domain.identity.kyc.model import (
    DOCUMENT_MAX,
    DOCUMENTS_MAX,
    PIECE_MAX,
    Case,
    Facts,
    MediaType,
    fits,
)
from fondaco.domain.identity.kyc.profiles import day_of
from fondaco.domain.identity.kyc.rules import check
from fondaco.domain.identity.kyc.shown import DocumentReply, DocumentShown, UploadReply
from fondaco.domain.identity.model import Caller
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound
from fondaco.kernel.event import Instant
from fondaco.kernel.instants import parsed_day
from fondaco.ports.store import Store

_BAD: Final = "bad_document"


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of a document, or all of it."""

    kind: str
    media_type: MediaType
    content: str  # base64
    sha256: str
    size: int
    offset: int
    expires_on: str


class Uploads:
    """Safe to call from any thread."""

    def __init__(
        self,
        records: Store,
        clock: Callable[[], Instant],
        random: Callable[[int], bytes],
        desk: CaseDesk,
    ) -> None:
        self._records, self._clock, self._random, self._desk = records, clock, random, desk

    def add(self, tenant: str, user: str, given: Upload) -> UploadReply:
        """Raises `Invalid` "bad_document", `Conflict` where no case waits for any."""
        content = _decoded(given.content)
        is_whole = not given.size and not given.offset
        size = len(content) if is_whole else given.size
        digest = given.sha256 or (sha256(content).hexdigest() if is_whole else "")
        self._check(given, content, size, digest)
        with self._records.writing() as conn:
            row, case = store.case_of(conn, tenant, user)
            check(case, DocumentAdded)
            if case.documents >= DOCUMENTS_MAX:
                raise Conflict(f"a case has at most {DOCUMENTS_MAX} documents", code="kyc_state")
            if not is_whole:
                content, here = self._gathered(conn, tenant, user, digest, given.offset, content)
                if here < size:
                    return _reply("more", here, "", case)
                store.take_pieces(conn, tenant, user, digest)
            _must_be(given.media_type, content, size, digest)
            document_id = f"doc_{self._random(8).hex()}"
            about = f"{tenant}/{user}"
            facts = msgspec.json.encode(Facts(digest, given.expires_on))
            seal = self._desk.sealing.seal
            store.add_document(
                conn, document_id=document_id, tenant=tenant, user=user, case_id=case.case_id,
                kind=given.kind, media_type=given.media_type, size=size,
                content=seal(content, about), facts=seal(facts, about), added_at=self._clock(),
            )  # fmt: skip
            work = self._desk.document_added(conn, row, case, document_id, given.kind, digest)
        return _reply("kept", size, document_id, self._desk.finish(work))

    def _check(self, given: Upload, content: bytes, size: int, digest: str) -> None:
        end = given.offset + len(content)
        checks = (
            (not content, "the document is empty"),
            (
                len(content) > PIECE_MAX,
                f"this is {len(content)} bytes; send at most {PIECE_MAX} at once, with size, "
                "offset and sha256 of the whole",
            ),
            (size > DOCUMENT_MAX, f"the document is {size} bytes, at most {DOCUMENT_MAX} are kept"),
            (end > size, f"the document ends at {size}; this goes on to {end}"),
            (not digest, "a document in pieces needs the sha256 of the whole"),
            (
                given.offset == 0 and not fits(given.media_type, content),
                f"the document does not begin as {given.media_type} does",
            ),
        )
        for is_wrong, text in checks:
            if is_wrong:
                raise Invalid(text, code=_BAD)
        if given.expires_on:
            _must_be_valid(given.expires_on, day_of(self._clock()))

    def _gathered(
        self, conn: Any, tenant: str, user: str, digest: str, offset: int, content: bytes
    ) -> tuple[bytes, int]:
        """What is there so far, with this piece, and up to where it has no gap."""
        about, at = f"{tenant}/{user}", self._clock()
        rows = store.pieces_of(conn, tenant, user)
        others = sum(row.size for row in rows if row.digest != digest)
        if others + offset + len(content) > DOCUMENT_MAX:
            raise Conflict(
                "other documents were begun and not ended: end them, or wait a day",
                code="kyc_state",
            )
        sealed = self._desk.sealing.seal(content, about)
        store.put_piece(conn, tenant, user, digest, offset, len(content), sealed, at)
        whole = b""
        for row in store.pieces_of(conn, tenant, user, digest):
            if row.offset > len(whole):
                break
            piece = self._desk.sealing.unseal(row.content, about)
            whole = whole[: row.offset] + piece
        return whole, len(whole)

    def read(self, caller: Caller, case_id: str, document_id: str) -> DocumentReply:
        """That it was read is told to the journal."""
        with self._records.reading() as conn:
            row = store.document(conn, caller.tenant, case_id, document_id)
        if row is None:
            raise NotFound(f"the case {case_id} has no document {document_id}")
        if row.user == caller.user:
            raise Denied("nobody reviews a case of their own", code="own_case")
        content = self._desk.sealing.unseal(row.content, f"{row.tenant}/{row.user}")
        self._desk.profiles.looked(row.tenant, row.user, document_id, caller.name)
        shown = msgspec.structs.asdict(self.shown(row))
        return DocumentReply(**shown, content=b64encode(content).decode())

    def shown(self, row: Any) -> DocumentShown:
        facts = self._desk.facts(row)
        return DocumentShown(
            document_id=row.document_id, kind=row.kind, media_type=row.media_type, size=row.size,
            sha256=facts.sha256, expires_on=facts.expires_on, added_at=str(row.added_at),
        )  # fmt: skip

    def forget_begun(self) -> None:
        """Pieces of what nobody has gone on with for a day."""
        with self._records.writing() as conn:
            store.take_old_pieces(conn, Instant(self._clock() - DAY_NS))


def _must_be_valid(expires_on: str, today: date) -> None:
    day = parsed_day(expires_on, "expires_on", _BAD)
    if day <= today:
        raise Invalid(f"the document has expired on {day}: send one that is valid", code=_BAD)


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError) as error:
        raise Invalid(f"content is no base64: {error}", code=_BAD) from error


def _must_be(media_type: MediaType, content: bytes, size: int, digest: str) -> None:
    if len(content) != size or sha256(content).hexdigest() != digest:
        raise Invalid(
            "the document did not arrive whole: its SHA-256 is another; send it again", code=_BAD
        )
    if not fits(media_type, content):
        raise Invalid(f"the document does not begin as {media_type} does", code=_BAD)


def _reply(state: Any, received: int, document_id: str, case: Case) -> UploadReply:
    return UploadReply(
        state=state, received=received, document_id=document_id, kyc_state=case.state,
        needed=list(case.needed),
    )  # fmt: skip
