"""Coming to the page: from the file that `--open` hands to the browser, and without a token."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import Browser
from serving import Service

from tempo_edge.service import browser as opening


def test_the_file_that_open_hands_over(
    browser: Browser, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    opening.show(service.door, tmp_path / "s.sock.html")
    with browser.page() as page:
        page.open(opened[0])
        page.until("document.querySelectorAll('.card').length > 0")
        assert page.look("location.href") == service.address
        assert page.errors() == []


def test_without_a_token_it_says_what_to_do(browser: Browser, service: Service) -> None:
    with browser.page() as page:
        page.open(service.address)
        assert "tempo-edge serve --address" in page.text("body")
        assert page.text("h1") == "This page needs your token"
