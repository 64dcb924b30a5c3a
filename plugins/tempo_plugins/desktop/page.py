"""A page in the browser with what was found, or with what the library holds."""

from __future__ import annotations

import base64
import html
import os
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from tempo_edge._console.text import note, printable
from tempo_edge._files import atomic_write, make_private
from tempo_edge.answer import Answer
from tempo_edge.errors import TempoEdgeError
from tempo_edge.moment import Moment
from tempo_edge.query import Query
from tempo_plugins.desktop.offers import subtitle, title
from tempo_plugins.desktop.pictures import Pictures
from tempo_plugins.desktop.playing import open_file
from tempo_plugins.service_or_library import ServiceOrLibrary

__all__ = ["main", "render", "show"]

_LIMIT = 30
_WAIT_SECONDS = 5.0

_STYLE = """:root{color-scheme:light dark}
body{font:15px/1.45 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem}
ol{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:1rem;padding:0}
li{list-style:none;overflow-wrap:anywhere}img{width:100%;display:block}small{opacity:.75}"""


def show(query: str, client: ServiceOrLibrary) -> None:
    """Open a page with the moments for a query or, for an empty one, with what there is to search.

    Raises:
        TempoEdgeError: it can't be searched for that, or nothing can open the page.
    """
    from platformdirs import user_cache_path

    if query.strip():
        answer = client.find(Query(query, _LIMIT))
        with closing(Pictures(client)) as pictures:
            text = render(query, answer, pictures.get(answer.moments, _WAIT_SECONDS))
    else:
        text = _overview(client)
    place = user_cache_path("tempo-edge") / "found.html"
    make_private(place.parent)
    with atomic_write(place, mode=0o600) as draft:
        draft.write_text(text, encoding="utf-8")
    open_file(place)


def render(query: str, answer: Answer, pictures: Mapping[Moment, Path]) -> str:
    """The page of an answer: a link that starts each video at its second, beside its picture."""
    if not answer.moments:
        near = answer.best_rejected
        closest = "" if near is None else f" Closest: {_escaped(title(near))}, {_about(near)}."
        return _document(query, f"<p>Nothing matches.{closest}</p>")
    cells = "".join(_cell(moment, pictures.get(moment)) for moment in answer.moments)
    doubt = f"<p>{_escaped(answer.doubt.capitalize())}.</p>" if answer.doubt else ""
    return _document(query, f"{doubt}<ol>{cells}</ol>")


def _overview(client: ServiceOrLibrary) -> str:
    facts = client.describe()
    held = f"{facts['videos']} videos, {float(facts['hours'] or 0):.1f} hours"
    place = _escaped(printable(str(facts["library"])))
    return _document(
        "tempo-edge", f"<p>{held}, in {place}.</p><p>Search from the shell's overview.</p>"
    )


def _cell(moment: Moment, picture: Path | None) -> str:
    source = ""
    if picture is not None:
        data = base64.b64encode(picture.read_bytes()).decode()
        source = f"<img alt='' src='data:image/jpeg;base64,{data}'>"
    link = f"file://{quote(os.fsencode(moment.path))}#t={moment.cue_seconds:.2f}"
    return (
        f"<li><a href='{html.escape(link)}'>{source}<bdi>{_escaped(title(moment))}</bdi></a>"
        f"<br><small>{_about(moment)}</small></li>"
    )


def _about(moment: Moment) -> str:
    return f"<bdi>{_escaped(subtitle(moment))}</bdi>"


def _escaped(text: str) -> str:
    return html.escape(text)


def _document(name: str, body: str) -> str:
    heading = _escaped(name)
    return (
        "<!doctype html><meta charset=utf-8>"
        "<meta http-equiv=Content-Security-Policy "
        "content=\"default-src 'none';img-src data:;style-src 'unsafe-inline'\">"
        f"<title>{heading}</title><style>{_STYLE}</style><h1>{heading}</h1>{body}"
    )


def main(arguments: list[str]) -> int:
    """Open the page for the words of a command line; gives the exit status."""
    try:
        with ServiceOrLibrary(name="page") as client:
            show(" ".join(arguments), client)
    except TempoEdgeError as error:
        note(f"tempo-edge: error: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
