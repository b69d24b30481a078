"""`secret://name` in settings: what is kept in the ring is used, and shown nowhere."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from fondaco.app.files import Files
from fondaco.app.fix.agreements import read_agreements
from fondaco.app.referred import referred
from fondaco.cli import main
from fondaco.kernel.errors import Invalid
from fondaco.ports.secrets.audited import audit_of
from fondaco.settings import load, page, referable
from running import house, order
from servers import Valkey, postgres

PASSWORD: Final = "unlisted-4711"
ADDRESSES: Final = {
    "journal": "postgresql://app:s3cret@db/fondaco",
    "store": "postgresql://app:s3cret@db/fondaco",
    "cache": "rediss://:s3cret@cache:6380/0",
    "fix_publish_to": "redis://:s3cret@bus:6379/0",
    "topics": "redis://:s3cret@bus:6379/1",
    "fix_alerts_to": "https://siem:s3cret@siem.example/alerts",
}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "house")


def put(folder: Path, name: str, value: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(value.encode() + b"\n")))
    assert main(["secrets", "put", name, "--data", str(folder)]) == 0


@pytest.mark.parametrize("setting", referable())
def test_each_setting_with_a_secret_may_say_where_it_is(
    setting: str, files: Files, monkeypatch: Any
) -> None:
    given = f"secret://at/{setting}"
    assert getattr(load({setting: given}, {}), setting) == given, "and stays the reference"
    put(files.root, f"at/{setting}", ADDRESSES[setting], monkeypatch)
    assert referred(files, setting, given) == ADDRESSES[setting]
    read = audit_of(files.secrets / "audit")[-1]
    assert (read.what, read.name, read.by) == ("get", f"at/{setting}", f"setting {setting}")
    for nothing in ("secret://", "secret://../x y", "secret:/at", "secrets://at"):
        with pytest.raises(Invalid, match=f"{setting} is .*, must be one of .*secret://"):
            load({setting: nothing}, {})
    for wrong in ("mysql://app:s3cret@db", given):
        put(files.root, f"at/{setting}", wrong, monkeypatch)
        with pytest.raises(Invalid, match=f"{setting} is {given}, and what is kept") as told:
            referred(files, setting, given)
        assert "s3cret" not in str(told.value)


def test_settings_without_a_secret_are_no_references_and_the_page_says_which_are() -> None:
    with pytest.raises(Invalid):
        load({"feed": "secret://feed"}, {})
    text = "\n".join(page())
    assert all(f"`{each}`" in text.partition("| setting")[0] for each in referable())


def test_a_name_that_nothing_is_kept_under_is_said_with_what_to_do(
    files: Files, monkeypatch: Any
) -> None:
    with pytest.raises(Invalid, match="`fondaco secrets put at/db --data"):
        referred(files, "journal", "secret://at/db")
    assert not files.secrets.exists(), "who only asks makes no ring"
    put(files.root, "at/database", "postgresql://a@b/c", monkeypatch)
    with pytest.raises(
        Invalid, match=r"no secret is kept under that name \(there is at/database\)"
    ):
        referred(files, "journal", "secret://at/databas")


def test_a_password_of_fix_is_in_the_ring_and_never_in_the_file(
    files: Files, monkeypatch: Any
) -> None:
    put(files.root, "fix/broker", PASSWORD, monkeypatch)
    told = """[[session]]
    begin_string = "FIX.4.4"
    sender_comp_id = "HOUSE"
    target_comp_id = "BROKER"
    role = "initiator"
    connect = ["127.0.0.1:1"]
    username = "house"
    password = "{}"
    """

    def read(password: str) -> str:
        files.agreements.write_text(told.format(password))
        found = read_agreements(files.agreements, {}, lambda text: referred(files, "fix", text))
        return found.sessions[0].agreement.terms.password

    assert read("secret://fix/broker") == PASSWORD
    with pytest.raises(Invalid, match="password says where it is kept") as clear:
        read(PASSWORD)
    assert PASSWORD not in str(clear.value)
    with pytest.raises(Invalid, match="fondaco secrets put fix/nobody"):
        read("secret://fix/nobody")


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes()


def test_a_house_uses_what_it_refers_to_and_says_it_nowhere(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    """The records in PostgreSQL, cache and bus in a server that asks for its password."""
    cache = Valkey()
    with redis.Redis.from_url(cache.url) as admin:
        admin.config_set("requirepass", PASSWORD)
        with pytest.raises(redis.RedisError):
            redis.Redis.from_url(cache.url).ping()
    data = tmp_path / "house"
    database = postgres().database(str(tmp_path)).replace("app@", f"app:{PASSWORD}@")
    put(data, "at/cache", f"{cache.url}?password={PASSWORD}", monkeypatch)
    put(data, "at/records", database, monkeypatch)
    settings = {"cache": "at/cache", "fix_publish_to": "at/cache", "store": "at/records"}
    lines = [f'{name} = "secret://{at}"' for name, at in settings.items()]
    (data / "fondaco.toml").write_text("\n".join(lines))
    capsys.readouterr()
    assert main(["settings", "--data", str(data)]) == 0
    assert main(["doctor", "--data", str(data)]) == 0
    shown = capsys.readouterr().out
    assert "secret://at/cache" in shown
    log = tmp_path / "log"
    with house(data, log=log) as running:
        client = running.client()
        assert client.ask("POST", "/api/orders", order("r-1")).status == 201
        key = client.ask("POST", "/api/keys", {"name": "kept", "scopes": ["market:read"]})
        assert key.status in (200, 201), key.body
        assert client.ask("POST", "/api/tickets", {}).status in (200, 201)
        with redis.Redis.from_url(f"{cache.url}?password={PASSWORD}") as looking:
            assert looking.dbsize() > 0, "a ticket lies there"
        answers = [
            client.ask("GET", path).body
            for path in (
                "/ready",
                "/metrics",
                "/api/about",
                "/api/journal?limit=1000",
                "/api/health",
            )
        ]
        cache.kill()
        answers.append(client.ask("GET", "/ready").body)
        environ = Path(f"/proc/{running.process.pid}/environ").read_bytes()
        assert PASSWORD.encode() not in environ
    said = "".join(map(repr, answers)) + shown + log.read_text()
    assert PASSWORD not in said
    assert [path for path, text in everything(data) if PASSWORD.encode() in text] == []
    read = {(each.name, each.by) for each in audit_of(Files(data).secrets / "audit")}
    assert {("at/cache", "setting cache"), ("at/records", "setting store")} <= read
    assert ("at/cache", "setting fix_publish_to") in read


def test_a_house_does_not_begin_where_a_reference_leads_nowhere(
    tmp_path: Path, capsys: Any
) -> None:
    data = ["--data", str(tmp_path / "house"), "--port", "0"]
    assert main(["up", *data, "--set", "store=secret://at/records"]) == 2
    told = "".join(capsys.readouterr())
    assert "fondaco secrets put at/records" in told
    assert not list((tmp_path / "house").glob("journal/*.seg"))
