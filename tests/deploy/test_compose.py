"""The compose file: what it opens, who runs in it, and where its secrets are."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_lines import check
from dockerfile import Dockerfile
from postgres_server import server

from tempo_edge.service.transport.listening import listening_of

DEPLOY = Path(__file__).parents[2] / "deploy"
FILE = DEPLOY / "compose.yaml"
OURS = ("service", "watcher", "worker")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file, parsed, with what its parts share in each of them."""
    parsed: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return parsed


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def test_who_is_there(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == {"database", *OURS}
    assert services["database"]["image"] == "pgvector/pgvector:pg18"
    assert services["worker"]["deploy"]["replicas"] >= 2


def test_only_the_service_can_be_reached(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    published = {name: each["ports"] for name, each in services.items() if "ports" in each}
    assert published == {"service": ["8443:8443"]}
    assert compose["networks"]["inside"]["internal"] is True
    outside = [name for name, each in services.items() if each["networks"] != ["inside"]]
    assert outside == ["service"]
    for each in services.values():
        assert not {"network_mode", "privileged", "cap_add", "devices", "pid", "ipc"} & set(each)


def test_nobody_is_root_or_becomes_it(services: dict[str, dict[str, Any]]) -> None:
    for name, each in services.items():
        user, _, group = each["user"].partition(":")
        assert int(user) > 0 and int(group) > 0, name
        assert each["cap_drop"] == ["ALL"] and each["read_only"] is True, name
        assert each["security_opt"] == ["no-new-privileges:true"], name
        assert each["pids_limit"] > 0 and each["restart"] == "unless-stopped", name
    image = Dockerfile(DEPLOY / "cpu.Dockerfile")
    for name in OURS:
        assert services[name]["user"].startswith(f"{image.last('USER').text}:")


def test_footage_is_only_read(compose: dict[str, Any], services: dict[str, dict[str, Any]]) -> None:
    for name in OURS:
        (mount,) = [each for each in services[name]["volumes"] if "footage" in each]
        assert mount == "footage:/footage:ro", name
    assert "ro" in compose["volumes"]["footage"]["driver_opts"]["o"].split(",")
    assert not any("footage" in each for each in services["database"]["volumes"])
    # Whose tokens are good for what is known to the service alone.
    mounts = [each for name in ("watcher", "worker") for each in services[name]["volumes"]]
    assert not any(each.startswith("service:") for each in mounts)


def strings(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield str(name)
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    else:
        yield str(value)


def test_secrets_are_files_and_nowhere_else(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    declared = compose["secrets"]
    for name, each in declared.items():
        assert list(each) == ["file"] and each["file"].startswith("./secrets/"), name
    used = {name for each in services.values() for name in each["secrets"]}
    assert used == set(declared)
    for name, each in services.items():
        for text in strings(each):
            assert not re.search(r"://[^/@]*:[^/@]*@", text), f"{name}: a password in {text}"
        for variable, value in each.get("environment", {}).items():
            if re.search("pass|secret|token|key", variable, re.I):
                assert value.startswith("/run/secrets/"), variable
                assert Path(value).name in each["secrets"], variable
        for word in each.get("command", []):
            if "/run/secrets/" in word:
                assert Path(word).name in each["secrets"], word
    # Only who listens has the certificate, and only the server its owner's password.
    holders = {name for name, each in services.items() if "certificate-key" in each["secrets"]}
    assert holders == {"service"}
    assert [n for n, e in services.items() if "postgres-password" in e["secrets"]] == ["database"]
    assert "deploy/secrets/" in (DEPLOY.parent / ".gitignore").read_text()


@pytest.mark.parametrize("name", OURS)
def test_what_is_run_exists(services: dict[str, dict[str, Any]], name: str) -> None:
    command = services[name]["command"]
    assert check(command) == {"service": "serve", "watcher": "watch"}.get(name, name)
    assert "--library=postgresql://films@database/films" in command


def test_it_listens_where_the_port_is(services: dict[str, dict[str, Any]]) -> None:
    options = dict(word.split("=", 1) for word in services["service"]["command"] if "=" in word)
    files = Path(options["--certificate"]), Path(options["--key"])
    listening = listening_of(options["--listen"], *files)
    assert services["service"]["ports"] == [f"8443:{listening.port}"]


def test_health_is_looked_at(services: dict[str, dict[str, Any]]) -> None:
    for name in OURS:
        assert services[name]["depends_on"] == {"database": {"condition": "service_healthy"}}
    command, program, option, code = services["service"]["healthcheck"]["test"]
    assert (command, program, option) == ("CMD", "python", "-c")
    compile(code, "healthcheck", "exec")
    assert "from tempo_edge.service.client import ask_status" in code
    assert services["database"]["healthcheck"]["test"][1] == "pg_isready"


def test_what_the_files_refer_to_is_there(compose: dict[str, Any]) -> None:
    build = compose["services"]["service"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve().is_file()
    (script,) = [e for e in compose["services"]["database"]["volumes"] if e.startswith("./")]
    source, target, mode = script.split(":")
    assert (DEPLOY / source).is_file() and mode == "ro"
    assert Path(target).parent == Path("/docker-entrypoint-initdb.d")


def test_the_database_is_made_as_it_has_to_be(tmp_path: Path) -> None:
    """By PostgreSQL's own client, at a server of the tests' own."""
    running = server()
    password = tmp_path / "films-password"
    password.write_text('it\'s "odd"\n')
    script = (DEPLOY / "compose.sql").read_text(encoding="utf-8")
    assert script.count("/run/secrets/films-password") == 1
    moved = tmp_path / "compose.sql"
    moved.write_text(script.replace("/run/secrets/films-password", str(password)))

    def psql(*arguments: str | Path, database: str = "postgres") -> str:
        line = [running.programs / "psql", "--no-psqlrc", "--quiet", "--tuples-only"]
        line += ["--no-align", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h", running.folder]
        done = subprocess.run([*line, "-d", database, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    try:
        psql("-f", moved)
        role = "SELECT rolsuper, rolcreatedb, rolcanlogin FROM pg_roles WHERE rolname = 'films'"
        assert psql("-c", role) == "f|f|t"
        made = "SELECT extname FROM pg_extension WHERE extname = 'vector'"
        assert psql("-c", made, database="films") == "vector"
        owner = "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding) FROM pg_database"
        assert psql("-c", f"{owner} WHERE datname = 'films'") == "films|UTF8"
        kept = psql("-c", "SELECT rolpassword FROM pg_authid WHERE rolname = 'films'")
        assert kept.startswith("SCRAM-SHA-256$") and "odd" not in kept
    finally:
        psql("-c", "DROP DATABASE IF EXISTS films")
        psql("-c", "DROP ROLE IF EXISTS films")


def test_the_page_names_every_secret(compose: dict[str, Any]) -> None:
    text = (DEPLOY.parent / "docs" / "team.md").read_text(encoding="utf-8")
    for each in compose["secrets"].values():
        assert Path(each["file"]).name in text, each
    assert json.dumps(compose) and "deploy/compose.yaml" in text
