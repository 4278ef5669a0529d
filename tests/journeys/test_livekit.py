"""The call's page where the clinic has a LiveKit: with LiveKit's own client as far as a stand-in without media goes,
and with a client that does what it is told to, for all that comes after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from consultation.encounters.rooms import known
from dev.browser import find_browser
from integrations.simulators.livekit import Server, serve
from people.models import Practitioner
from tests.journeys.conftest import own_folder
from tests.journeys.phones import PATIENCE, SIZE
from tests.journeys.rooms import Begun, begin, database, end
from tests.journeys.service import Service, running
from tests.journeys.test_call import FLAGS

pytestmark = [pytest.mark.browser, pytest.mark.processes]

KEY, SECRET = "APIclinic", "dev-livekit-secret-of-the-tests-0123456789"
# A client of LiveKit whose server is the test: ``rooms`` are those it made, ``sent`` what the page publishes.
CLIENT = """
window.rooms = []; window.sent = {};
const names = "ParticipantConnected ParticipantDisconnected TrackSubscribed TrackUnsubscribed Reconnecting Reconnected Disconnected";
window.LivekitClient = {
  RoomEvent: Object.fromEntries(names.split(" ").map((name) => [name, name])),
  DisconnectReason: { DUPLICATE_IDENTITY: 2 },
  Room: class {
    constructor() {
      Object.assign(this, { on: {}, state: "disconnected", remoteParticipants: new Map() });
      this.on = (name, deed) => { this.on[name] = deed; };
      this.localParticipant = {
        publishTrack: async (track, { source }) => { sent[source] = track.id; },
        unpublishTrack: async (track) => { for (const name in sent) if (sent[name] === track.id) delete sent[name]; },
      };
      rooms.push(this);
    }
    async connect(url, token) { Object.assign(this, { url, token, state: "connected" }); }
    disconnect() { this.state = "disconnected"; this.on.Disconnected(1); }
  },
};
window.emit = (name, ...rest) => rooms.at(-1).on[name](...rest);
window.picture = () => { // a track as LiveKit hands it on
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
  setInterval(() => canvas.getContext("2d").fillRect(Math.random() * 64, 0, 9, 48), 50);
  const [mediaStreamTrack] = canvas.captureStream(20).getVideoTracks();
  return { mediaStreamTrack, getRTCStatsReport: async () => new Map() };
};
"""  # noqa: E501 - JavaScript


@pytest.fixture(scope="module")
def server() -> Server:
    return Server(KEY, SECRET)


@pytest.fixture(scope="module")
def service(server: Server) -> Iterator[Service]:
    """The service of a clinic that has a LiveKit."""
    listening = serve(server)
    given = {"LIVEKIT_URL": f"ws://127.0.0.1:{listening.server_port}", "LIVEKIT_KEY": KEY, "LIVEKIT_SECRET": SECRET}
    with own_folder() as var, running(var, **given) as started:
        yield started
    listening.shutdown()
    listening.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium with a camera and a microphone."""
    with sync_playwright() as playwright:
        flags = [f"--{flag}" for flag in FLAGS.split()]
        opened = playwright.chromium.launch(executable_path=find_browser(), args=flags)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def visit(service: Service) -> Begun:
    """The doctor has called the child in."""
    return begin(service)


@pytest.fixture
def take(browser: Browser, service: Service, visit: Begun, pictures: Path) -> Iterator[Callable[..., Page]]:
    """Opens the room as the mother or as the doctor."""
    contexts: list[BrowserContext] = []

    def do(who: str, client: str = "") -> Page:
        contexts.append(browser.new_context(viewport=SIZE, locale="zh-CN"))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        if client:
            page.route("**/livekit-client.js", lambda route: route.fulfill(body=client, content_type="text/javascript"))
        name, path = (
            ("li-na", f"visits/{visit.id}/room") if who == "mother" else (visit.doctor, f"desk/visits/{visit.id}")
        )
        page.goto(f"http://{name}.localhost:{urlsplit(service.simulator).port}/{path}")
        return page

    yield do
    for number, context in enumerate(contexts):
        context.pages[-1].screenshot(path=pictures / f"{number}.png", full_page=True)
        context.close()


def stands(page: Page, state: str, words: str | None = None) -> None:
    """Wait until the page says how the call stands."""
    expect(page.locator("#call")).to_have_attribute("data-state", state)
    if words is not None:
        expect(page.locator(".call__say")).to_have_text(words)


def until(page: Page, expression: str) -> None:
    """Wait until this is so on the page, whose policy lets no waiting function in."""
    for _ in range(PATIENCE // 100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


def test_a_call_over_livekit(take: Callable[..., Page], service: Service, visit: Begun, server: Server) -> None:
    with database(service) as session:
        encounter = known(session, visit.id)
        assert encounter
        room, mothers = f"visit-{encounter.id}", str(encounter.account_id)
        doctors = str(session.get_one(Practitioner, encounter.practitioner_id).account_id)

    # all that comes of it, with a client that does as it is told
    mother = take("mother", CLIENT)
    mother.click("[data-do=video]")
    stands(mother, "waiting")
    until(mother, "Boolean(rooms[0]?.token)")
    assert server.join(mother.evaluate("rooms[0].token")) == (room, mothers)
    until(mother, "sent.camera && sent.microphone")
    mother.evaluate("who => { window.who = { identity: who }; emit('ParticipantConnected', window.who); }", doctors)
    stands(mother, "connected", "")
    expect(mother.locator("#call figure")).to_have_class("call__dark")
    mother.evaluate("() => { window.track = picture(); emit('TrackSubscribed', track, null, who); }")
    expect(mother.locator("#call figure")).not_to_have_class("call__dark")
    expect(mother.locator("#call figcaption")).not_to_be_empty()
    until(mother, "document.querySelector('#call figure video').videoWidth === 64")
    assert mother.evaluate("Call.peers()") == [doctors], "who is asked whether they are recorded"
    expect(mother.locator("#call")).to_have_attribute("data-recorded", "")
    mother.click("[data-do=camera]")
    until(mother, "!sent.camera && sent.microphone")
    mother.click("[data-do=camera]")
    until(mother, "sent.camera")
    mother.evaluate("emit('TrackUnsubscribed', track, null, who)")
    expect(mother.locator("#call figure")).to_have_class("call__dark")
    mother.evaluate("emit('Reconnecting')")
    stands(mother, "lost")
    assert mother.evaluate("Call.peers()") == []
    mother.evaluate("emit('Reconnected')")
    stands(mother, "connected")
    mother.evaluate("emit('ParticipantDisconnected', who)")
    stands(mother, "waiting")
    expect(mother.locator("#call figure")).to_have_count(0)
    mother.evaluate("() => { window.sent = {}; rooms[0].state = 'disconnected'; emit('Disconnected', 4); }")
    until(mother, "rooms.length === 2 && rooms[1].state === 'connected' && sent.camera && sent.microphone")
    assert mother.evaluate("rooms[0].token !== rooms[1].token"), "each try has a token of its own"
    mother.evaluate("emit('Disconnected', 2)")
    stands(mother, "", "通话已转到您的另一个窗口。")
    assert mother.evaluate("document.querySelector('[data-part=mine]').srcObject") is None

    # LiveKit's own client, as far as signalling goes
    server.rooms.clear()
    doctor = take("doctor")
    doctor.click("[data-do=video]")
    for _ in range(PATIENCE // 100):
        if server.rooms.get(room, {}).get(doctors):
            break
        doctor.wait_for_timeout(100)
    assert list(server.rooms[room]) == [doctors]
    stands(doctor, "connecting")
    end(service, visit.id)
    expect(doctor.locator("[data-part=stage]")).to_be_hidden()
    for _ in range(PATIENCE // 100):
        if not server.rooms:
            break
        doctor.wait_for_timeout(100)
    assert server.rooms == {}, "the worker closes the room"
