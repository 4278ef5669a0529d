"""What every Jinja template can say: gettext in the reader's locale, and config/formats.py as filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from jinja2 import Environment

from config import formats
from config.clock import now, today
from config.text import CHINESE, translate


def install(environment: Environment, locale: Callable[[], str]) -> None:
    """Set up an environment; ``locale`` says for whom the template is being rendered. Doing it twice does no harm."""

    def gettext(message: str) -> str:
        return translate(locale(), message)

    def ngettext(one: str, many: str, count: int) -> str:
        return translate(locale(), one if count == 1 else many)

    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(
        local=lambda text: in_locale(text, locale()),
        weekday=lambda day: formats.weekday(_date(day), locale()),
        short_day=lambda day: formats.short_day(_date(day), locale()),
        long_day=lambda day: formats.long_day(_date(day), locale()),
        clock=formats.clock,
        moment=lambda at: formats.moment(at, locale()),
        near=lambda at: formats.near(at, today(now()), locale()),
        age=lambda born, on: formats.age(born, on, locale()),
        yuan=formats.yuan,
        money=lambda fen: formats.money(fen, locale()),
        masked=formats.masked,
    )


def in_locale(text: Mapping[str, str], locale: str) -> str:
    """The hospital's own data, ``{"zh_CN": ..., "en": ...}``, in one language; Chinese when the other is missing."""
    return text.get(locale) or text[CHINESE]


def _date(day: date) -> date:
    """A moment's date is the hospital's, whatever the zone it is kept in."""
    return today(day) if isinstance(day, datetime) else day
