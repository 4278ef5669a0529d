"""The clinic's side of WeChat's API: wechatpy's client behind a class of ours, with time limits and typed errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from time import monotonic, sleep
from typing import Any, Protocol, TypeVar

import requests
from requests.adapters import HTTPAdapter
from wechatpy import WeChatClient as WechatpyClient
from wechatpy.exceptions import WeChatException

from config.metrics import CALLS
from wechat.errors import Busy, OverLimit, StaleToken, TooLarge, WeChatError, WeChatUnavailable, refusal
from wechat.limits import Limits

__all__ = ["Tokens", "WeChatClient", "WeChatError", "WeChatUnavailable"]

TIMEOUT = (2.0, 4.0)  # seconds to connect, seconds of silence
PUBLIC_ORIGIN = "https://api.weixin.qq.com"  # where wechatpy, in places, insists on going
ANSWER = 4096  # bytes within which an answer that begins like JSON is read as an error instead of a file
T = TypeVar("T")
BUSY_PAUSES = (0.2, 0.8)  # seconds before each further try when WeChat says that it is busy (-1)


class Tokens(Protocol):
    """Where access tokens come from."""

    def current(self) -> str:
        """A token that should work."""

    def renewed(self, stale: str) -> str:
        """A token other than the one that WeChat has just refused, if there is one."""


class OriginAdapter(HTTPAdapter):
    """Sends what is meant for api.weixin.qq.com to ``origin``, and gives every call a time limit."""

    def __init__(self, origin: str) -> None:
        super().__init__(pool_maxsize=64)
        self.origin = origin

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        request.url = self.origin + str(request.url).removeprefix(PUBLIC_ORIGIN)
        proxies = requests.utils.get_environ_proxies(self.origin)  # those given are api.weixin.qq.com's
        return super().send(request, stream, timeout or TIMEOUT, verify, cert, proxies)


class _Wechatpy(WechatpyClient):  # type: ignore[misc]
    """wechatpy's client without its own token keeping: the caller always says which token to use."""

    @property
    def access_token(self) -> str:
        raise AttributeError("tokens come from wechat/tokens.py")

    def fetch_access_token(self) -> None:
        raise AttributeError("tokens come from wechat/tokens.py")


class WeChatClient:
    """Calls of WeChat's API. Every method raises WeChatError or WeChatUnavailable and nothing else."""

    def __init__(self, appid: str, secret: str, origin: str, limits: Limits) -> None:
        self.appid, self._secret, self.limits = appid, secret, limits
        self._api = _Wechatpy(appid, secret, timeout=TIMEOUT, auto_retry=False)
        self._api._http.mount(PUBLIC_ORIGIN, OriginAdapter(origin))
        self.tokens: Tokens

    def call(self, method: str, path: str, data: Mapping[str, Any] | None = None, **params: str) -> dict[str, Any]:
        """Call ``/cgi-bin/<path>``, or a path that begins with a slash, with a token; a token that WeChat refuses is
        renewed once, and once only."""
        path = path if path.startswith("/") else f"/cgi-bin/{path}"
        return self._with_token(lambda token: self._request(method, path, data, {**params, "access_token": token}))

    def download(self, path: str, limit: int, seconds: float, **params: str) -> bytes:
        """The file at ``/cgi-bin/<path>``, of at most ``limit`` bytes and within ``seconds``. Raises TooLarge, too."""
        path = f"/cgi-bin/{path}"

        def fetch(token: str) -> bytes:
            query = {**params, "access_token": token}
            return self._patiently(path, lambda: self._file(path, query, limit, seconds))

        return self._with_token(fetch)

    def _with_token(self, ask: Callable[[str], T]) -> T:
        token = self.tokens.current()
        try:
            return ask(token)
        except StaleToken:
            pass
        return ask(self.tokens.renewed(token))

    def stable_token(self, *, force: bool = False) -> dict[str, Any]:
        """``{access_token, expires_in}``: the same for everybody who asks, until it is old or ``force`` renews it."""
        data = {"grant_type": "client_credential", "appid": self.appid, "secret": self._secret, "force_refresh": force}
        return self._request("post", "/cgi-bin/stable_token", data, {})

    def exchange(self, code: str) -> dict[str, Any]:
        """What an OAuth code stands for: ``openid``, perhaps ``unionid``, and ``is_snapshotuser`` for a virtual one."""
        params = {"appid": self.appid, "secret": self._secret, "code": code, "grant_type": "authorization_code"}
        return self._request("get", "/sns/oauth2/access_token", None, params)

    def _request(
        self, method: str, path: str, data: Mapping[str, Any] | None, params: Mapping[str, str]
    ) -> dict[str, Any]:
        return self._patiently(path, lambda: self._once(method, path, data, params))

    def _patiently(self, path: str, ask: Callable[[], T]) -> T:
        """Ask unless the API is closed to us; when WeChat is busy, a few times."""
        self.limits.check(path)
        for pause in BUSY_PAUSES:
            try:
                return self._counted(path, ask)
            except Busy:
                sleep(pause)
        return self._counted(path, ask)

    def _counted(self, path: str, ask: Callable[[], T]) -> T:
        start, outcome = monotonic(), "unavailable"
        try:
            answer = ask()
            outcome = "ok"
        except WeChatError as error:
            outcome = str(error.code)
            if isinstance(error, OverLimit):
                self.limits.note(path, error)
            raise
        finally:
            CALLS.labels(path, outcome).observe(monotonic() - start)
        return answer

    def _once(
        self, method: str, path: str, data: Mapping[str, Any] | None, params: Mapping[str, str]
    ) -> dict[str, Any]:
        query = {"access_token": None, **params}  # named, so that wechatpy doesn't look for one
        body = {} if data is None else {"data": dict(data)}
        try:
            answer = getattr(self._api, method)(PUBLIC_ORIGIN + path, params=query, **body)
        except WeChatException as error:
            if not isinstance(error.errcode, int):
                raise WeChatUnavailable("bad-status") from None
            raise refusal(error.errcode, str(error.errmsg)) from None
        except (requests.RequestException, ValueError, TypeError) as error:  # an address would show the secret: cut off
            raise WeChatUnavailable(type(error).__name__) from None
        if not isinstance(answer, dict):
            raise WeChatUnavailable("not-json")
        return answer

    def _file(self, path: str, params: Mapping[str, str], limit: int, seconds: float) -> bytes:
        end, received = monotonic() + seconds, bytearray()
        try:
            with self._api._http.get(
                PUBLIC_ORIGIN + path, params=params, stream=True, timeout=TIMEOUT, allow_redirects=False
            ) as answer:
                if answer.status_code != requests.codes.ok:
                    raise WeChatUnavailable("bad-status")
                for chunk in answer.iter_content(65536):
                    received += chunk
                    if len(received) > limit:
                        raise TooLarge
                    if monotonic() > end:
                        raise WeChatUnavailable("slow")
        except (requests.RequestException, ValueError) as error:  # an address would show the token: cut off
            raise WeChatUnavailable(type(error).__name__) from None
        return _no_error(bytes(received))


def _no_error(file: bytes) -> bytes:
    """The file, unless it is WeChat's word that there is none, which also comes with HTTP 200."""
    if len(file) <= ANSWER and file.lstrip().startswith(b"{"):
        try:
            told = json.loads(file)
            code, message = int(told["errcode"]), str(told.get("errmsg", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            return file
        raise refusal(code, message)
    return file
