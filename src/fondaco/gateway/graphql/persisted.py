"""Documents that are known by their SHA-256.

Automatic persisted queries: a client sends the hash alone; where nobody knows it, it is told so,
and sends hash and text once. Those who are known may leave a document; the ones used longest ago
make room. With a list (a JSON object, documents under any names) nothing else is executed.
"""

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from fondaco.kernel.errors import Denied, Invalid, NotFound

DOCUMENTS_MAX: Final = 1_000
BYTES_MAX: Final = 8 << 20


def hash_of(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def allowed(path: Path) -> dict[str, str]:
    """Documents of a list by their hash. Raises `Invalid`."""
    try:
        named = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError) as error:
        raise Invalid(
            f"{path} is no list of documents ({error}): it must be a JSON object, a name and the "
            "text of a document each"
        ) from error
    return {hash_of(text): text for text in named.values()}


class Documents:
    """Belongs to one thread."""

    def __init__(self, listed: Mapping[str, str] | None = None) -> None:
        """`listed` are the only ones that are executed; None: any."""
        self._listed = listed
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0

    def text(self, query: str | None, extensions: Mapping[str, Any], *, may_keep: bool) -> str:
        """The document that a request means. Raises `Invalid`, `NotFound`, `Denied`."""
        told = extensions.get("persistedQuery")
        name = ""
        if told is not None:
            if not isinstance(told, Mapping) or told.get("version") != 1:
                raise Invalid("persistedQuery must be an object whose version is 1")
            name = str(told.get("sha256Hash", "")).lower()
        if query is None:
            return self._known(name)
        if name and hash_of(query) != name:
            raise Invalid("sha256Hash is not the SHA-256 of this query")
        if self._listed is not None:
            if hash_of(query) not in self._listed:
                raise _not_listed()
        elif name and may_keep:
            self._keep(name, query)
        return query

    def _known(self, name: str) -> str:
        if not name:
            raise Invalid('there is no query: send {"query": "…"}')
        if self._listed is not None:
            if name not in self._listed:
                raise _not_listed()
            return self._listed[name]
        found = self._kept.get(name)
        if found is None:
            raise NotFound("PersistedQueryNotFound", code="PERSISTED_QUERY_NOT_FOUND")
        self._kept.move_to_end(name)
        return found

    def _keep(self, name: str, query: str) -> None:
        if name not in self._kept:
            self._bytes += len(query)
        self._kept[name] = query
        self._kept.move_to_end(name)
        while len(self._kept) > DOCUMENTS_MAX or self._bytes > BYTES_MAX:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= len(gone)


def _not_listed() -> Denied:
    return Denied(
        "this house executes the documents of its list only; ask whoever keeps it to add yours",
        code="document_not_listed",
    )
