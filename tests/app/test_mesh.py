"""A house behind Envoy, with doors that only read: TLS with certificates on every hop, reads shared
out, and a door that dies under load fails nobody."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fix.certificates import Pair
from fondaco.cli import main
from nursery import born
from running import TOKEN, Running, begin

ENVOY: Final = shutil.which("envoy") or str(Path(sys.executable).with_name("envoy"))
ADA: Final = "spiffe://house/desk/ada"
DOOR: Final = "spiffe://house/door"
BEARER: Final = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
ORDER: Final = {"account_id": "demo", "symbol": "BTC-USD", "side": "buy", "ord_type": "limit",
                "order_qty": "0.01", "price": "1000.00"}  # fmt: skip
LOAD_S: Final = 2.0
THREADS: Final = 3


class Authority:
    """Signs for a day."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = _called("mesh")
        self.file = folder / "ca.pem"
        made = self._made(self._name, self._key.public_key(), None)
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def pair(self, called: str, uri: str) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._made(_called(called), key.public_key(), uri)
        pair = Pair(self._folder / f"{called}.pem", self._folder / f"{called}.key")
        pair.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return pair

    def _made(self, subject: x509.Name, key: Any, uri: str | None) -> x509.Certificate:
        now = datetime.now(UTC)
        begun = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=uri is None, path_length=None), critical=True)
        )
        if uri is not None:
            here = x509.IPAddress(ip_address("127.0.0.1"))
            names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), here])
            begun = begun.add_extension(names, critical=False)
        return begun.sign(self._key, hashes.SHA256())


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Mesh(NamedTuple):
    house: Running
    doors: list[Running]
    port: int
    config: Path
    client: ssl.SSLContext  # shows ada's certificate
    stranger: ssl.SSLContext  # shows none

    def connect(self, port: int = 0, context: ssl.SSLContext | None = None) -> Any:
        return http.client.HTTPSConnection(
            "127.0.0.1", port or self.port, timeout=20, context=context or self.client
        )

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        port: int = 0,
        context: ssl.SSLContext | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Any:
        with contextlib.closing(self.connect(port, context)) as asked:
            content = None if body is None else json.dumps(body)
            asked.request(method, path, content, {**BEARER, **headers})
            reply = asked.getresponse()
            text, told = reply.read(), dict(reply.getheaders())
            is_json = "json" in told.get("content-type", "")
            return reply.status, json.loads(text) if is_json else {"text": text}, told


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _look(data: Path, options: Sequence[str], log: Path) -> Running:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    said = ["look", "--data", str(data), "--port", "0", "--demo", *options]
    return Running(born(said, {**os.environ, "PYTHONPATH": path}, log))


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    folder = tmp_path_factory.mktemp("mesh")
    authority = Authority(folder)
    ours, door, ada = (
        authority.pair(*each)
        for each in (("house", "spiffe://house/core"), ("door", DOOR), ("ada", ADA))
    )
    options = [f"tls_cert={ours.certificate}", f"tls_key={ours.key}",
               f"tls_clients={authority.file}", f"proxies={DOOR}"]  # fmt: skip
    said = [word for each in options for word in ("--set", each)]
    log, port, config = folder / "log", _free_port(), folder / "envoy.json"
    with contextlib.ExitStack() as stack:
        house = begin(folder / "house", options=said, log=log)
        stack.callback(house.kill)
        house.wait()
        doors = []
        for _ in range(2):
            each = _look(folder / "house", [*said, "--owner", house.url], log)
            stack.callback(each.kill)
            doors.append(each.wait())
        places = [word for each in doors for word in ("--reader", f"127.0.0.1:{each.port}")]
        shown = ["--cert", str(door.certificate), "--key", str(door.key),
                 "--clients", str(authority.file), "--mesh-cert", str(door.certificate),
                 "--mesh-key", str(door.key), "--mesh-ca", str(authority.file)]  # fmt: skip
        where = ["--listen", f"127.0.0.1:{port}", "--owner", f"127.0.0.1:{house.port}"]
        with config.open("w") as file, contextlib.redirect_stdout(file):
            assert main(["mesh", *where, *places, *shown]) == 0
        client = ssl.create_default_context(cafile=str(authority.file))
        client.load_cert_chain(ada.certificate, ada.key)
        stranger = ssl.create_default_context(cafile=str(authority.file))
        stack.callback(_envoy(config, log))
        found = Mesh(house, doors, port, config, client, stranger)
        _until(lambda: found.ask("GET", "/api/accounts")[0] == 200)
        nobody = {"Authorization": "Bearer nobody"}  # which no door says by itself
        _until(lambda: found.ask("GET", "/api/accounts", headers=nobody)[0] == 401)
        yield found


def _envoy(config: Path, log: Path) -> Any:
    with log.open("ab") as file:
        words = [ENVOY, "-c", str(config), "--use-dynamic-base-id", "--concurrency", "1"]
        process = subprocess.Popen(words, stdout=file, stderr=file, stdin=subprocess.DEVNULL)

    def end() -> None:
        process.kill()
        process.wait()

    return end


def _until(holds: Any, within_s: float = 20.0) -> None:
    end = time.monotonic() + within_s
    while True:
        with contextlib.suppress(OSError):
            if holds():
                return
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.05)


def test_envoy_takes_what_is_generated(mesh: Mesh) -> None:
    said = subprocess.run(
        [ENVOY, "--mode", "validate", "-c", str(mesh.config)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr[-2_000:]


def test_nobody_comes_in_without_a_certificate_and_whose_it_is_reaches_the_house(
    mesh: Mesh,
) -> None:
    with pytest.raises(OSError, match=r"certificate required|reset|closed|EOF"):
        mesh.ask("GET", "/api/accounts", context=mesh.stranger)
    forged = {
        "X-Forwarded-Client-Cert": "URI=spiffe://house/desk/eve",
        "X-Forwarded-For": "6.6.6.6",
    }
    for more in ({}, forged):
        status, said, _ = mesh.ask("GET", "/api/users/chain", headers=more)
        held = {each["link"]: each for each in said["links"]}
        assert status == 200
        assert held["service_mesh"]["value"] == ADA
        assert (held["service_mesh"]["holds"], held["session"]["holds"]) == (True, False)
        assert "disk" in held["encryption"]["value"], "the hops are encrypted; the disk is not"
    status, said, _ = mesh.ask("GET", "/api/users/chain", port=mesh.house.port)
    assert said["links"][1]["value"] == ADA, "the same without a proxy"


def test_reads_are_shared_out_and_all_else_is_the_houses(mesh: Mesh) -> None:
    status, placed, headers = mesh.ask("POST", "/api/orders", {**ORDER, "cl_ord_id": "m-1"})
    assert (status, "fondaco-as-of" in headers) == (201, False)
    path = f"/api/orders?account_id=demo&min_position={placed['position']}"
    for _ in range(8):
        status, said, headers = mesh.ask("GET", path)
        assert status == 200
        assert "m-1" in {each["cl_ord_id"] for each in said["items"]}, "what was written is read"
        assert int(headers.get("fondaco-as-of", placed["position"])) >= 0

    def shared_out() -> bool:  # a door that has not read that far passes it on
        mesh.ask("GET", path)
        return all(_served(mesh, door.port, "trading.orders") for door in mesh.doors)

    _until(shared_out)
    assert mesh.ask("GET", "/api/instruments")[0] == 200, "the market is the house's"


def _served(mesh: Mesh, port: int, operation: str) -> int:
    with contextlib.closing(mesh.connect(port)) as asked:
        asked.request("GET", "/metrics")
        lines = asked.getresponse().read().decode().splitlines()
    return sum(
        int(float(each.rpartition(" ")[2]))
        for each in lines
        if each.startswith("fondaco_requests_total") and operation in each and '"200"' in each
    )


def test_a_door_that_reads_says_only_yes(mesh: Mesh) -> None:
    """Whatever else it would say, the house says it: asked directly, 421."""
    port = mesh.doors[0].port
    cases: list[tuple[str, str, dict[str, str], int, str]] = [
        ("GET", "/api/accounts", {"Authorization": "Bearer nobody"}, 401, "unauthenticated"),
        ("GET", "/api/orders/demo.999999", {}, 404, "not_found"),
        ("GET", "/api/accounts/other", {}, 404, "unknown_account"),
        ("GET", "/api/accounts", {}, 200, ""),
    ]
    for method, path, more, status, code in cases:
        said = mesh.ask(method, path, headers=more)
        assert (said[0], said[1].get("code", "")) == (status, code), path
        direct, problem, _ = mesh.ask(method, path, port=port, headers=more)
        if status != 200:
            assert (direct, problem["code"]) == (421, "misdirected"), path
            assert problem["details"]["send_to"] == mesh.house.url
    direct, problem, _ = mesh.ask("POST", "/api/orders", {**ORDER, "cl_ord_id": "m-2"}, port=port)
    assert (direct, problem["code"]) == (421, "misdirected"), "nothing is written by it"


def test_a_key_that_is_revoked_is_good_at_no_door(mesh: Mesh) -> None:
    _, made, _ = mesh.ask("POST", "/api/keys", {"name": "short", "scopes": ["accounts:read"]})
    token = {"Authorization": f"Bearer {made['token']}"}
    assert mesh.ask("GET", "/api/accounts", headers=token)[0] == 200
    assert mesh.ask("DELETE", f"/api/keys/{made['key']['key_id']}")[0] < 300
    for port in (*(each.port for each in mesh.doors), 0):
        _until(
            lambda at=port: (
                mesh.ask("GET", "/api/accounts", port=at, headers=token)[0] in (401, 421)
            )
        )


def test_a_door_that_dies_under_load_fails_nobody(mesh: Mesh) -> None:
    """The last test of this file: from here on a door is gone, and then both."""
    found: list[int] = []
    stopped = threading.Event()

    def load() -> None:
        with contextlib.closing(mesh.connect()) as asked:
            while not stopped.is_set():
                asked.request("GET", "/api/orders?account_id=demo&limit=5", headers=BEARER)
                reply = asked.getresponse()
                reply.read()
                found.append(reply.status)

    readers = [threading.Thread(target=load) for _ in range(THREADS)]
    for each in readers:
        each.start()
    time.sleep(LOAD_S / 4)
    before = len(found)
    mesh.doors[0].kill()
    time.sleep(LOAD_S / 2)
    between = len(found)
    mesh.doors[1].kill()
    time.sleep(LOAD_S / 2)
    stopped.set()
    for each in readers:
        each.join(20)
    assert 0 < before < between < len(found), "they went on"
    assert set(found) == {200}
    _, _, headers = mesh.ask("GET", "/api/orders?account_id=demo")
    assert "Fondaco-As-Of" not in {name.title() for name in headers}, "the house answers by now"
