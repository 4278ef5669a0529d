"""The environment of a development set-up: secrets made once and kept, the demo account, ports and origins.

``python -m dev.environment COMMAND`` runs a command with it, against the servers of a running `make run`.
"""

import base64
import json
import os
import secrets
import string
import sys
from collections.abc import Mapping
from pathlib import Path

from dev.servers import Postgres, ServerError, Valkey
from dev.servers.server import write_private

ROOT = Path(__file__).resolve().parents[1]
LETTERS = string.ascii_letters + string.digits
HEADER = """\
# Secrets of this development set-up, made at random. Those of a real hospital never start with "dev".
# Lines added here (NAME=value) are settings too; the real environment goes before them.
"""
TEMPLATES = {
    "appointment-booked": "TPL_appointment_booked_000000000000000000001",
    "appointment-cancelled": "TPL_appointment_cancelled_000000000000000001",
    "appointment-reminder": "TPL_appointment_reminder_0000000000000000001",
    "practitioner-booked": "TPL_practitioner_booked_00000000000000000001",
    "practitioner-cancelled": "TPL_practitioner_cancelled_00000000000000001",
    "practitioner-bookings": "TPL_practitioner_bookings_0000000000000000001",
    "practitioner-tomorrow": "TPL_practitioner_tomorrow_0000000000000000001",
    "guardian-bound": "TPL_guardian_bound_0000000000000000000000001",
}


def development(var: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Returns the whole environment: `given` (the real one) before var/development.env before the defaults below.

    Makes var/development.env when it is not there, and adds secrets that it lacks.
    """
    kept = _kept(var / "development.env")
    chosen = {"CLINIC_PORT": "8000", "SIMULATOR_PORT": "8100"} | kept | dict(given)
    clinic = f"http://127.0.0.1:{chosen['CLINIC_PORT']}"
    simulator = f"http://127.0.0.1:{chosen['SIMULATOR_PORT']}"
    return {
        "CLINIC_ENV": "development",
        "CLINIC_ORIGIN": clinic,
        "CLINIC_BIND": f"127.0.0.1:{chosen['CLINIC_PORT']}",
        "WECHAT_MODE": "safe",
        "WECHAT_APPID": "wx5f0c1de9a7b34286",
        "WECHAT_API_ORIGIN": simulator,
        "WECHAT_OPEN_ORIGIN": simulator,
        "WECHAT_JSSDK_URL": f"{simulator}/open/js/jweixin-1.6.0.js",
        "WECHAT_TEMPLATES": json.dumps(TEMPLATES),
        "PROMETHEUS_MULTIPROC_DIR": str(var / "metrics"),
        "SMS_PROVIDER": "file",
        "SMS_OUTBOX": str(var / "sms.log"),
        "SIMULATOR_ACCOUNT_ID": "gh_5f0c1de9a7b3",
        "SIMULATOR_BIND": f"127.0.0.1:{chosen['SIMULATOR_PORT']}",
        "SIMULATOR_BACKEND": clinic,
        "SIMULATOR_STATE": str(var / "simulator.json"),
        "SIMULATOR_QR_DIR": str(var / "demo/qr"),
        "SIMULATOR_KEYS": str(var / "simulator-keys"),
        **chosen,
    }


def folder(given: Mapping[str, str]) -> Path:
    """Returns where this set-up keeps its data, logs and secrets: CLINIC_VAR, or var/ of the checkout."""
    return Path(given.get("CLINIC_VAR") or ROOT / "var").resolve()


def new_secrets() -> dict[str, str]:
    """Returns fresh secrets in the formats that the settings ask for, each recognisable as one of development."""
    return {
        "SECRET_KEY": f"dev-{secrets.token_hex(32)}",
        "FIELD_KEYS": f"dev1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "BLIND_INDEX_KEY": f"dev-{secrets.token_hex(32)}",
        "WECHAT_TOKEN": f"dev{_letters(21)}",
        "WECHAT_SECRET": f"dev-{_letters(28)}",
        "WECHAT_AES_KEY": aes_key(),
    }


def aes_key() -> str:
    """Returns an EncodingAESKey: 43 letters and digits, canonical base64 of 32 bytes but for the closing "="."""
    while not (key := base64.b64encode(secrets.token_bytes(32)).decode().removesuffix("=")).isalnum():
        pass
    return key


def _letters(count: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(count))


def _kept(file: Path) -> dict[str, str]:
    """Returns the settings of a file of NAME=value lines, after completing it with the secrets that it lacks."""
    text = file.read_text() if file.exists() else HEADER
    lines = [line.strip() for line in text.splitlines() if "=" in line and not line.lstrip().startswith("#")]
    found = dict(line.split("=", 1) for line in lines)
    missing = {name: value for name, value in new_secrets().items() if name not in found}
    if missing:
        file.parent.mkdir(parents=True, exist_ok=True)
        added = "".join(f"{name}={value}\n" for name, value in missing.items())
        write_private(file, f"{text.rstrip()}\n{added}")
    return found | missing


def main(command: list[str]) -> None:
    """Replaces this process by `command`, in the environment of the running set-up."""
    var = folder(os.environ)
    environment = development(var, os.environ)
    try:
        if "DATABASE_URL" not in environment:
            environment["DATABASE_URL"] = Postgres(var / "postgres").attach()
        if "REDIS_URL" not in environment:
            environment["REDIS_URL"] = Valkey(var / "valkey").attach()
    except ServerError as error:
        sys.exit(f"clinic: {error}: start `make run` first, or set DATABASE_URL and REDIS_URL")
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    os.execvpe(command[0], command, environment)  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main(sys.argv[1:])
