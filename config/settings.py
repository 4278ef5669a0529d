"""The deployment's settings, read once from the environment at the front door (see docs/settings.md)."""

from __future__ import annotations

import base64
import re
from functools import cached_property
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.clock import parse_shift

ROOT = Path(__file__).resolve().parent.parent
DEVELOPMENT_SECRET = "dev"  # noqa: S105 - the prefix that marks a secret as one made by the development set-up
PUBLIC_ORIGINS = (
    "clinic_origin",
    "wechat_api_origin",
    "wechat_open_origin",
    "wechat_pay_origin",
    "sms_origin",
    "wechat_jssdk_url",
    "files_s3_endpoint",
    "live_origin",
    "courier_origin",
)
DOMAIN_FILE = re.compile(r"(MP_verify_\w+\.txt):(\w+)", re.ASCII)
LIVEKIT = re.compile(r"wss?://[\w.-]+(:\d{1,5})?", re.ASCII)
TURN = re.compile(r"turns?:[\w.-]+(:\d{1,5})?", re.ASCII)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Settings(BaseSettings):
    """One frozen value for the whole process. Secrets have no default: a missing one stops the start."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_file=None)

    clinic_env: Literal["development", "production"] = Field(
        "production", description="`development` allows http origins, development secrets and a shifted clock."
    )
    clinic_origin: str = Field(description="Where parents reach the pages, e.g. `https://clinic.example.org`.")
    clinic_clock: str = Field("", description="Shifts the clock of every process, e.g. `+1d2h30m`. Development only.")
    secret_key: SecretStr = Field(description="Signs session cookies and forms. At least 32 characters.")
    database_url: str = Field(description="PostgreSQL 14 or later, e.g. `postgresql://user:password@host/clinic`.")
    redis_url: str = Field(
        description="Redis or Valkey, e.g. `redis://:password@host:6379/0`; on the same machine a socket is quicker, "
        "e.g. `unix://:password@/run/valkey/valkey.sock?db=0`."
    )
    field_keys: SecretStr = Field(
        description="Key ring for encrypted fields: `name:base64 of 32 bytes`, comma-separated; the first encrypts."
    )
    blind_index_key: SecretStr = Field(description="Key of the blind indexes used to look up encrypted fields.")
    wechat_mode: Literal["plain", "compatible", "safe"] = Field("safe", description="How WeChat encrypts its pushes.")
    wechat_appid: str = Field(description="The service account's AppID.")
    wechat_secret: SecretStr = Field(description="The service account's AppSecret.")
    wechat_token: SecretStr = Field(description="The Token of the account's server configuration (3-32 characters).")
    wechat_aes_key: SecretStr = Field(description="The EncodingAESKey (43 characters).")
    wechat_aes_key_previous: SecretStr = Field(
        SecretStr(""), description="The EncodingAESKey before a change; its pushes are still taken. Empty: none."
    )
    wechat_domain_file: str = Field(
        "", description="WeChat's proof of the domain, as `MP_verify_name.txt:content`; served at its name."
    )
    wechat_api_origin: str = Field("https://api.weixin.qq.com", description="Where WeChat's API is.")
    wechat_open_origin: str = Field("https://open.weixin.qq.com", description="Where WeChat's OAuth page is.")
    wechat_jssdk_url: str = Field(
        "https://res.wx.qq.com/open/js/jweixin-1.6.0.js", description="The JS-SDK script the scan page loads."
    )
    wechat_templates: dict[str, str] = Field(
        {}, description="JSON: message name to the account's template id (names in docs/messages.md)."
    )
    wechat_pay_mchid: str = Field(
        "", description="The merchant's id at WeChat Pay (商户号). Unset: nothing can be paid."
    )
    wechat_pay_serial: str = Field("", description="Serial number of the merchant's API certificate.")
    wechat_pay_private_key: SecretStr = Field(
        SecretStr(""), description="Private key of that certificate: PEM, or the path of a PEM file."
    )
    wechat_pay_apiv3_key: SecretStr = Field(SecretStr(""), description="The merchant's APIv3 key (32 characters).")
    wechat_pay_public_key_id: str = Field(
        "", description="Id of WeChat Pay's public key (`PUB_KEY_ID_...`). Unset: platform certificates alone verify."
    )
    wechat_pay_public_key: str = Field("", description="WeChat Pay's public key: PEM, or the path of a PEM file.")
    wechat_pay_origin: str = Field("https://api.mch.weixin.qq.com", description="Where WeChat Pay's API is.")
    wechat_subscriptions: dict[str, str] = Field(
        {}, description="JSON: message name to the id of a subscription notice, where the account has no template."
    )
    sms_provider: Literal["off", "file", "tencent"] = Field(
        "off", description="Who sends text messages: nobody, a file (development), or Tencent Cloud."
    )
    sms_outbox: Path = Field(ROOT / "var/sms.log", description="The file of `SMS_PROVIDER=file`.")
    sms_secret_id: str = Field("", description="Tencent Cloud: SecretId.")
    sms_secret_key: SecretStr = Field(SecretStr(""), description="Tencent Cloud: SecretKey.")
    sms_app: str = Field("", description="Tencent Cloud: SmsSdkAppId.")
    sms_sign: str = Field("", description="The approved signature (签名) that begins every text message.")
    sms_templates: dict[str, str] = Field(
        {},
        description="JSON: message name to the provider's template id (docs/messages.md says which values it takes).",
    )
    sms_origin: str = Field("https://sms.tencentcloudapi.com", description="Where the provider's API is.")
    files_dir: Path = Field(ROOT / "var/files", description="The folder of the files that parents send, encrypted.")
    files_s3_endpoint: str = Field(
        "", description="An S3-compatible store that keeps these files instead, e.g. `https://s3.example.org`."
    )
    files_s3_bucket: str = Field("", description="Its bucket.")
    files_s3_region: str = Field("us-east-1", description="Its region, as its signatures name it.")
    files_s3_access_key: str = Field("", description="Its access key id.")
    files_s3_secret_key: SecretStr = Field(SecretStr(""), description="Its secret access key.")
    live_origin: str = Field(
        "",
        description="Where browsers reach the live process, when not under `/live/` of `CLINIC_ORIGIN`: the same host, "
        "another port.",
    )
    turn_url: str = Field(
        "", description="The TURN server (coturn) that carries calls without a straight way, e.g. `turn:host:3478`."
    )
    turn_secret: SecretStr = Field(SecretStr(""), description="Its `static-auth-secret`.")
    livekit_url: str = Field(
        "", description="A LiveKit server that carries the calls instead, e.g. `wss://livekit.example.org`."
    )
    livekit_key: str = Field("", description="Its API key.")
    livekit_secret: SecretStr = Field(SecretStr(""), description="Its API secret (at least 32 characters).")
    trusted_proxies: int = Field(
        0, ge=0, le=5, description="Reverse proxies before the service; each adds an address to `X-Forwarded-For`."
    )
    number_pool_url: str = Field(
        "", description="The hospital's own system that gives out numbers too (docs/rosters.md). Empty: ours alone."
    )
    number_pool_token: SecretStr = Field(
        SecretStr(""), description="The bearer token that the hospital's own system asks for."
    )
    signing_ca_url: str = Field(
        "",
        description="The hospital's certificate authority (EST, RFC 7030) for signatures on prescriptions. Unset: in "
        "production nothing can be signed.",
    )
    signing_ca_login: SecretStr = Field(SecretStr(""), description="Its `name:password`.")
    signing_ca_roots: str = Field(
        "", description="The certificates in which its chains end: PEM, or the path of a PEM file."
    )
    courier_provider: Literal["none", "fengqiao"] = Field(
        "none", description="Who carries medicines: the hospital's own messenger, or SF Express (顺丰丰桥)."
    )
    courier_origin: str = Field("https://sfapi.sf-express.com", description="Where the courier's API is.")
    courier_partner: str = Field("", description="The hospital's code at the courier (顾客编码, partnerID).")
    courier_checkword: SecretStr = Field(
        SecretStr(""), description="The courier's check word (校验码); signs in both directions."
    )
    courier_account: str = Field("", description="The hospital's account that is billed (月结卡号).")
    courier_sender: str = Field(
        "北京市/北京市/西城区/南礼士路56号/互联网药房/010-59616161",
        description="Where parcels are fetched: province/city/district/street/name/phone.",
    )
    assets_dir: Path = Field(ROOT / "node_modules", description="Where the front-end packages were installed.")
    metrics_token: SecretStr = Field(
        SecretStr(""), description="The bearer token that `/metrics` asks for. Empty: there is no such page."
    )
    prometheus_multiproc_dir: Path | None = Field(
        None, description="Folder in which this machine's processes share their metrics. The Procfile gives it."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")

    @property
    def production(self) -> bool:
        return self.clinic_env == "production"

    @property
    def notices(self) -> dict[str, str]:
        """The messages that go as one-time notices, for want of a template, and the template of each notice."""
        return {name: notice for name, notice in self.wechat_subscriptions.items() if name not in self.wechat_templates}

    @cached_property
    def sqlalchemy_url(self) -> str:
        """DATABASE_URL with the driver we use, whichever way the scheme was written."""
        scheme, rest = self.database_url.split("://", 1)
        return f"postgresql+psycopg://{rest}" if scheme.startswith("postgres") else self.database_url

    @cached_property
    def libpq_url(self) -> str:
        """DATABASE_URL as libpq reads it (for the job queue's own connections)."""
        return "postgresql://" + self.sqlalchemy_url.split("://", 1)[1]

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [*self._shape_problems(), *(self._production_problems() if self.production else [])]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _shape_problems(self) -> list[str]:
        problems = []
        if not self.database_url.startswith("postgres"):
            problems.append("DATABASE_URL must name a PostgreSQL server")
        problems += self._origin_problems() + self._pay_problems() + self._sms_problems() + self._files_problems()
        problems += self._livekit_problems() + self._signing_problems() + self._courier_problems()
        for name in ("wechat_aes_key", "wechat_aes_key_previous"):
            key = getattr(self, name).get_secret_value()
            if not _is_aes_key(key) and (key or name == "wechat_aes_key"):
                problems.append(f"{name.upper()} must be the 43 characters of the account's EncodingAESKey")
        if self.prometheus_multiproc_dir == Path():  # the library takes an empty name for the present folder
            problems.append("PROMETHEUS_MULTIPROC_DIR must name a folder, or not be set")
        if self.wechat_domain_file and not DOMAIN_FILE.fullmatch(self.wechat_domain_file):
            problems.append("WECHAT_DOMAIN_FILE must be MP_verify_<name>.txt:<content>, as WeChat's file has them")
        try:
            parse_shift(self.clinic_clock)
        except ValueError as error:
            problems.append(f"CLINIC_CLOCK: {error}")
        return problems

    def _origin_problems(self) -> list[str]:
        problems = []
        for name in (name for name in PUBLIC_ORIGINS if name != "wechat_jssdk_url"):
            parts = urlsplit(getattr(self, name))
            if not parts.geturl() and name in {"files_s3_endpoint", "live_origin"}:
                continue
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
                problems.append(f"{name.upper()} must be an origin such as https://clinic.example.org, without a path")
        if self.live_origin and urlsplit(self.live_origin).hostname != urlsplit(self.clinic_origin).hostname:
            problems.append("LIVE_ORIGIN must be on the host of CLINIC_ORIGIN: only there browsers send the sign-in")
        if self.turn_url and not TURN.fullmatch(self.turn_url):
            problems.append("TURN_URL must be turn:host:port or turns:host:port")
        if self.turn_url and not self.turn_secret.get_secret_value():
            problems.append("TURN_SECRET missing for TURN_URL")
        pool = urlsplit(self.number_pool_url)
        if self.number_pool_url and (pool.scheme not in {"http", "https"} or not pool.hostname or pool.query):
            problems.append("NUMBER_POOL_URL must be an address such as https://his.example.org/numbers")
        return problems

    def _pay_problems(self) -> list[str]:
        problems = []
        secrets = {
            "WECHAT_PAY_MCHID": self.wechat_pay_mchid,
            "WECHAT_PAY_SERIAL": self.wechat_pay_serial,
            "WECHAT_PAY_PRIVATE_KEY": self.wechat_pay_private_key.get_secret_value(),
            "WECHAT_PAY_APIV3_KEY": self.wechat_pay_apiv3_key.get_secret_value(),
        }
        if any(secrets.values()) and not all(secrets.values()):
            problems.append(f"{', '.join(name for name, value in secrets.items() if not value)} missing: all or none")
        if len(self.wechat_pay_apiv3_key.get_secret_value()) not in {0, 32}:
            problems.append("WECHAT_PAY_APIV3_KEY must have 32 characters")
        if bool(self.wechat_pay_public_key_id) != bool(self.wechat_pay_public_key):
            problems.append("WECHAT_PAY_PUBLIC_KEY_ID and WECHAT_PAY_PUBLIC_KEY go together")
        return problems

    def _sms_problems(self) -> list[str]:
        needed = {
            "SMS_SECRET_ID": self.sms_secret_id,
            "SMS_SECRET_KEY": self.sms_secret_key.get_secret_value(),
            "SMS_APP": self.sms_app,
            "SMS_SIGN": self.sms_sign,
            "SMS_TEMPLATES": self.sms_templates,
        }
        missing = [name for name, value in needed.items() if not value]
        return [f"{', '.join(missing)} missing for SMS_PROVIDER"] if self.sms_provider == "tencent" and missing else []

    def _courier_problems(self) -> list[str]:
        needed = {
            "COURIER_PARTNER": self.courier_partner,
            "COURIER_CHECKWORD": self.courier_checkword.get_secret_value(),
            "COURIER_ACCOUNT": self.courier_account,
        }
        missing = [name for name, value in needed.items() if not value]
        problems = [f"{', '.join(missing)} missing for COURIER_PROVIDER"] if missing else []
        problems = problems if self.courier_provider == "fengqiao" else []
        if [bool(part.strip()) for part in self.courier_sender.split("/")] != [True] * 6:
            problems.append("COURIER_SENDER must be province/city/district/street/name/phone")
        return problems

    def _files_problems(self) -> list[str]:
        needed = {
            "FILES_S3_BUCKET": self.files_s3_bucket,
            "FILES_S3_ACCESS_KEY": self.files_s3_access_key,
            "FILES_S3_SECRET_KEY": self.files_s3_secret_key.get_secret_value(),
        }
        missing = [name for name, value in needed.items() if not value]
        return [f"{', '.join(missing)} missing for FILES_S3_ENDPOINT"] if self.files_s3_endpoint and missing else []

    def _signing_problems(self) -> list[str]:
        given = {
            "SIGNING_CA_URL": self.signing_ca_url,
            "SIGNING_CA_LOGIN": self.signing_ca_login.get_secret_value(),
            "SIGNING_CA_ROOTS": self.signing_ca_roots,
        }
        if any(given.values()) and not all(given.values()):
            return [f"{', '.join(name for name, value in given.items() if not value)} missing: all or none"]
        parts = urlsplit(self.signing_ca_url)
        if self.signing_ca_url and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query):
            return ["SIGNING_CA_URL must be an address such as https://ca.example.org"]
        if self.production and self.signing_ca_url and parts.scheme != "https":
            return ["SIGNING_CA_URL must be https"]
        return []

    def _livekit_problems(self) -> list[str]:
        given = {
            "LIVEKIT_URL": self.livekit_url,
            "LIVEKIT_KEY": self.livekit_key,
            "LIVEKIT_SECRET": self.livekit_secret.get_secret_value(),
        }
        problems = []
        if any(given.values()) and not all(given.values()):
            problems.append(f"{', '.join(name for name, value in given.items() if not value)} missing: all or none")
        if self.livekit_url and not LIVEKIT.fullmatch(self.livekit_url):
            problems.append("LIVEKIT_URL must be an address such as wss://livekit.example.org, without a path")
        if 0 < len(given["LIVEKIT_SECRET"]) < 32:
            problems.append("LIVEKIT_SECRET must have at least 32 characters")
        return problems

    def _production_problems(self) -> list[str]:
        problems = []
        if self.clinic_clock:
            problems.append("CLINIC_CLOCK is refused in production")
        if self.sms_provider == "file":
            problems.append("SMS_PROVIDER=file is refused in production")
        for name in (
            "secret_key",
            "field_keys",
            "blind_index_key",
            "wechat_secret",
            "wechat_token",
            "wechat_pay_apiv3_key",
            "metrics_token",
            "turn_secret",
            "livekit_secret",
            "signing_ca_login",
            "courier_checkword",
        ):
            if getattr(self, name).get_secret_value().startswith(DEVELOPMENT_SECRET):
                problems.append(f"{name.upper()} is a development secret")
        for name in ("secret_key", "blind_index_key", "metrics_token"):
            length = len(getattr(self, name).get_secret_value())
            if length < 32 and (length or name != "metrics_token"):
                problems.append(f"{name.upper()} must have at least 32 characters")
        for name in (name for name in PUBLIC_ORIGINS if getattr(self, name)):
            parts = urlsplit(getattr(self, name))
            if parts.scheme != "https" or parts.hostname in LOOPBACK:
                problems.append(f"{name.upper()} must be https and not this machine")
        livekit = urlsplit(self.livekit_url)
        if self.livekit_url and (livekit.scheme != "wss" or livekit.hostname in LOOPBACK):
            problems.append("LIVEKIT_URL must be wss and not this machine")
        return problems


def _is_aes_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text + "=", validate=True)) == 32
    except ValueError:
        return False
