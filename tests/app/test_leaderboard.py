"""Who is ahead, in a house that lives; and by which name they are seen, if by any."""

from pathlib import Path
from typing import Any

import redis

from app.test_restart import wait_for
from fondaco.app.offline import create_key
from running import Client, house
from servers import valkey


def given(client: Client, user: str, tier: str = "one-step-50k") -> Any:
    gift = {"tier": tier, "user": user, "reference": f"for {user}"}
    made = client.ask("POST", "/api/assessments", gift)
    assert made.status == 201, made.body
    return made.body


def test_who_trades_has_a_rank_and_only_the_name_that_they_want(tmp_path: Path) -> None:
    token = create_key(tmp_path, "demo", "eve", "first", ["trader"], None)["token"]
    shared = f"{valkey().url}?db=6"
    with house(tmp_path, options=["--cache", shared]) as running:
        demo, eve = running.client(), running.client(token)
        mine, hers = given(demo, "demo"), given(demo, "eve")
        bought = {
            "account_id": mine["account_id"], "cl_ord_id": "first", "symbol": "BTC-USD",
            "side": "buy", "ord_type": "market", "order_qty": "0.005", "time_in_force": "ioc",
        }  # fmt: skip
        assert demo.ask("POST", "/api/orders", bought).status == 201

        def ranks(client: Client, query: str = "") -> Any:
            return client.get(f"/api/leaderboard{query}")

        wait_for(lambda: ranks(eve)["items"] and ranks(eve)["items"][-1]["value"] != "0")
        first, second = ranks(eve)["items"]  # a fee was paid: who has not traded is ahead
        assert (first["rank"], first["is_you"], first["assessment_id"]) == (
            1, True, hers["assessment_id"],
        )  # fmt: skip
        assert (second["rank"], second["name"], second["assessment_id"]) == (2, "", None)
        assert float(second["value"]) < 0
        assert [line["rank"] for line in ranks(demo, "?limit=1")["you"]] == [2]
        paid = ranks(demo, "?by=payouts")
        assert [(line["rank"], line["value"]) for line in paid["items"]] == [(1, "0"), (1, "0")]
        assert ranks(demo, "?tier=instant-10k")["items"] == []

        assert demo.get("/api/leaderboard/profile") == {"public_name": ""}
        heron = {"public_name": "Night Heron"}
        assert demo.ask("PUT", "/api/leaderboard/profile", heron).status == 200
        assert ranks(eve)["items"][1]["name"] == "Night Heron"
        taken = eve.ask("PUT", "/api/leaderboard/profile", heron)
        assert (taken.status, taken.body["code"]) == (409, "name_taken")
        assert demo.ask("DELETE", "/api/leaderboard/profile").body == {"public_name": ""}
        assert ranks(eve)["items"][1]["name"] == "", "at once"

        with redis.Redis.from_url(shared) as server:
            assert list(server.scan_iter("ranks:*")), "nobody else could see them"
            before = ranks(eve)["items"]
            server.flushdb()
            assert ranks(eve)["items"] == before, "the cache is no truth"

        gone = f"/api/assessments/{mine['assessment_id']}/abandon"
        assert demo.ask("POST", gone, {"reason": "enough of it"}).status == 200
        wait_for(lambda: ranks(eve)["ranked"] == 1)
