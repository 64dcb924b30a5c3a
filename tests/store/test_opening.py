"""What a library is called says what keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tempo_edge.store import opening
from tempo_edge.store.embedded.store import EmbeddedStore
from tempo_edge.store.interface import Store
from tempo_edge.store.opening import is_path, open_store, real_name


class Elsewhere(EmbeddedStore):
    """A store of another kind, for the name's sake."""

    def __init__(self, name: str | Path) -> None:
        super().__init__("nothing")
        self.name = name


@pytest.mark.parametrize("name", ["library.db", "/a/b", "a b", "c:d", "mysql:/x", "odd://x/y"])
def test_a_name_is_a_path_unless_its_scheme_is_known(name: str) -> None:
    for each in (name, Path(name)):
        store = open_store(each)
        assert type(store) is EmbeddedStore
        assert store.companion(".lock").name.endswith(".lock")


def test_one_line_adds_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(opening.STORES, "elsewhere", f"{__name__}:Elsewhere")
    # A command line, a service and an environment hand a name on as a path, which has one slash.
    for name in ("elsewhere://host/films", Path("elsewhere://host/films"), "elsewhere:/host/films"):
        store = open_store(name)
        assert isinstance(store, Elsewhere) and store.name == "elsewhere://host/films"
    assert type(open_store("elsewhere")) is EmbeddedStore


def test_a_store_that_lacks_a_part_is_none() -> None:
    half = type("Half", (Store,), {"lock": lambda self: None})
    with pytest.raises(TypeError, match="abstract"):
        half("x")


def test_a_name_on_a_server_is_no_path(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "films.db")
    assert is_path(tmp_path / "link") and is_path("odd://x/y")
    assert real_name(tmp_path / "link") == str(tmp_path.resolve() / "films.db")
    for name in ("postgresql://me@host/films", Path("postgresql://me@host/films")):
        assert not is_path(name) and real_name(name) == "postgresql://me@host/films"
