"""One suite for every key ring, one test a promise. An adapter not in `OPEN` does not exist."""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias
from zlib import crc32

import pytest

from fondaco.kernel.errors import Corrupt, Denied, FondacoError, Invalid, NotFound, Unavailable
from fondaco.ports.secrets import KEY_BYTES, SECRET_MAX, Secrets
from fondaco.ports.secrets.sealed_file import SealedFile

VALUE = b"hunter2 \x00\xff and more of it"
SOFTHSM: Final = Path("/usr/lib/softhsm/libsofthsm2.so")
DATA_KEY = bytes(range(KEY_BYTES))


class Kind:
    """One adapter: how it is opened, by whom it cannot be, and what lies on the disk of it."""

    def __init__(
        self,
        opened: Callable[[Path], Secrets],
        stranger: Callable[[Path], Secrets] | None,
        kept: Callable[[Path], bytes],
        *,
        destroys: bool = True,
    ) -> None:
        self.open, self.stranger, self.kept, self.destroys = opened, stranger, kept, destroys


def files_of(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def by_key(key: bytes) -> Callable[[Path], Secrets]:
    return lambda folder: SealedFile(folder, lambda: key, is_key=True)


def by_passphrase(text: bytes) -> Callable[[Path], Secrets]:
    return lambda folder: SealedFile(folder, lambda: text, is_key=False, memory_kib=64, passes=1)


@cache
def moto() -> Any:
    """KMS and Secrets Manager in this process, at a port of its own."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    atexit.register(server.stop)
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def in_aws(folder: Path) -> Secrets:
    from fondaco.ports.secrets.aws import AwsSecrets

    os.environ |= {
        "AWS_ENDPOINT_URL": moto(),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    return AwsSecrets("eu-west-1", f"ring-{crc32(str(folder).encode()):08x}")


@cache
def tokens() -> Path:
    """Where SoftHSM keeps its tokens; skips where there is none."""
    if not SOFTHSM.exists() or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not here: apt-get install softhsm2")
    folder = Path(tempfile.mkdtemp(prefix="softhsm_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\n")
    (folder / "tokens").mkdir()
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    return folder


def in_token(pin: bytes) -> Callable[[Path], Secrets]:
    def opened(folder: Path) -> Secrets:
        from fondaco.ports.secrets.pkcs11 import Pkcs11Secrets

        tokens()
        name = f"t{crc32(str(folder).encode()):08x}"
        if not (folder / name).exists():
            (folder / name).touch()
            made = ["softhsm2-util", "--init-token", "--free", "--label", name]
            subprocess.run([*made, "--pin", "123456", "--so-pin", "654321"], check=True)
            import pkcs11

            pkcs11.lib(str(SOFTHSM)).reinitialize()
        return Pkcs11Secrets(str(SOFTHSM), name, lambda: pin)

    return opened


Ring: TypeAlias = tuple[Secrets, Kind, Path]
OPEN: dict[str, Kind] = {
    "file": Kind(by_key(b"k" * KEY_BYTES), by_key(b"x" * KEY_BYTES), files_of),
    "passphrase": Kind(by_passphrase(b"nine plain words"), by_passphrase(b"guess"), files_of),
    "aws": Kind(in_aws, None, files_of),
    "pkcs11": Kind(in_token(b"123456"), in_token(b"guess123"), lambda _: files_of(tokens())),
}


@pytest.fixture(params=OPEN)
def ring(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ring]:
    kind = OPEN[request.param]
    opened = kind.open(tmp_path)
    yield opened, kind, tmp_path
    opened.close()


def test_1_what_was_put_is_got_by_the_next_process_too(ring: Ring) -> None:
    secrets, kind, folder = ring
    with pytest.raises(NotFound):
        secrets.get("feed/kalshi")
    secrets.put("feed/kalshi", b"old")
    secrets.put("feed/kalshi", VALUE)
    secrets.put("journal", b"")
    again = kind.open(folder)
    assert again.get("feed/kalshi") == secrets.get("feed/kalshi") == VALUE
    assert again.names() == ["feed/kalshi", "journal"]
    assert again.get("journal") == b""
    for name, value in (("", b""), ("a\n", b""), ("x" * 201, b""), ("x", bytes(SECRET_MAX + 1))):
        with pytest.raises(Invalid):
            secrets.put(name, value)
    again.close()


def test_2_nothing_lies_there_in_clear(ring: Ring) -> None:
    secrets, kind, folder = ring
    secrets.put("feed/kalshi", VALUE)
    wrapped = secrets.wrap(DATA_KEY, "person/acme/ada")
    for each in (VALUE, VALUE.hex().encode(), DATA_KEY):
        assert each not in kind.kept(folder)
    assert DATA_KEY not in wrapped
    assert wrapped != secrets.wrap(DATA_KEY, "person/acme/ada")


def test_3_a_key_is_unwrapped_about_what_it_was_wrapped_about(ring: Ring) -> None:
    secrets, kind, folder = ring
    wrapped = secrets.wrap(DATA_KEY, "person/acme/ada")
    again = kind.open(folder)
    assert again.unwrap(wrapped, "person/acme/ada") == DATA_KEY
    again.close()
    with pytest.raises(Corrupt):
        secrets.unwrap(wrapped, "person/acme/eve")
    with pytest.raises(Corrupt):
        secrets.unwrap(wrapped[:-1] + bytes([wrapped[-1] ^ 1]), "person/acme/ada")


def test_4_an_older_master_goes_on_unwrapping(ring: Ring) -> None:
    secrets, kind, folder = ring
    other = kind.open(folder)
    old = secrets.wrap(DATA_KEY, "house")
    assert secrets.is_current(old)
    secrets.rotate()
    new = secrets.wrap(DATA_KEY, "house")
    assert (secrets.is_current(old), secrets.is_current(new)) == (False, True)
    assert secrets.unwrap(old, "house") == DATA_KEY
    assert other.unwrap(new, "house") == DATA_KEY, "another process learns of it by itself"
    assert not other.is_current(old)
    secrets.rotate()
    assert secrets.is_current(other.wrap(DATA_KEY, "house")), "it knew the master of before"
    other.close()


def test_5_a_master_that_is_retired_unwraps_nothing(ring: Ring) -> None:
    secrets, kind, folder = ring
    secrets.put("feed/kalshi", VALUE)
    old = secrets.wrap(DATA_KEY, "house")
    secrets.rotate()
    new = secrets.wrap(secrets.unwrap(old, "house"), "house")
    gone = secrets.retire()
    assert bool(gone) == kind.destroys
    again = kind.open(folder)
    for each in (secrets, again):
        assert each.unwrap(new, "house") == DATA_KEY
        assert each.get("feed/kalshi") == VALUE
        if kind.destroys:
            with pytest.raises(Unavailable) as found:
                each.unwrap(old, "house")
            assert found.value.code == "master_gone"
    again.close()


def test_6_who_cannot_unseal_it_is_given_nothing(ring: Ring) -> None:
    secrets, kind, folder = ring
    secrets.put("feed/kalshi", VALUE)
    secrets.close()
    if kind.stranger is not None:
        with pytest.raises(Denied):
            kind.stranger(folder).get("feed/kalshi")
    with pytest.raises(Unavailable):
        secrets.get("feed/kalshi")
    with pytest.raises(Unavailable):
        secrets.wrap(DATA_KEY, "house")


def test_7_what_was_removed_is_nowhere(ring: Ring) -> None:
    secrets, kind, folder = ring
    secrets.put("feed/kalshi", VALUE)
    secrets.remove("feed/kalshi")
    with pytest.raises(NotFound):
        secrets.get("feed/kalshi")
    with pytest.raises(NotFound):
        secrets.remove("feed/kalshi")
    assert secrets.names() == []
    assert b"feed/kalshi" not in kind.kept(folder)


def test_8_what_fails_is_an_error_of_ours(ring: Ring) -> None:
    secrets, _, folder = ring
    path = folder / "ring"
    if path.exists():
        path.write_bytes(b"nonsense")
        with pytest.raises(Corrupt):
            secrets.get("feed/kalshi")
        path.unlink()
        with pytest.raises(FondacoError):
            secrets.get("feed/kalshi")


def test_8_a_cloud_that_is_away_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    from fondaco.ports.secrets.aws import AwsSecrets

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        AwsSecrets("eu-west-1", "away")
