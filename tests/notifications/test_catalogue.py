"""The catalogue, its page in the documentation, and the templates of the simulated account say the same."""

import re
import tomllib

from babel.messages.pofile import read_po

from config.settings import ROOT
from config.text import LOCALES, N_, translate
from notifications import handlers
from notifications.catalogue import Message, messages
from notifications.models import Notification, NotificationStatus


def test_the_documentation_shows_the_catalogue() -> None:
    page = (ROOT / "docs/messages.md").read_text("utf-8")
    table = "\n".join(row(message) for message in messages().values())
    assert table in page, f"docs/messages.md needs these rows:\n{table}"


def row(message: Message) -> str:
    fields = "<br>".join(f"`{key}` {message.labels[name]}" for name, key in message.fields.items())
    return f"| `{message.name}` | {message.title['zh_CN']} | {message.audience} | {fields} | `{message.path}` |"


def test_the_documentation_draws_every_move() -> None:
    page = (ROOT / "docs/messages.md").read_text("utf-8")
    drawn = set(re.findall(r"^    (\w+) --> (\w+)", page, re.MULTILINE))
    assert drawn == {(str(a), str(b)) for a, targets in Notification.MOVES.items() for b in targets}
    assert all(status.value in page for status in NotificationStatus)


def test_the_simulated_account_has_a_template_for_every_message() -> None:
    data = tomllib.loads((ROOT / "wechat/simulator/data/templates.toml").read_text("utf-8"))
    contents = {re.sub(r"\s", "", entry["content"]) for entry in data["template"]}
    for message in messages().values():
        lines = "".join(f"{message.labels[name]}：{{{{{key}.DATA}}}}" for name, key in message.fields.items())
        assert lines in contents, message.name


def test_texts_fit_a_field_in_both_languages_and_are_translated() -> None:
    texts = [*handlers.REASONS.values(), handlers.OTHER_REASON, *handlers.HINTS.values(), handlers.BOUND_HINT]
    for text in texts:
        assert all(0 < len(translate(locale, text)) <= 20 for locale in LOCALES), text
    with (ROOT / "notifications/locale/zh_CN.po").open("rb") as source:
        assert {str(entry.id) for entry in read_po(source) if entry.id} == {N_(text) for text in texts}


def test_values_come_out_under_the_templates_keys() -> None:
    entry = messages()["practitioner-booked"]
    data = {"department": "内科", "time": "2026年11月25日 09:30", "number": "7", "child": "王**"}
    keyed = entry.keyed(data)
    assert keyed == {"thing1": "内科", "time2": "2026年11月25日 09:30", "character_string3": "7", "thing4": "王**"}
