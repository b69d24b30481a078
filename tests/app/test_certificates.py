"""Certificates, and papers at the command line, of a house that lives: who sees what, for how long,
and what a bare Python makes of it."""

import json
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import pytest

from app.test_purchases import press
from app.test_restart import wait_for
from fondaco.app.paper_commands import lay
from fondaco.cli import main
from fondaco.domain.evaluation.assessments.model import assessment_id_of
from fondaco.domain.reports.certificates.model import standing_of
from fondaco.kernel.errors import Corrupt
from running import Client, Running, house

NAME: Final = "Ada Lovelace"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with house(tmp_path_factory.mktemp("certificates") / "house") as found:
        yield found


@pytest.fixture(scope="module")
def demo(running: Running) -> Client:
    return running.client()


def anybody(running: Running, path: str) -> tuple[int, bytes]:
    """With nothing but the link."""
    with closing(HTTPConnection("127.0.0.1", running.port, timeout=20)) as asked:
        asked.request("GET", path)
        answer = asked.getresponse()
        return answer.status, answer.read()


def funded(running: Running, demo: Client) -> tuple[dict[str, Any], str]:
    """Bought, paid, and funded at once."""
    reply = demo.ask("POST", "/api/purchases", {"tier": "instant-10k"})
    assert reply.status == 201, reply
    assert press(running, reply.body, "pay") == 303
    name = assessment_id_of(reply.body["purchase_id"])
    wait_for(lambda: demo.ask("GET", f"/api/assessments/{name}").status == 200)
    wait_for(lambda: demo.get(f"/api/assessments/{name}")["state"] == "funded")
    return dict(reply.body), name


def made(demo: Client, assessment_id: str, **more: Any) -> Any:
    asked = {"assessment_id": assessment_id, "kind": "funded", **more}
    wait_for(lambda: demo.ask("POST", "/api/certificates", asked).status == 201)
    (found,) = [
        each
        for each in demo.get("/api/certificates")["items"]
        if each["assessment_id"] == assessment_id
    ]
    return found


def checked(at: Path, running: Running, url: str) -> tuple[int, str]:
    """By a Python that has nothing but its own library, of files that anybody can fetch."""
    (at / "verifier.py").write_bytes(anybody(running, "/certificates/verifier.py")[1])
    (at / "proof").write_bytes(anybody(running, f"{url}/proof")[1])
    return ran(at)


def ran(at: Path) -> tuple[int, str]:
    program = [sys.executable, "-I", "-S", str(at / "verifier.py"), str(at / "proof")]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_whoever_has_the_link_sees_what_its_owner_agreed_to_and_can_prove_it(
    running: Running, demo: Client, tmp_path: Path
) -> None:
    purchase, name = funded(running, demo)
    found = made(demo, name, shown_as="name", name=NAME, is_public=True)
    again = demo.ask("POST", "/api/certificates", {"assessment_id": name, "kind": "funded"})
    assert (again.status, again.body["code"]) == (409, "certificate_exists")
    early = demo.ask("POST", "/api/certificates", {"assessment_id": name})
    assert (early.status, early.body["code"]) == (409, "not_certifiable"), "it was never passed"
    nobodys = {"assessment_id": "asm-0123456789abcdef"}
    assert demo.ask("POST", "/api/certificates", nobodys).status == 404

    status, raw = anybody(running, f"/api{found['url']}")
    said = json.loads(raw)
    assert (status, said["name"], said["standing"], said["firm"]) == (200, NAME, "valid", "demo")
    assert said["result"] == "trades a funded account"
    status, page = anybody(running, found["url"])
    assert (status, NAME in page.decode()) == (200, True)
    pictures = [anybody(running, f"{found['url']}/{form}") for form in ("pdf", "svg", "png", "gif")]
    assert [status for status, _ in pictures] == [200, 200, 200, 404]
    assert [pictures[0][1][:5], pictures[2][1][:4]] == [b"%PDF-", b"\x89PNG"]
    assert anybody(running, f"{found['url']}/pdf") == pictures[0], "it never changes"

    wait_for(lambda: anybody(running, f"{found['url']}/proof")[0] == 200)
    assert checked(tmp_path, running, found["url"])[0] == 0
    proof = json.loads((tmp_path / "proof").read_text())
    assert (proof["position"], proof["stream"]) == (said["position"], f"assessment/{name}")
    raw = bytes.fromhex(proof["record"])
    assert b"assessments.started.v1" in raw
    assert b"Ada" not in raw
    changed = proof["record"][:-2] + f"{raw[-1] ^ 1:02x}"
    (tmp_path / "proof").write_text(json.dumps({**proof, "record": changed}))
    assert ran(tmp_path)[0] == 1

    assert press(running, purchase, "dispute") == 303
    link = f"/api{found['url']}"
    wait_for(lambda: json.loads(anybody(running, link)[1])["standing"] == "suspended")
    assert anybody(running, f"{found['url']}/pdf")[0] == 409, "no new copies of it"
    assert press(running, purchase, "lose") == 303
    wait_for(lambda: json.loads(anybody(running, link)[1])["standing"] == "void")
    assert "the dispute was lost" in anybody(running, found["url"])[1].decode()


def test_nobody_sees_what_was_not_shared_or_was_taken_back(running: Running, demo: Client) -> None:
    _, name = funded(running, demo)
    found = made(demo, name)
    assert found["name"] == "A trader who wants no name to be shown"
    assert anybody(running, found["url"])[0] == anybody(running, f"/api{found['url']}")[0] == 404
    shared = demo.ask("PUT", f"/api{found['url']}", {"is_public": True})
    assert (shared.status, anybody(running, found["url"])[0]) == (200, 200)
    assert demo.ask("DELETE", f"/api{found['url']}").status == 200
    status, raw = anybody(running, f"/api{found['url']}")
    said = json.loads(raw)
    assert (status, said["standing"], said["name"], said["assessment_id"]) == (
        200, "withdrawn", "", "",
    )  # fmt: skip
    assert anybody(running, f"{found['url']}/pdf")[0] == 409
    assert demo.ask("PUT", f"/api{found['url']}", {"is_public": True}).status == 404
    again = made(demo, name, is_public=True)
    assert again["certificate_id"] != found["certificate_id"]


def test_the_firm_revokes_one_and_whoever_has_the_link_reads_why(
    running: Running, demo: Client
) -> None:
    _, name = funded(running, demo)
    found = made(demo, name, shown_as="name", name=NAME)
    kept = demo.get(f"/api{found['url']}/document")
    pdf = b64decode(kept["pdf"])
    assert pdf[:5] == b"%PDF-", "its owner has it also while nobody sees it"
    assert (sha256(pdf).hexdigest(), found["is_public"]) == (kept["sha256"], False)
    demo.ask("PUT", f"/api{found['url']}", {"is_public": True})
    (line,) = [
        each
        for each in demo.get("/api/certificates?of=everybody")["items"]
        if each["certificate_id"] == found["certificate_id"]
    ]
    assert (line["user"], line["standing"]) == ("demo", "valid")
    path = f"/api{found['url']}/revoke"
    assert demo.ask("POST", path, {"reason": "x"}).status == 422
    nobodys = f"/api/certificates/{'0' * 24}/revoke"
    assert demo.ask("POST", nobodys, {"reason": "so it is"}).status == 404
    revoked = demo.ask("POST", path, {"reason": "made by mistake"})
    assert (revoked.status, revoked.body["standing"]) == (200, "revoked")
    said = json.loads(anybody(running, f"/api{found['url']}")[1])
    assert (said["standing"], said["why"], said["user"]) == ("revoked", "made by mistake", "")
    assert b"made by mistake" in anybody(running, found["url"])[1]
    assert anybody(running, f"{found['url']}/pdf")[0] == 409
    assert demo.ask("GET", f"/api{found['url']}/document").status == 409
    assert demo.ask("POST", path, {"reason": "once more"}).body["code"] == "revoked"
    again = made_anew(demo, name)
    assert (again["standing"], again["certificate_id"] == found["certificate_id"]) == (
        "valid", False,
    )  # fmt: skip


def made_anew(demo: Client, assessment_id: str) -> Any:
    reply = demo.ask(
        "POST", "/api/certificates", {"assessment_id": assessment_id, "kind": "funded"}
    )
    assert reply.status == 201, reply
    return reply.body


def test_packs_and_reports_are_fetched_at_the_command_line_and_checked(
    running: Running, demo: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, name = funded(running, demo)
    at = ["--url", f"http://127.0.0.1:{running.port}", "--token", "demo"]

    def said(*words: str) -> tuple[int, str]:
        status = main([*words, *at])
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    folder = tmp_path / "pack"
    wait_for(lambda: demo.ask("GET", f"/api/assessments/{name}/pack").status == 200)
    status, told = said("assessment", "pack", name, "--out", str(folder))
    assert (status, told.splitlines()[-1]) == (0, "proven"), told
    status, told = said("assessment", "pack", name, "--out", str(folder))
    assert (status, "holds something already" in told) == (2, True)

    status, told = said("report", "make", "trade_history", "demo", "--time-zone", "Europe/Prague")
    assert status == 0, told
    report = json.loads(told)["report_id"]
    status, told = said("report", "list", "--account", "demo")
    assert (status, told.split()[0], "trade_history" in told) == (0, report, True)
    paper = tmp_path / "paper.pdf"
    status, told = said("report", "get", report, "--out", str(paper))
    assert (status, paper.read_bytes()[:5]) == (0, b"%PDF-"), told
    assert said("report", "get", "0" * 24)[0] == 1


def test_a_pack_that_arrived_otherwise_is_not_laid_out(tmp_path: Path) -> None:
    with pytest.raises(Corrupt, match="SHA-256 differs"):
        lay({"zip": "AAAA", "sha256": "00"}, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()


@pytest.mark.parametrize(
    ("kind", "state", "frozen", "voided", "standing"),
    [
        ("passed", "passed", "", "", "valid"),
        ("passed", "failed", "", "", "valid"),  # the funded account that followed
        ("passed", "abandoned", "", "it was paid back", "void"),
        ("passed", "passed", "its payment is disputed", "", "suspended"),
        ("funded", "funded", "", "", "valid"),
        ("funded", "failed", "", "", "ended"),
        ("payout", "abandoned", "", "", "valid"),
        ("payout", "abandoned", "frozen", "it was paid back", "void"),
    ],
)
def test_how_a_certificate_stands_for_what_became_of_its_assessment(
    kind: Any, state: str, frozen: str, voided: str, standing: str
) -> None:
    assert standing_of(kind, state, frozen, voided)[0] == standing
