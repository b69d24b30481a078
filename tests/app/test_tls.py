"""The doors over TLS 1.3: who is let in, and certificates that change while requests go on."""

import asyncio
import http.client
import os
import ssl
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.client import connect

from fix.certificates import Pair, make_pair
from fondaco.gateway.tls import LOOKS_APART, Certificates
from fondaco.kernel.errors import Invalid
from running import TOKEN, Running, begin, house, order

BEARER = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


class Files:
    """Where a house looks for its certificate, and what has been there."""

    def __init__(self, folder: Path) -> None:
        self.pair = Pair(folder / "shown.pem", folder / "shown.key")
        self.folder = folder
        self.made: list[Pair] = []
        self.renew()

    @property
    def options(self) -> list[str]:
        return ["--set", f"tls_cert={self.pair.certificate}", "--set", f"tls_key={self.pair.key}"]

    def renew(self) -> None:
        """Another certificate, as a renewal puts it there: two files, each at once."""
        new = make_pair(self.folder, f"house{len(self.made)}")
        self.made.append(new)
        for source, place in zip(new, self.pair, strict=True):
            aside = place.with_suffix(".new")
            aside.write_bytes(source.read_bytes())
            aside.replace(place)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def running(files: Files, tmp_path: Path) -> Iterator[Running]:
    with house(tmp_path / "house", options=files.options) as found:
        yield found


def trusting(*pairs: Pair, shown: Pair | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for pair in pairs:
        context.load_verify_locations(pair.certificate)
    if shown:
        context.load_cert_chain(shown.certificate, shown.key)
    return context


def connected(running: Running, context: ssl.SSLContext) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection("127.0.0.1", running.port, timeout=20, context=context)


def status(line: http.client.HTTPSConnection, path: str = "/api/instruments") -> int:
    line.request("GET", path, headers=BEARER)
    answer = line.getresponse()
    answer.read()
    return answer.status


def shown_by(line: http.client.HTTPSConnection) -> str:
    assert isinstance(line.sock, ssl.SSLSocket)
    return sha256(line.sock.getpeercert(binary_form=True) or b"").hexdigest()


def digest(pair: Pair) -> str:
    text = pair.certificate.read_text("ascii")
    return sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()


def test_orders_and_their_stream_go_over_tls_1_3_and_nothing_older_or_plain(
    running: Running, files: Files
) -> None:
    assert running.url.startswith("https://127.0.0.1:")
    trusts = trusting(files.made[0])
    line = connected(running, trusts)
    assert status(line) == 200
    assert isinstance(line.sock, ssl.SSLSocket)
    assert line.sock.version() == "TLSv1.3"
    line.request("POST", "/api/orders", msgspec.json.encode(order("over-tls")), BEARER)
    assert line.getresponse().status == 201

    async def listen() -> None:
        address = f"wss://127.0.0.1:{running.port}/ws/trading?account_id=demo"
        headers = {"Authorization": BEARER["Authorization"]}
        async with asyncio.timeout(20):
            async with connect(address, ssl=trusts, additional_headers=headers) as socket:
                await (await socket.ping())

    asyncio.run(listen())
    old = trusting(files.made[0])
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        status(connected(running, old))
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        running.client().ask("GET", "/health")


def test_a_certificate_is_renewed_and_no_request_is_dropped(running: Running, files: Files) -> None:
    line = connected(running, trusting(files.made[0]))
    assert status(line) == 200
    assert shown_by(line) == digest(files.made[0])
    stop, answers, faults = threading.Event(), [], []
    both = trusting(files.made[0])

    def ask(kept: bool) -> None:
        mine = connected(running, both)
        while not stop.is_set():
            try:
                answers.append(status(mine))
            except (OSError, http.client.HTTPException) as fault:
                faults.append(fault)
            if not kept:
                mine.close()

    callers = [threading.Thread(target=ask, args=(kept,)) for kept in (True, False)]
    new = make_pair(files.folder, "house1")  # trusted before it is shown, as those who rotate do
    both.load_verify_locations(new.certificate)
    for caller in callers:
        caller.start()
    try:
        for source, place in zip(new, files.pair, strict=True):  # for a moment they do not fit
            aside = place.with_suffix(".new")
            aside.write_bytes(source.read_bytes())
            aside.replace(place)
        until = time.monotonic() + 20
        while True:
            fresh = connected(running, both)
            assert status(fresh) == 200
            if shown_by(fresh) == digest(new):
                break
            assert time.monotonic() < until, running.said()
            time.sleep(0.1)
        assert status(line) == 200  # the old connection goes on
        assert shown_by(line) == digest(files.made[0])
    finally:
        stop.set()
        for caller in callers:
            caller.join(20)
    assert faults == []
    assert set(answers) == {200}
    assert "is shown as it is today" in running.said()


def test_nobody_gets_in_without_a_certificate_where_they_are_asked_for(
    tmp_path: Path, files: Files
) -> None:
    ours, theirs = make_pair(tmp_path, "ours"), make_pair(tmp_path, "theirs")
    options = [*files.options, "--set", f"tls_clients={ours.certificate}"]
    with house(tmp_path / "house", options=options) as running:
        assert status(connected(running, trusting(files.made[0], shown=ours))) == 200
        for shown in (None, theirs):
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
                status(connected(running, trusting(files.made[0], shown=shown)))
        assert status(connected(running, trusting(files.made[0], shown=ours))) == 200


def test_files_that_do_not_serve_are_said_and_the_old_certificate_stays(tmp_path: Path) -> None:
    files = Files(tmp_path)
    held = Certificates(*files.pair)
    assert held.look() == ""
    files.pair.certificate.write_text("no certificate", "ascii")
    said = [held.look() for _ in range(LOOKS_APART + 2)]
    assert [bool(each) for each in said] == [False] * (LOOKS_APART - 1) + [True, False, False]
    assert "the old one stays" in said[LOOKS_APART - 1]
    files.renew()
    assert "is shown as it is today" in held.look()
    assert held.look() == ""
    os.unlink(files.pair.key)
    with pytest.raises(Invalid, match="tls_key"):
        Certificates(*files.pair)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "tls_cert=/nowhere.pem"], "tls_cert /nowhere.pem"),
        (["--set", "tls_key=/nowhere.key"], "but there is no tls_cert"),
    ],
)
def test_half_a_pair_ends_the_start(tmp_path: Path, options: list[str], said: str) -> None:
    starting = begin(tmp_path / "house", options=options)
    assert starting.process.wait(20) == 2
    assert said in starting.said()
    assert not (tmp_path / "house").exists()
