"""Every page under axe-core, light and dark, on a phone and at a desk: names, contrast, landmarks, labels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect

from consultation.encounters.models import Ending
from consultation.record.content import Outcome
from tests.journeys.paper import Paper
from tests.journeys.service import Service, running
from tests.journeys.states import States
from tests.journeys.test_reminders import book
from tests.journeys.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.processes]
DESK = (
    "/desk",
    "/desk/today",
    "/desk/appointments?day=",
    "/desk/look-up",
    "/desk/roster",
    "/desk/rosters",
    "/desk/clinics",
    "/desk/stops",
    "/desk/refusals",
    "/desk/followups",
    "/desk/tasks",
    "/desk/staff",
    "/desk/staff/new",
    "/desk/money",
    "/desk/devices",
    "/desk/nowhere",
)
PHONE = "139 0001 2718"  # of a demo family
STEPS = ("about", "signs", "fever", "body", "medicines", "contacts", "pictures", "review")


def pages(service: Service) -> list[str]:
    """Every kind of page that a mother with a booked visit can open."""
    book(service)
    mother = Paper(service, "li-na")
    mother.open("/visits")
    visit = mother.link("/visits/[0-9a-f-]{36}")
    mother.open("/children")
    child = mother.link("/children/[0-9a-f-]{36}")
    mother.open("/internet-diagnosis/internal-medicine")
    period = mother.link(r'/internet-diagnosis/internal-medicine/\d[^"]+')
    mother.open(period)
    schedule = mother.link('/schedules/[^"]+')
    doctor = mother.link('/doctors/[^"]+')
    booking = ["/internet-diagnosis", "/internet-diagnosis/internal-medicine", period, schedule, doctor, "/favourites"]
    own = [
        "/visits",
        visit,
        f"{visit}/cancel",
        "/children",
        child,
        f"{child}/screen",
        f"{child}/unbind",
        "/children/bind",
    ]
    return [*booking, *own, f"{child}/screen", "/consents", "/help", "/payments", "/suspensions", "/nothing"]


def staff_pages(service: Service) -> list[str]:
    """Every kind of page that an administrator can open."""
    administrator = Paper(service, "doctor-01")
    administrator.open("/desk/staff")
    colleague = administrator.link("/desk/staff/[0-9a-f-]{36}")
    administrator.open("/desk/appointments?day=")
    visit = administrator.link("/desk/appointments/[0-9a-f-]{36}")
    administrator.open("/desk/look-up")
    administrator.send("/desk/look-up", phone=PHONE)
    return [*DESK, colleague, visit, administrator.path]


def test_no_page_has_a_fault_that_axe_finds(browser: Browser, var: Path) -> None:
    with running(var, CLINIC_DEMO_VISITS="1") as service:
        walk = Walk(browser, service)
        walk.go("li-na", *pages(service), "/devices", "/settings/messages", "/desk")
        walk.go("doctor-01", *staff_pages(service))
        sign_in_on_a_computer(walk, service)
        visits(walk, service)
        walk.context.close()
    assert not walk.found, "\n".join(walk.found)


def visits(walk: Walk, service: Service) -> None:
    """A visit's pages on both sides, in each of its states; those that the demo has not are made."""
    states = States(service, lambda: walk.page.goto("about:blank"))
    states.lead()
    mother, father, doctor = (Paper(service, name) for name in ("wu-min", "he-jun", "doctor-01"))
    own = re.findall(r'href="(/visits/[0-9a-f-]{36})"', mother.open("/visits"))
    soon, signed = own[0], own[1]
    his = dict.fromkeys(re.findall(r'href="(/visits/[0-9a-f-]{36})"', father.open("/visits")))
    waiting = states.waiting()
    later, ended = (one for one in his if one != waiting)
    desk = [f"/desk{path}" for path in (waiting, signed, ended, later)]
    walk.go("wu-min", soon, f"{soon}/room", *(f"{soon}/intake/{step}" for step in STEPS), both=True)
    walk.go("wu-min", f"{signed}/room", f"{signed}/summary", f"{signed}/summary/pages", both=True)
    walk.go("he-jun", f"{waiting}/room", f"{waiting}/intake/review", f"{waiting}/intake/now", both=True)
    walk.go("he-jun", f"{later}/room", f"{ended}/room", both=True)
    doctor.open("/desk")
    check = re.sub(r"/desk/clinics?/", "", doctor.link(r"/desk/clinics?/[^\"]+"))
    alone = [f"/desk/sessions/{check}/check", f"/desk/triage{waiting.removeprefix('/visits')}"]
    alone += ["/desk/records", "/desk/phrases", f"/desk/late{waiting.removeprefix('/visits')}"]
    walk.go("doctor-01", "/desk", *desk, *alone, both=True)
    states.ask_for_another(waiting)
    walk.go("he-jun", f"{waiting}/room", both=True)
    walk.go("doctor-01", desk[0], both=True)
    called(walk, states, waiting)
    closed(walk, states, soon, later, signed)


def called(walk: Walk, states: States, waiting: str) -> None:
    """Called, in the room, and how the record is written."""
    states.call(waiting)
    walk.go("he-jun", f"{waiting}/room", both=True)
    walk.go("doctor-01", f"/desk{waiting}", "/desk", both=True)
    states.begin(waiting)
    walk.go("he-jun", f"{waiting}/room", states.link(waiting), f"{waiting}/call", both=True)
    for outcome in Outcome:
        states.write(waiting, outcome)
        walk.go("doctor-01", f"/desk{waiting}", both=outcome is Outcome.HOME)
    walk.page.locator("[value=sign]").click()
    walk.page.locator("#record [aria-invalid=true]").first.wait_for()
    walk.look(both=True)


def closed(walk: Walk, states: States, soon: str, later: str, signed: str) -> None:
    """What is answered too red, missed, closed, and a record opened again."""
    states.tell(later, "signs", convulsion=["yes"])
    walk.go("he-jun", f"{later}/intake/now", both=True)
    states.arrive(soon, missed=1)
    walk.go("wu-min", f"{soon}/room", both=True)
    states.close(soon, Ending.MISSED_CALLS)
    walk.go("wu-min", f"{soon}/room", soon)
    states.amend(signed)
    walk.go("doctor-01", f"/desk{signed}", both=True)


def sign_in_on_a_computer(walk: Walk, service: Service) -> None:
    """Every page on the way in and out again, at the computer and on the phone, looked at."""
    computer, held = walk.context.new_page(), walk.context.new_page()
    phone = walk.origin.format(phone="doctor-02")
    computer.goto(f"{service.clinic}/desk/sign-in")
    walk.look(computer)
    code = computer.locator("main img").screenshot()
    scanned = f"{service.simulator}/simulator/api/phones/doctor-02/scan-code"
    reply = requests.post(scanned, files={"image": code}, timeout=120).json()["delivery"]["reply"]["text"]
    link = re.search("/desk/confirm/[0-9a-f-]+", reply)
    assert link
    held.goto(phone + link[0])
    walk.look(held)
    computer.locator("[data-when=scanned]").wait_for()
    walk.look(computer)
    asked = held.locator("h1").inner_text()
    held.locator("button[value=yes]").click()
    expect(held.locator("h1")).not_to_have_text(asked)
    walk.look(held)
    held.goto(phone + link[0])  # used
    walk.look(held)
    computer.wait_for_url(f"{service.clinic}/desk")
    computer.goto(f"{service.clinic}/desk/devices")
    walk.look(computer)
    computer.locator(".ways button").click()
    computer.wait_for_url("**/sign-out")
    walk.look(computer)
