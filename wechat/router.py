"""One message on its way to the handler that answers it: what a handler gets, and how it is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy.orm import Session

from config.hospital import hospital
from config.text import N_, translate
from people.index import IndexRecord
from wechat.messages import Inbound, Text
from wechat.replies import Reply, TextReply
from wechat.words import meaning

PAGES = {
    "book": ("/internet-diagnosis", N_("Book a doctor")),
    "visits": ("/visits", N_("My visits")),
    "children": ("/children", N_("My children")),
    "bind": ("/children/bind", N_("Bind your child")),
    "help": ("/help", N_("Help")),
}


@dataclass(frozen=True)
class Scan:
    """What was found out about a code before the transaction: ``code`` is None when none could be read."""

    code: str | None = None
    record: IndexRecord | None = None
    ticket: str | None = None
    fetched: bool = True


@dataclass(frozen=True)
class Turn:
    """One message and what a handler may use to answer it."""

    message: Inbound
    session: Session
    now: datetime
    locale: str
    origin: str
    scan: Scan | None = None

    def say(self, text: str, locale: str | None = None, **params: object) -> TextReply:
        """The text in the account's language; the names of PAGES stand for links, ``%(hospital)s`` for the name."""
        locale = locale or self.locale
        links = {name: self.link(path, label, locale) for name, (path, label) in PAGES.items()}
        fixed = {"hospital": hospital().name[locale], "ambulance": hospital().number("emergency")}
        return TextReply(translate(locale, text, **{**links, **fixed, **params}))

    def link(self, path: str, label: str, locale: str | None = None) -> str:
        """A link in the chat to a page of ours."""
        return f'<a href="{self.origin}{path}">{translate(locale or self.locale, label)}</a>'

    @cached_property
    def meaning(self) -> str | None:
        """What a typed message asks for: the name of a list in config/data/words.toml."""
        return meaning(self.message.words) if isinstance(self.message, Text) else None


Handler = Callable[[Turn], Reply | None]


@dataclass(frozen=True)
class Route:
    """Messages of these kinds go to this handler; only those with this menu key, or with one of these meanings.

    A handler that has nothing to say returns None, and the next route is asked.
    """

    kind: type[Inbound] | tuple[type[Inbound], ...]
    handler: Handler
    key: str | None = None
    words: frozenset[str] | None = None

    def fits(self, turn: Turn) -> bool:
        """Whether the message is of this route."""
        return (
            isinstance(turn.message, self.kind)
            and (self.key is None or getattr(turn.message, "key", None) == self.key)
            and (self.words is None or turn.meaning in self.words)
        )


def answer(routes: Iterable[Route], turn: Turn) -> Reply:
    """The first answer of the routes, in their order; the last routes have one for everything."""
    return next(reply for route in routes if route.fits(turn) and (reply := route.handler(turn)) is not None)
