"""The ground: settings that refuse, encryption, time, text and formats."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.orm import Session

from config import clock, formats, policy
from config.database import transaction
from config.encryption import DecryptionError, KeyRing
from config.errors import Refused
from config.settings import Settings
from config.states import StatusChange, WrongState, advance
from people.models import AuditEvent, GuardianStatus, RelatedPerson
from tests.product import Hospital, make_settings

PRODUCTION = {
    "clinic_env": "production",
    "clinic_origin": "https://clinic.example.org",
    "secret_key": "k" * 40,
    "field_keys": "a:" + base64.b64encode(b"x" * 32).decode(),
    "blind_index_key": "b" * 40,
    "wechat_secret": "s" * 32,
    "wechat_token": "token",
    "wechat_api_origin": "https://api.weixin.qq.com",
    "wechat_open_origin": "https://open.weixin.qq.com",
    "wechat_jssdk_url": "https://res.wx.qq.com/open/js/jweixin-1.6.0.js",
}


def production(**changes: object) -> Settings:
    values = {"database_url": "postgresql://h/clinic", "redis_url": "redis://h", **PRODUCTION, **changes}
    return make_settings(**values)  # type: ignore[arg-type]


def test_a_sound_production_set_up_is_taken() -> None:
    assert production().sqlalchemy_url == "postgresql+psycopg://h/clinic"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secret_key", "dev-" + "k" * 40),
        ("secret_key", "short"),
        ("field_keys", "dev1:" + base64.b64encode(b"x" * 32).decode()),
        ("blind_index_key", "dev-" + "b" * 40),
        ("wechat_secret", "dev-" + "s" * 28),
        ("wechat_token", "devtoken"),
        ("clinic_clock", "+1d"),
        ("clinic_origin", "http://clinic.example.org"),
        ("clinic_origin", "https://127.0.0.1"),
        ("clinic_origin", "https://clinic.example.org/path"),
        ("wechat_api_origin", "http://127.0.0.1:8100"),
        ("wechat_jssdk_url", "http://127.0.0.1:8100/jweixin.js"),
        ("wechat_aes_key", "too short"),
        ("wechat_aes_key_previous", "too short"),
        ("wechat_domain_file", "../settings.txt:content"),
        ("metrics_token", "dev-" + "t" * 40),
        ("metrics_token", "t" * 31),
        ("database_url", "sqlite:///clinic.db"),
    ],
)
def test_production_refuses(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        production(**{name: value})
    assert name.upper() in str(refusal.value)
    assert value not in str(refusal.value) or "origin" in name or "url" in name, "a secret must not be printed"


def test_a_folder_for_metrics_has_a_name() -> None:
    with pytest.raises(ValidationError, match="PROMETHEUS_MULTIPROC_DIR"):
        production(prometheus_multiproc_dir="")


@given(st.text(max_size=80))
def test_what_is_encrypted_is_read_again_and_never_twice_the_same(plain: str) -> None:
    ring = KeyRing({"new": b"n" * 32, "old": b"o" * 32}, b"index")
    first, second = ring.encrypt(plain, "a.b"), ring.encrypt(plain, "a.b")
    assert first != second
    assert ring.decrypt(first, "a.b") == ring.decrypt(second, "a.b") == plain


def test_an_old_key_still_reads_and_a_moved_or_changed_value_does_not() -> None:
    old = KeyRing({"old": b"o" * 32}, b"index")
    both = KeyRing({"new": b"n" * 32, "old": b"o" * 32}, b"index")
    sealed = old.encrypt("王小明", "patients.name")
    assert both.decrypt(sealed, "patients.name") == "王小明"
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for data, context in ((sealed, "related_persons.name"), (changed, "patients.name")):
        with pytest.raises(DecryptionError):
            both.decrypt(data, context)
    with pytest.raises(DecryptionError):
        KeyRing({"other": b"o" * 32}, b"index").decrypt(sealed, "patients.name")


@pytest.mark.parametrize(
    ("born", "on", "zh", "en"),
    [
        (date(2026, 11, 13), date(2026, 11, 25), "12天", "12 d"),
        (date(2026, 4, 25), date(2026, 11, 25), "7个月", "7 mo"),
        (date(2026, 4, 26), date(2026, 11, 25), "6个月", "6 mo"),
        (date(2023, 9, 25), date(2026, 11, 25), "3岁2个月", "3 y 2 mo"),
        (date(2023, 11, 25), date(2026, 11, 25), "3岁", "3 y"),
        (date(2012, 1, 1), date(2026, 11, 25), "14岁", "14 y"),
        (date(2024, 2, 29), date(2025, 2, 28), "11个月", "11 mo"),
    ],
)
def test_ages(born: date, on: date, zh: str, en: str) -> None:
    assert (formats.age(born, on, "zh_CN"), formats.age(born, on, "en")) == (zh, en)


@pytest.mark.parametrize(
    ("on", "zh", "en"),
    [
        (date(2026, 11, 25), "今天 00:30", "Today, 00:30"),
        (date(2026, 11, 24), "明天 00:30", "Tomorrow, 00:30"),
        (date(2026, 11, 26), "11月25日 周三 00:30", "Wed 25 Nov, 00:30"),
        (date(2026, 11, 23), "11月25日 周三 00:30", "Wed 25 Nov, 00:30"),
        (date(2027, 1, 1), "2026年11月25日 周三 00:30", "Wed 25 Nov 2026, 00:30"),
    ],
)
def test_a_moment_as_it_is_said_on_that_day(on: date, zh: str, en: str) -> None:
    at = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
    assert (formats.near(at, on, "zh_CN"), formats.near(at, on, "en")) == (zh, en)


def test_tomorrow_may_be_another_year() -> None:
    assert formats.near(datetime(2027, 1, 1, 1, 0, tzinfo=UTC), date(2026, 12, 31), "zh_CN") == "明天 09:00"


def test_moments_and_money() -> None:
    at = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
    assert formats.moment(at, "zh_CN") == "2026年11月25日 周三 09:30"
    assert formats.moment(at, "en") == "Wed 25 Nov 2026, 09:30"
    assert [formats.money(fen, "zh_CN") for fen in (0, 5000, 5050)] == ["免费", "50元", "50.50元"]
    assert [formats.money(fen, "en") for fen in (0, 5000, 5005)] == ["free", "¥50", "¥50.05"]


@given(st.text(min_size=1, max_size=30))
def test_a_masked_name_never_tells_the_name(name: str) -> None:
    masked = formats.masked(name)
    assert masked[0] == name[0]
    assert set(masked[1:]) == {"*"}


@pytest.mark.parametrize(("given_text", "shift"), [("", 0), ("+1d2h", 93600), ("-45m", -2700), ("90s", 90)])
def test_shifts(given_text: str, shift: int) -> None:
    assert clock.parse_shift(given_text) == timedelta(seconds=shift)


@pytest.mark.parametrize("wrong", ["+", "1x", "d1", "tomorrow", "+1d 2h"])
def test_a_wrong_shift_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a shift"):
        clock.parse_shift(wrong)


def test_moments_without_a_zone_are_refused_and_come_back_in_utc(session: Session, now: datetime) -> None:
    event = AuditEvent(at=now.astimezone(timezone(timedelta(hours=8))), action="a", outcome="o", entity="e")
    session.add(event)
    session.flush()
    session.refresh(event)
    assert (event.at, event.at.tzinfo) == (now, UTC)
    session.add(AuditEvent(at=now.replace(tzinfo=None), action="a", outcome="o", entity="e"))
    with pytest.raises(Exception, match="without a time zone"):
        session.flush()


def test_a_refusal_rolls_back_and_writes_what_comes_afterwards(session: Session, now: datetime) -> None:
    def later(second: Session) -> None:
        second.add(AuditEvent(at=now, action="afterwards", outcome="o", entity="e"))

    with pytest.raises(Refused), transaction() as first:
        first.add(AuditEvent(at=now, action="before", outcome="o", entity="e"))
        first.flush()
        raise Refused(afterwards=later)
    assert session.scalars(text("select action from audit_events")).all() == ["afterwards"]


@pytest.mark.parametrize(
    ("rule", "value"),
    [("appeal_days", 0), ("offer_minutes", 241), ("cancel_until_hours", -1), ("recordings_kept_years", 2)],
)
def test_a_rule_has_its_own_bounds(session: Session, now: datetime, rule: str, value: int) -> None:
    with pytest.raises(ValidationError):
        policy.change(session, rule, value, author="t", valid_from=now)


def test_policy_has_versions_and_departments(session: Session, now: datetime) -> None:
    policy.change(session, "horizon_last_day", 7, author="t", valid_from=now)
    policy.change(session, "horizon_last_day", 5, author="t", valid_from=now, department="dermatology")
    policy.change(session, "horizon_last_day", 6, author="t", valid_from=now + timedelta(days=1))
    session.flush()
    assert policy.current(session, now - timedelta(seconds=1)).horizon_last_day == 8
    assert policy.current(session, now).horizon_last_day == 7
    assert policy.current(session, now + timedelta(days=1), "dermatology").horizon_last_day == 5
    assert policy.current(session, now + timedelta(days=1), "internal-medicine").horizon_last_day == 6
    with pytest.raises(KeyError):
        policy.change(session, "no_such_rule", 1, author="t", valid_from=now)
    with pytest.raises(ValidationError):
        policy.change(session, "release_time", "noon", author="t", valid_from=now)


def test_a_move_that_is_not_in_the_table_is_refused(session: Session, hospital: Hospital, now: datetime) -> None:
    binding = session.query(RelatedPerson).first()
    assert binding is not None
    advance(binding, GuardianStatus.ENDED, by="test", why="test", now=now)
    with pytest.raises(WrongState):
        advance(binding, GuardianStatus.ACTIVE, by="test", why="test", now=now)
    session.flush()
    assert [c.to_status for c in session.query(StatusChange).all()] == ["ended"]
