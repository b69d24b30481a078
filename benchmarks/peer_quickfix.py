"""QuickFIX as it comes from PyPI, sending orders back: the peer of benchmarks/fix_session.py.

    python benchmarks/peer_quickfix.py

One session, ISLD with TW44, that begins anew at each logon; nothing is stored and nothing logged.
"""

import socket
import sys
import tempfile
import threading
from pathlib import Path

import quickfix

DICTIONARY = Path(__file__).resolve().parents[2] / "shared/data/fix/dictionaries/FIX44.xml"
SETTINGS = """
[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort={port}
SocketNodelay=Y
StartTime=00:00:00
EndTime=00:00:00
SenderCompID=ISLD
ResetOnLogon=Y
UseDataDictionary={checks}
DataDictionary={dictionary}
[SESSION]
BeginString=FIX.4.4
TargetCompID=TW44
"""


class Echo(quickfix.Application):  # type: ignore[misc]
    def onCreate(self, session: object) -> None: ...  # noqa: N802
    def onLogon(self, session: object) -> None: ...  # noqa: N802
    def onLogout(self, session: object) -> None: ...  # noqa: N802
    def toAdmin(self, message: object, session: object) -> None: ...  # noqa: N802
    def fromAdmin(self, message: object, session: object) -> None: ...  # noqa: N802
    def toApp(self, message: object, session: object) -> None: ...  # noqa: N802

    def fromApp(self, message: object, session: object) -> None:  # noqa: N802
        quickfix.Session.sendToTarget(quickfix.Message(message), session)


def main() -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file:
        checks = "Y" if DICTIONARY.exists() else "N"
        file.write(SETTINGS.format(port=port, checks=checks, dictionary=DICTIONARY))
        file.flush()
        settings = quickfix.SessionSettings(file.name)
    acceptor = quickfix.SocketAcceptor(Echo(), quickfix.MemoryStoreFactory(), settings)
    acceptor.start()
    sys.stdout.write(f"ready 127.0.0.1:{port}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
