"""Pages that are the same for everybody, kept in this process for a second, so that a rush costs one page a second.

Nothing of a visitor is in them: the language is part of the key; their scripts come from our own address and carry no
nonce; their one form (the language) has no token, and is told from a foreign one by the browser's own headers
(menus/guide.py). So one visitor's page can be another's, and a 304 can stand for a page that the phone has from before.
Proxies keep nothing (``private``), and phones ask each time (``no-cache``).
A page that is at hand is answered in front of Flask (menus/kept_door.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from flask import Response, current_app, g, render_template, request

from config.clock import now
from menus.pages import TABS, locale
from menus.ways import HOME

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

T = TypeVar("T")

EXTENSION = "kept"
HTML, CACHE = "text/html; charset=utf-8", "private, no-cache"
VARY = "Cookie, User-Agent, Accept-Language"
SECONDS = 1.0  # what is shown is never older
AHEAD = 0.7  # of it, after which somebody makes the next one while the others still get this one
LIMIT = 500  # pages; of some 20 kB each
PATIENCE = 2.0  # seconds of waiting for somebody else's page, before one's own is made
VISITORS, LONGEST = 5000, 2000  # languages that are remembered, and characters of a visitor's headers at most


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

    def fresh(self, key: Hashable, at: datetime) -> T | None:
        """The value of the key, if nobody has to make the next one yet."""
        place = self._places.get(key)
        made = place and place.made
        return made.value if made and made.good(self._clock(), at, SECONDS * AHEAD) else None

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


@dataclass
class Sheet:
    """A page as it goes out, and the headers that Flask gave it when it went out first: None until then."""

    body: bytes
    etag: str
    headers: Headers | None = None


class Headers(NamedTuple):
    """Those of the page, and of a 304 that stands for it; the weak ETag as phones send it back. Without a request's
    name."""

    whole: list[tuple[str, str]]
    unchanged: list[tuple[str, str]]
    etag: str


class Place(NamedTuple):
    """What an address without a query leads to: the route's name and the page's key."""

    endpoint: str
    key: tuple[Hashable, ...]


@dataclass(frozen=True)
class Shown:
    """What a shared page is made of. ``until``: when it stops being true, if that is known."""

    template: str
    context: dict[str, Any]
    until: datetime | None = None


class Pages:
    """One process's shared pages, their addresses, and the languages of the visitors whose headers it has read."""

    def __init__(self) -> None:
        self.sheets: Kept[Sheet] = Kept()
        self.places: dict[str, Place] = {}
        self._languages: dict[tuple[str, ...], str] = {}

    def spoken(self, environ: WSGIEnvironment) -> str | None:
        """The language of a visitor whose headers were read before. It depends on these alone (wechat/signin.py:
        visitor_locale), so what they said once holds, and a rush doesn't open every cookie again."""
        return self._languages.get(_asked(environ))

    def language(self, environ: WSGIEnvironment) -> str:
        """The language of this request's visitor."""
        found = self.spoken(environ)
        if found is None:
            found, asked = locale(), _asked(environ)
            if len(self._languages) >= VISITORS:
                self._languages.clear()
            if sum(map(len, asked)) < LONGEST:
                self._languages[asked] = found
        return found

    def leads(self, path: str, place: Place) -> None:
        """Remember what this address leads to."""
        if len(self.places) >= LIMIT:
            self.places.clear()
        self.places[path] = place


def _asked(environ: WSGIEnvironment) -> tuple[str, str, str]:
    said = environ.get
    return said("HTTP_COOKIE", ""), said("HTTP_USER_AGENT", ""), said("HTTP_ACCEPT_LANGUAGE", "")


def shared(key: tuple[Hashable, ...], here: Callable[[], str], make: Callable[[datetime], Shown]) -> Response:
    """Answer with a page that is the same for everybody who asks for ``here()`` in this language.

    ``key`` and ``here`` hold only what the page depends on, never what else stands in the address.
    """
    pages: Pages = current_app.extensions[EXTENSION]
    speaks = pages.language(request.environ)
    sheet = pages.sheets.get((speaks, *key), now(), lambda: _render(here(), make(now())))
    if not request.query_string:
        pages.leads(request.environ["PATH_INFO"], Place(str(request.endpoint), key))
    g.shared = True  # menus/security.py: no nonce
    g.sheet = sheet
    unchanged = request.if_none_match.contains_weak(sheet.etag)
    response = Response(b"" if unchanged else sheet.body, 304 if unchanged else 200, content_type=HTML)
    response.set_etag(sheet.etag, weak=True)
    response.headers["Cache-Control"], response.headers["Vary"] = CACHE, VARY
    return response


def _render(here: str, shown: Shown) -> tuple[Sheet, datetime | None]:
    html = render_template(f"menus/{shown.template}", tab=HOME, tabs=TABS, here=here, shared=True, **shown.context)
    body = html.encode()
    return Sheet(body, hashlib.blake2b(body, digest_size=12).hexdigest()), shown.until
