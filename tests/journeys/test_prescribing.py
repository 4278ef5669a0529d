"""From the call to the medicines: the doctor prescribes (an overdose is blocked first), a pharmacist sends it back,
the doctor corrects it, it is accepted, and the mother reads what to give. Nothing is typed but the overdose."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pypdf import PdfReader
from sqlalchemy import select

from booking.models import Appointment
from booking.queries import visit as whole
from consultation.encounters.models import SeatRole
from consultation.line.actions.arriving import attest
from consultation.line.models import Confirmed
from people.models import Account, Practitioner, PractitionerRole, Role
from tests.journeys.phones import SIZE
from tests.journeys.rooms import database
from tests.journeys.service import Service, running
from tests.journeys.test_reminders import book
from tests.journeys.test_visit import OPENED
from tests.prescriptions.desk import prepare

pytestmark = [pytest.mark.browser, pytest.mark.processes]
DESK: ViewportSize = {"width": 1280, "height": 800}
GRAMS = 8_600
DOZEN = 12


class Person:
    """One person's browser; counts the taps, and takes numbered pictures."""

    def __init__(self, browser: Browser, service: Service, who: str, folder: Path, locale: str = "zh-CN") -> None:
        self.phone = not who.startswith("doctor")
        size = SIZE if self.phone else DESK
        self.origin = f"http://{who}.localhost:{urlsplit(service.simulator).port}"
        self.context = browser.new_context(viewport=size, locale=locale)
        self.page: Page = self.context.new_page()
        self.folder, self.taps = folder, 0

    def open(self, path: str) -> Page:
        self.page.goto(self.origin + path)
        return self.page

    def tap(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.taps += 1

    def picture(self, name: str) -> None:
        kind = "phone" if self.phone else "desk"
        count = len(list(self.folder.iterdir())) + 1
        self.page.screenshot(path=self.folder / f"{count:02}-{kind}-{name}.png", full_page=True)


def begin(service: Service) -> tuple[str, str, str]:
    """The mother has booked and told, the doctor has called; a colleague is a pharmacist, too. Returns the visit's id
    and who the two are in the simulator."""
    book(service)
    now = datetime.now(UTC)
    with database(service) as session:
        visit = whole(session, session.scalars(select(Appointment.id)).one())
        room = prepare(session, visit, now, GRAMS)
        attest(session, room.encounter, room.encounter.account_id, [Confirmed.PRESENT], now)
        assert room.seat().role is SeatRole.PRACTITIONER
        other = session.scalars(
            select(Practitioner).where(Practitioner.account_id.is_not(None), Practitioner.id != room.doctor.id)
        ).first()
        assert other
        session.add(PractitionerRole(practitioner_id=other.id, role=Role.PHARMACIST, granted_at=now))
        names = [session.get_one(Account, one.account_id).openid[-2:] for one in (room.doctor, other)]
    return str(visit.appointment.id), f"doctor-{names[0]}", f"doctor-{names[1]}"


def test_from_the_call_to_the_medicines(browser: Browser, var: Path, pictures: Path) -> None:
    with running(var) as service:
        visit, doctor_name, pharmacist_name = begin(service)
        doctor = Person(browser, service, doctor_name, pictures)
        pharmacist = Person(browser, service, pharmacist_name, pictures)
        mother = Person(browser, service, "li-na", pictures)
        prescribe(doctor, visit)
        send_back(pharmacist)
        waits(mother, visit)
        correct(doctor)
        accept(pharmacist)
        read(mother, visit)
        in_english(doctor, mother, visit)
        for one in (doctor, pharmacist, mother):
            one.context.close()


def prescribe(doctor: Person, visit: str) -> None:
    """In a dozen taps, the call and the record's signature counted; an overdose is stopped on the way."""
    page = doctor.open(f"/desk/visits/{visit}")
    doctor.taps = 1  # the call itself
    for name in ("child", "guardian", "specialty"):
        doctor.tap(f"[name={name}]")
    doctor.tap(".ticks button")
    expect(page.locator(".queue")).to_contain_text("已全部核对")
    doctor.tap(".chips--first button:has-text('普通感冒')")
    expect(page.locator(".condition")).to_contain_text("J00")
    doctor.tap("[name=epidemiology_confirmed]")
    expect(page.locator("#rx-form")).to_contain_text("急性鼻咽炎")
    doctor.tap("#rx [value='group:fever']")
    doctor.tap("#rx [value='add:paracetamol-susp-24']")
    dose = page.locator("[name=dose-paracetamol-susp-24]")
    expect(dose).to_be_visible()
    proposed = dose.input_value()
    doctor.picture("proposed")
    dose.fill("30")
    dose.press("Tab")
    expect(page.locator(".finding--block").first).to_be_visible()
    page.locator("#rx [value=sign]").click()
    expect(page.locator(".rx__problem")).to_contain_text("未签名")
    doctor.picture("overdose")
    dose.fill(proposed)
    dose.press("Tab")
    expect(page.locator(".finding--block")).to_have_count(0)
    doctor.tap("#rx [value=sign]")
    expect(page.locator(".rx__kept .today").first).to_contain_text("待药师审核")
    doctor.tap("#record [value=sign]")  # which ends the visit
    expect(page.locator("#record")).to_have_attribute("data-mode", "signed")
    assert doctor.taps <= DOZEN
    doctor.picture("signed")


def send_back(pharmacist: Person) -> None:
    """The pharmacist finds it in the queue and sends it back with a reason."""
    page = pharmacist.open("/desk/reviews")
    expect(page.locator(".rows")).to_contain_text("8.6 kg")
    pharmacist.picture("queue")
    page.locator(".rows a.who").click()
    expect(page.locator(".review__lines")).to_contain_text("对乙酰氨基酚")
    page.get_by_text("退回", exact=True).first.click()
    page.locator("[value='2-5']").check()
    page.locator("#review-text").fill("婴儿每日3次即可，请调整")
    pharmacist.picture("review")
    page.locator("[value=reject]").click()
    expect(page.locator(".empty")).to_be_visible()


def waits(mother: Person, visit: str) -> None:
    """The mother sees a calm state, and nothing of what was sent back."""
    page = mother.open(f"/visits/{visit}/room")
    page.get_by_role("link", name="查看处方").click()
    expect(page.locator("h1")).to_have_text("正在审核")
    expect(page.locator("main")).not_to_contain_text("对乙酰氨基酚")
    mother.picture("being-reviewed")


def correct(doctor: Person) -> None:
    """The doctor sees why, corrects it and signs anew."""
    page = doctor.page
    page.reload()
    expect(page.locator(".rx__rejected")).to_contain_text("婴儿每日3次即可")
    doctor.picture("sent-back")
    page.locator("#rx [value=correct]").click()
    times = page.locator("[name=times-paracetamol-susp-24]")
    times.fill("3")
    page.locator("[name=interval-paracetamol-susp-24]").fill("8")
    page.locator("[name=interval-paracetamol-susp-24]").press("Tab")
    expect(page.locator("#rx-form")).to_contain_text("更正被退回的处方")
    page.locator("#rx [value=sign]").click()
    expect(page.locator(".rx__kept .today").first).to_contain_text("待药师审核")
    doctor.picture("corrected")


def accept(pharmacist: Person) -> None:
    """The pharmacist accepts the corrected one."""
    page = pharmacist.open("/desk/reviews")
    page.locator(".rows a.who").click()
    expect(page.locator(".rxform")).to_contain_text("每日3次")
    page.locator("[value=accept]").click()
    expect(page.locator(".empty")).to_be_visible()


def read(mother: Person, visit: str) -> None:
    """The mother reads what to give; the form as PDF is sealed."""
    page = mother.open(f"/visits/{visit}/room")
    page.get_by_role("link", name="查看处方").click()
    expect(page.locator(".rx__dose")).to_contain_text("mL")
    expect(page.locator(".rx__dose")).to_contain_text("mg")
    expect(page.get_by_role("link", name="去下单")).to_be_visible()
    mother.picture("medicines")
    href = page.get_by_role("link", name="打开PDF").get_attribute("href")
    assert href
    opened = page.evaluate(OPENED, href)
    assert (opened["status"], opened["type"]) == (200, "application/pdf")
    file = mother.folder / "prescription.pdf"
    file.write_bytes(bytes(opened["body"]))
    text = "".join(leaf.extract_text() for leaf in PdfReader(BytesIO(file.read_bytes())).pages)
    for words in ("儿科", "陈一诺", "对乙酰氨基酚混悬液", "审核药师"):
        assert words in re.sub(r"\s", "", text)
    if tool := shutil.which("pdfsig"):
        said = subprocess.run([tool, str(file)], capture_output=True, text=True, check=False).stdout
        assert "Signature is Valid" in said
    page.get_by_role("link", name="保存为图片").click()
    expect(page.locator("img.summary__page")).to_have_js_property("complete", True)
    mother.picture("form")


def in_english(doctor: Person, mother: Person, visit: str) -> None:
    """The same pages in English."""
    for one, path in ((doctor, f"/desk/visits/{visit}"), (mother, f"/visits/{visit}/room")):
        one.open(path)
        one.page.get_by_role("button", name="Switch to English").click()
        one.page.wait_for_load_state()
    expect(doctor.page.locator("#rx-title")).to_have_text("Prescription")
    doctor.picture("english")
    mother.page.get_by_role("link", name="See the prescription").click()
    expect(mother.page.locator("h1")).to_contain_text("Medicines for")
    mother.picture("english")
