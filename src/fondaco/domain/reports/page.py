"""A document as a page that needs nothing but itself: light, dark, and on paper."""

from collections.abc import Iterator
from html import escape

from fondaco.domain.reports.charts import PAGE, svg
from fondaco.domain.reports.model import Chart, Document, Section, Table, Words, drawn

_STYLE = """
:root{color-scheme:light dark;--ground:#fff;--ink:#1c2430;--soft:#5d6878;--grid:#e1e5ea;
--line:#1f5fa8;--good:#1d7f5c;--bad:#b3423a;--none:#eef0f3;--card:#f7f8fa}
@media(prefers-color-scheme:dark){:root{--ground:#12161c;--ink:#e6eaf0;--soft:#98a3b3;
--grid:#2a323d;--line:#6ba8ee;--good:#4cbf93;--bad:#e8867d;--none:#222a34;--card:#1a2029}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:860px;margin:0 auto;padding:40px 24px 64px}
header{border-bottom:2px solid var(--ink);padding-bottom:14px;margin-bottom:22px}
h1{font-size:27px;line-height:1.2;margin:0 0 2px;font-weight:650}h1+p{margin:0;color:var(--soft)}
dl{display:flex;flex-wrap:wrap;gap:4px 28px;margin:14px 0 0}dt{color:var(--soft);font-size:12px}
dd{margin:0}h2{font-size:18px;margin:34px 0 10px;font-weight:650}
h3{font-size:13px;font-weight:600;color:var(--soft);margin:18px 0 6px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(180px,1fr));gap:12px}
.tile{background:var(--card);border-radius:8px;padding:12px 14px}
.tile b{display:block;font-size:22px;line-height:1.3;font-weight:620}
.tile span{color:var(--soft);font-size:12.5px}
.good b{color:var(--good)}.bad b{color:var(--bad)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13.5px}
th{color:var(--soft);font-weight:600;text-align:left;border-bottom:1px solid var(--soft)}
th,td{padding:5px 10px 5px 0;vertical-align:top;white-space:nowrap}
td{border-bottom:1px solid var(--grid)}
th:last-child,td:last-child{padding-right:0}.n{text-align:right}
svg{width:100%;height:auto;display:block}footer{margin-top:44px;padding-top:12px;
border-top:1px solid var(--grid);color:var(--soft);font-size:12.5px}footer p{margin:0 0 6px}
code{font:12px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
@media print{:root{--ground:#fff;--ink:#000;--soft:#444;--grid:#ccc;--card:#f3f4f6;--none:#eee;
--line:#1f5fa8;--good:#1d7f5c;--bad:#b3423a}main{padding:0;max-width:none}
h2{break-after:avoid}h3{break-after:avoid}tr,.tile,svg{break-inside:avoid}thead{display:table-header-group}}
"""


def html(document: Document, sha256: str) -> str:
    """`sha256` is of the document; it is shown at the end."""
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in document.facts
    )
    tiles = "".join(
        f'<div class="tile {each.tone}"><span>{escape(each.label)}</span>'
        f"<b>{escape(each.value)}</b><span>{escape(each.note)}</span></div>"
        for each in document.tiles
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in document.notes)
    made_of = ", ".join(f"{name} {value}" for name, value in document.made_of.items())
    body = "".join(part for section in document.sections for part in _section(section))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(document.title)} – {escape(document.subject)}</title>"
        f"<style>{_STYLE}</style></head><body><main><header><h1>{escape(document.title)}</h1>"
        f"<p>{escape(document.subject)}</p><dl>{facts}</dl></header>"
        f'<div class="tiles">{tiles}</div>{body}<footer>{notes}<p>{escape(made_of)}</p>'
        f"<p>SHA-256 of the document <code>{sha256}</code></p></footer></main></body></html>\n"
    )


def _section(section: Section) -> Iterator[str]:
    yield f"<section><h2>{escape(section.title)}</h2>"
    for block in section.blocks:
        if isinstance(block, Words):
            yield f"<p>{escape(block.text)}</p>"
        elif isinstance(block, Chart):
            yield f"<h3>{escape(block.title)}</h3>{svg(block, PAGE) or '<p>No days yet.</p>'}"
        else:
            yield from _table(block)
    yield "</section>"


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield f"<h3>{escape(table.title)}</h3>"
    if not table.rows:
        yield f"<p>{escape(table.empty)}</p>"
        return
    yield '<div class="wide"><table>'
    if any(column.title for column in table.columns):
        heads = "".join(
            f"<th{_class(column.is_number)}>{escape(column.title)}</th>" for column in table.columns
        )
        yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    rows, others = drawn(table)
    for row in rows:
        cells = "".join(
            f"<td{_class(column.is_number)}>{escape(cell)}</td>"
            for column, cell in zip(table.columns, row, strict=True)
        )
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table></div>"
    if others:
        yield f"<p>{escape(others)}</p>"


def _class(is_number: bool) -> str:
    return ' class="n"' if is_number else ""
