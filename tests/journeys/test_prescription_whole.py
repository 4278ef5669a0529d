"""A prescription's whole way in real browsers: an overdose is blocked, the doctor signs, a pharmacist sends it back and
accepts the corrected one; the mother orders and pays; one person picks, another checks; the courier brings it to her
door for her code; she reads how to give it, and where it has been. No message names a medicine."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from prescriptions.formulary.actions import shipped
from tests.journeys.conftest import own_folder
from tests.journeys.phones import PATIENCE, Phone
from tests.journeys.prescribed import (
    LOT,
    NAME,
    Person,
    accept,
    begin,
    check,
    correct,
    pick,
    prescribe,
    receive,
    send_back,
    staff,
)
from tests.journeys.service import Service, running
from tests.journeys.test_visit import OPENED

pytestmark = [pytest.mark.browser, pytest.mark.processes]
NEWS = "就诊动态通知"
STREET = "南礼士路56号3单元201"
PUSHES = ("处方已通过，可以下单", "药品订单已支付", "药品已发出，正在路上", "怎么给孩子用：点这里")


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """The whole service; its courier takes a step when it is told to."""
    with own_folder() as var, running(var, COURIER_PACE="0") as started:
        yield started


def test_from_the_doctor_to_the_door(
    phone: Callable[[str], Phone], browser: Browser, service: Service, pictures: Path
) -> None:
    visit, doctor_name = begin(service)
    mother = phone("li-na")
    names = (doctor_name, "pharmacist-01", "pharmacist-02", "dispatcher-01")
    with staff(browser, service, pictures, *names) as (doctor, reviewer, checker, dispatcher):
        receive(dispatcher)
        prescribe(doctor, visit)
        send_back(reviewer)
        waits(mother)
        correct(doctor)
        accept(reviewer)
        read(mother)
        order_and_pay(mother)
        pick(dispatcher)
        check(checker)
        waybill = packed(dispatcher)
        delivered(service, mother, waybill)
        how_to_give_it(mother)
        where_it_has_been(mother)
        in_english(mother, doctor)
        done(dispatcher)
        messages_name_nothing(service, names)


def news(mother: Phone, hint: str) -> None:
    """The card of a step comes; it leads to the page of the step."""
    if mother.shell.get_by_test_id("webview").is_visible():
        mother.tap("close")
    card = mother.card(NEWS, hint)
    mother.picture("card")
    card.click()


def waits(mother: Phone) -> None:
    """The mother sees a calm state, and nothing of what was sent back."""
    mother.menu(0, 2)
    mother.heading("处方与配送")
    main = mother.page.locator("main")
    expect(main).to_contain_text("药师审核中")
    mother.picture("being-reviewed")
    mother.page.locator("main h2 a").first.click()
    mother.heading("正在审核")
    expect(main).not_to_contain_text(NAME)
    mother.picture("being-reviewed-page")


def read(mother: Phone) -> None:
    """The mother reads what to give; the form as PDF is sealed."""
    news(mother, PUSHES[0])
    dose = mother.page.locator(".rx__dose")
    expect(dose).to_contain_text("mL", timeout=PATIENCE)
    expect(dose).to_contain_text("mg")
    mother.picture("medicines")
    href = mother.page.get_by_role("link", name="打开PDF").get_attribute("href")
    opened = mother.page.locator("body").evaluate(f"(_, path) => ({OPENED})(path)", href)
    assert (opened["status"], opened["type"]) == (200, "application/pdf")
    file = mother.folder / "prescription.pdf"
    file.write_bytes(bytes(opened["body"]))
    text = "".join(leaf.extract_text() for leaf in PdfReader(BytesIO(file.read_bytes())).pages)
    for words in ("儿科", "陈一诺", "对乙酰氨基酚混悬液", "审核药师"):
        assert words in re.sub(r"\s", "", text)
    if tool := shutil.which("pdfsig"):
        said = subprocess.run([tool, str(file)], capture_output=True, text=True, check=False).stdout
        assert "Signature is Valid" in said
    mother.go("保存为图片")
    expect(mother.page.locator("img.summary__page")).to_have_js_property("complete", True, timeout=PATIENCE)
    mother.picture("form")
    mother.tap("close")


def order_and_pay(mother: Phone) -> None:
    """Home delivery to an address that she adds, paid at WeChat's cashier."""
    mother.menu(0, 2)
    mother.go("去下单")
    mother.heading("购买处方药品")
    mother.picture("offer")
    mother.go("新增地址")
    mother.heading("新增地址")
    mother.page.locator("#city").select_option(label="西城区")
    for field, value in {"street": STREET, "name": "李娜", "phone": "13800002718"}.items():
        mother.page.locator(f"#{field}").fill(value)
    mother.picture("address")
    mother.press("保存")
    mother.heading("购买处方药品")
    mother.page.get_by_text("配送给李娜").click()
    mother.picture("to-the-door")
    mother.press("提交订单并支付")
    expect(mother.page.locator("#left")).to_be_visible(timeout=PATIENCE)
    mother.picture("pay")
    mother.press("微信支付")
    expect(mother.shell.get_by_test_id("pay-amount")).to_contain_text("31.80", timeout=PATIENCE)
    mother.picture("cashier")
    mother.cashier("pay-confirm", "pay-done")
    mother.heading("药房处理中")
    expect(mother.page.locator("main")).to_contain_text(STREET)
    mother.picture("paid")
    news(mother, PUSHES[1])
    mother.heading("药房处理中")


def packed(dispatcher: Person) -> str:
    """The parcel has its waybill from the courier. Returns it."""
    page = dispatcher.open("/desk/deliveries")
    waybill = comes(page, r"SF\d{13}")
    dispatcher.picture("parcels")
    page.locator(".rows a.who").click()
    expect(page.locator(".facts")).to_contain_text(STREET)
    expect(page.locator("main")).not_to_contain_text(NAME)
    dispatcher.picture("parcel")
    return waybill


def comes(page: Page, pattern: str) -> str:
    """What the rows of a page say once it is there, looked at anew until then."""
    rows = page.locator(".rows")
    rows.wait_for()
    for _ in range(200):
        if found := re.search(pattern, rows.inner_text()):
            return found[0]
        page.reload()
    raise AssertionError(f"{pattern} did not come: {rows.inner_text()}")


def delivered(service: Service, mother: Phone, waybill: str) -> None:
    """The courier fetches it; the mother says her code at the door, and no other opens it."""
    move(service, waybill, "collected")
    news(mother, PUSHES[2])
    mother.heading("配送中")
    code = mother.text_of(".door__code")
    assert re.fullmatch(r"\d{4}", code)
    mother.picture("on-its-way")
    for step in ("moving", "out"):
        move(service, waybill, step)  # pushed to the clinic before it returns
    mother.tap("close")
    mother.menu(0, 2)
    mother.go("查看物流")
    expect(mother.page.locator(".facts")).to_contain_text("13900001111", timeout=PATIENCE)  # who brings it
    mother.picture("at-the-door")
    other = f"{(int(code) + 1) % 10_000:04}"
    assert move(service, waybill, "delivered", other) == {"problem": "another code"}
    move(service, waybill, "delivered", code)


def move(service: Service, waybill: str, step: str, code: str = "") -> Any:
    """The courier takes a step; what its counter says."""
    return requests.post(f"{service.courier}/parcels/{waybill}/{step}", {"code": code}, timeout=60).json()


def how_to_give_it(mother: Phone) -> None:
    """The labels: mL and mg, how often, and the mark up to which the syringe is drawn."""
    news(mother, PUSHES[3])
    mother.heading("怎么给孩子用药")
    label = mother.page.locator(".label")
    expect(label.locator("h2")).to_contain_text(NAME)
    dose = label.locator(".label__dose").inner_text()
    amount = re.search(r"([\d.]+) 毫升（\d+ 毫克）", dose)
    assert amount, dose
    expect(label.locator(".label__often")).to_contain_text("24 小时内最多 3 次，两次至少隔 8 小时")
    expect(label.locator("svg .dose__amount")).to_have_text(f"{amount[1]} mL")
    expect(label).to_contain_text(LOT)
    mother.picture("label")


def where_it_has_been(mother: Phone) -> None:
    """The list says that it has come; the order has every step, and the trace leads from the pharmacy to the door."""
    mother.tap("close")
    mother.menu(0, 2)
    mother.heading("处方与配送")
    expect(mother.page.locator("main")).to_contain_text("已送达，用药至")
    mother.picture("arrived")
    mother.go("怎么给孩子用药")
    mother.go("返回订单")
    mother.heading("药品已送达")
    expect(mother.page.locator(".steps__open")).to_have_count(0)
    mother.picture("order-done")
    mother.go("查看物流")
    mother.heading("已送达")
    steps = mother.page.locator(".trace li strong")
    expect(steps).to_have_text(["已签收", "派送中", "运输中", "配送方已取件", "药房已发药"])
    expect(mother.page.locator(".door")).to_have_count(0)
    mother.picture("trace")


def in_english(mother: Phone, doctor: Person) -> None:
    """The same pages in English."""
    mother.press("Switch to English")
    mother.heading("Delivered")
    mother.picture("trace-english")
    mother.tap("close")
    mother.menu(0, 2)
    mother.heading("Prescriptions & delivery")
    mother.picture("arrived-english")
    mother.go("How to give the medicines")
    mother.heading("How to give the medicines")
    expect(mother.page.locator(".label__dose")).to_contain_text("mg")
    mother.picture("label-english")
    doctor.page.reload()
    doctor.press("Switch to English")
    expect(doctor.page.locator("#rx-title")).to_have_text("Prescription")
    doctor.picture("english")


def done(dispatcher: Person) -> None:
    """At the desk the parcel is over, and the stock says which package went."""
    page = dispatcher.open("/desk/deliveries?show=over")
    expect(page.locator(".rows")).to_contain_text("已送达")
    dispatcher.picture("over")
    page.locator(".rows a.who").click()
    expect(page.locator(".rows li")).to_have_count(4)
    dispatcher.picture("trace")
    page = dispatcher.open("/desk/stock")
    page.locator(".rows a.who").filter(has_text=f"{NAME}混悬液").first.click()
    expect(page.locator(".counts.sheet")).to_contain_text("19")
    expect(page.locator(".rows.dense")).to_contain_text("发药 -1")
    dispatcher.picture("stock")


def messages_name_nothing(service: Service, staff: tuple[str, ...]) -> None:
    """Each step had its card, in order; none of anybody's names a medicine."""
    names = {NAME, "paracetamol"}
    for one in shipped():
        names |= {one.name.zh_CN, one.name.en, *one.aliases}
    said: dict[str, list[str]] = {}
    for who in ("li-na", *staff):
        chat = service.api("GET", f"/phones/{who}/messages")["messages"]
        said[who] = [str(message) for message in chat if message["type"] == "template"]
    found = [name for cards in said.values() for card in cards for name in names if name.lower() in card.lower()]
    assert found == []
    places = [next(n for n, card in enumerate(said["li-na"]) if hint in card) for hint in PUSHES]
    assert places == sorted(places)
    assert any("药师退回，请修改" in card for card in said[staff[0]])
    assert service.api("GET", "/sends")["duplicates"] == 0
