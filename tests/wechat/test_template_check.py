"""The catalogue beside the account's own templates: what is missing, of another type, or numbered differently."""

from __future__ import annotations

import pytest
from flask import Flask
from redis import Redis

from commands import messages as command
from config.settings import Settings
from dev.environment import TEMPLATES
from notifications.catalogue import messages
from tests.wechat.conftest import Api
from wechat.service import connect
from wechat.template_check import Template, compare

LIST = "/cgi-bin/template/get_all_private_template"
NOTICES = "/wxaapi/newtmpl/gettemplate"
BOUND = messages()["guardian-bound"]
LINES = {"就诊人": "thing1", "操作人": "thing2", "操作时间": "time3", "温馨提示": "thing4"}


def problems(keys: dict[str, str], chosen: str | None = "T1", title: str = "就诊人绑定通知") -> tuple[str, ...]:
    given = {BOUND.name: chosen} if chosen else {}
    return compare([BOUND], [Template("T1", title, keys)], given)[0].problems


def test_what_fits() -> None:
    assert problems(LINES) == ()
    assert problems({"患者": "thing1", "经办人": "thing2", "时间": "time3", "备注": "thing4"}) == (), "the keys count"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"操作人": "name2"}, "操作人 is name2 there: name, not thing"),
        ({"操作人": "thing7"}, '操作人 is thing7 there: set key = "thing7" in the catalogue, not thing2'),
        ({"操作地点": "thing9"}, "it has lines that we leave empty: 操作地点 (thing9)"),
    ],
)
def test_what_differs(change: dict[str, str], said: str) -> None:
    assert problems(LINES | change) == (said,)


def test_what_is_missing() -> None:
    assert problems({"就诊人": "thing1", "操作人": "thing2", "温馨提示": "thing4"}) == ("操作时间 (time3) is missing",)
    assert problems(LINES, chosen="T2") == ("T2 is none of the account's templates",)
    assert problems({}, chosen=None, title="另一个") == (
        "add a template such as 「就诊人绑定通知」: 就诊人 (thing)、操作人 (thing)、操作时间 (time)、温馨提示 (thing)",
    )


def test_what_is_there_but_not_chosen() -> None:
    assert problems(LINES, chosen=None) == ("not in WECHAT_TEMPLATES",)
    assert problems(LINES, chosen=None, title="另一个") == ("not in WECHAT_TEMPLATES",), "found by its lines"


def test_the_command_prints_the_line_to_set(wechat_settings: Settings, store: Redis, api: Api) -> None:
    group = command.group(wechat_settings, connect(wechat_settings, store).client)
    content = "".join(f"{label}：{{{{{key}.DATA}}}}\n" for label, key in LINES.items())
    api.routes[LIST] = {"template_list": [{"template_id": "T1", "title": "就诊人绑定通知", "content": content}]}
    done = Flask("test").test_cli_runner().invoke(group, ["check"])
    assert done.exit_code == 1
    assert "guardian-bound: T1\n    not in WECHAT_TEMPLATES" in done.output
    assert "appointment-booked: -\n    add a template such as 「预约挂号成功通知」" in done.output
    assert 'WECHAT_TEMPLATES={"guardian-bound": "T1"}' in done.output


def test_all_is_well_and_nothing_is_to_be_set(wechat_settings: Settings, store: Redis, api: Api) -> None:
    settings = wechat_settings.model_copy(update={"wechat_templates": TEMPLATES})
    api.routes[LIST] = {
        "template_list": [
            {
                "template_id": TEMPLATES[entry.name],
                "title": entry.template,
                "content": "\n".join(f"{entry.labels[n]}：{{{{{key}.DATA}}}}" for n, key in entry.fields.items()),
            }
            for entry in messages().values()
        ]
    }
    done = Flask("test").test_cli_runner().invoke(command.group(settings, connect(settings, store).client), ["check"])
    assert (done.exit_code, "WECHAT_TEMPLATES" in done.output) == (0, False), done.output


@pytest.mark.parametrize(("wrong", "said"), [("", ""), ("操作人", "操作人 (thing2) is missing")])
def test_a_message_that_goes_as_a_notice_is_compared_with_its_notice(
    wechat_settings: Settings, store: Redis, api: Api, wrong: str, said: str
) -> None:
    without = {name: template for name, template in TEMPLATES.items() if name != BOUND.name}
    changed = {"wechat_templates": without, "wechat_subscriptions": {BOUND.name: "N1"}}
    settings = wechat_settings.model_copy(update=changed)
    content = "".join(f"{label}:{{{{{key}.DATA}}}}\n" for label, key in LINES.items() if label != wrong)
    api.routes[LIST] = {"template_list": []}
    api.routes[NOTICES] = {"data": [{"priTmplId": "N1", "title": "另一个", "content": content, "type": 2}]}
    done = Flask("test").test_cli_runner().invoke(command.group(settings, connect(settings, store).client), ["check"])
    lines = done.output.splitlines()
    at = lines.index("guardian-bound: N1 (subscription notice)")
    assert (lines[at + 1].strip() == said) is bool(said)


def test_what_wechat_refuses_is_said(wechat_settings: Settings, store: Redis, api: Api) -> None:
    group = command.group(wechat_settings, connect(wechat_settings, store).client)
    api.routes[LIST] = {"errcode": 48001, "errmsg": "api unauthorized rid: 1-2-3"}
    done = Flask("test").test_cli_runner().invoke(group, ["check"])
    assert (done.exit_code, "WeChat refused: 48001" in done.output) == (1, True)
