"""Text messages: a file for development, and Tencent Cloud's SMS over HTTP.

Source: Tencent Cloud's pages on SendSms (version 2021-01-11) and on signature TC3-HMAC-SHA256.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog

from config.clock import real_now
from config.settings import Settings
from notifications.channel import ChannelError, Retry
from notifications.sms import Sms, TextMessage

log = structlog.get_logger()

TIMEOUT = (2.0, 6.0)  # seconds to connect, seconds of silence
SERVICE, ACTION, VERSION, REGION = "sms", "SendSms", "2021-01-11", "ap-beijing"
ALGORITHM = "TC3-HMAC-SHA256"
MAINLAND = "+86"

# The provider's code, or the beginning of it: our code, and whether and how soon trying again can help.
REFUSALS: tuple[tuple[str, str, Retry], ...] = (
    ("LimitExceeded", "quota", "slow"),
    ("RequestLimitExceeded", "quota", "quick"),
    ("FailedOperation.PhoneNumberInBlacklist", "blocked", "never"),
    ("FailedOperation.InsufficientBalanceInSmsPackage", "no-balance", "slow"),
    ("FailedOperation.Template", "no-template", "never"),
    ("FailedOperation", "refused", "slow"),
    ("InvalidParameterValue.IncorrectPhoneNumber", "bad-phone", "never"),
    ("InvalidParameter", "bad-field", "never"),
    ("InternalError", "busy", "quick"),
)


def connect(settings: Settings) -> Sms | None:
    """The provider that the settings name; None: no text messages."""
    if settings.sms_provider == "file":
        return FileSms(settings.sms_outbox)
    if settings.sms_provider == "off":
        return None
    return TencentSms(
        origin=settings.sms_origin,
        secret_id=settings.sms_secret_id,
        secret_key=settings.sms_secret_key.get_secret_value(),
        app=settings.sms_app,
        sign=settings.sms_sign,
        templates=settings.sms_templates,
    )


@dataclass(frozen=True)
class FileSms:
    """Appends each text message to a file, a JSON object a line; the same id once."""

    outbox: Path
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, text: TextMessage) -> str:
        """Write it, unless the file has it already."""
        line = {"id": str(text.id), "phone": text.phone, "message": text.message, "values": text.values}
        with self.lock:
            self.outbox.parent.mkdir(parents=True, exist_ok=True)
            with self.outbox.open("a+", encoding="utf-8") as file:
                file.seek(0)
                if str(text.id) not in file.read():
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
        return str(text.id)


@dataclass(frozen=True)
class TencentSms:
    """notifications.sms.Sms over Tencent Cloud."""

    origin: str
    secret_id: str
    secret_key: str
    app: str
    sign: str
    templates: dict[str, str]

    def send(self, text: TextMessage) -> str:
        """Send; returns the provider's serial number. Raises ChannelError."""
        template = self.templates.get(text.message)
        if not template:
            raise ChannelError("no-template", "never")
        answer = self._ask({
            "PhoneNumberSet": [text.phone if text.phone.startswith("+") else MAINLAND + text.phone],
            "SmsSdkAppId": self.app,
            "SignName": self.sign,
            "TemplateId": template,
            "TemplateParamSet": list(text.values),
            "SessionContext": str(text.id),
        })  # fmt: skip
        try:
            if "Error" in answer:
                raise _refused(text, str(answer["Error"]["Code"]))
            status = answer["SendStatusSet"][0]
            if status["Code"] != "Ok":
                raise _refused(text, str(status["Code"]))
            return str(status["SerialNo"])[:64]
        except (KeyError, IndexError, TypeError):
            raise ChannelError("unavailable", "quick", unknown=True) from None

    def _ask(self, data: dict[str, Any]) -> dict[str, Any]:
        body, now = json.dumps(data, ensure_ascii=False).encode(), real_now()
        headers = {
            "Authorization": authorization(self.secret_id, self.secret_key, urlsplit(self.origin).netloc, body, now),
            "Content-Type": "application/json; charset=utf-8",
            "X-TC-Action": ACTION,
            "X-TC-Version": VERSION,
            "X-TC-Region": REGION,
            "X-TC-Timestamp": str(int(now.timestamp())),
        }
        try:
            answer = requests.post(
                f"{self.origin}/", data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
            return dict(answer.json()["Response"])
        except requests.ConnectTimeout:
            raise ChannelError("unavailable", "quick") from None
        except (requests.RequestException, ValueError, KeyError, TypeError):
            raise ChannelError("unavailable", "quick", unknown=True) from None


def authorization(secret_id: str, secret_key: str, host: str, body: bytes, now: datetime) -> str:
    """The Authorization header of a POST to ``/`` under TC3-HMAC-SHA256."""
    day, timestamp = now.astimezone(UTC).strftime("%Y-%m-%d"), str(int(now.timestamp()))
    signed = "content-type;host;x-tc-action"
    headers = f"content-type:application/json; charset=utf-8\nhost:{host}\nx-tc-action:{ACTION.lower()}\n"
    request = f"POST\n/\n\n{headers}\n{signed}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{SERVICE}/tc3_request"
    text = f"{ALGORITHM}\n{timestamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"TC3{secret_key}".encode()
    for part in (day, SERVICE, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return f"{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={signed}, Signature={signature}"


def _refused(text: TextMessage, code: str) -> ChannelError:
    log.warning("text-refused", id=str(text.id), code=code)
    known = ((ours, retry) for begins, ours, retry in REFUSALS if code.startswith(begins))
    ours, retry = next(known, ("refused", "slow"))
    return ChannelError(ours, retry)
