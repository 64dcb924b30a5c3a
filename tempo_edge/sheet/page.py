"""A contact sheet as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

from tempo_edge._files.page import BEGINNING
from tempo_edge.sheet.cells import Cell

__all__ = ["page"]


def page(query: str, cells: Sequence[Cell], doubt: str) -> str:
    """The page of an answer's cells, the surest first.

    Args:
        query: what was asked for.
        doubt: why the answer is unsure; nothing where it is not.
    """
    title = html.escape(query)
    count = f"{len(cells)} moment{'s' if len(cells) > 1 else ''}, the surest first"
    said = f"<p class=doubt>{html.escape(doubt)}</p>" if doubt else ""
    return (
        f"{BEGINNING}<meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>{title} · tempo-edge</title><style>{_STYLE}</style>"
        f"<header><h1>{title}</h1><p>{count}</p>{said}</header>"
        f"<main>{''.join(map(_figure, cells))}</main></html>\n"
    )


def _figure(cell: Cell) -> str:
    """One moment: its picture leads to the file, at its time."""
    moment = cell.moment
    address = html.escape(moment.path.absolute().as_uri())
    times = f"{moment.start_seconds:.3f},{moment.end_seconds:.3f}"
    if cell.picture:
        source = base64.b64encode(cell.picture).decode()
        alt = html.escape(f"{cell.name} at {cell.times}")
        shown = f'<img alt="{alt}" src="data:image/jpeg;base64,{source}">'
    else:
        shown = f"<span class=none>no picture: {html.escape(cell.why)}</span>"
    kinds = "".join(f"<li>{html.escape(kind)}" for kind in moment.found_by)
    words = f"<q>{html.escape(cell.words)}</q>" if cell.words else ""
    copies = f"<p class=copies>{cell.copies}</p>" if cell.copies else ""
    confidence = f"{moment.confidence:.2f}"
    return (
        f'<figure><a class=picture href="{address}#t={times}">{shown}</a><figcaption>'
        f"<p class=line><b>{cell.times}</b><meter value={confidence} max=1></meter>"
        f"<span class=sure>{confidence}</span></p>"
        f"<p class=name>{_breakable(cell.name)}</p>"
        f"<p class=folder>{_breakable(cell.folder)}</p>"
        f"{words}<ul>{kinds}</ul>{copies}</figcaption></figure>"
    )


def _breakable(path: str) -> str:
    """A name whose lines may end behind what parts its words."""
    return "".join(html.escape(c) + "<wbr>" * (c in "/_-.") for c in path)


_STYLE = """
:root{color-scheme:light dark;--paper:#f6f5f2;--card:#fff;--ink:#1d1c1a;--soft:#6b6862;
--line:#e3e0da;--sure:#0a7d4f;--chip:#efede8}
@media(prefers-color-scheme:dark){:root{--paper:#161615;--card:#201f1e;--ink:#eceae5;
--soft:#a19d95;--line:#33312e;--sure:#4cc38a;--chip:#2d2b29}}
*{box-sizing:border-box}
body{margin:0 auto;padding:clamp(1rem,3vw,2.5rem);max-width:1800px;background:var(--paper);
color:var(--ink);font:15px/1.45 system-ui,sans-serif}
header{margin-bottom:1.5rem}
h1{margin:0;font-size:clamp(1.35rem,2.6vw,2rem);line-height:1.2;overflow-wrap:anywhere}
header p{margin:.3rem 0 0;color:var(--soft)}
main{display:grid;gap:1.25rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,280px),1fr))}
figure{margin:0;display:flex;flex-direction:column;background:var(--card);overflow:hidden;
border:1px solid var(--line);border-radius:10px}
.picture{display:block;position:relative;aspect-ratio:16/9;background:#0c0c0c;color:#bbb;text-decoration:none}
.picture:focus-visible{outline:3px solid var(--sure);outline-offset:-3px}
img{position:absolute;width:100%;height:100%;object-fit:contain}
.none{display:grid;place-items:center;height:100%;padding:1rem;text-align:center;font-size:13px;
overflow-wrap:anywhere;overflow:hidden}
figcaption{padding:.75rem .9rem .9rem;display:flex;flex-direction:column;gap:.3rem;flex:1}
figcaption p{margin:0}
.line{display:flex;align-items:center;gap:.6rem;font-variant-numeric:tabular-nums}
.line b{font-size:1.05rem;margin-right:auto;white-space:nowrap}
meter{width:3.2rem;min-width:0;flex-shrink:1;height:.5rem;border-radius:1rem;overflow:hidden;appearance:none;
background:var(--line)}
meter::-webkit-meter-bar{background:var(--line);border:0;border-radius:1rem;height:.5rem}
meter::-webkit-meter-optimum-value{background:var(--sure);border-radius:1rem}
meter::-moz-meter-bar{background:var(--sure)}
.sure{color:var(--sure);font-weight:600}
.name{font-weight:600;overflow-wrap:anywhere}
.folder,.copies{color:var(--soft);font-size:13px;overflow-wrap:anywhere}
q{font-size:14px;border-left:3px solid var(--sure);padding-left:.6rem;margin:.2rem 0;
overflow-wrap:anywhere}
ul{display:flex;flex-wrap:wrap;gap:.35rem;margin:auto 0 0;padding:.25rem 0 0;list-style:none}
li{font-size:12px;padding:.05rem .55rem;border-radius:1rem;background:var(--chip);
color:var(--soft)}
@media print{body{background:#fff;padding:0}figure{break-inside:avoid}}
"""
