"""Every page about medicines under axe-core, light and dark, in each state: the family's and the pharmacy's, and the
doctor's prescription as it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from consultation.record.content import Outcome
from tests.journeys.medicines import fill
from tests.journeys.service import Service, running
from tests.journeys.states import States
from tests.journeys.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.processes]
FAMILY = ("/prescriptions", "/addresses", "/addresses/new")
PHARMACY = (
    "/desk/reviews",
    "/desk/stock",
    "/desk/stock/files",
    "/desk/formulary",
    "/desk/formulary/new",
    "/desk/formulary/files",
    "/desk/dispensing",
    "/desk/pickup",
    "/desk/deliveries",
    "/desk/deliveries?show=over",
    "/desk/reactions",
    "/desk/tasks",
)
EMPTY = ("/prescriptions", "/addresses")


def test_no_page_about_medicines_has_a_fault_that_axe_finds(browser: Browser, var: Path) -> None:
    with running(var, CLINIC_DEMO_VISITS="1") as service:
        paths = fill(service)
        walk = Walk(browser, service)
        walk.go("he-jun", *EMPTY)
        walk.go("wu-min", *FAMILY, *(path for path in paths.values() if not path.startswith("/desk")))
        checked = paths.pop("desk-check")
        walk.go("pharmacist-02", checked)
        code = walk.page.locator("[name=code]")
        code.fill("nothing")
        code.press("Enter")
        walk.page.locator("#problem").wait_for()
        walk.look()
        visit = paths.pop("desk-visit")
        pharmacy = [path for path in paths.values() if path.startswith("/desk")]
        walk.go("pharmacist-01", checked, *PHARMACY, *pharmacy, both=True)
        walk.go("doctor-01", visit, both=True)
        written(walk, service)
        walk.context.close()
    assert walk.seen >= 80
    assert not walk.found, "\n".join(walk.found)


def written(walk: Walk, service: Service) -> None:
    """The doctor's draft: nothing in it, a group of medicines, a dose with its findings, what keeps it from signing."""
    states = States(service, lambda: walk.page.goto("about:blank"))
    waiting = states.waiting()
    states.call(waiting)
    states.begin(waiting)
    states.write(waiting, Outcome.HOME)
    walk.go("doctor-01", f"/desk{waiting}")
    part = walk.page.locator("#rx")
    part.locator("[value='group:fever']").click()
    part.locator("[value='add:paracetamol-susp-24']").first.wait_for()
    walk.look(both=True)
    part.locator("[value='add:paracetamol-susp-24']").first.click()
    dose = part.locator("[name=dose-paracetamol-susp-24]")
    dose.fill("90")
    dose.press("Tab")
    part.locator(".finding--block").first.wait_for()
    walk.look(both=True)
    part.locator("[value=sign]").click()
    part.locator(".rx__problem").wait_for()
    walk.look(both=True)
