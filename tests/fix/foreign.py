"""A FIX client that shares no code with the house: simplefix over a socket, which counts itself."""

import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import simplefix  # type: ignore[import-untyped]

Pairs = Sequence[tuple[int, str]]
WAIT_S: Final = 20.0


class Foreign:
    """One side of a session. It answers test requests and nothing else by itself."""

    target = "FONDACO"

    def __init__(self, port: int, name: str, begin: str = "FIX.4.4", *, number: int = 1) -> None:
        self.name, self.begin, self.number = name, begin, number
        self.heard = 0  # the highest number that came in order
        self.said: dict[int, tuple[str, Pairs]] = {}  # orders and the like, by number
        self._port = port
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=WAIT_S)
        self._parser = simplefix.FixParser()

    def log_on(self, *more: tuple[int, str]) -> dict[int, str]:
        self.send("A", [(98, "0"), (108, "30"), *more])
        return self.hear("A")

    def back(self) -> dict[int, str]:
        """Connect again after a disconnect, with the numbers that we have."""
        self._connect()
        return self.log_on()

    def send(self, msg_type: str, body: Pairs, *, header: Pairs = ()) -> None:
        if msg_type not in "A012345":
            self.said[self.number] = (msg_type, body)
        self._write(self.number, msg_type, body, header)
        self.number += 1

    def resend(self, begin: int) -> None:
        """Answer a ResendRequest: orders again, and gaps for the rest."""
        for number in range(begin, self.number):
            msg_type, body = self.said.get(number, ("4", [(123, "Y"), (36, str(number + 1))]))
            again = [(43, "Y"), (122, datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S"))]
            self._write(number, msg_type, body, again)

    def _write(self, number: int, msg_type: str, body: Pairs, header: Pairs) -> None:
        message = simplefix.FixMessage()
        message.append_pair(8, self.begin)
        message.append_pair(35, msg_type)
        message.append_pair(49, self.name)
        message.append_pair(56, self.target)
        message.append_pair(34, number)
        message.append_utc_timestamp(52, precision=3)
        for tag, value in (*header, *body):
            message.append_pair(tag, value)
        self._socket.sendall(message.encode())

    def next(self) -> dict[int, str]:
        """The next message; the last of repeated fields."""
        until = time.monotonic() + WAIT_S
        while True:
            message = self._parser.get_message()
            if message is not None:
                return self._taken(message)
            if time.monotonic() > until:
                raise TimeoutError("nothing was said")
            chunk = self._socket.recv(65_536)
            if not chunk:
                raise ConnectionError("disconnected")
            self._parser.append_buffer(chunk)

    def _taken(self, message: Any) -> dict[int, str]:
        found = {int(tag): value.decode("latin-1") for tag, value in message.pairs}
        number = int(found[34])
        if found[35] == "4" and found.get(123) == "Y":
            number = int(found[36]) - 1
        self.heard = max(self.heard, number)
        return found

    def hear(self, *msg_types: str) -> dict[int, str]:
        """The next message of one of these types; others but heartbeats are none."""
        while True:
            found = self.next()
            if found[35] in msg_types:
                return found
            if found[35] == "2":
                self.resend(int(found[7]))
            elif found[35] not in ("0", "1", "4"):
                raise AssertionError(f"{found} came where {msg_types} was awaited")

    def report(self, exec_type: str, **wanted: str) -> dict[int, str]:
        """The next ExecutionReport, which must say this: tags as t11="id"."""
        found = self.hear("8", "9")
        said = {name: found.get(int(name[1:])) for name in wanted}
        assert (found[35], found.get(150), said) == ("8", exec_type, wanted), found
        return found

    def missed(self) -> None:
        """Ask for everything that we have not heard."""
        self.send("2", [(7, str(self.heard + 1)), (16, "0")])

    def drop(self) -> None:
        """No Logout: the line breaks."""
        self._socket.close()

    def log_out(self) -> None:
        self.send("5", [])
        self.hear("5")
        self._socket.close()


class Broker(Foreign):
    """The other side of an initiator of ours: a venue that executes what it is told to."""

    target = "HOUSE"

    def __init__(self, port: int) -> None:
        self._listening = socket.create_server(("127.0.0.1", port))
        self._listening.settimeout(WAIT_S)
        self.port, self.reports = port, 0
        super().__init__(port, "BROKER")

    def _connect(self) -> None:
        """Nobody is connected to before they connect."""

    def accept(self) -> None:
        self._socket, _ = self._listening.accept()
        self._socket.settimeout(WAIT_S)
        self._parser = simplefix.FixParser()
        self.hear("A")
        self.send("A", [(98, "0"), (108, "30")])

    def tell(self, of: dict[int, str], exec_type: str, status: str, cum: str, **more: str) -> str:
        """An ExecutionReport about an order; its ExecID."""
        self.reports += 1
        leaves = float(of[38]) - float(cum) if status in "01" else 0
        fields = {37: "their-1", 11: of[11], 17: f"x{self.reports}", 150: exec_type, 39: status}
        fields |= {55: of[55], 54: of[54], 14: cum, 151: f"{leaves:g}", 6: "0"}
        fields |= {int(name[1:]): value for name, value in more.items()}
        self.send("8", list(fields.items()))
        return fields[17]

    def close(self) -> None:
        self._listening.close()


def order(cl_ord_id: str, **more: str) -> list[tuple[int, str]]:
    """A NewOrderSingle to buy 0.01 BTC-USD far below the market; `t44="1"` changes a tag."""
    fields = {
        11: cl_ord_id,
        21: "1",
        55: "BTC-USD",
        54: "1",
        60: datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3],
        38: "0.01",
        40: "2",
        44: "1000.00",
        59: "1",
    }
    fields |= {int(name[1:]): value for name, value in more.items()}
    return [(tag, value) for tag, value in fields.items() if value]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
    return port


def agreements(data: Path, key_id: str, *sessions: tuple[str, str, str]) -> None:
    """fix.toml: BeginString, their CompID and the application of each session."""
    data.mkdir(parents=True, exist_ok=True)
    (data / "fix.toml").write_text(
        "".join(
            f'[[session]]\nbegin_string = "{begin}"\nsender_comp_id = "FONDACO"\n'
            f'target_comp_id = "{theirs}"\napplication = "{application}"\n'
            f'key_id = "{key_id}"\naccounts = ["demo"]\n'
            for begin, theirs, application in sessions
        )
    )
