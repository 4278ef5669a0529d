"""What all of the parents' pages share: the blueprint, rendering in the visitor's language, the way back."""

from __future__ import annotations

from datetime import date, datetime

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from config import formats
from config.hospital import hospital
from config.templates import in_locale
from config.text import CHINESE, translate
from menus.ways import CHILDREN, HELP, HOME, VISITS, Way
from wechat.signin import visitor_locale

bp = Blueprint("menus", __name__, template_folder="templates")

TABS = (HOME, VISITS, CHILDREN, HELP)


def locale() -> str:
    """The language of this page, asked once per request."""
    if "locale" not in g:
        g.locale = visitor_locale()
    return str(g.locale)


def say(message: str, **params: object) -> str:
    """A text in the visitor's language; days, moments and the hospital's own texts among ``params`` are, too."""
    return translate(locale(), message, **{name: _said(value) for name, value in params.items()})


def _said(value: object) -> object:
    if isinstance(value, datetime):
        return formats.moment(value, locale())
    if isinstance(value, date):
        return formats.long_day(value, locale())
    return in_locale(value, locale()) if isinstance(value, dict) else value


def lead_back(path: str, label: str) -> None:
    """If this request is refused, offer this way first. ``label`` is an English msgid or a name from the data."""
    g.way_back = Way(path, label)


def lead_on(path: str, label: str) -> None:
    """If this request is refused, offer this before the way back. ``label`` is an English msgid."""
    g.way_on = Way(path, label)


def page(template: str, *, tab: Way = HOME, status: int = 200, **context: object) -> ResponseReturnValue:
    """Render one of our pages; ``tab`` is the one lit at the bottom."""
    return render_template(f"menus/{template}", tab=tab, tabs=TABS, **context), status


@bp.app_context_processor
def everywhere() -> dict[str, object]:
    """What the templates of every page can name."""
    return {"lang": "zh-CN" if locale() == CHINESE else "en", "hospital": hospital()}
