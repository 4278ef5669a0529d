"""Prescribing and reviewing at the desk: by the form's buttons alone; what is wrong is named, nothing is lost."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from config.encryption import ring
from notifications.models import Notification
from people.models import Account, Role
from prescriptions.writing.draft import Draft
from prescriptions.writing.models import Prescription, PrescriptionQuestion, PrescriptionStatus
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.prescriptions.desk import Room, room
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.product import Hospital, account, member


@pytest.fixture
def here(session: Session, hospital: Hospital, now: datetime) -> Room:
    made = room(session, hospital, now)
    session.commit()
    return made


class Form:
    """The form as the browser has it: every button sends all of it."""

    def __init__(self, client: FlaskClient, here: Room) -> None:
        self.client, self.path = client, f"/desk/visits/{here.visit.appointment.id}"
        self.values: dict[str, list[str]] = {}
        self.read(client.get(self.path))

    def read(self, answer: TestResponse) -> TestResponse:
        html = answer.text
        self.values = {}
        if 'id="rx-form"' not in html:
            return answer
        form = html[html.index('id="rx-form"') : html.index("</form>", html.index('id="rx-form"'))]
        for tag in re.findall(r"<input\b[^>]*>", form):
            if re.search(r'type="(radio|checkbox)"', tag) and " checked" not in tag:
                continue
            name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
            if name:
                self.values.setdefault(unescape(name[1]), []).append(unescape(value[1]) if value else "")
        return answer

    def press(self, do: str, part: str = "", **typed: str) -> TestResponse:
        data = {**self.values, **{name: [value] for name, value in typed.items()}, "do": [do]}
        headers = {"X-Part": part} if part else {}
        answer = self.client.post(f"{self.path}/prescription", data=data, headers=headers)
        return self.read(self.client.get(self.path)) if answer.status_code == 303 else self.read(answer)


@pytest.fixture
def form(browse: Browse, hospital: Hospital, here: Room) -> Form:
    return Form(browse(hospital.doctor), here)


@pytest.fixture
def pharmacist(session: Session, browse: Browse, now: datetime) -> FlaskClient:
    who = member(session, "PH01", account(session, "o-ph", now), Role.PHARMACIST)
    session.commit()
    return browse(who)


def only(session: Session, **more: object) -> Prescription:
    session.expire_all()
    return session.scalars(select(Prescription).filter_by(**more)).one()


def test_a_fever_in_three_taps_without_a_script(session: Session, form: Form) -> None:
    found = form.press("group:fever")
    assert f'value="add:{FEVER}"' in found.text
    shown = form.press(f"add:{FEVER}")
    assert "Paracetamol suspension" in words(shown)
    assert form.values[f"dose-{FEVER}"] == ["8"]
    signed = form.press("sign")
    row = only(session)
    assert row.status is PrescriptionStatus.IN_REVIEW, words(signed)
    assert "Waits for a pharmacist" in words(signed)
    assert "8 mL a time (192 mg)" in words(signed)


def test_an_overdose_is_found_at_once_and_not_signed(session: Session, form: Form) -> None:
    form.press(f"add:{FEVER}")
    shown = form.press("save", part="part", **{f"dose-{FEVER}": "30"})
    assert 'class="finding finding--block"' in shown.text
    assert '<span role="alert">' in shown.text
    answer = form.press("sign")
    assert answer.status_code == 422
    assert "has to be changed first" in words(answer)
    assert form.values[f"dose-{FEVER}"] == ["30"], "what was typed stays"
    assert only(session).status is PrescriptionStatus.DRAFT


@pytest.mark.parametrize("typed", ["", "0", "-1", "abc", "1e9", "7.1234", "NaN", "99999999999"])
def test_bad_figures_are_named_and_stay(session: Session, form: Form, typed: str) -> None:
    form.press(f"add:{FEVER}")
    answer = form.press("save", **{f"dose-{FEVER}": typed, f"days-{FEVER}": "0"})
    assert answer.status_code == 422
    assert f'id="rx-problem-dose-{FEVER}"' in answer.text
    assert f'id="rx-problem-days-{FEVER}"' in answer.text
    assert form.values[f"dose-{FEVER}"] == [typed]
    assert Draft.model_validate_json(only(session).draft or "").lines[0].dose == 8000, "nothing was half done"


def test_a_reason_is_asked_for_beside_its_finding(session: Session, form: Form) -> None:
    form.press(f"add:{FEVER}")
    answer = form.press("sign", **{f"dose-{FEVER}": "2"})
    key = next(name for name in form.values if name.startswith("reason-"))
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    form.press("sign", **{key: "small and well"})
    assert only(session).status is PrescriptionStatus.IN_REVIEW


def test_the_later_of_two_pages_is_refused(form: Form) -> None:
    form.press(f"add:{FEVER}")
    old = dict(form.values)
    form.press(f"add:{IBUPROFEN}")
    form.values = old
    answer = form.press("save", **{f"days-{FEVER}": "2"})
    assert answer.status_code == 409
    assert IBUPROFEN in answer.text


@pytest.mark.parametrize("ended", ["sign", "give-up"])
@pytest.mark.parametrize("again", ["sign", "save", "give-up"])
def test_a_page_from_before_begins_nothing_anew(session: Session, form: Form, ended: str, again: str) -> None:
    """A second tap, or another window: what was signed or given up does not stand there once more."""
    form.press(f"add:{FEVER}")
    before = dict(form.values)
    form.press(ended)
    form.values = before
    answer = form.press(again)
    found = only(session)
    assert found.status is (PrescriptionStatus.IN_REVIEW if ended == "sign" else PrescriptionStatus.CANCELLED)
    if again == "give-up":
        assert answer.status_code == 200
    else:
        assert answer.status_code == 409
        assert "saved elsewhere meanwhile" in words(answer)


def test_what_is_begun_after_a_signature_counts_on(session: Session, form: Form) -> None:
    """A page of the first prescription never matches the second one."""
    form.press(f"add:{FEVER}")
    first = dict(form.values)
    form.press("sign")
    form.press(f"add:{IBUPROFEN}")
    second = only(session, status=PrescriptionStatus.DRAFT)
    form.values = first
    assert form.press("save", **{f"dose-{FEVER}": "7"}).status_code == 409
    assert only(session, status=PrescriptionStatus.DRAFT).draft == second.draft


def test_templates_again_and_given_up(session: Session, form: Form) -> None:
    assert "no earlier prescription" in words(form.press("repeat"))
    form.press(f"add:{FEVER}")
    form.press("keep", template="发热")
    shown = form.press(f"drop:{FEVER}")
    button = re.search(r'value="(template:[0-9a-f-]+)"', shown.text)
    assert button
    form.press(button[1])
    assert form.values["line"] == [FEVER]
    form.press("give-up")
    assert only(session).status is PrescriptionStatus.CANCELLED


def test_nobody_else_writes_or_reads_it(
    session: Session, browse: Browse, hospital: Hospital, here: Room, form: Form, now: datetime
) -> None:
    form.press(f"add:{FEVER}")
    form.press("sign")
    row = only(session)
    hospital.colleague.account_id = account(session, "o-colleague", now).id
    session.commit()
    other = browse(session.get_one(Account, hospital.colleague.account_id))
    path = f"/desk/visits/{here.visit.appointment.id}/prescription"
    assert post(other, path, on="/desk", do="save", version="0").status_code == 404
    assert other.get(f"/desk/prescriptions/{row.id}.pdf").status_code == 404
    assert other.get(f"/desk/reviews/{row.id}").status_code == 403
    assert form.client.get(f"/desk/prescriptions/{row.id}.pdf").data[:4] == b"%PDF"


def review(client: FlaskClient, row: Prescription, do: str, **fields: object) -> TestResponse:
    return post(client, f"/desk/reviews/{row.id}", on=f"/desk/reviews/{row.id}", do=do, **fields)


def test_from_the_queue_sent_back_and_corrected(
    session: Session, form: Form, here: Room, pharmacist: FlaskClient, browse: Browse, now: datetime
) -> None:
    form.press(f"add:{FEVER}")
    form.press("sign")
    first = only(session)
    listed = words(pharmacist.get("/desk/reviews"))
    assert "15 kg" in listed
    assert "none told of" in listed
    shown = words(pharmacist.get(f"/desk/reviews/{first.id}"))
    assert "12.8" in shown, "mg/kg each time"
    assert "51.2" in shown, "mg/kg a day"
    assert review(pharmacist, first, "take").status_code == 303
    colleague = member(session, "PH02", account(session, "o-ph2", now), Role.PHARMACIST)
    session.commit()
    queue = words(browse(colleague).get("/desk/reviews"))
    assert "Qian Ping" in queue
    assert "zh_CN" not in queue
    assert "mine" in words(pharmacist.get("/desk/reviews"))
    bad = review(pharmacist, first, "reject", codes=["2-5"], text="")
    assert bad.status_code == 422
    assert 'value="2-5" checked' in bad.text
    assert review(pharmacist, first, "reject", codes=["2-5"], text="每日3次即可").status_code == 303
    assert "Nothing waits" in words(pharmacist.get("/desk/reviews"))
    page = form.client.get(form.path)
    assert "每日3次即可" in page.text
    path = f"{form.path}/prescription/{first.id}"
    assert post(form.client, path, on=form.path, do="correct").status_code == 303
    form.read(form.client.get(form.path))
    form.press("sign", **{f"times-{FEVER}": "3", f"interval-{FEVER}": "8"})
    again = only(session, status=PrescriptionStatus.IN_REVIEW)
    assert again.replaces_id == first.id
    assert review(pharmacist, again, "accept").status_code == 303
    assert only(session, status=PrescriptionStatus.APPROVED).id == again.id


def test_a_question_and_its_answer(session: Session, form: Form, pharmacist: FlaskClient) -> None:
    form.press(f"add:{FEVER}")
    form.press("sign")
    row = only(session)
    assert review(pharmacist, row, "ask", question=" ").status_code == 422
    assert review(pharmacist, row, "ask", question="体重是今天称的吗？").status_code == 303
    assert "A pharmacist asks" in words(form.client.get("/desk/tasks"))
    asked = session.scalars(select(PrescriptionQuestion)).one()
    page = form.client.get(form.path)
    assert "体重是今天称的吗？" in page.text
    answered = post(form.client, f"{form.path}/prescription/answer", on=form.path, id=asked.id, answer="是的")
    assert answered.status_code == 303
    shown = words(pharmacist.get(f"/desk/reviews/{row.id}"))
    assert "是的" in shown
    assert "zh_CN" not in shown, "a name is said in one language"
    assert "A pharmacist asks" not in words(form.client.get("/desk/tasks"))


def test_what_was_tampered_with_is_not_shown(session: Session, form: Form, pharmacist: FlaskClient) -> None:
    form.press(f"add:{FEVER}")
    form.press("sign")
    row = only(session)
    text = (row.content or "").replace('"dose":8000', '"dose":9000')
    session.connection().exec_driver_sql(
        "update prescriptions set content = %s where id = %s", (ring().encrypt(text, "prescriptions.content"), row.id)
    )
    session.commit()
    for client, path in (
        (pharmacist, f"/desk/reviews/{row.id}"),
        (pharmacist, "/desk/reviews"),
        (form.client, form.path),
    ):
        answer = client.get(path)
        assert "is not what was signed" in words(answer)
        assert answer.status_code in {200, 409}
    assert review_refused(pharmacist, row)


def review_refused(client: FlaskClient, row: Prescription) -> bool:
    return post(client, f"/desk/reviews/{row.id}", on="/desk/reviews", do="accept").status_code == 409


def test_taken_back_with_a_reason(session: Session, form: Form) -> None:
    form.press(f"add:{FEVER}")
    form.press("sign")
    path = f"{form.path}/prescription/{only(session).id}"
    assert post(form.client, path, on=form.path, do="withdraw", withdraw_reason="").status_code == 422
    assert post(form.client, path, on=form.path, do="withdraw", withdraw_reason="wrong").status_code == 303
    assert only(session).status is PrescriptionStatus.CANCELLED
    assert session.scalars(select(Notification)).all() is not None
