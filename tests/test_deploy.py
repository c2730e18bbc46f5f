"""The files in deploy/ fit the program that they start."""

from __future__ import annotations

import configparser
import importlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from minyi.cli import app
from minyi.listening import GRACE
from minyi.settings import Settings
from minyi.wire import HEAD
from web.health import READY
from web.metrics import METRICS, Meter

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("*.service"))
NAMES = {f"MINYI_{name.upper()}" for name in Settings.model_fields} | {"MINYI_CONFIG"}
COMMANDS = {command.callback.__name__ for command in app.registered_commands if command.callback}


class Unit(configparser.RawConfigParser):
    """A unit of systemd: names keep their case, and may stand in a section several times."""

    def __init__(self) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",))

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def unit(name: str) -> Unit:
    parsed = Unit()
    parsed.read_string((DEPLOY / name).read_text("utf-8"))
    return parsed


def read(name: str) -> str:
    return (DEPLOY / name).read_text("utf-8")


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_starts_a_command_that_there_is_with_settings_that_there_are(name: str) -> None:
    service = unit(name)["Service"]
    command = re.search(r"/opt/minyi/\.venv/bin/minyi (\w+)", service["ExecStart"])
    assert command is not None
    assert command[1] in COMMANDS
    named = set(re.findall(r"\bMINYI_\w+", read(name)))
    assert named
    assert named <= NAMES


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_gives_its_process_no_more_than_it_needs(name: str) -> None:
    service = unit(name)["Service"]
    assert service["User"] == "minyi"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["UMask"] == "0077"


def test_the_service_has_time_to_stop_and_is_closed_in() -> None:
    service = unit("minyi.service")["Service"]
    assert int(service["TimeoutStopSec"]) >= 2 * GRACE
    assert service["MemoryDenyWriteExecute"] == "yes"
    assert service["StateDirectoryMode"] == "0700"
    assert "Type" in service


@pytest.mark.parametrize("name", [*UNITS, "minyi-backup.timer"])
def test_systemd_itself_has_nothing_to_say_against_a_unit(name: str, tmp_path: Path) -> None:
    """Where systemd is installed; without it the parser's word must do."""
    program = shutil.which("systemd-analyze")
    if program is None:
        assert {"Unit"} < set(unit(name).sections())
        return
    for path in (*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")):
        text = path.read_text("utf-8").replace("/opt/minyi/.venv/bin/minyi", "/bin/true")
        (tmp_path / path.name).write_text(text, "utf-8")
    ran = subprocess.run(
        [program, "verify", "--man=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in ran.stderr.splitlines() if "minyi" in line]
    assert (ran.returncode, ours) == (0, [])
    if name == "minyi.service":
        rated = subprocess.run(
            [program, "security", "--offline=true", "--threshold=15", str(tmp_path / name)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert rated.returncode == 0, "its exposure is 1.5 at most, by systemd's own reckoning"


# ---- containers


def compose() -> Any:
    return importlib.import_module("yaml").safe_load(read("compose.yaml"))


def test_compose_starts_the_database_then_the_tables_then_the_doors() -> None:
    services = compose()["services"]
    assert set(services) == {"init", "minyi", "database"}
    assert services["init"]["command"] == ["init"]
    assert services["init"]["depends_on"]["database"]["condition"] == "service_healthy"
    waits = services["minyi"]["depends_on"]["init"]["condition"]
    assert waits == "service_completed_successfully"
    assert int(services["minyi"]["stop_grace_period"].rstrip("s")) >= 2 * GRACE


def test_no_secret_stands_in_compose_and_nothing_is_open_to_the_world() -> None:
    told = compose()
    assert set(told["secrets"]) == {"db-password", "minyi.toml"}
    for service in told["services"].values():
        for name in service["environment"]:
            assert name.startswith("MINYI_") <= (name in NAMES)
            assert "PASSWORD" not in name or name.endswith("_FILE")
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")
        assert "no-new-privileges:true" in service["security_opt"]
        assert not service.get("privileged")
        assert {volume.partition(":")[0] for volume in service["volumes"]} <= set(told["volumes"])
    for name in ("init", "minyi"):
        assert told["services"][name]["cap_drop"] == ["ALL"]
        assert told["services"][name]["read_only"] is True


def test_the_programs_of_postgresql_in_the_image_are_as_new_as_the_server() -> None:
    server = re.match(r"postgres:(\d+)-(\w+)", compose()["services"]["database"]["image"])
    client = re.search(r"postgresql-client-(\d+)", read("Dockerfile"))
    assert server is not None
    assert client is not None
    assert int(client[1]) >= int(server[1])
    assert server[2] in read("Dockerfile"), "of the same Debian"


def test_the_image_holds_every_room_and_runs_as_nobody_in_particular() -> None:
    lines = read("Dockerfile").splitlines()
    copied = {line.split()[-1] for line in lines if line.startswith("COPY ")}
    packages = re.search(r"^packages = \[(.*)\]", (ROOT / "pyproject.toml").read_text(), re.M)
    assert packages is not None
    rooms = set(re.findall(r'"(\w+)"', packages[1]))
    assert rooms <= copied
    allowed = {line[1:] for line in read("Dockerfile.dockerignore").splitlines() if line[:1] == "!"}
    assert rooms | {"lock/runtime.txt", "pyproject.toml", "README.md", "LICENSE"} == allowed
    assert all((ROOT / name).exists() for name in allowed)
    assert lines.index("USER minyi") < lines.index('ENTRYPOINT ["minyi"]')
    assert any("--require-hashes" in line for line in lines)
    assert READY in read("Dockerfile")
    assert set(re.findall(r"\bMINYI_\w+", read("Dockerfile"))) <= NAMES


def test_nginx_passes_on_whose_site_it_is_and_lets_nobody_claim_an_address() -> None:
    told = read("nginx.conf")
    assert "proxy_set_header Host $host;" in told
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in told
    assert "$proxy_add_x_forwarded_for" not in told
    assert told.count("access_log off;") == told.count("server {")
    assert f"location = {METRICS} {{ return 404; }}" in told
    assert told.count("{") == told.count("}")
    assert set(re.findall(r"\bMINYI_\w+", told)) <= NAMES
    size = re.search(r"client_max_body_size (\d+)m", told)
    assert size is not None
    from web.posted import LARGEST, LARGEST_FILE

    assert int(size[1]) * 2**20 > LARGEST + LARGEST_FILE


def test_the_page_on_operations_names_figures_settings_and_files_that_there_are() -> None:
    from prometheus_client import generate_latest

    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    told = set(re.findall(r"`((?:minyi|process)_[a-z_]+)", page))
    exposed = generate_latest(Meter().registry).decode()
    assert {name for name in told if name not in exposed} == set()
    assert "minyi_requests_total" in told
    assert set(re.findall(r"\bMINYI_[A-Z_]+", page)) <= NAMES
    links = re.findall(r"\]\(([^)#:]+)\)", page)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
    assert f"within {GRACE} seconds" in page
    assert f"above {HEAD // 1024} KiB" in page
