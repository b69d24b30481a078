"""Names that others rely on."""

from typing import Final

from fondaco.kernel.event import StreamId

PREFIX: Final = "audit/"
NOBODY: Final = "~"  # the stream of those who were not known; no tenant may be called so


def stream_of(tenant: str) -> StreamId:
    return StreamId(PREFIX + (tenant or NOBODY))
