"""Tiers in a running house: on sale at its first start, defined, simulated, published by two."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from fondaco.app.offline import create_key
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.evaluation.wording import wording
from running import Client, Running, house

TEXT: Final = """\
name = "mine"
title = "Mine, 10,000"
effective_from = 2026-01-01
account = "10000"
fee = "99"
[[phases]]
name = "Challenge"
target = "8%"
overall_loss = { limit = "10%" }
"""
SOLD: Final = ["instant-10k", "one-step-50k", "three-step-25k", "two-step-100k"]


class Staff(NamedTuple):
    """ada and ria may both write tiers, tim trades."""

    running: Running
    tokens: dict[str, str]
    data: Path

    def of(self, who: str) -> Client:
        return self.running.client(self.tokens[who])


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    data = tmp_path_factory.mktemp("tiers")
    roles = {"ada": ["admin"], "ria": ["risk"], "tim": ["trader"]}
    tokens = {
        who: create_key(data, "demo", who, "key", mine, None)["token"]
        for who, mine in roles.items()
    }
    tokens["eve"] = create_key(data, "other", "eve", "key", ["admin"], None)["token"]
    with house(data, options=["--set", "four_eyes=strict"], log=data / "log") as running:
        yield Staff(running, tokens, data)


def test_a_demo_house_sells_its_own_tiers_with_their_odds(staff: Staff) -> None:
    found = staff.of("tim").get("/api/tiers")["items"]
    assert [each["tier"] for each in found] == SOLD
    for each in found:
        terms = tier_of(text_of(each["tier"]))
        said = [text for _, sentences in wording(terms) for text in sentences]
        assert (each["state"], each["version"], each["wording"]) == ("published", 1, said)
        assert each["odds"]["paths"] == 10_000
        for odds in each["odds"]["traders"]:
            assert 0 <= odds["pass_probability"] + odds["ruin_probability"] <= 1
        one = staff.of("tim").get(f"/api/tiers/{each['tier']}")
        assert one["item"] == each
        assert sha256(one["terms"].encode()).hexdigest() == each["fingerprint"]
        assert tier_of(one["text"]) == terms
    two = next(each for each in found if each["tier"] == "two-step-100k")
    assert [each["target"] for each in two["phases"]] == ["10000", "5000"]
    assert two["phases"][0]["daily_loss"] == {
        "amount": "5000",
        "part": None,
        "counted_from": "balance",
    }


def test_another_tenant_sells_nothing_of_ours(staff: Staff) -> None:
    eve = staff.of("eve")
    assert eve.get("/api/tiers?state=all")["items"] == []
    assert eve.ask("GET", "/api/tiers/two-step-100k").status == 404


def test_a_version_is_defined_from_text_numbered_and_never_changed(staff: Staff) -> None:
    ada, tim = staff.of("ada"), staff.of("tim")
    assert tim.ask("POST", "/api/tiers", {"text": TEXT}).status == 403
    tried = ada.ask("POST", "/api/tiers", {"text": TEXT, "dry_run": True}).body
    assert (tried["version"], tried["position"], tried["publishable"]) == (1, 0, True)
    assert ada.ask("GET", "/api/tiers/mine").status == 404, "it was only tried"
    made = ada.ask("POST", "/api/tiers", {"text": TEXT}).body
    assert made["position"] > 0
    assert {**made, "position": 0} == tried, "what was tried is what is kept"
    again = ada.ask("POST", "/api/tiers", {"text": TEXT}).body
    assert (again["version"], again["fingerprint"]) == (1, made["fingerprint"])
    wrong = TEXT.replace('"8%"', '"0"')
    second = ada.ask("POST", "/api/tiers", {"text": wrong}).body
    assert (second["version"], second["publishable"]) == (2, False)
    assert [each["code"] for each in second["findings"] if each["weight"] == "contradiction"] == [
        "no_target"
    ]
    changed = ada.ask("POST", "/api/tiers", {"text": "version = 1\n" + wrong})
    assert (changed.status, changed.body["code"]) == (409, "version_fixed")
    assert ada.ask("POST", "/api/tiers", {"text": "name = 1.5"}).status == 422
    draft = ada.get("/api/tiers/mine")
    assert (draft["item"]["version"], draft["item"]["state"]) == (2, "draft")
    assert [each["version"] for each in draft["versions"]] == [2, 1]
    assert ada.get("/api/tiers/mine?version=1")["text"] == "version = 1\n" + TEXT
    assert tim.ask("GET", "/api/tiers/mine").status == 404, "nobody buys a draft, or sees it"
    assert "mine" not in [each["tier"] for each in tim.get("/api/tiers?state=all")["items"]]
    assert [each["tier"] for each in ada.get("/api/tiers?state=draft")["items"]] == ["mine"] * 2
