"""The page at GET /graphql: whole in itself, nothing from elsewhere."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final

PAGE: Final = (Path(__file__).parent / "explorer.html").read_bytes()


def _hash(element: bytes) -> str:
    """Of what is written within it, as a Content-Security-Policy names it."""
    found = re.search(b"<%b>(.*?)</%b>" % (element, element), PAGE, re.DOTALL)
    content = found[1] if found else b""
    return f"'sha256-{b64encode(sha256(content).digest()).decode()}'"


PAGE_HEADERS: Final = (
    (
        b"content-security-policy",
        f"default-src 'none'; script-src {_hash(b'script')}; style-src {_hash(b'style')}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'".encode(),
    ),
    (b"vary", b"accept"),
)
