"""A daily statement as a page to be printed: whole in itself, no script, nothing from elsewhere."""

from collections.abc import Iterable
from html import escape
from typing import Final

from fondaco.domain.trading.replies import DailyStatement

_STYLE: Final = (
    "body{font:11pt/1.4 serif;margin:2rem auto;max-width:60rem}"
    "table{border-collapse:collapse;width:100%;font-size:9pt}"
    "th,td{border-bottom:1px solid #999;padding:.2rem .5rem;text-align:right}"
    "th:first-child,td:first-child{text-align:left}"
    "tr{break-inside:avoid}thead{display:table-header-group}@page{margin:15mm}"
)


def daily_html(found: DailyStatement) -> str:
    state = "" if found.final else " (not over: more may come)"
    title = f"Statement of {found.account_id}, {found.day}"
    balances = _table(
        ("asset", "opening", "change", "closing", "fees", "realised"),
        (
            (line.asset, line.opening, line.change, line.closing, line.fees, line.realized)
            for line in found.balances
        ),
    )
    movements = _table(
        ("time", "what", "reference", "asset", "amount", "balance"),
        (
            (line.time, line.kind, line.reference, line.asset, line.amount, line.balance)
            for line in found.movements
        ),
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}{state}</h1>"
        f"<p>{escape(found.name)} · {escape(found.currency)} · position {found.position}</p>"
        f"<h2>Balances</h2>{balances}<h2>Movements</h2>{movements}</body></html>"
    )


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
