"""Every page under axe-core, light and dark: names, contrast, landmarks, labels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from config.settings import ROOT
from tests.journeys.paper import Paper
from tests.journeys.service import Service, running
from tests.journeys.test_reminders import book

pytestmark = [pytest.mark.browser, pytest.mark.processes]
DESK = ("/desk", "/desk/tasks", "/desk/staff", "/desk/staff/new", "/desk/devices")
AXE = ROOT / "node_modules/axe-core/axe.min.js"


def pages(service: Service) -> list[str]:
    """Every kind of page that a mother with a booked visit can open."""
    book(service)
    mother = Paper(service, "li-na")
    mother.open("/visits")
    visit = mother.link("/visits/[0-9a-f-]{36}")
    mother.open("/children")
    child = mother.link("/children/[0-9a-f-]{36}")
    mother.open("/internet-diagnosis/internal-medicine")
    period = mother.link('/internet-diagnosis/internal-medicine/[^"]+')
    mother.open(period)
    schedule = mother.link('/schedules/[^"]+')
    booking = ["/internet-diagnosis", "/internet-diagnosis/internal-medicine", period, schedule]
    own = ["/visits", visit, f"{visit}/cancel", "/children", child, f"{child}/unbind", "/children/bind"]
    return [*booking, *own, "/consents", "/help", "/nothing"]


def test_no_page_has_a_fault_that_axe_finds(browser: Browser, var: Path) -> None:
    with running(var) as service:
        origin = service.simulator.replace("127.0.0.1", "{phone}.localhost")
        addresses = [origin.format(phone="li-na") + path for path in pages(service)]
        addresses.append(origin.format(phone="li-na") + "/devices")
        addresses += [origin.format(phone="doctor-01") + path for path in DESK]
        for scheme in ("light", "dark"):
            context = browser.new_context(color_scheme=scheme, bypass_csp=True, viewport={"width": 390, "height": 844})
            page = context.new_page()
            for address in addresses:
                page.goto(address)
                page.add_script_tag(path=AXE)
                found = page.evaluate("axe.run().then(result => result.violations.map(fault => fault.id))")
                assert found == [], (scheme, re.sub(r".*:\d+", "", address))
            context.close()
