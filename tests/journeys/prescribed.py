"""What the staff do with a prescription in their own browsers, step by step, for the journeys of medicines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import select

from booking.models import Appointment
from booking.queries import visit as whole
from config.clock import today
from consultation.line.actions.arriving import attest
from consultation.line.models import Confirmed
from people.models import Account
from tests.journeys.phones import PATIENCE
from tests.journeys.rooms import database
from tests.journeys.service import Service
from tests.journeys.test_reminders import book
from tests.prescriptions.desk import prepare

DESK: ViewportSize = {"width": 1280, "height": 800}
GRAMS = 8_600
DOZEN = 12
PRODUCT, NAME = "paracetamol-susp-24", "对乙酰氨基酚"
LOT = "20261108"


class Person:
    """A member of staff at a computer's screen; counts the taps, and takes numbered pictures of whole pages."""

    def __init__(self, browser: Browser, service: Service, who: str, folder: Path) -> None:
        self.origin = f"http://{who}.localhost:{urlsplit(service.simulator).port}"
        self.context = browser.new_context(viewport=DESK, locale="zh-CN")
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.who, self.folder, self.taps = who, folder, 0

    def open(self, path: str) -> Page:
        self.page.goto(self.origin + path)
        return self.page

    def tap(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.taps += 1

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def picture(self, name: str) -> None:
        count = len(list(self.folder.glob(f"{self.who}-*"))) + 1
        self.page.screenshot(path=self.folder / f"{self.who}-{count:02}-{name}.png", full_page=True)


@contextmanager
def staff(browser: Browser, service: Service, folder: Path, *names: str) -> Iterator[list[Person]]:
    """Their browsers, closed at the end."""
    people = [Person(browser, service, who, folder) for who in names]
    yield people
    for one in people:
        one.context.close()


def begin(service: Service) -> tuple[str, str]:
    """The mother (li-na) has booked and told, the doctor has called. Returns the visit's id and who the doctor is."""
    book(service)
    now = datetime.now(UTC)
    with database(service) as session:
        visit = whole(session, session.scalars(select(Appointment.id)).one())
        room = prepare(session, visit, now, GRAMS)
        attest(session, room.encounter, room.encounter.account_id, [Confirmed.PRESENT], now)
        openid = session.get_one(Account, room.doctor.account_id).openid
    return str(visit.appointment.id), f"doctor-{openid[-2:]}"


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
    doctor.tap(f"#rx [value='add:{PRODUCT}']")
    dose = page.locator(f"[name=dose-{PRODUCT}]")
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
    expect(page.locator(".review__lines")).to_contain_text(NAME)
    page.get_by_text("退回", exact=True).first.click()
    page.locator("[value='2-5']").check()
    page.locator("#review-text").fill("婴儿每日3次即可，请调整")
    pharmacist.picture("review")
    page.locator("[value=reject]").click()
    expect(page.locator(".empty")).to_be_visible()


def correct(doctor: Person) -> None:
    """The doctor sees why, corrects it and signs anew."""
    page = doctor.page
    page.reload()
    expect(page.locator(".rx__rejected")).to_contain_text("婴儿每日3次即可")
    doctor.picture("sent-back")
    page.locator("#rx [value=correct]").click()
    times = page.locator(f"[name=times-{PRODUCT}]")
    times.fill("3")
    interval = page.locator(f"[name=interval-{PRODUCT}]")
    interval.fill("8")
    interval.press("Tab")
    expect(page.locator("#rx-form")).to_contain_text("更正被退回的处方")
    page.locator("#rx [value=sign]").click()
    expect(page.locator(".rx__kept .today").first).to_contain_text("待药师审核")
    doctor.picture("corrected")


def accept(pharmacist: Person) -> None:
    """The pharmacist accepts the corrected one."""
    page = pharmacist.open("/desk/reviews")
    page.locator(".rows a.who").click()
    expect(page.locator(".rxform")).to_contain_text("每日3次")
    pharmacist.picture("corrected")
    page.locator("[value=accept]").click()
    expect(page.locator(".empty")).to_be_visible()


def receive(keeper: Person) -> None:
    """A lot of the medicine comes into the stock."""
    page = keeper.open("/desk/stock")
    page.locator(".rows li", has_text=PRODUCT).locator("a.who").click()
    page.locator("[name=number]").fill(LOT)
    page.locator("[name=expires_on]").fill((today(datetime.now(UTC)) + timedelta(days=500)).isoformat())
    page.locator("[name=quantity]").fill("20")
    keeper.press("入库")
    expect(page.locator(".counts.sheet")).to_contain_text("20")
    keeper.picture("received")


def pick(picker: Person) -> None:
    """What is kept back is taken out of the shelf; who did that can't check it."""
    page, end = picker.open("/desk/dispensing"), monotonic() + PATIENCE / 1000
    while "待调配" not in page.locator(".rows").inner_text() and monotonic() < end:
        page.reload()  # the worker brings what was paid
    expect(page.locator(".rows")).to_contain_text("待调配")
    picker.picture("queue")
    page.locator(".rows a.who").click()
    picker.picture("to-pick")
    picker.press("已调配：以调配人签名")
    expect(page.locator(".problem, .soft").first).to_be_visible()
    expect(page.locator("[name=code]")).to_have_count(0)
    picker.picture("picked")


def check(checker: Person) -> None:
    """A second person scans the packages, a wrong one first, and signs: they leave the pharmacy."""
    page = checker.open("/desk/dispensing")
    expect(page.locator(".rows")).to_contain_text("待核对")
    page.locator(".rows a.who").click()
    code = page.locator("[name=code]")
    code.fill("ibuprofen-susp-20")
    code.press("Enter")
    expect(page.locator("#problem")).to_contain_text("拿错了")
    checker.picture("wrong-package")
    code.fill(PRODUCT)
    code.press("Enter")
    checker.press("核对无误：以核对人签名并发药")
    expect(page.locator(".good")).to_contain_text("已发药")
    checker.picture("given-out")
