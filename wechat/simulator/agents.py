"""What a phone's browser says of itself."""

from __future__ import annotations

from .state import Phone
from .world import World

AGENTS = {
    "android": "Mozilla/5.0 (Linux; Android 14; PHK110 Build/UKQ1.230924.001; wv) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.188 Mobile Safari/537.36 XWEB/1260117 MMWEBSDK/20240404 "
    "MMWEBID/4247 MicroMessenger/8.0.49.2600(0x2800313B) WeChat/arm64 "
    "Weixin NetType/WIFI Language/{language} ABI/arm64",
    "iphone": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 MicroMessenger/8.0.50(0x18003237) NetType/WIFI Language/{language}",
}
LANGUAGES = {"zh": ("zh_CN", "zh-CN,zh;q=0.9"), "en": ("en", "en-US,en;q=0.9,zh-CN;q=0.6")}


def agent(world: World, phone: Phone) -> str:
    """The phone's User-Agent."""
    return AGENTS[phone.platform].format(language=LANGUAGES[world.state.settings.language][0])


def languages(world: World) -> str:
    """The phone's Accept-Language."""
    return LANGUAGES[world.state.settings.language][1]
