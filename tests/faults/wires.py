"""A wire between a client and a PostgreSQL server that a test cuts at a moment of its choice."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

NAME: Final = ".s.PGSQL.5432"


class Wire:
    """Listens on a socket in `folder` and passes everything on to the server's in `to`.

    `cut_request` loses the next request that holds these bytes, `cut_reply` lets it through and
    loses what is answered; either ends the connection, as a broken network does.
    """

    def __init__(self, folder: Path, to: Path) -> None:
        self.folder = folder
        self.to = to
        self.cut_request = self.cut_reply = b""
        self.cuts = 0
        self.refuses = False
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(folder / NAME))
        self._server.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, direct: str) -> str:
        return direct.replace(str(self.to), str(self.folder))

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                if self.refuses:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self.to / NAME))
                unheard = threading.Event()  # what the server says next is lost
                for act in (self._ask, self._answer):
                    threading.Thread(
                        target=act, args=(client, server, unheard), daemon=True
                    ).start()

    def _ask(self, client: socket.socket, server: socket.socket, unheard: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while piece := client.recv(1 << 16):
                if self.cut_request and self.cut_request in piece:
                    self.cut_request, self.cuts = b"", self.cuts + 1
                    break
                if self.cut_reply and self.cut_reply in piece:
                    self.cut_reply, self.cuts = b"", self.cuts + 1
                    unheard.set()
                server.sendall(piece)
        _end(client, server)

    def _answer(
        self, client: socket.socket, server: socket.socket, unheard: threading.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while (piece := server.recv(1 << 16)) and not unheard.is_set():
                client.sendall(piece)
        _end(client, server)


def _end(*ends: socket.socket) -> None:
    for each in ends:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


@contextlib.contextmanager
def wire(folder: Path, to: Path) -> Iterator[Wire]:
    made = Wire(folder, to)
    try:
        yield made
    finally:
        made.close()
