"""An account without templates for its parents: a mother agrees on the visit's page, and is told, once for each yes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.phones import PATIENCE, Phone
from tests.journeys.service import running
from tests.journeys.test_reminders import book

pytestmark = [pytest.mark.browser, pytest.mark.processes]
NOTICES = {
    "appointment-booked": "NTC_appointment_booked_000000000000000000001",
    "appointment-cancelled": "NTC_appointment_cancelled_000000000000000001",
    "appointment-reminder": "NTC_appointment_reminder_0000000000000000001",
    "guardian-bound": "NTC_guardian_bound_0000000000000000000000001",
}


def test_a_yes_is_one_message(browser: Browser, var: Path, pictures: Path) -> None:
    with running(var, WECHAT_TEMPLATES="{}", WECHAT_SUBSCRIPTIONS=json.dumps(NOTICES)) as service:
        book(service)
        mother = Phone(browser, service, "li-na", pictures)
        mother.menu(0, 1)
        mother.page.locator("a[href^='/visits/']").first.click()
        mother.heading("已预约")
        allow = mother.page.locator("wx-open-subscribe .allow")
        allow.click()
        expect(mother.shell.locator(".actions")).to_contain_text("就诊提醒")
        mother.picture("asked")
        mother.tap("sheet-1")
        expect(mother.page.locator(".agree__said")).to_have_text("没有允许。您可以随时在这里允许。", timeout=PATIENCE)
        allow.click()
        mother.tap("sheet-0")
        expect(mother.page.locator(".agree__said")).to_have_text("谢谢，已允许。", timeout=PATIENCE)
        expect(mother.page.locator("[data-left]").first).to_have_text("还可发 1 条", timeout=PATIENCE)
        mother.picture("allowed")
        mother.go("取消预约")
        mother.press("确定取消")
        mother.heading("已取消")
        told = service.api("GET", "/phones/li-na/messages", wait=60)["messages"]
        while not (cards := [one["title"] for one in told if one["type"] == "template"]):
            new = service.api("GET", "/phones/li-na/messages", after=told[-1]["n"], wait=60)["messages"]
            assert new, "the notice did not come"
            told += new
        assert cards == ["预约取消通知"], "nobody had agreed to hear of the booking"
        left = {"appointment_cancelled": ""}
        for _ in range(200):  # the card may be quicker than our note of it
            if left["appointment_cancelled"] == "尚未允许":
                break
            page = service.api("POST", "/phones/li-na/open", url=f"{service.clinic}/settings/messages")["html"]
            left = dict(re.findall(r'data-left="NTC_(\w+?)_0+1">([^<]+)<', page))
        assert left["appointment_cancelled"] == "尚未允许"
        assert left["appointment_reminder"] == "还可发 1 条"
        mother.close_window()
