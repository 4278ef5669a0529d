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
VISIT_NEWS = "TPL_visit_news_00000000000000000000000000001"  # messages with the same lines share it
TEMPLATES = {
    "appointment-booked": "TPL_appointment_booked_000000000000000000001",
    "appointment-changed": "TPL_appointment_changed_00000000000000000001",
    "payment-late": "TPL_payment_late_000000000000000000000000001",
    "appointment-cancelled": "TPL_appointment_cancelled_000000000000000001",
    "waiting-offered": "TPL_waiting_offered_00000000000000000000001",
    "waiting-over": "TPL_waiting_over_00000000000000000000000001",
    "clinic-stopped": "TPL_clinic_stopped_0000000000000000000000001",
    "clinic-resumed": VISIT_NEWS,
    "written-question": VISIT_NEWS,
    "written-questions": VISIT_NEWS,
    "written-answer": VISIT_NEWS,
    "doctor-delayed": VISIT_NEWS,
    "doctor-replaced": VISIT_NEWS,
    "practitioner-stopped": "TPL_practitioner_stopped_0000000000000000001",
    "practitioner-resumed": "TPL_practitioner_resumed_0000000000000000001",
    "practitioner-stand-in": "TPL_practitioner_stand_in_000000000000000001",
    "appointment-reminder": "TPL_appointment_reminder_0000000000000000001",
    "booking-suspended": "TPL_booking_suspended_0000000000000000000001",
    "appeal-decided": "TPL_appeal_decided_0000000000000000000000001",
    "followup-invited": "TPL_followup_invited_000000000000000000000001",
    "record-ready": VISIT_NEWS,
    "records-unsigned": "TPL_records_unsigned_00000000000000000000001",
    "practitioner-booked": "TPL_practitioner_booked_00000000000000000001",
    "practitioner-cancelled": "TPL_practitioner_cancelled_00000000000000001",
    "practitioner-bookings": "TPL_practitioner_bookings_0000000000000000001",
    "practitioner-tomorrow": "TPL_practitioner_tomorrow_0000000000000000001",
    "payment-refunded": "TPL_payment_refunded_000000000000000000000001",
    "triage-alert": "TPL_triage_alert_0000000000000000000000000001",
    "line-soon": VISIT_NEWS,
    "line-called": "TPL_line_called_000000000000000000000000001",
    "line-handover": VISIT_NEWS,
    "question-asked": VISIT_NEWS,
    "question-answered": VISIT_NEWS,
    "child-worse": "TPL_triage_alert_0000000000000000000000000001",
    "complaint-news": "TPL_appeal_decided_0000000000000000000000001",
    "file-ready": VISIT_NEWS,
    "wish-answered": VISIT_NEWS,
    **dict.fromkeys(
        (
            "delivery-shipped",
            "delivery-arrived",
            "delivery-trouble",
            "pickup-ready",
            "pickup-fetched",
            "order-declined",
            "medicine-order",
            "medicine-recalled",
            "medicine-time",
            "course-over",
            "prescription-approved",
            "prescription-expiring",
            "prescription-cancelled",
            "prescription-lapsed",
            "prescription-returned",
            "prescription-unreviewed",
            "prescription-review",
            "prescription-reviews",
        ),
        VISIT_NEWS,
    ),
    "reaction-reported": "TPL_triage_alert_0000000000000000000000000001",
    "guardian-bound": "TPL_guardian_bound_0000000000000000000000001",
}


def development(var: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Returns the whole environment: `given` (the real one) before var/development.env before the defaults below.

    Makes var/development.env when it is not there, and adds secrets that it lacks.
    """
    kept = _kept(var / "development.env")
    chosen = (
        {"CLINIC_PORT": "8000", "LIVE_PORT": "8001", "SIMULATOR_PORT": "8100", "COURIER_PORT": "8400"}
        | kept
        | dict(given)
    )
    clinic = f"http://127.0.0.1:{chosen['CLINIC_PORT']}"
    simulator = f"http://127.0.0.1:{chosen['SIMULATOR_PORT']}"
    live = f"http://127.0.0.1:{chosen['LIVE_PORT']}"
    return {
        "CLINIC_ENV": "development",
        "CLINIC_ORIGIN": clinic,
        "CLINIC_BIND": f"127.0.0.1:{chosen['CLINIC_PORT']}",
        "LIVE_BIND": f"127.0.0.1:{chosen['LIVE_PORT']}",
        "LIVE_ORIGIN": live,
        "WECHAT_MODE": "safe",
        "WECHAT_APPID": "wx5f0c1de9a7b34286",
        "WECHAT_API_ORIGIN": simulator,
        "WECHAT_OPEN_ORIGIN": simulator,
        "WECHAT_JSSDK_URL": f"{simulator}/open/js/jweixin-1.6.0.js",
        "WECHAT_TEMPLATES": json.dumps(TEMPLATES),
        "PROMETHEUS_MULTIPROC_DIR": str(var / "metrics"),
        "FILES_DIR": str(var / "files"),
        "SMS_PROVIDER": "file",
        "SMS_OUTBOX": str(var / "sms.log"),
        "SIMULATOR_ACCOUNT_ID": "gh_5f0c1de9a7b3",
        "SIMULATOR_BIND": f"127.0.0.1:{chosen['SIMULATOR_PORT']}",
        "SIMULATOR_BACKEND": clinic,
        "SIMULATOR_LIVE": live,
        "SIMULATOR_STATE": str(var / "simulator.json"),
        "SIMULATOR_QR_DIR": str(var / "demo/qr"),
        "SIMULATOR_KEYS": str(var / "simulator-keys"),
        **_courier(var, clinic, chosen),
        **_merchant(var, simulator, chosen),
    }


def _courier(var: Path, clinic: str, chosen: dict[str, str]) -> dict[str, str]:
    """Returns the settings of the simulated courier, and what it is told itself; a step every COURIER_PACE seconds."""
    return {
        "COURIER_PROVIDER": "fengqiao",
        "COURIER_ORIGIN": f"http://127.0.0.1:{chosen['COURIER_PORT']}",
        "COURIER_PARTNER": "BJETYY",
        "COURIER_ACCOUNT": "0100000000",
        "COURIER_BACKEND": clinic,
        "COURIER_STATE": str(var / "courier.json"),
        "COURIER_PACE": "60",
    }


def _merchant(var: Path, simulator: str, chosen: dict[str, str]) -> dict[str, str]:
    """Returns `chosen` with the simulator's merchant at WeChat Pay; without one where another WeChat was chosen."""
    if chosen.get("WECHAT_API_ORIGIN", simulator) != simulator:
        ours = chosen["WECHAT_PAY_APIV3_KEY"].startswith("dev")
        return {name: value for name, value in chosen.items() if name != "WECHAT_PAY_APIV3_KEY" or not ours}
    keys, mchid = var / "simulator-keys", chosen.get("WECHAT_PAY_MCHID", "1900000109")
    return {
        "WECHAT_PAY_MCHID": mchid,
        "WECHAT_PAY_SERIAL": "5A3C0F7B1D9E2468ACE013579BDF02468ACE1357",
        "WECHAT_PAY_PRIVATE_KEY": str(keys / "apiclient_key.pem"),
        "WECHAT_PAY_PUBLIC_KEY": str(keys / "pub_key.pem"),
        "WECHAT_PAY_PUBLIC_KEY_ID": f"PUB_KEY_ID_01{mchid}{1:016d}",
        "WECHAT_PAY_ORIGIN": simulator,
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
        "WECHAT_PAY_APIV3_KEY": f"dev{_letters(29)}",
        "TURN_SECRET": f"dev-{_letters(28)}",
        "COURIER_CHECKWORD": f"dev-{_letters(28)}",
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
