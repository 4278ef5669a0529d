"""Pages that are the same for everybody, kept in this process for a second, so that a rush costs one page a second.

Nothing of a visitor is in them: the language is part of the key; their scripts come from our own address and carry no
nonce; their one form (the language) has no token, and is told from a foreign one by the browser's own headers
(menus/guide.py). So one visitor's page can be another's, and a 304 can stand for a page that the phone has from before.
Proxies keep nothing (``private``), and phones ask each time (``no-cache``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from flask import Response, current_app, g, render_template, request
from werkzeug.datastructures import Headers

from config.clock import now
from menus.pages import TABS, locale
from menus.ways import HOME

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

T = TypeVar("T")

SECONDS = 1.0  # what is shown is never older
AHEAD = 0.7  # of it, after which somebody makes the next one while the others still get this one
LIMIT = 500  # pages; of some 20 kB each
PATIENCE = 2.0  # seconds of waiting for somebody else's page, before one's own is made


@dataclass(frozen=True)
class Made(Generic[T]):
    """A value, when its making began (before its data were read), and the moment at which it stops being true."""

    value: T
    began: float
    until: datetime | None

    def good(self, clock: float, at: datetime, seconds: float) -> bool:
        """Whether it may still be shown after so many seconds."""
        return clock - self.began < seconds and (self.until is None or at < self.until)


@dataclass
class _Place(Generic[T]):
    made: Made[T] | None = None
    lock: Lock = field(default_factory=Lock)


class Kept(Generic[T]):
    """Values by key, each kept for a second. One thread makes, the others get the one before or wait for the first."""

    def __init__(self, clock: Callable[[], float] = monotonic, limit: int = LIMIT) -> None:
        self._clock, self._limit = clock, limit
        self._places: dict[Hashable, _Place[T]] = {}
        self._lock = Lock()

    def get(self, key: Hashable, at: datetime, make: Callable[[], tuple[T, datetime | None]]) -> T:
        """The value of the key; ``make`` returns it with the moment until which it is true. What it raises, goes on."""
        place = self._places.get(key) or self._place(key)
        made, clock = place.made, self._clock()
        if made and made.good(clock, at, SECONDS * AHEAD):
            return made.value
        still_good = made and made.good(clock, at, SECONDS)
        mine = place.lock.acquire(timeout=0 if still_good else PATIENCE)
        try:
            if made and still_good and not mine:
                return made.value
            return self._make(place, at, make).value
        finally:
            if mine:
                place.lock.release()

    def _make(self, place: _Place[T], at: datetime, make: Callable[[], tuple[T, datetime | None]]) -> Made[T]:
        """A new value, unless somebody made one while this thread waited."""
        began = self._clock()
        if place.made and place.made.good(began, at, SECONDS * AHEAD):
            return place.made
        value, until = make()
        place.made = made = Made(value, began, until)
        return made

    def _place(self, key: Hashable) -> _Place[T]:
        with self._lock:
            while len(self._places) >= self._limit:
                del self._places[next(iter(self._places))]
            return self._places.setdefault(key, _Place())


@dataclass(frozen=True)
class Sheet:
    """A page as it goes out: its bytes, its ETag and the headers, which say it as a weak one."""

    body: bytes
    etag: str
    headers: Headers


@dataclass(frozen=True)
class Shown:
    """What a shared page is made of. ``until``: when it stops being true, if that is known."""

    template: str
    context: dict[str, Any]
    until: datetime | None = None


class Pages:
    """One process's shared pages, and the languages of the visitors whose headers it has read before."""

    def __init__(self) -> None:
        self.sheets: Kept[Sheet] = Kept()
        self._languages: dict[tuple[str, ...], str] = {}

    def language(self, environ: WSGIEnvironment) -> str:
        """The language of this visitor. It depends on these headers alone (wechat/signin.py: visitor_locale), so what
        they said once holds, and a rush doesn't open every cookie again."""
        asked = tuple([environ.get(name, "") for name in ASKED])
        found = self._languages.get(asked)
        if found is None:
            found = locale()
            if len(self._languages) >= VISITORS:
                self._languages.clear()
            if sum(map(len, asked)) < LONGEST:
                self._languages[asked] = found
        return found


ASKED = ("HTTP_COOKIE", "HTTP_USER_AGENT", "HTTP_ACCEPT_LANGUAGE")
VISITORS, LONGEST = 5000, 2000  # how many are remembered, and how many characters of headers at most


def shared(key: tuple[Hashable, ...], here: Callable[[], str], make: Callable[[datetime], Shown]) -> Response:
    """Answer with a page that is the same for everybody who asks for ``here()`` in this language.

    ``key`` and ``here`` hold only what the page depends on, never what else stands in the address.
    """
    at = now()
    pages: Pages = current_app.extensions["kept"]
    environ = request.environ
    sheet = pages.sheets.get((pages.language(environ), *key), at, lambda: _render(here(), make(at)))
    g.shared = True  # menus/security.py: no nonce
    known = environ.get("HTTP_IF_NONE_MATCH")
    if known and (known == sheet.headers["ETag"] or request.if_none_match.contains_weak(sheet.etag)):
        return Response(b"", 304, sheet.headers.copy())
    return Response(sheet.body, 200, sheet.headers.copy())


HTML, CACHE = "text/html; charset=utf-8", "private, no-cache"
VARY = "Cookie, User-Agent, Accept-Language"


def _render(here: str, shown: Shown) -> tuple[Sheet, datetime | None]:
    html = render_template(f"menus/{shown.template}", tab=HOME, tabs=TABS, here=here, shared=True, **shown.context)
    body = html.encode()
    etag = hashlib.blake2b(body, digest_size=12).hexdigest()
    headers = Headers({"Content-Type": HTML, "ETag": f'W/"{etag}"', "Cache-Control": CACHE, "Vary": VARY})
    return Sheet(body, etag, headers), shown.until
