"""A thousand open streams beside the webhook: from the POST of a chat message to the other side's stream.

Web and live of the Procfile; 500 rooms with a stream for each side; 500 pushes a second. Messages are posted to web,
one room after the other, and awaited on the doctor's stream. Who pushes and who reads the streams are processes of
their own, so that neither keeps the other, or who posts, from noting the time; all of them share the machine.
"""

from __future__ import annotations

import http.client
import multiprocessing
import re
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

from flask import Flask, session
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import create_app
from bench.load import connected, drive
from bench.webhook import Bot, Server, push, serve
from booking.actions import book
from booking.models import Period, Schedule
from booking.queries import visit
from booking.rosters import cut_schedules
from config.clock import now, today
from config.database import transaction
from config.policy import Policy
from config.settings import Settings
from consultation.encounters.models import EncounterStatus
from consultation.encounters.rooms import encounter_of, move
from people.models import Account
from people.sessions import SignInKind, begin
from tests.product import account, agree, department, guardian, patient, practitioner, roster

DOCTORS, ROOMS_OF_ONE = 63, 8
STREAMS, MESSAGES, PER_SECOND, PUSHES, CONNECTIONS = 1000, 600, 30, 500, 16
PATIENCE = 30.0  # seconds
AIM = 0.2  # seconds, p99
CLINIC = Bot("the whole product", "full_clinic", echoes=False)


@dataclass(frozen=True)
class Seat:
    """Somebody in a room: the visit, their cookie, and the token of their forms."""

    visit: UUID
    cookie: str
    token: str


def run(settings: Settings, folder: Path) -> None:
    """Measure and print."""
    app = create_app(settings)
    rooms = list(_rooms(app))[: STREAMS // 2]
    with serve(CLINIC, "plain", settings, folder) as web, serve(CLINIC, "plain", settings, folder, "live") as live:
        with listening(live.port, rooms) as heard:
            print(f"Live: {2 * len(rooms)} open streams in one process, {PER_SECOND} chat messages a second")
            busy = _Busy(web, live)
            busy.show("alone", _measured(heard, web.port, rooms, 0, MESSAGES // 3))
            args = (web.port, MESSAGES / PER_SECOND)
            pushing = multiprocessing.get_context("spawn").Process(target=pushes, args=args)
            pushing.start()
            time.sleep(2)
            busy = _Busy(web, live)
            found = _measured(heard, web.port, rooms, MESSAGES // 3, MESSAGES)
            busy.show(f"beside {PUSHES} pushes/s", found)
            pushing.join()
        memory = sum(child.memory_info().rss for child in live.workers) / 1e6
    print(f"  memory of the live process: {memory:.0f} MB; aim: p99 under {AIM * 1e3:.0f} ms beside the pushes\n")


@dataclass(frozen=True)
class Way:
    """One message: when it was posted, when that was answered (it is kept then), when it came on the other stream."""

    sent: float
    answered: float
    came: float


class _Busy:
    """What is measured, and the processor time that web and live took meanwhile."""

    def __init__(self, web: Server, live: Server) -> None:
        self._servers, self._since = {"web": web, "live": live}, time.perf_counter()
        self._before = {name: _seconds(server) for name, server in self._servers.items()}

    def show(self, name: str, ways: Sequence[Way]) -> None:
        """Print it: the whole way, its two legs (the second begins before the first ends), and shares of one core."""
        taken = time.perf_counter() - self._since
        used = {of: _seconds(server) - self._before[of] for of, server in self._servers.items()}
        shares = ", ".join(f"{of} {seconds / taken:.0%}" for of, seconds in used.items())
        each = used["live"] / len(ways) * 1e3
        print(f"  {name} ({len(ways)} messages; of a core: {shares}; {each:.1f} ms of live for each message)")
        legs = {"POST to stream": [way.came - way.sent for way in ways]}
        legs["  POST to its answer"] = [way.answered - way.sent for way in ways]
        legs["  answer to stream"] = [max(0.0, way.came - way.answered) for way in ways]
        for leg, found in legs.items():
            middle, p99 = statistics.median(found), statistics.quantiles(found, n=100)[98]
            print(f"    {leg:<22} p50 {middle * 1e3:>5.0f} ms   p99 {p99 * 1e3:>5.0f} ms")


def _seconds(server: Server) -> float:
    return sum(sum(worker.cpu_times()[:2]) for worker in server.workers)


class Heard:
    """When each message came, by its text, as the process that reads the streams tells."""

    def __init__(self, told: Connection) -> None:
        self._told, self._came = told, dict[str, float]()

    def when(self, texts: Iterable[str]) -> dict[str, float]:
        """Wait for these. Raises TimeoutError."""
        end, wanted = time.perf_counter() + PATIENCE, set(texts)
        while missing := wanted - self._came.keys():
            if not self._told.poll(max(0.0, end - time.perf_counter())):
                raise TimeoutError(f"{len(missing)} messages never came")
            text, at = self._told.recv()
            self._came[text] = at
        return self._came


@contextmanager
def listening(port: int, rooms: Sequence[tuple[Seat, Seat]]) -> Iterator[Heard]:
    """All streams open, read by a process of its own."""
    spawned = multiprocessing.get_context("spawn")
    told, tells = spawned.Pipe(duplex=False)
    reading = spawned.Process(target=listen, args=(port, rooms, tells), daemon=True)
    reading.start()
    tells.close()
    try:
        told.recv()  # all are open
        yield Heard(told)
    finally:
        reading.terminate()
        reading.join()


def listen(port: int, rooms: Sequence[tuple[Seat, Seat]], tells: Connection) -> None:
    """Open all streams, and tell of each message on the doctors' side when it came."""
    selector = selectors.DefaultSelector()
    for room in rooms:
        for side, seat in enumerate(room):
            selector.register(_stream(port, seat), selectors.EVENT_READ, side)
    tells.send(None)
    while True:
        for key, _ in selector.select():
            part = key.fileobj.recv(65536)  # type: ignore[union-attr]
            at = time.perf_counter()
            if not part:
                raise RuntimeError("a stream was closed")
            if key.data:  # the doctor's side
                for text in re.findall(rb"bench-\d+-", part):
                    tells.send((text.decode(), at))


def _stream(port: int, seat: Seat) -> socket.socket:
    stream = socket.create_connection(("127.0.0.1", port))
    asked = f"GET /live/visits/{seat.visit}?after=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: clinic={seat.cookie}"
    stream.sendall(f"{asked}\r\n\r\n".encode())
    head = stream.recv(4096)
    if b" 200 " not in head[:16]:
        raise RuntimeError(head.decode(errors="replace"))
    return stream


def _measured(heard: Heard, port: int, rooms: Sequence[tuple[Seat, Seat]], first: int, count: int) -> list[Way]:
    """The way of each message, posted steadily over four connections, numbered from ``first`` on."""
    sent: dict[str, tuple[float, float]] = {}
    start = time.perf_counter()

    def speak(worker: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port)
        for number in range(worker, count, 4):
            time.sleep(max(0.0, start + number / PER_SECOND - time.perf_counter()))
            text, (family, _) = f"bench-{first + number}-", rooms[(number * 7) % len(rooms)]
            at = time.perf_counter()
            _post(line, family, text)
            sent[text] = (at, time.perf_counter())

    speakers = [threading.Thread(target=speak, args=(worker,)) for worker in range(4)]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        speaker.join()
    came = heard.when(sent)
    return [Way(*times, came[text]) for text, times in sent.items()]


def _post(line: http.client.HTTPConnection, family: Seat, text: str) -> None:
    body = urlencode({"text": text, "csrf_token": family.token})
    head = {"Cookie": f"clinic={family.cookie}", "Accept": "application/json"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    line.request("POST", f"/visits/{family.visit}/messages", body, head | form)
    answer = line.getresponse()
    said = answer.read()
    if answer.status != http.client.CREATED:
        raise RuntimeError(said.decode(errors="replace"))


def pushes(port: int, seconds: float) -> None:
    """Push steadily, ten at a time; print the rate that was reached."""
    numbers, start, each = iter(range(10**9)), time.perf_counter(), 10
    batches = int((seconds + 4) * PUSHES / each)
    with connected(port, CONNECTIONS) as connections:
        for batch in range(batches):
            time.sleep(max(0.0, start + batch * each / PUSHES - time.perf_counter()))
            drive(connections, [push("plain", next(numbers)) for _ in range(each)])
    print(f"  pushes: {batches * each / (time.perf_counter() - start):.0f} a second")


def _rooms(app: Flask) -> Iterator[tuple[Seat, Seat]]:
    """Rooms in which a visit goes on, as (family, doctor)."""
    at, day = now(), today(now()) + timedelta(days=2)
    with transaction() as database:
        ward = department(database, "bench-live", "直播", "Live", 90)
        doctors = [
            practitioner(database, f"L{number:03}", ward, account(database, f"o-live-doctor-{number}", at))
            for number in range(DOCTORS)
        ]
        for doctor in doctors:
            roster(database, doctor, quota=ROOMS_OF_ONE)
        cut_schedules(database, [day], at)
    for doctor in doctors:
        with transaction() as database:
            schedule = database.scalars(
                select(Schedule.id).where(Schedule.practitioner_id == doctor.id, Schedule.period == Period.MORNING)
            ).one()
            own = _seat(app, database, database.get_one(Account, doctor.account_id), at)
            for number in range(ROOMS_OF_ONE):
                parent = account(database, f"o-live-{doctor.code}-{number}", at)
                agree(database, parent, at)
                child = patient(database, f"QR-{doctor.code}-{number}", "王小明", date(2023, 5, 17), at)
                guardian(database, parent, child, at)
                held = book(database, schedule, child, parent.id, at, Policy())
                room = encounter_of(database, visit(database, held.id), at)
                move(database, room, EncounterStatus.IN_PROGRESS, at, by="bench", why="called")
                family = _seat(app, database, parent, at)
                yield Seat(held.id, *family), Seat(held.id, *own)


def _seat(app: Flask, database: Session, who: Account, at: datetime) -> tuple[str, str]:
    """A cookie that is signed in, and the token of its forms."""
    signed = begin(database, who, SignInKind.WECHAT, "", at, Policy())
    with app.test_request_context():
        session["sign_in"] = str(signed.id)
        token = generate_csrf()
        signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        return str(signer.dumps(dict(session))), token
