"""What the simulator is told by its environment: the account under test and where its backend is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).parent
SERIAL = re.compile(r"[1-9A-Fa-f][0-9A-Fa-f]{0,39}")
MODES = ("plain", "compatible", "safe")


@dataclass(frozen=True)
class Config:
    """The simulator's settings; origins carry no trailing slash."""

    appid: str
    secret: str
    token: str
    aes_key: str
    mode: str = "safe"
    account_id: str = "gh_5f0c1de9a7b3"
    account_name: str = "北京儿童医院"
    backend: str = "http://127.0.0.1:8000"
    live: str = ""  # where the backend's streams are, under /live/; empty: at the backend itself
    webhook: str = "http://127.0.0.1:8000/wechat"
    bind: str = "127.0.0.1:8100"
    state: Path = Path("var/simulator.json")
    qr_dir: Path = Path("var/demo/qr")
    people: Path = HERE / "data" / "people.toml"
    templates: Path = HERE / "data" / "templates.toml"
    keys: Path = Path("var/simulator-keys")
    mchid: str = "1900000109"
    pay_serial: str = ""  # of the merchant's certificate, hex digits; made at random when it is not given
    pay_public_key_id: str = ""
    apiv3_key: str = ""  # 32 characters; kept beside the other keys when it is not given

    @property
    def origin(self) -> str:
        """The origin under which the simulator plays api.weixin.qq.com and open.weixin.qq.com."""
        return f"http://{self.bind}"

    @property
    def port(self) -> str:
        """The port it listens on, as text."""
        return self.bind.rpartition(":")[2]

    def phone_origin(self, phone: str) -> str:
        """The loopback origin on which a phone's browser shows the account's pages."""
        return f"http://{phone}.localhost:{self.port}"

    @property
    def public_key_id(self) -> str:
        """The name of WeChat Pay's public key, as headers carry it."""
        return self.pay_public_key_id or f"PUB_KEY_ID_01{self.mchid}{1:016d}"

    @property
    def domain(self) -> str:
        """Host and port of the backend: the account's only web-authorisation and JS-SDK domain."""
        return urlsplit(self.backend).netloc


def from_environment(env: Mapping[str, str]) -> Config:
    """Read the settings; raises SystemExit with one line naming what is missing or wrong."""
    mode = env.get("WECHAT_MODE") or "safe"
    if mode not in MODES:
        raise SystemExit(f"simulator: WECHAT_MODE is {mode!r}; it must be one of {', '.join(MODES)}")
    needed = ["WECHAT_APPID", "WECHAT_SECRET", "WECHAT_TOKEN"] + (["WECHAT_AES_KEY"] if mode != "plain" else [])
    if missing := [name for name in needed if not env.get(name)]:
        raise SystemExit(f"simulator: missing in the environment: {', '.join(missing)}")
    _check_pay(env)
    backend = (env.get("SIMULATOR_BACKEND") or Config.backend).rstrip("/")
    return Config(
        appid=env["WECHAT_APPID"],
        secret=env["WECHAT_SECRET"],
        token=env["WECHAT_TOKEN"],
        aes_key=env.get("WECHAT_AES_KEY", ""),
        mode=mode,
        account_id=env.get("SIMULATOR_ACCOUNT_ID") or Config.account_id,
        account_name=env.get("SIMULATOR_ACCOUNT_NAME") or Config.account_name,
        backend=backend,
        live=(env.get("SIMULATOR_LIVE") or "").rstrip("/"),
        webhook=env.get("SIMULATOR_WEBHOOK") or f"{backend}/wechat",
        bind=env.get("SIMULATOR_BIND") or Config.bind,
        state=Path(env.get("SIMULATOR_STATE") or Config.state),
        qr_dir=Path(env.get("SIMULATOR_QR_DIR") or Config.qr_dir),
        people=Path(env.get("SIMULATOR_PEOPLE") or Config.people),
        templates=Path(env.get("SIMULATOR_TEMPLATES") or Config.templates),
        keys=Path(env.get("SIMULATOR_KEYS") or Config.keys),
        mchid=env.get("WECHAT_PAY_MCHID") or Config.mchid,
        pay_serial=(env.get("WECHAT_PAY_SERIAL") or "").upper(),
        pay_public_key_id=env.get("WECHAT_PAY_PUBLIC_KEY_ID") or "",
        apiv3_key=env.get("WECHAT_PAY_APIV3_KEY") or "",
    )


def _check_pay(env: Mapping[str, str]) -> None:
    """Raise SystemExit when a setting of WeChat Pay can't be one."""
    key, serial = env.get("WECHAT_PAY_APIV3_KEY", ""), env.get("WECHAT_PAY_SERIAL", "")
    if len(key.encode()) not in (0, 32):
        raise SystemExit("simulator: WECHAT_PAY_APIV3_KEY must be 32 characters")
    if serial and (not SERIAL.fullmatch(serial) or int(serial, 16).bit_length() >= 160):
        raise SystemExit("simulator: WECHAT_PAY_SERIAL must be the hex digits of a certificate's serial number")
