"""A document as a PDF, through Typst, with the fonts that come with it: no printer, no browser.

Everything goes in as one JSON text and is never read as markup. PDF/A-2b (ISO 19005-2), dated as of
the report, so that the same document gives the same bytes wherever it is made.
"""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from fondaco.domain.reports.charts import PAPER, svg
from fondaco.domain.reports.model import Chart, Document, Table, drawn
from fondaco.kernel.errors import Unavailable

TEMPLATE: Final = Path(__file__).with_name("report.typ")
STANDARD: Final = "a-2b"


def has_paper() -> bool:
    """Whether the library is there."""
    try:
        import typst  # noqa: F401
    except ImportError:
        return False
    return True


def pdf(document: Document, sha256: str) -> bytes:
    """Raises `Unavailable` where the library is not installed."""
    content = msgspec.to_builtins(document)
    for section, plain in zip(document.sections, content["sections"], strict=True):
        for block, made in zip(section.blocks, plain["blocks"], strict=True):
            if isinstance(block, Chart):
                made["svg"] = svg(block, PAPER)
                made.pop("values")
            elif isinstance(block, Table):
                made["rows"], made["others"] = drawn(block)
    content["sha256"] = sha256
    at = datetime.fromisoformat(document.as_of)
    return _set(msgspec.json.encode(content).decode(), int(at.timestamp()))


def _set(content: str, at: int) -> bytes:
    try:
        import typst
    except ImportError:
        raise Unavailable(
            "PDFs need typst: pip install 'fondaco[reports]'; the page is there without it"
        ) from None
    made: Any = typst.compile(
        _template(),
        sys_inputs={"report": content},
        ignore_system_fonts=True,
        pdf_standards=[STANDARD],
        timestamp=at,
        pdf_tags=False,
    )
    return bytes(made)


@cache
def _template() -> bytes:
    return TEMPLATE.read_bytes()
