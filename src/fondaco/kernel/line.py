"""Where a request came from, and what the connection has proved of whoever sent it."""

from typing import Any


class Line(str):
    """The address of who asks: the text is an IPv4 or IPv6 address, and goes wherever an address
    goes. Beside it stands what was proved: `peer` is the name in the client's certificate (a SPIFFE
    id, or "sha256:" and its fingerprint), "" where none was shown; `is_encrypted` whether nobody
    between us could read along; `is_proxy` whether the peer may speak for others, which makes what
    it proved its own and not the caller's. Two lines are equal as their addresses are, so what
    depends on more than the address is kept on the line itself, in `held`."""

    __slots__ = ("held", "is_encrypted", "is_proxy", "peer")

    peer: str
    is_encrypted: bool
    is_proxy: bool
    held: dict[str, Any]

    def __new__(
        cls, address: str, peer: str = "", *, is_encrypted: bool = False, is_proxy: bool = False
    ) -> "Line":
        self = super().__new__(cls, address)
        self.peer, self.is_encrypted, self.is_proxy = peer, is_encrypted, is_proxy
        self.held = {}
        return self
