"""A picture from the phone's chat to the visit's page and to the doctor, over HTTP through the simulator."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
import requests
from PIL import Image

from tests.journeys.paper import Paper
from tests.journeys.service import Service
from tests.pictures import opened, picture

pytestmark = pytest.mark.processes
PHONE = "zhou-hui"


def booked(service: Service) -> Paper:
    """A mother binds her child and books; her browser shows the visit."""
    delivery = service.api("POST", f"/phones/{PHONE}/tap", entry="1", picture="zhou-yichen")["delivery"]
    ticket = re.search(r'href="([^"]*ticket=[^"]*)"', delivery["reply"]["text"])
    assert ticket
    mother = Paper(service, PHONE)
    mother.open(ticket[1])
    mother.send("/consents", online_of_care="permit", child_of_data="permit", recording="permit")
    proof = {"name": "周亦辰", "birth_date": "2013-04-30", "phone_tail": "5772"}
    mother.send("/children/bind", **proof, guardian="周慧", relation="mother")
    mother.open("/internet-diagnosis/internal-medicine")
    mother.open(mother.link(r'/internet-diagnosis/internal-medicine/\d[^"]+'))
    mother.open(mother.link('/schedules/[^"]+'))
    mother.send("/visits")
    mother.send(mother.path, none="1")  # the health questions
    mother.send("/visits")
    return mother


def send_picture(service: Service, raw: bytes) -> str:
    """Send a picture in the chat; returns the text of the answer that comes at once."""
    sent = requests.post(
        f"{service.simulator}/simulator/api/phones/{PHONE}/image", files={"image": ("rash.jpg", raw)}, timeout=120
    )
    return str(sent.json()["delivery"]["reply"]["text"])


def later_answer(service: Service, text: str) -> dict[str, Any]:
    """The customer-service text that holds the words, once it has come."""
    after = 0
    while True:
        new = service.api("GET", f"/phones/{PHONE}/messages", after=after, wait=60)["messages"]
        assert new, f"{text!r} did not come"
        after = new[-1]["n"]
        for message in new:
            if message.get("custom") and text in message.get("text", ""):
                return dict(message)


def image(service: Service, phone: Paper, path: str) -> Image.Image:
    answer = requests.get(service.simulator + path, headers={"Host": phone.host}, timeout=120)
    assert answer.headers["Content-Type"] == "image/jpeg"
    return opened(answer.content)


def test_from_the_chat_to_the_doctor(service: Service) -> None:
    service.api("POST", f"/phones/{PHONE}/follow")
    assert "二维码" in send_picture(service, picture()), "no visit is coming: today's answer"
    mother = booked(service)
    visit = mother.path
    exif = Image.Exif()
    exif[0x010F] = "camera"
    said = send_picture(service, picture(size=(3000, 1500), exif=exif))
    assert "正在为周**" in said
    link = f'href="{service.clinic}{visit}#pictures"'
    assert link in said
    told = later_answer(service, "已保存")
    assert "现有图片1张" in told["text"]
    assert link in told["text"]

    mother.open(visit)
    shown = image(service, mother, mother.link('/pictures/[^/"]+') + "/image")
    assert shown.size == (2048, 1024)
    assert not shown.getexif()
    assert not list((service.var / "files").rglob("*.jpg"))
    (file,) = [path for path in (service.var / "files").rglob("*") if path.is_file()]
    with pytest.raises(OSError, match="cannot identify"):
        Image.open(io.BytesIO(file.read_bytes()))

    send_picture(service, picture(size=(3000, 1500), exif=exif))
    assert "之前已经保存" in later_answer(service, "之前")["text"]

    doctor = next(
        paper for number in range(1, 13) if "图片1张" in (paper := Paper(service, f"doctor-{number:02}")).open("/desk")
    )
    doctor.open(doctor.link('/desk/visits/[^/"]+/pictures'))
    seen = doctor.link('/desk/pictures/[^"]+')
    assert image(service, doctor, seen).size == (2048, 1024)
    assert requests.get(service.simulator + seen, headers={"Host": mother.host}, timeout=120).status_code == 403

    mother.open(mother.link('/pictures/[^/"]+'))
    mother.send(mother.path + "/remove")
    assert "还没有图片" in mother.html
