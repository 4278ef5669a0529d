"""The deployment's settings, read once from the environment at the front door (see docs/settings.md)."""

from __future__ import annotations

import base64
from functools import cached_property
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.clock import parse_shift

ROOT = Path(__file__).resolve().parent.parent
DEVELOPMENT_SECRET = "dev"  # noqa: S105 - the prefix that marks a secret as one made by the development set-up
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
    redis_url: str = Field(description="Redis or Valkey, e.g. `redis://:password@host:6379/0`.")
    field_keys: SecretStr = Field(
        description="Key ring for encrypted fields: `name:base64 of 32 bytes`, comma-separated; the first encrypts."
    )
    blind_index_key: SecretStr = Field(description="Key of the blind indexes used to look up encrypted fields.")
    wechat_mode: Literal["plain", "compatible", "safe"] = Field("safe", description="How WeChat encrypts its pushes.")
    wechat_appid: str = Field(description="The service account's AppID.")
    wechat_secret: SecretStr = Field(description="The service account's AppSecret.")
    wechat_token: SecretStr = Field(description="The Token of the account's server configuration (3-32 characters).")
    wechat_aes_key: SecretStr = Field(description="The EncodingAESKey (43 characters).")
    wechat_api_origin: str = Field("https://api.weixin.qq.com", description="Where WeChat's API is.")
    wechat_open_origin: str = Field("https://open.weixin.qq.com", description="Where WeChat's OAuth page is.")
    wechat_jssdk_url: str = Field(
        "https://res.wx.qq.com/open/js/jweixin-1.6.0.js", description="The JS-SDK script the scan page loads."
    )
    wechat_templates: dict[str, str] = Field(
        {}, description="JSON: message name to the account's template id (names in docs/messages.md)."
    )
    assets_dir: Path = Field(ROOT / "node_modules", description="Where the front-end packages were installed.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")

    @property
    def production(self) -> bool:
        return self.clinic_env == "production"

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
        for name in ("clinic_origin", "wechat_api_origin", "wechat_open_origin"):
            parts = urlsplit(getattr(self, name))
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
                problems.append(f"{name.upper()} must be an origin such as https://clinic.example.org, without a path")
        try:
            if len(base64.b64decode(self.wechat_aes_key.get_secret_value() + "=", validate=True)) != 32:
                raise ValueError
        except ValueError:
            problems.append("WECHAT_AES_KEY must be the 43 characters of the account's EncodingAESKey")
        try:
            parse_shift(self.clinic_clock)
        except ValueError as error:
            problems.append(f"CLINIC_CLOCK: {error}")
        return problems

    def _production_problems(self) -> list[str]:
        problems = []
        if self.clinic_clock:
            problems.append("CLINIC_CLOCK is refused in production")
        for name in ("secret_key", "field_keys", "blind_index_key", "wechat_secret", "wechat_token"):
            if getattr(self, name).get_secret_value().startswith(DEVELOPMENT_SECRET):
                problems.append(f"{name.upper()} is a development secret")
        for name in ("secret_key", "blind_index_key"):
            if len(getattr(self, name).get_secret_value()) < 32:
                problems.append(f"{name.upper()} must have at least 32 characters")
        for name in ("clinic_origin", "wechat_api_origin", "wechat_open_origin", "wechat_jssdk_url"):
            parts = urlsplit(getattr(self, name))
            if parts.scheme != "https" or parts.hostname in LOOPBACK:
                problems.append(f"{name.upper()} must be https and not this machine")
        return problems
