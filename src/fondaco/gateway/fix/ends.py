"""The two ends of a session's connection, as its socket tells them."""

import asyncio

import msgspec


class Ends(msgspec.Struct, frozen=True):
    """Addresses and ports, theirs and ours, "" and 0 where the socket has none; whether we made
    the connection, and whether it speaks TLS."""

    host: str = ""
    port: int = 0
    our_host: str = ""
    our_port: int = 0
    is_ours: bool = False
    is_encrypted: bool = False


def ends_of(transport: asyncio.BaseTransport, *, is_ours: bool) -> Ends:
    theirs = _address(transport.get_extra_info("peername"))
    ours = _address(transport.get_extra_info("sockname"))
    return Ends(*theirs, *ours, is_ours, transport.get_extra_info("ssl_object") is not None)


def _address(name: object) -> tuple[str, int]:
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) and len(name) > 1 else ("", 0)
