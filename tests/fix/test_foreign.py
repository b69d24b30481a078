"""A client that shares no code with ours, simplefix over a socket: it logs on, trades, is cut off,
and gets what it missed; and sends again what we did not get."""

import socket
import threading
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import simplefix  # type: ignore[import-untyped]

from fix.sockets import Notes, agreed, listening, notes, until

pytestmark = pytest.mark.anyio
WAIT_S: Final = 10.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Foreign:
    """Blocking, as such clients are; its numbers are its own business."""

    def __init__(self, port: int, number: int = 1) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
        self._parser: Any = simplefix.FixParser()
        self.number = number

    def say(self, msg_type: str, *fields: tuple[int, str], number: int = 0) -> None:
        message: Any = simplefix.FixMessage()
        message.append_pair(8, "FIX.4.4", header=True)
        message.append_pair(35, msg_type, header=True)
        message.append_pair(49, "BROKER", header=True)
        message.append_pair(56, "HOUSE", header=True)
        message.append_pair(34, number or self.number, header=True)
        message.append_utc_timestamp(52, datetime.now(UTC), precision=6, header=True)
        if number:
            message.append_pair(43, "Y", header=True)
            message.append_utc_timestamp(122, datetime.now(UTC), header=True)
        else:
            self.number += 1
        for tag, value in fields:
            message.append_pair(tag, value)
        self._socket.sendall(message.encode())

    def hear(self) -> tuple[str, dict[int, str]]:
        while True:
            message = self._parser.get_message()
            if message is not None:
                fields = {int(tag): value.decode() for tag, value in message.pairs}
                return fields[35], fields
            chunk = self._socket.recv(4_096)
            assert chunk, "it was disconnected"
            self._parser.append_buffer(chunk)

    def log_on(self) -> dict[int, str]:
        self.say("A", (98, "0"), (108, "30"))
        msg_type, fields = self.hear()
        assert msg_type == "A"
        return fields

    def cut(self) -> None:
        self._socket.close()


def first_day(port: int) -> int:
    client = Foreign(port)
    assert client.log_on()[34] == "1"
    client.say("D", (11, "A1"), (55, "ABC"))
    msg_type, fields = client.hear()
    assert (msg_type, fields[11], fields[34]) == ("8", "A1", "2")
    number = client.number
    client.cut()
    return number


def second_day(port: int, number: int) -> None:
    client = Foreign(port, number + 1)  # one that it has sent is lost to us
    assert client.log_on()[34] == "5"
    msg_type, fields = client.hear()
    assert (msg_type, fields[7]) == ("2", str(number))
    client.say("D", (11, "A2"), number=number)
    client.say("4", (123, "Y"), (36, str(client.number)), number=number + 1)
    msg_type, fields = client.hear()
    assert (msg_type, fields[11]) == ("8", "A2")
    client.say("2", (7, "3"), (16, "0"))
    again = [client.hear() for _ in range(4)]
    told = [(fields[34], kind, fields.get(11), fields.get(43)) for kind, fields in again]
    assert told == [
        ("3", "8", "B1", "Y"),
        ("4", "8", "B2", "Y"),
        ("5", "4", None, "Y"),
        ("7", "8", "A2", "Y"),
    ]
    client.say("5")
    assert client.hear()[0] == "5"


class Trading(Notes):
    """Every order is reported on."""

    def received(self, line: Any, message: Any, seq_num: int) -> None:
        super().received(line, message, seq_num)
        line.send("8", [(11, message.get(11))])


async def test_simplefix_trades_is_cut_off_and_recovers() -> None:
    async with listening(agreed()) as port:
        line = port.line()
        line.application = Trading()
        number = await in_thread(first_day, port.port)
        await until(lambda: not line.is_connected)
        line.send("8", [(11, b"B1")])
        line.send("8", [(11, b"B2")])
        await in_thread(second_day, port.port, number)
        assert notes(line).got == [b"A1", b"A2"]
        await until(lambda: not line.is_connected)
        assert notes(line).downs == ["they have disconnected", "they have logged out"]


async def in_thread(work: Any, *given: Any) -> Any:
    """A thread of its own, which ends with the test whatever the client waits for."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work(*given))
        except BaseException as error:  # it is raised where it is waited for
            found.append(error)

    threading.Thread(target=run, daemon=True).start()
    await until(lambda: found)
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]
