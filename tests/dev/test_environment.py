"""The development environment: secrets of the right shape, made once, and refused where real ones belong."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.settings import Settings
from dev.environment import aes_key, development
from notifications.catalogue import messages

ROOT = Path(__file__).parents[2]
SERVERS = {"DATABASE_URL": "postgresql://clinic@127.0.0.1/clinic", "REDIS_URL": "redis://127.0.0.1/0"}


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    first = development(tmp_path, {})
    assert development(tmp_path, {}) == first
    assert (tmp_path / "development.env").stat().st_mode & 0o077 == 0
    assert development(tmp_path / "other", {})["SECRET_KEY"] != first["SECRET_KEY"]


def test_secrets_have_the_shapes_that_their_users_ask_for(tmp_path: Path) -> None:
    made = development(tmp_path, {})
    assert re.fullmatch(r"[A-Za-z0-9]{3,32}", made["WECHAT_TOKEN"])
    assert re.fullmatch(r"dev-[A-Za-z0-9]{28}", made["WECHAT_SECRET"])
    name, key = made["FIELD_KEYS"].split(":")
    assert (name, len(base64.b64decode(key, validate=True))) == ("dev1", 32)
    for secret in ("SECRET_KEY", "FIELD_KEYS", "BLIND_INDEX_KEY", "WECHAT_TOKEN", "WECHAT_SECRET"):
        assert made[secret].startswith("dev")
    assert set(json.loads(made["WECHAT_TEMPLATES"])) == set(messages())
    assert re.fullmatch(r"dev[A-Za-z0-9]{29}", made["WECHAT_PAY_APIV3_KEY"])


def test_a_set_up_of_before_gets_what_it_lacks(tmp_path: Path) -> None:
    development(tmp_path, {})
    file = tmp_path / "development.env"
    file.write_text("".join(line for line in file.read_text().splitlines(True) if "APIV3" not in line))
    assert development(tmp_path, {})["WECHAT_PAY_APIV3_KEY"] in file.read_text()


def test_another_wechat_has_no_merchant_of_the_simulator(tmp_path: Path) -> None:
    made = development(tmp_path, {"WECHAT_API_ORIGIN": "https://api.weixin.qq.com"})
    assert [name for name in made if name.startswith("WECHAT_PAY")] == []
    given = {"WECHAT_API_ORIGIN": "https://api.weixin.qq.com", "WECHAT_PAY_APIV3_KEY": "k" * 32}
    assert development(tmp_path, given)["WECHAT_PAY_APIV3_KEY"] == "k" * 32


def test_aes_keys_are_canonical() -> None:
    for _ in range(100):
        key = aes_key()
        assert re.fullmatch(r"[A-Za-z0-9]{43}", key)
        assert base64.b64encode(base64.b64decode(key + "=")).decode() == key + "="


def test_the_service_takes_it_in_development_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in development(tmp_path, SERVERS).items():
        monkeypatch.setenv(name, value)
    assert Settings().wechat_api_origin == "http://127.0.0.1:8100"
    monkeypatch.setenv("CLINIC_ENV", "production")
    with pytest.raises(ValidationError, match="SECRET_KEY is a development secret"):
        Settings()


def test_the_real_environment_goes_first_then_the_file(tmp_path: Path) -> None:
    development(tmp_path, {})
    with (tmp_path / "development.env").open("a") as file:
        file.write("WECHAT_MODE=plain\nCLINIC_PORT=8001\n")
    made = development(tmp_path, {"CLINIC_PORT": "8002", "SECRET_KEY": "mine"})
    assert (made["WECHAT_MODE"], made["SECRET_KEY"]) == ("plain", "mine")
    assert made["CLINIC_ORIGIN"] == made["SIMULATOR_BACKEND"] == "http://127.0.0.1:8002"
    assert made["CLINIC_BIND"] == "127.0.0.1:8002"


def test_a_secret_that_a_newer_version_needs_is_added(tmp_path: Path) -> None:
    file = tmp_path / "development.env"
    before = development(tmp_path, {})
    file.write_text("".join(line for line in file.read_text().splitlines(keepends=True) if "BLIND" not in line))
    after = development(tmp_path, {})
    assert after["BLIND_INDEX_KEY"] != before["BLIND_INDEX_KEY"]
    assert after["SECRET_KEY"] == before["SECRET_KEY"]


def test_a_command_runs_in_it() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "dev.environment", "sh", "-c", "echo $CLINIC_ENV $DATABASE_URL"],
        cwd=ROOT,
        env=os.environ | SERVERS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == f"development {SERVERS['DATABASE_URL']}\n"
