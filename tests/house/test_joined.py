"""The laws that only the joined house shows: routes are guarded, facts are heard, texts are translated."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from flask import Flask
from jinja2.ext import babel_extract

from config.jobs import Fact
from config.settings import ROOT
from config.text import catalogues, translate
from notifications.handlers import HANDLERS
from people.refusals import AlreadyBound
from tests.house.test_laws import PRODUCT, offenders

KEYWORDS = {"N_": None, "gettext": None, "_": None, "ngettext": (1, 2)}
TEMPLATES = [
    path
    for path in ROOT.glob("*/templates/**/*.html")
    if path.relative_to(ROOT).parts[0] not in {"node_modules", "var"}
]


def test_a_button_without_a_form_waits_for_its_script() -> None:
    """Pressed before its script has run it would do nothing: it starts disabled, and the script enables it."""
    assert offenders(r'<button\b(?=[^>]*type="button")(?![^>]*\bdisabled\b)', TEMPLATES) == []


def test_every_route_is_guarded_or_said_to_be_public(app: Flask) -> None:
    guards = {
        rule.endpoint: getattr(app.view_functions[rule.endpoint], "guard", None) for rule in app.url_map.iter_rules()
    }
    assert {
        endpoint: guard for endpoint, guard in guards.items() if guard not in {"public", "signed-in", "staff"}
    } == {}


def test_what_is_public_is_known(app: Flask) -> None:
    """Whoever adds a public route adds it here too, and so says that no record is behind it."""
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "guard", "") == "public"
    }
    assert public == PUBLIC


PUBLIC = {
    "webhook.check", "pay.told", "courier.routes", "oauth.start", "oauth.callback", "domain-file.show",
    "asset", "desk_asset", "healthz", "readyz", "metrics",  # metrics asks for its own token
    "menus.front", "menus.departments", "menus.department", "menus.doctors", "menus.help_page", "menus.language",
    "menus.doctor", "menus.earliest", "menus.time_now",
    "menus.calendar", "menus.calendar_file",  # a signed address is the right to one visit's calendar entry
    "file.opened", "file.given",  # a signed address is the right to one copy, for ten minutes
    "room.enter", "room.entered",  # a link's token is the right to one room, once
    "desk_signin.show", "desk_signin.state", "desk_signin.enter", "desk_signin.leave",
}  # fmt: skip


def test_every_fact_is_heard() -> None:
    assert set(HANDLERS) == set(Fact.KINDS.values())
    unheard = {fact.__name__ for fact, handlers in HANDLERS.items() if not handlers}
    assert unheard <= {"PaymentSettled", "PaymentClosed", "RefundFailed"}


def said() -> Iterator[tuple[str, str]]:
    """Every text in the code and the templates that is shown to people, with where it stands."""
    for path in PRODUCT:
        for _line, message, *_ in extract_from_file("python", path, keywords=KEYWORDS):
            yield from _texts(message, path)
    for path in TEMPLATES:
        found = babel_extract(BytesIO(path.read_bytes()), list(KEYWORDS), [], {"trimmed": "true"})
        for _line, _function, texts, _comments in found:
            yield from _texts(texts, path)


def _texts(message: object, path: Path) -> Iterator[tuple[str, str]]:
    for text in _all(message):
        if isinstance(text, str) and text:
            yield text, path.relative_to(ROOT).as_posix()


def translated() -> dict[str, str]:
    """Every message of every room's Chinese catalogue."""
    found: dict[str, str] = {}
    for path in catalogues():
        with path.open("rb") as source:
            for entry in read_po(source, locale="zh_CN"):
                if entry.id:
                    assert isinstance(entry.id, str), f"{entry.id}: each number's text is a message (config/templates)"
                    text = _all(entry.string)[0]
                    for message in _all(entry.id):
                        assert found.get(message, text) == text, f"{message!r} is translated in two ways"
                        found[message] = text
    return found


def _all(texts: object) -> list[str]:
    """One text, or the singular and the plural."""
    return [text or "" for text in (texts if isinstance(texts, tuple | list) else (texts,))]


def test_every_text_is_in_chinese_too() -> None:
    known = translated()
    missing = sorted({(where, text) for text, where in said() if not known.get(text)})
    assert missing == []


def test_no_translation_is_left_over() -> None:
    assert sorted(set(translated()) - {text for text, _ in said()}) == []


def test_no_catalogue_has_a_text_twice() -> None:
    """Of two the reader takes the last, whatever it says."""
    for path in catalogues():
        found = Counter(re.findall(r'^msgid (".+"|""\n(?:".*"\n)+)', path.read_text(), re.MULTILINE))
        assert [text for text, count in found.items() if count > 1] == [], path


def test_translations_have_the_same_places() -> None:
    places = re.compile(r"%\((\w+)\)[sd]")
    for message, text in translated().items():
        assert sorted(set(places.findall(message))) == sorted(set(places.findall(text))), message


@pytest.mark.parametrize("locale", ["zh_CN", "en"])
def test_a_text_is_shown_in_its_language(locale: str) -> None:
    shown = translate(locale, AlreadyBound.message)
    assert bool(re.search(r"[一-鿿]", shown)) == (locale == "zh_CN")
