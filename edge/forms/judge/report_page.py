"""The look of a report: one HTML file without scripts, that asks nobody for anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1e28; --paper: #fff; --soft: #6b7080; --line: #d8dbe4; --main: #2457a7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8ee; --paper: #16181d; --soft: #9aa0b0; --line: #353a46; --main: #7fb0ff; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 68rem; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.4rem; }
p, figcaption { color: var(--soft); max-width: 52rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
.pair { display: flex; flex-wrap: wrap; gap: 1.5rem; } .pair figure { flex: 1 1 26rem; margin: 0; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; } svg text { fill: var(--soft); }
.grid { stroke: var(--line); } .ideal { stroke: var(--soft); stroke-dasharray: 4 4; }
.line { fill: none; stroke: var(--main); stroke-width: 2; } .span { stroke: var(--main); stroke-width: 1.5; }
.dot { fill: var(--main); }
.crops { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1rem; padding: 0; }
.crops li { list-style: none; border: 1px solid var(--line); border-radius: .5rem; padding: .7rem;
  overflow-wrap: anywhere; }
.crops img { display: block; max-width: 100%; height: 5rem; object-fit: contain; background: #fff;
  margin-bottom: .4rem; }
.crops small { color: var(--soft); display: block; }
"""


def page_of(title: str, parts: Iterable[str]) -> str:
    """A whole page of that title; parts are HTML, whose texts are escaped already."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts as HTML; the texts are escaped here."""
    lines = ["<table><thead><tr>" + "".join(f"<th>{escape(one)}</th>" for one in head) + "</tr></thead><tbody>"]
    lines += ["<tr>" + "".join(f"<td>{escape(one)}</td>" for one in row) + "</tr>" for row in rows]
    return "".join([*lines, "</tbody></table>"])
