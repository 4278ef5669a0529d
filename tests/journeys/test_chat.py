"""The chat and its edges, over HTTP through the simulator: what WeChat sends, what the parent reads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.service import Service

pytestmark = pytest.mark.processes


class Chat:
    """One phone's chat with the account."""

    def __init__(self, service: Service, phone: str) -> None:
        self.service, self.phone = service, phone

    def act(self, what: str, **body: Any) -> str:
        """Do something on the phone; returns the text of the account's answer, empty for none."""
        delivery = self.service.api("POST", f"/phones/{self.phone}/{what}", **body)["delivery"]
        assert delivery["verdict"] == "ok", delivery
        return str((delivery["reply"] or {}).get("text", ""))

    def cards(self) -> list[str]:
        """The titles of the template messages that came, oldest first."""
        messages = self.service.api("GET", f"/phones/{self.phone}/messages", after=0)["messages"]
        return [message["title"] for message in messages if message["type"] == "template"]

    def opens(self, path: str) -> dict[str, Any]:
        """Open a page in the phone's browser, through WeChat's sign-in."""
        page = self.service.api("POST", f"/phones/{self.phone}/open", url=f"{self.service.clinic}{path}")
        return dict(page)


@pytest.fixture
def chat(service: Service) -> Chat:
    """The stranger's phone, following."""
    stranger = Chat(service, "stranger")
    service.api("POST", "/phones/stranger", snapshot=False)
    service.api("POST", "/phones/stranger/follow")
    return stranger


def test_an_emergency_is_answered_first_whatever_else_is_said(chat: Chat) -> None:
    for words in ("挂号 孩子抽搐了", "帮助！宝宝嘴 唇 发 紫", "book: he is not breathing", "叫不醒了怎么预约"):
        answer = chat.act("text", content=words)
        assert "120" in answer.splitlines()[0], words
        assert "120" in answer
        assert "call 120" in answer


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("挂号", "/internet-diagnosis"),
        ("我的预约", "/visits"),
        ("帮助", "/help"),
        ("1000230001", "/children/bind"),
        ("今天天气真好", "/internet-diagnosis"),
        ("<xml>]]></xml>", "/internet-diagnosis"),
    ],
)
def test_words_lead_on(chat: Chat, words: str, path: str) -> None:
    assert f'href="{chat.service.clinic}{path}"' in chat.act("text", content=words)


def test_a_picture_of_a_code_and_one_without(chat: Chat) -> None:
    assert "/children/bind?ticket=" in chat.act("image", picture="zhang-yan")
    assert "/children/bind?ticket=" in chat.act("image", picture="unknown-code"), "an unknown code is not told apart"
    assert "二维码" in chat.act("image", picture="no-code")


def test_the_menu_is_published_and_not_written_twice(service: Service) -> None:
    menu = service.api("GET", "/state")["menu"]["button"]
    assert [button["name"] for button in menu] == ["医疗服务", "扫码", "帮助"]
    assert [entry["name"] for entry in menu[0]["sub_button"]] == ["互联网诊疗", "我的就诊", "处方与配送", "我的孩子"]
    log = service.api("GET", "/log", after=0)["log"]
    assert len([entry for entry in log if entry["path"].startswith("/cgi-bin/menu/create")]) <= 1


def test_a_snapshot_page_never_becomes_an_account(chat: Chat) -> None:
    chat.service.api("POST", "/phones/stranger", snapshot=True)
    try:
        page = chat.opens("/visits")
        assert page["status"] == 403
        assert "完整服务" in page["html"]
    finally:
        chat.service.api("POST", "/phones/stranger", snapshot=False)


def test_a_parent_is_no_doctor_and_a_page_of_nobody_is_not_found(chat: Chat) -> None:
    assert chat.opens("/desk")["status"] == 403
    assert chat.opens("/visits/0190aaaa-0000-7000-8000-000000000000")["status"] == 404
    assert chat.opens("/children")["status"] == 200


def test_who_left_hears_nothing_and_may_come_back(chat: Chat) -> None:
    assert chat.act("unfollow") == ""
    assert "120" in chat.act("follow")


def test_the_service_says_that_it_lives(service: Service, chat: Chat) -> None:
    assert chat.opens("/healthz")["status"] == 200
    ready = chat.opens("/readyz")
    assert ready["status"] == 200
    assert '"database":"up"' in ready["html"]
