"""What ``make run`` runs, and what it says when it can't."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dev.environment import development
from dev.run import check_ports, only_one, parts, servers, show_the_way
from dev.servers import find_turn
from dev.supervisor import SupervisorError, read_procfile

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return development(tmp_path, {"CLINIC_PORT": "18000", "SIMULATOR_PORT": "18100", "COURIER_PORT": "18400"})


def test_the_procfile_decides_what_runs(environment: dict[str, str]) -> None:
    procfile = read_procfile(ROOT / "Procfile")
    made = {part.name: part for part in parts(procfile, environment, simulated=True, demo=Path("var/demo"))}
    assert {name: made[name].command for name in procfile} == procfile
    assert made["web"].ready == "http://127.0.0.1:18000/readyz"
    assert all(part.needs for name, part in made.items() if name not in ("keys", "release", "simulator", "courier"))
    assert {"simulator", "menu"}.isdisjoint(
        part.name for part in parts(procfile, environment, simulated=False, demo=Path("var/demo"))
    )


def test_medicines_are_carried_by_the_stand_in_unless_a_courier_is_named(environment: dict[str, str]) -> None:
    procfile = read_procfile(ROOT / "Procfile")
    made = {part.name: part for part in parts(procfile, environment, simulated=True, demo=Path("var/demo"))}
    assert made["courier"].command.endswith("courier 18400")
    assert environment["COURIER_CHECKWORD"].startswith("dev")
    real = environment | {"COURIER_ORIGIN": "https://sfapi.sf-express.com"}
    assert "courier" not in {part.name for part in parts(procfile, real, simulated=True, demo=Path("var/demo"))}


def test_the_keys_of_wechat_pay_are_made_before_anybody_reads_them(environment: dict[str, str]) -> None:
    procfile = read_procfile(ROOT / "Procfile")
    made = {part.name: part for part in parts(procfile, environment, simulated=True, demo=Path("var/demo"))}
    assert (made["release"].needs, made["simulator"].needs) == (("keys",), ("keys",))
    keys = Path(environment["SIMULATOR_KEYS"])
    keys.mkdir()
    (keys / "pub_key.pem").touch()
    again = {part.name: part for part in parts(procfile, environment, simulated=True, demo=Path("var/demo"))}
    assert ("keys" in again, again["release"].needs) == (False, ())


def test_servers_that_the_environment_names_are_not_started(tmp_path: Path) -> None:
    ours = {"DATABASE_URL", "REDIS_URL"} | ({"TURN_URL"} if find_turn() else set())
    assert servers(tmp_path, {}).keys() == ours
    assert servers(tmp_path, {"DATABASE_URL": "postgresql://elsewhere/clinic"}).keys() == ours - {"DATABASE_URL"}


def test_a_busy_port_is_named_with_its_setting(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SupervisorError, match=f"port {port} is in use: .* SIMULATOR_PORT={port + 1} make run"):
            check_ports(environment | {"SIMULATOR_PORT": str(port)}, simulated=True)
        check_ports(environment | {"SIMULATOR_PORT": str(port)}, simulated=False)


def test_a_checkout_runs_once(tmp_path: Path) -> None:
    file = tmp_path / "run.lock"
    with only_one(file), pytest.raises(SupervisorError, match=rf"process {os.getpid()}\)"), only_one(file):
        pass
    with only_one(file):
        pass


def test_four_lines_say_where_to_go(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    show_the_way(environment, simulated=True, var=Path("var"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert "http://127.0.0.1:18100" in lines[0]
    assert "http://127.0.0.1:18000" in lines[1]


def test_a_refusal_is_one_line_and_no_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        result = subprocess.run(
            [sys.executable, "-m", "dev.run"],
            cwd=ROOT,
            env=os.environ | {"CLINIC_PORT": port},
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("clinic: ")
