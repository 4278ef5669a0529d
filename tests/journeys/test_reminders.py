"""The clock goes on: the reminder of the day before arrives when its time has come, after a restart, once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.paper import Paper
from tests.journeys.service import Service, running

pytestmark = pytest.mark.processes
BEIJING = timedelta(hours=8)
REMINDER = "就诊提醒"


def book(service: Service) -> datetime:
    """A mother binds her child and books the first number of the last open day; returns its time."""
    service.api("POST", "/phones/li-na/follow")
    delivery = service.api("POST", "/phones/li-na/tap", entry="1", picture="chen-yinuo")["delivery"]
    ticket = re.search(r'href="([^"]*ticket=[^"]*)"', delivery["reply"]["text"])
    assert ticket
    mother = Paper(service, "li-na")
    mother.open(ticket[1])
    mother.send("/consents", online_of_care="permit", child_of_data="permit", recording="permit")
    mother.send(
        "/children/bind", name="陈一诺", birth_date="2026-03-08", phone_tail="2718", guardian="李娜", relation="mother"
    )
    mother.open("/internet-diagnosis/internal-medicine")
    periods = re.findall(r'href="(/internet-diagnosis/internal-medicine/\d[^"]+)"', mother.html)
    mother.open(periods[-1])
    mother.open(mother.link('/schedules/[^"]+'))
    mother.send("/visits")
    mother.send(mother.path, none="1")  # the health questions
    booked = mother.send("/visits")
    day, clock = re.search(r"(\d+年\d+月\d+日).{0,40}?(\d\d:\d\d)", booked, re.DOTALL).groups()  # type: ignore[union-attr]
    return datetime.strptime(f"{day} {clock}", "%Y年%m月%d日 %H:%M").replace(tzinfo=UTC) - BEIJING


def cards(service: Service, title: str, count: int) -> list[dict[str, Any]]:
    """The mother's cards of that title, waiting until there are so many."""
    found: list[dict[str, Any]] = []
    after = 0
    while len(found) < count:
        new = service.api("GET", "/phones/li-na/messages", after=after, wait=60)["messages"]
        assert new, f"{title}: only {len(found)} came"
        after = new[-1]["n"]
        found += [message for message in new if message.get("title") == title]
    return found


def shift(to: datetime) -> str:
    """CLINIC_CLOCK for a service that starts at about that moment."""
    return f"+{int((to - datetime.now(UTC)).total_seconds())}s"


def test_the_reminder_comes_when_its_time_comes(var: Path) -> None:
    with running(var) as service:
        visit = book(service)
        cards(service, "预约挂号成功通知", 1)
    day_before = (visit + BEIJING).replace(hour=18, minute=0) - timedelta(days=1) - BEIJING
    with running(var, CLINIC_CLOCK=shift(day_before + timedelta(minutes=1))) as service:
        first = cards(service, REMINDER, 1)
        hint = next(row["value"] for row in first[0]["rows"] if row["label"].startswith("温馨提示"))
    assert len(first) == 1
    assert hint == "请提前备好检查单和病历"
