"""The page at GET /graphql."""

from typing import Final

PAGE: Final = b"<!doctype html><title>GraphQL</title><p>POST a document here."
PAGE_HEADERS: Final = ()
