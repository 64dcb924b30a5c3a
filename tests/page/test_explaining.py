"""The page of `find --explain` in a browser: it shows its pictures, and can't do anything else."""

from __future__ import annotations

from pathlib import Path

from browser import Browser

import tempo_edge
from tempo_edge import explain

# The directive that stops something; "nothing" where it was let through.
STOPPED = """new Promise((done) => {{
  document.addEventListener("securitypolicyviolation", (e) => done(e.effectiveDirective));
  setTimeout(() => done("nothing"), 5000);
  {act}
}})"""

ACTS = {
    "img-src": "const i = new Image(); i.src = 'http://127.0.0.1:1/x'; document.body.append(i);",
    "script-src-elem": "const s = document.createElement('script');"
    "s.textContent = 'window.ran = true'; document.body.append(s);",
    "script-src-attr": "document.body.insertAdjacentHTML('beforeend',"
    " '<img src=data:, onerror=\"window.ran = true\">');",
    "connect-src": "fetch('http://127.0.0.1:1/').catch(() => 0);",
    "style-src-elem": "const l = document.createElement('link'); l.rel = 'stylesheet';"
    "l.href = 'http://127.0.0.1:1/'; document.head.append(l);",
}


def test_it_shows_its_pictures_and_nothing_else(
    shown: Path, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "why.html"
    query = "<script>window.ran = true</script> a man in a suit"
    with tempo_edge.Library.open(shown) as library:
        explain.write(file, query, library.find(query, min_confidence=0))
    with browser.page() as page:
        page.open(file.as_uri())
        assert page.text("h1") == query
        pictures = "[...document.querySelectorAll('figure img')]"
        assert page.look(f"{pictures}.length") > 4
        page.until(f"{pictures}.every((each) => each.naturalWidth > 0)")
        assert page.look("getComputedStyle(document.querySelector('figure')).margin") == "0px"
        shape = page.look("getComputedStyle(document.querySelector('figure img')).aspectRatio")
        assert shape.startswith("1.33")
        assert page.errors() == []
        for directive, act in ACTS.items():
            assert page.look(STOPPED.format(act=act)) == directive
        assert page.look("window.ran") is None
