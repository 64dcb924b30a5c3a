"""The page's own files: a fixed list of names, so that no name leads anywhere else."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import Response

from tempo_edge.errors import ServiceError

__all__ = ["Page"]

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


class Page:
    """Serves the files of one folder, those that lie in it when the service starts."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or Path(__file__).parents[1] / "page"
        self._files = {
            path.name: path
            for path in folder.glob("*")
            if path.suffix in _TYPES and path.is_file() and not path.is_symlink()
        }

    def answer(self, name: str) -> Response:
        """A file by its name.

        Raises:
            ServiceError: the page has no such part; status 404.
        """
        path = self._files.get(name)
        try:
            if path is not None:
                headers = {"cache-control": "no-cache"}
                return Response(path.read_bytes(), media_type=_TYPES[path.suffix], headers=headers)
        except OSError:
            pass  # taken away since: as if it had never been
        raise ServiceError(404, f"the page has no part {name!r}")
