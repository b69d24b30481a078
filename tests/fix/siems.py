"""A SIEM's end of syslog, for tests."""

import socket
import ssl
import threading
import time


class Listener:
    """A syslog server over TCP, with TLS where it has a certificate; each connection is told."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.heard: list[tuple[int, list[bytes]]] = []  # and when, in nanoseconds since 1970
        self._context = context
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.breaks = 0  # connections that are reset unread
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                end, _ = self._server.accept()
            except OSError:
                return
            if self.breaks:
                self.breaks -= 1
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                end.close()
                continue
            with end:
                if self._context:
                    try:
                        end = self._context.wrap_socket(end, server_side=True)
                    except ssl.SSLError:  # who does not know us goes away
                        continue
                content = b""
                while piece := end.recv(1 << 16):
                    content += piece
                self.heard.append((time.time_ns(), _lines(content)))
                if isinstance(end, ssl.SSLSocket):
                    end.unwrap().close()

    def close(self) -> None:
        self._server.close()


def _lines(content: bytes) -> list[bytes]:
    """Octet counting."""
    found = []
    while content:
        count, _, rest = content.partition(b" ")
        found.append(rest[: int(count)])
        content = rest[int(count) :]
    return found
