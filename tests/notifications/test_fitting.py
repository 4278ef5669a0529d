"""Whatever a value is, what is sent is within WeChat's limits."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.fitting import CLOSED, KINDS, fit
from wechat.simulator.template_values import valid

ANY_TEXT = st.text(st.characters() | st.sampled_from("\n\r\t\0\u200b\u2028\U00020bb7·王小明Aa1 #*"), max_size=60)


@given(ANY_TEXT)
def test_thing_is_one_line_of_at_most_20_characters(text: str) -> None:
    fitted = fit("thing1", text)
    assert len(fitted.encode("utf-16-le")) // 2 <= 20
    assert fitted.strip() == fitted != ""
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b\u202e]", fitted)


@given(ANY_TEXT)
def test_character_string_is_digits_letters_and_symbols(text: str) -> None:
    assert re.fullmatch(r"[!-~]([ -~]{0,30}[!-~])?", fit("character_string5", text))


@given(ANY_TEXT)
def test_name_is_10_han_or_20_letters(text: str) -> None:
    fitted = fit("name2", text)
    assert re.fullmatch(r"[\u3400-\u9fff\U00020000-\U0003134f·]{1,10}|[A-Za-z .'-]{1,20}", fitted)
    assert fitted.strip()


@given(ANY_TEXT)
def test_phrase_is_5_han(text: str) -> None:
    assert re.fullmatch(r"[\u3400-\u9fff\U00020000-\U0003134f]{1,5}", fit("phrase3", text))


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=365_000)))
def test_time_has_wechats_form(since: timedelta) -> None:
    moment = datetime(1900, 1, 1, tzinfo=UTC) + since
    assert re.fullmatch(r"\d{4}年\d{1,2}月\d{1,2}日 \d{2}:\d{2}", fit("time4", moment))


@pytest.mark.parametrize(
    ("key", "value", "fitted"),
    [
        ("thing1", "王**", "王**"),
        ("thing1", "一二三四五六七八九十一二三四五六七八九十", "一二三四五六七八九十一二三四五六七八九十"),
        ("thing1", "一二三四五六七八九十一二三四五六七八九十一", "一二三四五六七八九十一二三四五六七八九…"),
        ("thing1", "𠮷" * 10, "𠮷" * 10),
        ("thing1", "𠮷" * 11, "𠮷" * 9 + "…"),
        ("thing1", "line one\n line two", "line one line two"),
        ("thing1", " \n ", "-"),
        ("character_string5", "１２号", "12"),
        ("character_string5", "号", "-"),
        ("name1", "阿依古丽•买买提", "阿依古丽·买买提"),
        ("name1", "José Núñez", "Jose Nunez"),
        ("name1", "123", "无"),
        ("phrase1", "已取消 ok", "已取消"),
        ("amount1", 5000, "¥50.00"),
        ("amount1", 5, "¥0.05"),
        ("amount1", 9_999_999_999, "¥99999999.99"),
        ("number1", 12, "12"),
        ("number1", "约 ３.５ 千克", "3.5"),
        ("number1", "无", "0"),
        ("letter1", "Né 12 b", "Neb"),
        ("letter1", "王", "x"),
        ("symbol1", "a+b-✓", "+-✓"),
        ("phone_number1", "０１０-5961 6161 转 2", "010-5961 6161  2"),
        ("date1", date(2026, 11, 5), "2026年11月5日"),
        ("time4", datetime(2026, 11, 25, 1, 30, tzinfo=UTC), "2026年11月25日 09:30"),
        ("time4", datetime(2026, 11, 4, 16, 5, tzinfo=UTC), "2026年11月5日 00:05"),
    ],
)
def test_examples(key: str, value: str | int | date, fitted: str) -> None:
    assert fit(key, value) == fitted


def test_a_value_of_the_wrong_kind_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError):
        fit("time4", "tomorrow")
    with pytest.raises(TypeError):
        fit("thing1", datetime(2026, 11, 25, tzinfo=UTC))
    with pytest.raises(TypeError):
        fit("date1", datetime(2026, 11, 25, tzinfo=UTC))
    with pytest.raises(TypeError):
        fit("amount1", "50")
    with pytest.raises(KeyError):
        fit("poem1", "text")
    for fen in (-1, 10**10):
        with pytest.raises(ValueError, match="amount"):
            fit("amount1", fen)


def test_a_const_takes_only_its_choices() -> None:
    assert fit("const1", "已支付", ("已支付", "已退款")) == "已支付"
    for value in ("已取消", ""):
        with pytest.raises(ValueError, match="none of its choices"):
            fit("const1", value, ("已支付", "已退款"))


@given(ANY_TEXT, st.sampled_from(["number1", "letter1", "symbol1", "phone_number1", "thing1", "name1"]))
def test_the_simulated_wechat_takes_whatever_was_fitted(text: str, key: str) -> None:
    assert valid(key, fit(key, text), {}), (key, fit(key, text))


@given(st.integers(0, 10**10 - 1), st.dates())
def test_amounts_and_dates_are_taken(fen: int, day: date) -> None:
    assert valid("amount1", fit("amount1", fen), {})
    assert len(re.sub(r"\D", "", fit("amount1", fen))) <= 10
    assert valid("date1", fit("date1", day), {}) or day.year < 1000


def test_every_type_is_known() -> None:
    types = {"thing", "character_string", "name", "phrase", "letter", "symbol", "phone_number"}
    assert types | {"number", "amount", "time", "date"} == set(KINDS)
    assert {"const", "enum"} == CLOSED
