"""Coming to the page: from the file that `--open` hands to the browser, and without a token."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trustme
from browser import Browser
from harness import wait_until
from serving import SEEN, Service

from tempo_edge.service import browser as opening
from tempo_edge.service.access.right import Right
from tempo_edge.service.access.users import Users
from tempo_edge.service.transport.places import users_path


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


class TeamService(Service):
    """A service that has a user, ann, whose token is ``theirs``."""

    theirs = ""

    def start(self) -> None:
        kept = self.folder / "data" / "tempo-edge" / "users" / users_path(self.library).name
        self.theirs = self.theirs or Users(kept).add("ann", Right.READ)
        super().start()


def test_a_colleague_signs_in_over_tls(browser: Browser, shown: Path, tmp_path: Path) -> None:
    made = trustme.CA().issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(tmp_path / "key")
    made.cert_chain_pems[0].write_to_path(tmp_path / "certificate")
    listening = ["--listen", "127.0.0.1:0", "--certificate", str(tmp_path / "certificate")]
    service = TeamService(shown, *listening, "--key", str(tmp_path / "key"))
    try:
        wait_until(lambda: "https://" in service.said.read_text())
        (address,) = re.findall(r"https://127\.0\.0\.1:\d+/", service.said.read_text())
        with browser.page() as page:
            page.call("Security.setIgnoreCertificateErrors", ignore=True)  # of no known authority
            page.open(address)
            assert page.text("h1") == "This page needs your token"
            page.click("input")
            page.type(service.theirs)
            page.press("Enter")
            page.until("document.querySelectorAll('.card').length > 0")
            page.until(SEEN)
            assert page.look("location.href") == address
            assert page.look("document.cookie") == "", "no script reads the token"
            # What may not be done from there is not offered, and nothing else is missing.
            assert page.look("document.body.dataset.right") == "read"
            assert not page.look("document.querySelector('#add-open').checkVisibility()")
            assert [each for each in page.errors() if "401" not in each] == []
    finally:
        service.close()
