"""A thousand open streams beside the webhook: from the POST of a chat message to the other side's stream.

Two processes of the Procfile, web and live; 500 rooms with a stream for each side; 500 pushes a second from a process
of their own; messages posted to web, one room after the other, and awaited on the doctor's stream.
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

from flask import Flask, session
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import create_app
from bench.load import connected, drive
from bench.webhook import Bot, push, serve
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
        ears = Ears(live.port, rooms)
        quiet = _measured(ears, web.port, rooms, MESSAGES // 3)
        pushing = multiprocessing.get_context("spawn").Process(target=pushes, args=(web.port, MESSAGES / PER_SECOND))
        pushing.start()
        time.sleep(2)
        loud = _measured(ears, web.port, rooms, MESSAGES)
        pushing.join()
        ears.close()
        memory = sum(child.memory_info().rss for child in live.workers) / 1e6
    print(f"Live: {2 * len(rooms)} open streams in one process ({memory:.0f} MB), {PER_SECOND} chat messages a second")
    for name, found in (("alone", quiet), (f"beside {PUSHES} pushes/s", loud)):
        p99 = statistics.quantiles(found, n=100)[98]
        middle = statistics.median(found)
        print(f"  {name:<22} p50 {middle * 1e3:>5.0f} ms   p99 {p99 * 1e3:>5.0f} ms   ({len(found)} messages)")
    print(f"  aim: p99 under {AIM * 1e3:.0f} ms beside the pushes\n")


class Ears:
    """All streams, read by one thread; the moment at which each message came is kept by its text."""

    def __init__(self, port: int, rooms: Sequence[tuple[Seat, Seat]]) -> None:
        self.came: dict[str, float] = {}
        self._selector = selectors.DefaultSelector()
        self._sockets = [self._open(port, seat, side) for room in rooms for side, seat in enumerate(room)]
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _open(self, port: int, seat: Seat, side: int) -> socket.socket:
        stream = socket.create_connection(("127.0.0.1", port))
        asked = f"GET /live/visits/{seat.visit}?after=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: clinic={seat.cookie}"
        stream.sendall(f"{asked}\r\n\r\n".encode())
        head = stream.recv(4096)
        if b" 200 " not in head[:16]:
            raise RuntimeError(head.decode(errors="replace"))
        self._selector.register(stream, selectors.EVENT_READ, side)
        return stream

    def _read(self) -> None:
        while self._selector.get_map():
            for key, _ in self._selector.select(1):
                part = key.fileobj.recv(65536)  # type: ignore[union-attr]
                at = time.perf_counter()
                if not part:
                    self._selector.unregister(key.fileobj)
                elif key.data:  # the doctor's side
                    for text in re.findall(rb"bench-\d+-", part):
                        self.came[text.decode()] = at

    def close(self) -> None:
        """Hang up."""
        for stream in self._sockets:
            stream.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)


def _measured(ears: Ears, port: int, rooms: Sequence[tuple[Seat, Seat]], count: int) -> list[float]:
    """Seconds from the POST of each message until it came."""
    sent: dict[str, float] = {}
    start = time.perf_counter()
    base = len(ears.came)

    def speak(worker: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port)
        for number in range(worker, count, 4):
            time.sleep(max(0.0, start + number / PER_SECOND - time.perf_counter()))
            text, (family, _) = f"bench-{base + number}-", rooms[(number * 7) % len(rooms)]
            body = urlencode({"text": text, "csrf_token": family.token})
            head = {"Cookie": f"clinic={family.cookie}", "Accept": "application/json"}
            sent[text] = time.perf_counter()
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            line.request("POST", f"/visits/{family.visit}/messages", body, head | form)
            answer = line.getresponse()
            said = answer.read()
            if answer.status != http.client.CREATED:
                raise RuntimeError(said.decode(errors="replace"))

    speakers = [threading.Thread(target=speak, args=(worker,)) for worker in range(4)]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        speaker.join()
    end = time.perf_counter() + PATIENCE
    while missing := sent.keys() - ears.came.keys():
        if time.perf_counter() > end:
            raise TimeoutError(f"{len(missing)} messages never came")
        time.sleep(0.01)
    return [ears.came[text] - at for text, at in sent.items()]


def pushes(port: int, seconds: float) -> None:
    """Push steadily, a tenth of a second's worth at a time; print the rate that was reached."""
    numbers, start = iter(range(10**9)), time.perf_counter()
    batches = int((seconds + 4) * 10)
    with connected(port, CONNECTIONS) as connections:
        for batch in range(batches):
            time.sleep(max(0.0, start + batch / 10 - time.perf_counter()))
            drive(connections, [push("plain", next(numbers)) for _ in range(PUSHES // 10)])
    print(f"  pushes: {batches * PUSHES / 10 / (time.perf_counter() - start):.0f} a second")


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
