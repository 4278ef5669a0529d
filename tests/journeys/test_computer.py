"""Two browsers at once: a computer shows a code, a doctor's phone scans and confirms it, the computer is in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.journeys.phones import PATIENCE, Phone
from tests.journeys.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def test_a_doctor_signs_in_on_a_computer(
    browser: Browser, phone: Callable[[str], Phone], service: Service, pictures: Path
) -> None:
    computer = browser.new_page(viewport={"width": 1100, "height": 760}, locale="zh-CN")
    computer.goto(f"{service.clinic}/desk/sign-in")
    code = computer.locator("main img, main svg").first.screenshot(path=pictures / "code.png")
    scanned = f"{service.simulator}/simulator/api/phones/doctor-02/scan-code"
    assert requests.post(scanned, files={"image": code}, timeout=120).ok
    doctor = phone("doctor-02")
    doctor.says("确认登录").locator("a").first.click()
    doctor.heading("在这台电脑上登录？")
    doctor.picture("confirm")
    doctor.press("是我，确认登录")
    doctor.heading("电脑已登录")
    expect(computer).to_have_url(f"{service.clinic}/desk", timeout=PATIENCE)
    expect(computer.locator("main")).to_contain_text("钱晓岚")
    computer.screenshot(path=pictures / "computer.png")

    again = f"{service.simulator}/simulator/api/phones/stranger/scan-code"
    reply = requests.post(again, files={"image": code}, timeout=120).json()["delivery"]["reply"] or {}
    assert not re.search(r"/desk/confirm/", reply.get("text", "")), "a used code is worthless"
    computer.close()
