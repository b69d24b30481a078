"""A certificate as a PDF, an SVG and a PNG: one page, drawn once, with its link as a QR code
(ISO/IEC 18004)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import segno

from fondaco.domain.reports.certificates.model import TITLES, Certificate
from fondaco.kernel.errors import Unavailable

TEMPLATE: Final = Path(__file__).with_name("certificate.typ")
STANDARD: Final = "a-2b"
PPI: Final = 144


def day(at: int) -> str:
    """The day in UTC: 22 November 2026."""
    found = datetime.fromtimestamp(at // 10**9, UTC)
    return f"{found.day} {found:%B %Y}"


def drawn(certificate: Certificate, sha256: str) -> dict[str, bytes]:
    """By form. Raises `Unavailable` where the library is not installed."""
    try:
        import typst
    except ImportError:
        raise Unavailable("certificates need typst: pip install 'fondaco[reports]'") from None
    shown = {
        **msgspec.to_builtins(certificate),
        "title": TITLES[certificate.kind],
        "happened": day(certificate.happened_at),
        "made": day(certificate.made_at),
        "sha256": sha256,
        "qr": segno.make(certificate.link, error="m").svg_inline(border=0, scale=4),
    }
    content = {"certificate": msgspec.json.encode(shown).decode()}
    compiled: Any = typst.compile  # whose types know no options that are given by name
    template, at = TEMPLATE.read_bytes(), certificate.made_at // 10**9

    def made(form: str, **more: Any) -> bytes:
        page: Any = compiled(
            template, format=form, sys_inputs=content, ignore_system_fonts=True, timestamp=at,
            **more,
        )  # fmt: skip
        return bytes(page)

    return {
        "pdf": made("pdf", pdf_standards=[STANDARD], pdf_tags=False),
        "svg": made("svg"),
        "png": made("png", ppi=PPI),
    }
