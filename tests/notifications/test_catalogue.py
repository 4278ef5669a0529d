"""The catalogue, its page in the documentation, and the templates of the simulated account say the same."""

import re
import tomllib

from babel.messages.pofile import read_po

from booking.stop_models import REASON_TEXTS
from config.settings import ROOT
from config.text import LOCALES, N_, translate
from notifications import (
    after,
    clinics,
    deliveries,
    files,
    handlers,
    line,
    medicine_orders,
    medicines,
    prescriptions,
    suspensions,
    texting,
    waiting,
)
from notifications.catalogue import Message, messages
from notifications.models import Notification, NotificationStatus
from payments import reasons


def test_the_documentation_shows_the_catalogue() -> None:
    page = (ROOT / "docs/messages.md").read_text("utf-8")
    table = "\n".join(row(message) for message in messages().values())
    assert table in page, f"docs/messages.md needs these rows:\n{table}"


def row(message: Message) -> str:
    fields = "<br>".join(f"`{key}` {message.labels[name]}" for name, key in message.fields.items())
    return f"| `{message.name}` | {message.template} | {message.audience} | {fields} | `{message.path}` |"


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
    texts = [*handlers.REASONS.values(), handlers.LATE_HINT, *handlers.HINTS.values(), handlers.BOUND_HINT]
    texts += [handlers.REFUND_HINT, waiting.NONE_FREED, waiting.STOPPED, *suspensions.TEXTS, *after.TEXTS]
    texts += [*files.TEXTS, *medicines.TEXTS, *deliveries.TEXTS, *medicine_orders.TEXTS]
    texts += [
        text for room in (clinics, line, prescriptions) for name, text in vars(room).items() if name.endswith("_HINT")
    ]
    texts.append(handlers.FOLLOWUP_HINT)
    for text in (*texts, *reasons.REASONS.values(), reasons.OTHER, *REASON_TEXTS.values()):
        assert all(0 < len(translate(locale, text)) <= 20 for locale in LOCALES), text
    with (ROOT / "notifications/locale/zh_CN.po").open("rb") as source:
        assert {str(entry.id) for entry in read_po(source) if entry.id} >= {N_(text) for text in texts}


def test_values_come_out_under_the_templates_keys() -> None:
    entry = messages()["practitioner-booked"]
    data = {"department": "内科", "time": "2026年11月25日 09:30", "number": "7", "child": "王**"}
    keyed = entry.keyed(data)
    assert keyed == {"thing1": "内科", "time2": "2026年11月25日 09:30", "character_string3": "7", "thing4": "王**"}


def test_what_must_arrive_names_its_child() -> None:
    """The text message goes to the phones that the hospital has on file for that child."""
    assert {message.name for message in messages().values() if message.must_arrive} == set(texting.CHILDREN)


def test_an_account_has_room_for_every_template() -> None:
    """WeChat lets a service account have 25."""
    assert len({message.template for message in messages().values()}) <= 25


def test_messages_that_share_a_template_have_the_same_lines() -> None:
    lines: dict[str, object] = {}
    for message in messages().values():
        own = {message.labels[name]: key for name, key in message.fields.items()}
        assert lines.setdefault(message.template, own) == own, message.name
