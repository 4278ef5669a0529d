"""The simulator stands alone: it knows none of the product, and runs as its own process."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.ports import free_port

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "wechat" / "simulator"
ALLOWED = {"flask", "werkzeug", "requests", "urllib3", "cryptography", "zxingcpp", "segno", "PIL", "gunicorn"}


def imported(path: Path) -> set[str]:
    """The top-level packages a module imports from outside its own package."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= len(path.relative_to(FOLDER).parts), f"{path} reaches out of the simulator"
    return names - set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_it_imports_no_product_code(path: Path) -> None:
    assert imported(path) <= ALLOWED


@pytest.mark.processes
def test_it_runs_stops_quickly_and_remembers(tmp_path: Path) -> None:
    port = free_port()
    env = {
        **os.environ,
        "SIMULATOR_BIND": f"127.0.0.1:{port}",
        "SIMULATOR_STATE": str(tmp_path / "simulator.json"),
        **{"WECHAT_APPID": "wx1", "WECHAT_SECRET": "s", "WECHAT_TOKEN": "t", "WECHAT_MODE": "plain"},
    }
    for language, wanted in (("zh", "en"), ("en", "zh")):
        process = subprocess.Popen(
            [sys.executable, "-m", "wechat.simulator"], cwd=ROOT, env=env, stderr=subprocess.DEVNULL
        )
        try:
            url = f"http://127.0.0.1:{port}/simulator"
            wait_until_up(url, process)
            stream = requests.get(f"{url}/live", stream=True, timeout=60)
            assert requests.get(f"{url}/api/settings", timeout=60).json()["language"] == language
            requests.post(f"{url}/api/settings", json={"language": wanted}, timeout=60)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0, "an open stream does not hold it up"
        stream.close()


def wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    """Ask until it answers, at most a minute."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            requests.get(f"{url}/api/settings", timeout=60)
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.02)
        else:
            return
    pytest.fail("the simulator did not start")
