"""A call that does not work goes on in writing, in the same room; the doctor's page is not loaded anew."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.phones import PATIENCE
from tests.journeys.test_call import Take, browser, call, lines, take, visit, write  # noqa: F401 - a room with cameras

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def test_a_call_goes_on_in_writing(take: Take) -> None:  # noqa: F811
    doctor, mother = take("doctor"), take("mother")
    call(doctor, mother)
    doctor.evaluate("window.kept = 'half written'")
    mother.get_by_text("视频或声音不通？").click()
    mother.get_by_role("button", name="改为图文继续").click()
    expect(mother.locator("#line-title")).to_have_text("等待医生回复", timeout=PATIENCE)
    expect(mother.locator("#call")).to_have_count(0)
    expect(doctor.locator("#call")).to_be_hidden(timeout=PATIENCE)
    assert doctor.evaluate("window.connections.every(one => one.connectionState === 'closed')")
    expect(doctor.locator("#line")).to_contain_text("图文问诊", timeout=PATIENCE)
    write(mother, "看得到吗")
    lines(doctor, "看得到吗")
    assert doctor.evaluate("window.kept") == "half written"
