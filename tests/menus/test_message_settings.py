"""The page on which a parent says which messages they want."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from notifications.preferences import muted
from tests.menus.conftest import Browser, send, words
from tests.product import Hospital

PAGE = "/settings/messages"


def test_reminders_are_on_until_they_are_switched_off(
    mother: FlaskClient, session: Session, hospital: Hospital
) -> None:
    page = mother.get(PAGE)
    assert page.status_code == 200
    assert "checked" in page.text
    answer = send(mother, PAGE, PAGE)
    assert answer.status_code == 303
    assert muted(session, hospital.mother.id) == {"appointment-reminder", "medicine-time"}
    page = mother.get(answer.location)
    assert "Saved." in words(page)
    assert "checked" not in page.text
    send(mother, PAGE, PAGE, wanted="appointment-reminder")
    session.expire_all()
    assert muted(session, hospital.mother.id) == {"medicine-time"}


def test_what_is_always_sent_can_not_be_switched_off(mother: FlaskClient, session: Session, hospital: Hospital) -> None:
    shown = words(mother.get(PAGE))
    always = shown.partition("Always sent")[2]
    assert all(
        title in always for title in ("Visit booked", "Visit cancelled", "Clinic stopped", "A guardian was added")
    )
    assert "New booking" not in shown, "doctors' messages are none of theirs"
    send(mother, PAGE, PAGE, wanted=["appointment-reminder"])
    send(mother, PAGE, PAGE, muted="guardian-bound")
    assert "guardian-bound" not in muted(session, hospital.mother.id)


def test_one_parents_choice_is_theirs_alone(
    mother: FlaskClient, browser: Browser, session: Session, hospital: Hospital
) -> None:
    send(mother, PAGE, PAGE)
    assert muted(session, hospital.stranger.id) == set()
    assert "checked" in browser(hospital.stranger, "en").get(PAGE).text


def test_text_messages_are_promised_only_when_there_are_some(mother: FlaskClient) -> None:
    assert "text the phones" not in words(mother.get(PAGE))
    mother.application.jinja_env.globals["texts"] = True
    assert "text the phones" in words(mother.get(PAGE))


@pytest.mark.parametrize("locale", ["zh_CN", "en"])
def test_my_children_leads_there(browser: Browser, hospital: Hospital, locale: str) -> None:
    assert f'href="{PAGE}"' in browser(hospital.mother, locale).get("/children").text


def test_who_is_not_signed_in_is_asked_to(browser: Browser) -> None:
    assert browser().get(PAGE).status_code == 302
