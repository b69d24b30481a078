"""What somebody has not been paid stands in the way of being forgotten."""

from pathlib import Path

import msgspec
import sqlalchemy as sa

from fondaco.app.own_records import unpaid
from fondaco.domain.evaluation.assessments import store as assessments
from fondaco.domain.payments import store as payments
from fondaco.domain.payments.model import Payout
from fondaco.ports.store.sqlite import SqliteStore


def empty(table: sa.Table) -> dict[str, object]:
    return {each.name: 0 if each.type.python_type is int else "" for each in table.c}


def assessed(user: str) -> dict[str, object]:
    row = empty(assessments.assessments)
    named = {"assessment_id": f"asm-{user}", "account_id": f"asm-{user}-1"}
    return {**row, **named, "tenant": "demo", "user": user}


def test_whoever_waits_for_money_is_told_of_each_payout_once(tmp_path: Path) -> None:
    views = SqliteStore(tmp_path / "views.db", durable=False)
    views.create(payments.metadata)
    views.create(assessments.AssessmentsView.metadata)
    payout = empty(assessments.payouts)
    with views.writing() as conn:
        for user in ("ada", "bob"):
            conn.execute(assessments.assessments.insert().values(assessed(user)))
            for number, state in enumerate(("paid", "asked", "agreed", "refused", "failed"), 1):
                mine = {"assessment_id": f"asm-{user}", "number": number, "state": state}
                conn.execute(assessments.payouts.insert().values({**payout, **mine}))
            for number, state in ((1, "paid"), (3, "ordered"), (5, "failed")):
                name = f"asm-{user}-{number}"
                amount = 1_234 * 10**8
                body = msgspec.msgpack.encode(
                    Payout(name, state, "demo", user, f"asm-{user}", amount, "USD")  # type: ignore[arg-type]
                )
                row = {"payout_id": name, "tenant": "demo", "user": user, "state": state}
                conn.execute(payments.payouts.insert().values(**row, position=1, body=body))
    with views.reading() as conn:
        found = list(unpaid(conn, "demo", "ada"))
        assert list(unpaid(conn, "demo", "eve")) == list(unpaid(conn, "bank", "ada")) == []
    assert {each.kind for each in found} == {"payout"}
    assert [each.what.partition(" is ")[0] for each in found] == [
        "the payout asm-ada-3 of 1234.00 USD",
        "payout 2 of asm-ada",
    ]
    assert found[1].account_id == "asm-ada-1"
