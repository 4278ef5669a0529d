"""What does not work on the staff's pages stays on the staff's pages, with what was typed."""

from __future__ import annotations

import re

from people.models import Practitioner
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words

SAME = {"Sec-Fetch-Site": "same-origin"}


def test_a_form_without_its_token_is_offered_again(browse: Browse, admin: Practitioner) -> None:
    browser = browse(admin)
    typed = {"code": "N001", "name_zh": "张三", "csrf_token": "old"}
    answer = browser.post("/desk/staff/new", data=typed, headers=SAME)
    assert answer.status_code == 400
    assert "What you entered is still here" in words(answer)
    assert 'href="/desk"' in answer.text
    again = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', answer.text.split("<main>")[1]))
    assert {name: value for name, value in again.items() if name in typed and name != "csrf_token"} == {
        "code": "N001",
        "name_zh": "张三",
    }
    other = browser.post("/desk/staff/new", data=typed, headers={"Sec-Fetch-Site": "cross-site"})
    assert (other.status_code, "张三" in other.text) == (400, False)


def test_a_form_of_nobody_leads_to_the_sign_in(browse: Browse) -> None:
    answer = browse(agent="Mozilla/5.0 (X11; Linux) Chrome/130").post("/desk/staff/new", data={"code": "N001"})
    assert 'href="/desk/sign-in"' in answer.text


def test_a_page_asked_for_in_the_wrong_way_is_not_the_parents(browse: Browse, admin: Practitioner) -> None:
    answer = post(browse(admin), "/desk/money")
    assert answer.status_code == 404
    assert 'class="ways"' in answer.text
