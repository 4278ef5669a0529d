"""Two browsers with cameras hold a real call: decoded frames on both sides, over a reload, a killed live process, and
through the relay alone."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright
from sqlalchemy import func, select

from consultation.encounters.models import SeatRole
from consultation.talk.recordings.models import Recording, RecordingChunk
from dev.browser import find_browser
from dev.servers import find_turn
from tests.journeys.phones import PATIENCE, SIZE
from tests.journeys.rooms import Begun, begin, database, end
from tests.journeys.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.processes]

FLAGS = (
    "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update "
    "disable-sync use-fake-device-for-media-stream use-fake-ui-for-media-stream"
)
# Keeps the page's connections and all that it says of the call for the test to look at; ``relay`` leaves them no
# straight way. The network is good unless a test makes it weak: a busy machine would turn the pictures off by itself.
SPY = """
(() => {
  const Real = RTCPeerConnection;
  window.connections = [];
  window.RTCPeerConnection = class extends Real {
    constructor(given) { super({ ...given, iceTransportPolicy: "POLICY" }); window.connections.push(this); }
  };
  let quality;
  Object.defineProperty(window, "CallQuality", {
    get: () => quality,
    set: (made) => { quality = { ...made, read: () => ({ lost: 0, got: 0, delay: 0 }) }; },
  });
  window.said = [];
  new MutationObserver(() => {
    const text = document.querySelector(".call__say")?.textContent;
    if (text && text !== window.said.at(-1)) window.said.push(text);
  }).observe(document, { subtree: true, childList: true, characterData: true });
})();
"""
FRAMES = """
async () => {
  const connection = window.connections.at(-1);
  if (!connection) return { frames: 0 };
  const found = { frames: 0, sound: 0, width: document.querySelector("#call figure video")?.videoWidth };
  const reports = await connection.getStats();
  for (const report of reports.values()) {
    if (report.type === "inbound-rtp" && report.kind === "video") {
      found.frames = report.framesDecoded;
      found.codec = reports.get(report.codecId)?.mimeType;
    }
    if (report.type === "inbound-rtp" && report.kind === "audio") found.sound = report.packetsReceived;
    if (report.type === "candidate-pair" && report.nominated) found.way = reports.get(report.localCandidateId)?.candidateType;
  }
  return found;
}
"""  # noqa: E501 - JavaScript
# What the page counts of the connection: half of all packets lost in so many looks, after them none.
WEAK = """looks => {
  let n = 0;
  CallQuality.read = () => { n += looks-- > 0 ? 50 : 0; return { lost: n, got: n, delay: 0 }; };
}"""
# Plays a recording a little, and then finds its end, which the browser has to look for: its seconds and its size.
PLAY = """
async (video) => {
  const until = async (test) => {
    for (let n = 0; n < 450 && !test(); n += 1) await new Promise((resolve) => setTimeout(resolve, 100));
  };
  video.muted = true;
  await video.play();
  await until(() => video.currentTime > 1 && video.videoWidth > 0);
  const played = video.currentTime;
  video.currentTime = 1e7;
  await until(() => Number.isFinite(video.duration) && video.ended);
  return { played, seconds: video.duration, width: video.videoWidth, error: video.error?.message };
}
"""
LOOKS = 6  # so many weak ones in a row, and the call falls back
NO_CAMERA = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); };"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium with a camera and a microphone that show a clock and beep."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=find_browser(), args=[f"--{flag}" for flag in FLAGS.split()]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def visit(service: Service) -> Begun:
    """The doctor has called the child in."""
    return begin(service)


Take = Callable[..., Page]


@pytest.fixture
def take(browser: Browser, service: Service, visit: Begun, pictures: Path) -> Iterator[Take]:
    """Opens the room as the mother, or as the doctor, or another address in a browser of its own."""
    contexts: list[BrowserContext] = []
    port = urlsplit(service.simulator).port

    def do(who: str, *, url: str = "", policy: str = "all", script: str = "") -> Page:
        contexts.append(browser.new_context(viewport=SIZE, locale="zh-CN"))
        contexts[-1].add_init_script(SPY.replace("POLICY", policy) + script)
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        name, path = {"mother": ("li-na", "/room"), "doctor": (visit.doctor, "")}.get(who, ("", ""))
        face = "/desk/visits" if who == "doctor" else "/visits"
        page.goto(url or f"http://{name}.localhost:{port}{face}/{visit.id}{path}")
        return page

    yield do
    for number, context in enumerate(contexts):
        context.pages[-1].screenshot(path=pictures / f"{number}.png", full_page=True)
        context.close()


def call(*pages: Page) -> None:
    """Everybody joins, and sees and hears the other."""
    for page in pages:
        page.click("[data-do=video]")
    for page in pages:
        sees(page)


def sees(page: Page) -> dict[str, Any]:
    """Wait until pictures and sound of the other side are decoded, and go on being so."""
    first = _wait(page, 1)
    return _wait(page, first["frames"] + 5)


def _wait(page: Page, frames: int) -> dict[str, Any]:
    for _ in range(PATIENCE // 100):
        found: dict[str, Any] = page.evaluate(FRAMES)
        if found["frames"] >= frames and found["width"] and found["sound"]:
            return found
        page.wait_for_timeout(100)
    raise AssertionError(f"no picture: {page.evaluate(FRAMES)}, {page.locator('.call__say').inner_text()}")


def said(page: Page, text: str) -> None:
    """Wait until the page has said this of the call; it may have said something else since."""
    for _ in range(3 * PATIENCE // 100):
        if text in page.evaluate("window.said"):
            return
        page.wait_for_timeout(100)
    raise AssertionError(page.evaluate("window.said"))


def write(page: Page, text: str) -> None:
    """Write in the chat, and wait until the clinic has it: what is written next comes after it."""
    page.fill("#chat textarea", text)
    with page.expect_response(lambda answer: answer.url.endswith("/messages") and answer.ok):
        page.click(".chat__send")


def sees_picture(page: Page) -> None:
    """Wait until the picture in the chat has loaded."""
    image = page.locator(".chat__bubble img")
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)", timeout=PATIENCE) > 0


def lines(page: Page, *texts: str) -> None:
    """Wait until the chat ends with these."""
    expect(page.locator(".chat__bubble p").last).to_have_text(texts[-1], timeout=PATIENCE)
    assert page.locator(".chat__bubble p").all_inner_texts()[-len(texts) :] == list(texts)


def kill_live(service: Service) -> None:
    """Kill the live process and its worker, as a machine would that has no memory left."""
    log = (service.var / "log/live.log").read_text()
    master = psutil.Process(int(re.findall(r"Listening at: \S+ \((\d+)\)", log)[-1]))
    for process in [master, *master.children()]:
        os.kill(process.pid, signal.SIGKILL)


def test_a_call_with_a_reload_a_killed_live_process_and_a_chat(take: Take, service: Service, visit: Begun) -> None:
    doctor, mother = take("doctor"), take("mother")
    call(doctor, mother)
    assert mother.evaluate(FRAMES)["codec"] == "video/VP8"

    write(mother, "他从昨晚开始发烧")
    lines(doctor, "他从昨晚开始发烧")
    mother.set_input_files("input[name=picture]", "docs/images/phones.png")
    mother.click(".chat__send")
    sees_picture(doctor)

    mother.reload()
    for page in (mother, doctor):
        sees(page)
    expect(doctor.locator("#call figure")).to_have_count(1)

    kill_live(service)
    write(doctor, "一")
    write(mother, "二")
    lines(doctor, "一", "二")
    lines(mother, "一", "二")
    write(doctor, "三")
    lines(mother, "一", "二", "三")
    mother.reload()  # the signals, too, go over the live channel that came back
    for page in (mother, doctor):
        sees(page)

    doctor.click("[data-do=camera]")
    expect(mother.locator("#call figure")).to_have_class("call__dark", timeout=PATIENCE)
    doctor.click("[data-do=camera]")
    expect(mother.locator("#call figure")).not_to_have_class("call__dark", timeout=PATIENCE)
    doctor.click("[data-do=leave]")
    expect(mother.locator("#call figure")).to_have_count(0, timeout=PATIENCE)


def hears_more(page: Page, before: int) -> None:
    """Wait until more sound has come than before."""
    for _ in range(PATIENCE // 100):
        if page.evaluate(FRAMES)["sound"] > before:
            return
        page.wait_for_timeout(100)
    raise AssertionError("silence")


def test_a_weak_link_falls_back_to_sound_then_to_writing_and_comes_up_again_by_hand(take: Take) -> None:
    doctor, mother = take("doctor"), take("mother")
    call(doctor, mother)
    doctor.evaluate(WEAK, LOOKS + 1)  # the first look may be the one that the second is compared with
    for page in (doctor, mother):  # the side that sees it tells the other
        said(page, "网络较弱，已关闭画面，可以继续语音。")
        expect(page.locator("[data-do=camera]")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#call figure")).to_have_class("call__dark", timeout=PATIENCE)
    before = mother.evaluate(FRAMES)["sound"]
    doctor.evaluate(WEAK, 1000)
    expect(doctor.locator("#call")).to_have_attribute("data-state", "text", timeout=3 * PATIENCE)
    hears_more(mother, before)  # who wants to goes on talking
    doctor.evaluate(WEAK, 0)
    expect(doctor.locator("#call")).to_have_attribute("data-state", "connected", timeout=PATIENCE)
    for page in (doctor, mother):
        page.click("[data-do=camera]")
    for page in (doctor, mother):
        sees(page)
        expect(page.locator("#call figure")).not_to_have_class("call__dark", timeout=PATIENCE)
        expect(page.locator(".call__say")).to_have_text("", timeout=PATIENCE)


def recordings(service: Service) -> dict[UUID, tuple[SeatRole, int]]:
    """All recordings of the visit: whose, and how many of their pieces are in the store."""
    counted = select(Recording.id, Recording.role, func.count(RecordingChunk.kept_at))
    with database(service) as session:
        rows = session.execute(counted.outerjoin(RecordingChunk).group_by(Recording.id)).all()
    return {id_: (role, count) for id_, role, count in rows}


def recorded(service: Service, page: Page, before: Collection[UUID], pieces: int) -> list[UUID]:
    """Wait until each side has a recording with so many pieces, other than those that were there before."""
    for _ in range(4 * PATIENCE // 500):
        found = {role: id_ for id_, (role, n) in recordings(service).items() if id_ not in before and n >= pieces}
        if len(found) == 2:
            return list(found.values())
        page.wait_for_timeout(500)
    raise AssertionError(f"not recorded: {recordings(service)}")


def test_each_side_is_recorded_until_its_page_is_killed(take: Take, service: Service, visit: Begun) -> None:
    before = recordings(service)  # of calls before this one, sound alone among them
    doctor, mother = take("doctor"), take("mother")
    call(doctor, mother)
    expect(mother.locator("#call")).to_have_attribute("data-recorded", "")
    made = recorded(service, doctor, before, 3)
    mother.context.new_page()
    with contextlib.suppress(Error):
        mother.goto("chrome://crash")
    doctor.click("[data-do=leave]")
    doctor.goto(doctor.url.partition("#")[0] + "/recordings")
    for recording in made:  # the doctor's and the killed page's
        played = doctor.locator(f".recordings video[src*='{recording}']").evaluate(PLAY)
        assert played["error"] is None
        assert played["played"] > 1
        assert played["width"] > 0
        assert played["seconds"] > 5


def test_the_desk_sees_at_once_who_is_not_recorded(take: Take) -> None:
    doctor, mother = take("doctor"), take("mother", script="delete window.MediaRecorder;")
    call(doctor, mother)
    expect(mother.locator(".call__unrecorded")).to_have_text(
        "这个浏览器不能录制您这一方。请继续就诊。", timeout=PATIENCE
    )
    seen = doctor.locator(".call__unrecorded")
    expect(seen).to_have_text(re.compile(r"^\d\d:\d\d 起未录制：李娜$"), timeout=2 * PATIENCE)
    doctor.context.set_offline(True)
    expect(seen).to_have_text(re.compile("起您这一方没有录制"), timeout=2 * PATIENCE)
    doctor.context.set_offline(False)
    expect(seen).not_to_have_text(re.compile("起您这一方没有录制"), timeout=2 * PATIENCE)


@pytest.mark.skipif(not find_turn(), reason="no turnserver on this machine (Debian: apt-get install coturn)")
def test_a_call_through_the_relay_alone(take: Take) -> None:
    doctor, mother = take("doctor", policy="relay"), take("mother", policy="relay")
    call(doctor, mother)
    assert doctor.evaluate(FRAMES)["way"] == mother.evaluate(FRAMES)["way"] == "relay"


def test_without_a_camera_in_wechat_the_call_goes_on_in_the_phones_browser(take: Take) -> None:
    doctor, mother = take("doctor"), take("mother", script=NO_CAMERA)
    doctor.click("[data-do=video]")
    mother.click("[data-do=video]")
    sees(mother)  # sees and hears all the same
    mother.get_by_role("button", name="在手机浏览器中打开").click()
    address = mother.locator("#address").inner_text()
    phone = take("browser", url=address)  # on the clinic's own origin: the stream comes from another one
    phone.get_by_role("button", name="打开就诊").click()
    phone.locator("[data-do=video]").wait_for()
    assert phone.url.endswith("/call")
    call(phone)
    sees(doctor)
    write(phone, "换了浏览器")
    lines(doctor, "换了浏览器")


def test_the_end_of_the_visit_ends_the_call_for_both(take: Take, service: Service, visit: Begun) -> None:
    doctor, mother = take("doctor"), take("mother")
    call(doctor, mother)
    end(service, visit.id)
    expect(doctor.locator(".call__say")).to_have_text("就诊已结束。", timeout=PATIENCE)
    expect(mother.locator("#call")).to_have_count(0, timeout=PATIENCE)
    assert doctor.evaluate("window.connections.every(one => one.connectionState === 'closed')")
