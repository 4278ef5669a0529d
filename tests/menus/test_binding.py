"""Adding a child: consents first, the code by scan, photo or ticket, the proof, and the way back."""

from __future__ import annotations

import io
import re
from datetime import datetime
from urllib.parse import quote, urlsplit

import pytest
import segno
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import delete
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from config import policy, redis
from config.settings import Settings
from people.index import TablePatientIndex
from people.models import BindTry, Consent, RelatedPerson
from people.refusals import IndexUnavailable
from tests.menus.conftest import Browser, agree, send, token, words
from tests.product import Hospital
from wechat.jssdk import JsSdk
from wechat.tickets import Tickets

BIND = "/children/bind"
AGREED = {"online-care": "permit", "child-data": "permit", "recording": "permit"}
PROOF = {
    "name": "李雷",
    "birth_date": "2019-01-01",
    "phone_tail": "1234",
    "guardian": "王芳",
    "relation": "mother",
}


def picture(*codes: str) -> io.BytesIO:
    """A PNG with these codes side by side; without any, a white one."""
    sheet = Image.new("L", (420 * max(len(codes), 1), 420), 255)
    for place, code in enumerate(codes):
        drawn = io.BytesIO()
        segno.make(code, error="m", micro=False).save(drawn, kind="png", scale=8)
        sheet.paste(Image.open(drawn), (420 * place + 40, 40))
    out = io.BytesIO()
    sheet.save(out, "PNG")
    out.seek(0)
    return out


def upload(client: FlaskClient, photo: io.BytesIO, **fields: str) -> TestResponse:
    return send(client, BIND, f"{BIND}/code", photo=(photo, "photo.png"), **fields)


@pytest.fixture
def agreed(session: Session, hospital: Hospital, mother: FlaskClient, now: datetime) -> FlaskClient:
    """The mother's browser after both consents."""
    agree(session, hospital.mother, now)
    return mother


@pytest.fixture
def unasked(session: Session, mother: FlaskClient) -> FlaskClient:
    """The mother's browser before any consent."""
    session.execute(delete(Consent))
    session.commit()
    return mother


@pytest.fixture
def tickets(settings: Settings) -> Tickets:
    return Tickets(redis.connect(settings.redis_url))


def bound(session: Session, hospital: Hospital) -> list[RelatedPerson]:
    session.expire_all()
    return (
        session.query(RelatedPerson).filter_by(account_id=hospital.mother.id, patient_id=hospital.other_child.id).all()
    )


def test_without_javascript_a_photo_leads_to_the_proof_and_the_binding(
    session: Session, hospital: Hospital, agreed: FlaskClient
) -> None:
    answer = upload(agreed, picture("QR-0003"))
    assert answer.status_code == 303
    assert "QR-0003" not in answer.location
    form = agreed.get(answer.location)
    ticket = re.search(r'name="ticket" value="([^"]+)"', form.text)
    assert ticket
    assert "李雷" not in form.text
    done = agreed.post(BIND, data={"csrf_token": token(form), "ticket": ticket[1], **PROOF})
    assert done.location == f"/children/{hospital.other_child.id}?new"
    assert "李雷 has been added" in words(agreed.get(done.location))
    (binding,) = bound(session, hospital)
    assert (binding.name, binding.relation) == ("王芳", "mother")


def test_a_scanned_code_is_never_in_an_address_or_a_cookie(agreed: FlaskClient) -> None:
    answer = send(agreed, BIND, f"{BIND}/code", code="QR-0003", next="/visits")
    assert answer.status_code == 303
    parts = urlsplit(answer.location)
    assert parts.path == BIND
    assert re.fullmatch(r"ticket=[\w-]{24}&next=%2Fvisits", parts.query)
    assert "QR-0003" not in str(answer.headers)


@pytest.mark.parametrize(
    ("photo", "said"),
    [
        (picture(), "We found no QR code"),
        (io.BytesIO(b"not a picture"), "We found no QR code"),
        (picture("QR-0003", "QR-0002"), "several QR codes"),
    ],
)
def test_a_photo_that_does_not_help_says_why(agreed: FlaskClient, photo: io.BytesIO, said: str) -> None:
    answer = upload(agreed, io.BytesIO(photo.getvalue()))
    assert answer.status_code == 422
    assert said in words(answer)


def test_no_photo_at_all(agreed: FlaskClient) -> None:
    assert "choose a picture" in words(send(agreed, BIND, f"{BIND}/code"))


def test_the_way_back_is_kept(hospital: Hospital, agreed: FlaskClient, tickets: Tickets) -> None:
    back = "/schedules/0192/book"
    page = agreed.get(f"{BIND}?ticket={tickets.put('QR-0003')}&next={quote(back)}")
    assert f'name="next" value="{back}"' in page.text
    fields = dict(re.findall(r'type="hidden" name="(ticket|next)" value="([^"]*)"', page.text.split("<fieldset")[0]))
    assert agreed.post(BIND, data={"csrf_token": token(page), **fields, **PROOF}).location == back


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_to_another_site(
    session: Session, hospital: Hospital, agreed: FlaskClient, tickets: Tickets, target: str
) -> None:
    answers = [
        send(agreed, BIND, BIND, code="QR-0003", next=target, **PROOF),
        send(agreed, "/help", "/language", locale="en", next=target),
        send(agreed, "/consents", "/consents", next=target, **AGREED),
    ]
    for answer in answers:
        assert answer.status_code == 303
        assert urlsplit(answer.location)[:2] == ("", "")
        assert answer.location == "/internet-diagnosis"


def test_every_wrong_field_is_named_and_the_typed_text_stays(agreed: FlaskClient) -> None:
    answer = send(
        agreed, BIND, BIND, code="QR-0003", name=" ", birth_date="2027-01-01", phone_tail="12", guardian="王芳芳"
    )
    assert answer.status_code == 422
    for problem in ("full name", "birth date", "last four digits", "what you are to the child"):
        assert problem in words(answer)
    assert set(re.findall(r'id="problem-(\w+)"', answer.text)) == {"name", "birth_date", "phone_tail", "relation"}
    assert 'value="王芳芳"' in answer.text
    assert 'value="12"' in answer.text


def test_full_width_digits_and_spaces_are_no_mistake(session: Session, hospital: Hospital, agreed: FlaskClient) -> None:
    typed = {**PROOF, "phone_tail": "１２３４", "name": " 李 雷 "}
    assert send(agreed, BIND, BIND, code="QR-0003", **typed).status_code == 303
    assert bound(session, hospital)


def test_wrong_proof_and_unknown_code_get_the_same_answer(
    session: Session, hospital: Hospital, agreed: FlaskClient
) -> None:
    wrong = send(agreed, BIND, BIND, code="QR-0003", **{**PROOF, "phone_tail": "9999"})
    unknown = send(agreed, BIND, BIND, code="QR-9999", **{**PROOF, "phone_tail": "9999"})
    assert wrong.status_code == unknown.status_code == 422
    assert words(wrong) == words(unknown)
    assert "could not match" in words(wrong)
    assert 'value="李雷"' in wrong.text
    assert session.query(BindTry).count() == 2
    assert bound(session, hospital) == []


def test_an_index_that_does_not_answer_loses_nothing(agreed: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_: TablePatientIndex, code: str) -> None:
        raise IndexUnavailable(field=code)

    monkeypatch.setattr(TablePatientIndex, "find", down)
    answer = send(agreed, BIND, BIND, code="QR-0003", **PROOF)
    assert answer.status_code == 503
    assert "records can't be reached at the moment" in words(answer)
    assert 'value="李雷"' in answer.text


def test_too_many_tries_wait_and_lose_nothing(session: Session, hospital: Hospital, agreed: FlaskClient) -> None:
    for _ in range(5):
        send(agreed, BIND, BIND, code="QR-0003", **{**PROOF, "phone_tail": "9999"})
    answer = send(agreed, BIND, BIND, code="QR-0003", **PROOF)
    assert answer.status_code == 429
    assert "wait 60 minutes" in words(answer)
    assert 'value="李雷"' in answer.text
    assert bound(session, hospital) == []


def test_a_child_already_bound_says_so(agreed: FlaskClient) -> None:
    own = {**PROOF, "name": "王小明", "birth_date": "2023-05-17"}
    answer = send(agreed, BIND, BIND, code="QR-0001", **own)
    assert answer.status_code == 409
    assert "already among your children" in words(answer)
    assert 'href="/children"' in answer.text


def test_a_ticket_that_ran_out_asks_for_the_code_and_keeps_what_was_typed(
    session: Session, hospital: Hospital, agreed: FlaskClient
) -> None:
    assert "more than ten minutes" in words(agreed.get(f"{BIND}?ticket=gone"))
    late = send(agreed, BIND, BIND, ticket="gone", next="/visits", **PROOF)
    assert late.status_code == 422
    kept = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', late.text.split('id="photo"')[1]))
    kept.pop("locale", None)
    again = agreed.post(f"{BIND}/code", data={**kept, "photo": (picture("QR-0003"), "photo.png")})
    assert again.status_code == 200
    assert 'value="李雷"' in again.text
    assert '<option value="mother" selected>' in again.text


def test_without_redis_the_code_waits_in_the_form(
    session: Session, hospital: Hospital, agreed: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tickets, "put", lambda *_: None)
    form = send(agreed, BIND, f"{BIND}/code", code="QR-0003")
    assert form.status_code == 200
    assert 'type="hidden" name="code" value="QR-0003"' in form.text
    assert send(agreed, BIND, BIND, code="QR-0003", **PROOF).status_code == 303
    assert bound(session, hospital)


def test_the_phone_is_not_asked_for_when_the_policy_does_not_want_it(
    session: Session, hospital: Hospital, agreed: FlaskClient, now: datetime
) -> None:
    policy.change(session, "bind_needs_phone", False, author="test", valid_from=now)
    session.commit()
    form = send(agreed, BIND, BIND, code="QR-0003", name="李雷")
    assert "phone_tail" not in form.text
    without = {name: value for name, value in PROOF.items() if name != "phone_tail"}
    assert send(agreed, BIND, BIND, code="QR-0003", **without).status_code == 303


def test_the_scanner_is_offered_only_when_wechat_signs_the_page(
    agreed: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "/scan.js" not in agreed.get(BIND).text
    asked: list[str] = []
    signed = {"appId": "wx", "timestamp": "1", "nonceStr": "n", "signature": "s"}

    def config(_: JsSdk, url: str) -> dict[str, str]:
        asked.append(url)
        return signed

    monkeypatch.setattr(JsSdk, "config", config)
    page = agreed.get(f"{BIND}?next=/visits")
    assert asked == [f"{settings.clinic_origin}{BIND}?next=/visits"]
    assert '"signature": "s"' in page.text.replace("&#34;", '"')
    nonces = set(re.findall(r'<script nonce="([^"]+)"', page.text))
    assert len(nonces) == 1
    assert f"'nonce-{nonces.pop()}'" in page.headers["Content-Security-Policy"]
    assert settings.wechat_jssdk_url in page.text
    assert "/scan.js" in page.text


def test_binding_asks_for_both_consents_first_and_comes_back(
    session: Session, hospital: Hospital, unasked: FlaskClient
) -> None:
    mother = unasked
    answer = mother.get(f"{BIND}?next=/visits")
    assert answer.location == "/consents?next=%2Fchildren%2Fbind%3Fnext%3D%2Fvisits"
    page = mother.get(answer.location)
    assert "checked" not in page.text
    assert 'name="next" value="/children/bind?next=/visits"' in page.text
    for text in ("15 years", "export", "Complaints", "mainland China", "If you do not agree"):
        assert text in words(page), text
    sent = send(mother, "/consents", "/consents", next=f"{BIND}?next=/visits", **AGREED)
    assert sent.location == f"{BIND}?next=/visits"
    kept = session.query(Consent).filter_by(account_id=hospital.mother.id).all()
    assert {(consent.kind, consent.version, consent.decision) for consent in kept} == {
        ("online-care", "2026-11", "permit"),
        ("child-data", "2026-11", "permit"),
        ("recording", "2026-11", "permit"),
    }
    assert mother.get(BIND).status_code == 200


@pytest.mark.parametrize("other", [{}, {"child-data": "perhaps"}])
def test_a_missing_answer_is_named_and_the_other_stays(
    session: Session, unasked: FlaskClient, other: dict[str, str]
) -> None:
    answer = send(unasked, "/consents", "/consents", **{"online-care": "permit", "recording": "deny", **other})
    assert answer.status_code == 422
    assert 'id="problem-child-data"' in answer.text
    assert 'id="problem-online-care"' not in answer.text
    assert re.search(r'name="online-care" value="permit" required checked', answer.text)
    assert session.query(Consent).count() == 0


def test_a_refusal_says_what_it_means_and_can_be_changed(
    session: Session, hospital: Hospital, mother: FlaskClient
) -> None:
    answer = send(mother, "/consents", "/consents", **{**AGREED, "child-data": "deny", "recording": "deny"})
    shown = words(answer)
    assert "Recording of video visits" not in shown  # that may be refused
    assert "can't add a child or book online" in shown
    assert "You can change this at any time" in shown
    assert 'href="/consents"' in answer.text
    assert mother.get(BIND).location.startswith("/consents")
    assert send(mother, "/consents", BIND, code="QR-0003", **PROOF).location.startswith("/consents")
    assert bound(session, hospital) == []


def test_recording_is_asked_and_may_be_refused(session: Session, hospital: Hospital, unasked: FlaskClient) -> None:
    required = {"online-care": "permit", "child-data": "permit"}
    answer = send(unasked, "/consents", "/consents", **required)
    assert answer.status_code == 422
    assert 'id="problem-recording"' in answer.text
    assert unasked.get(BIND).location.startswith("/consents")
    assert send(unasked, "/consents", "/consents", **required, recording="deny").location == BIND
    assert unasked.get(BIND).status_code == 200


def test_binding_needs_a_session(client: FlaskClient, browser: Browser, hospital: Hospital) -> None:
    assert client.get(f"{BIND}?ticket=a").location == f"/oauth/start?next={BIND}?ticket%3Da"
    visitor = browser(None, "en")
    answer = send(visitor, "/help", BIND, code="QR-0003", **PROOF)
    assert answer.status_code == 401
    assert "signed out" in words(answer)
