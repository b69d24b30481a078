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
