"""Rosters as spreadsheets: what is exported is read again unchanged, and every fault of a file is named."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from booking.models import ClinicType, Period
from booking.roster_models import ExceptionKind, OnHolidays, Roster, RosterException
from booking.rosters.importing import Loaded, What, export, load
from config import spreadsheets
from config.spreadsheets import BYTES, FileRefused, Rows, read, to_csv, to_xlsx
from tests.product import Hospital, practitioner

HEADING = "工号,姓名,科室,星期,时段,开始,结束,号数,挂号费（元）,门诊类型,节假日,生效日期,截止日期\n"
GOOD = "D001,赵医生,内科,周三,上午,8:00,11:30,20,50,专家,随调休,2026/12/1,\n"
DEPARTURES = "工号,日期,时段,调整,开始,结束,号数,挂号费（元）,换班医生工号,换班日期,原因\n"
WRITERS = {"csv": to_csv, "xlsx": to_xlsx}


def everywhere(_: UUID) -> bool:
    return True


def put(session: Session, text: str | bytes, now: datetime, what: What = "templates", may: Any = everywhere) -> Loaded:
    data = text if isinstance(text, bytes) else text.encode()
    with session.begin_nested():
        return load(session, what, read(data), by=None, now=now, may=may)


def faults(session: Session, text: str | bytes, now: datetime, what: What = "templates", **more: Any) -> list[str]:
    with pytest.raises(FileRefused) as caught:
        put(session, text, now, what, **more)
    return [problem.said("en") for problem in caught.value.problems]


def of_doctor(session: Session, hospital: Hospital) -> list[Roster]:
    mine = Roster.practitioner_id == hospital.doctor.id
    return list(session.scalars(select(Roster).where(mine, Roster.weekday == 2, Roster.period == Period.MORNING)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_the_hospitals_words_are_understood(session: Session, hospital: Hospital, now: datetime, encoding: str) -> None:
    loaded = put(session, (HEADING + GOOD).encode(encoding), now)
    assert [change.kind for change in loaded.changes] == ["new", "ended"]
    old, new = sorted(of_doctor(session, hospital), key=lambda row: row.valid_from)
    assert old.valid_to == date(2026, 11, 30)
    assert (new.starts, new.ends, new.quota, new.fee_fen) == (time(8), time(11, 30), 20, 5000)
    assert (new.clinic_type, new.on_holidays) == (ClinicType.EXPERT, OnHolidays.AS_WORKDAYS)
    assert put(session, HEADING + GOOD, now).unchanged == 1


def test_english_headings_in_another_order(session: Session, hospital: Hospital, now: datetime) -> None:
    text = (
        "Valid from,Staff number,Weekday,Period,Starts,Ends,Numbers,Fee (yuan),Valid to\n"
        "2020-01-01,d001,Wed,Morning,08:00,12:00,12,0,2026-12-31\n"
    )
    first = put(session, text, now).changes
    assert [change.kind for change in first] == ["changed"]  # holidays and type take their defaults
    again = put(session, text.replace("2026-12-31", "2026-11-30"), now).changes
    assert [change.kind for change in again] == ["ended"]


def test_an_xlsx_with_real_dates_times_and_numbers(session: Session, hospital: Hospital, now: datetime) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet
    sheet.append(HEADING.strip().split(","))
    sheet.append(["D001", "", "内科", 3, "上午", time(8), time(11, 30), 20, 50.0, "专家", "", date(2026, 12, 1), None])
    made = io.BytesIO()
    book.save(made)
    put(session, made.getvalue(), now)
    assert max(row.valid_from for row in of_doctor(session, hospital)) == date(2026, 12, 1)


def test_every_fault_is_named_and_nothing_is_loaded(session: Session, hospital: Hospital, now: datetime) -> None:
    before = session.scalar(select(func.count()).select_from(Roster))
    rows = [
        GOOD,
        "D999,,骨科,周八,夜里,25:00,11:30,0,-1,便宜,也许,2026-13-01,\n",
        "D001,,内科,周四,上午,12:00,8:00,20,50,专家,停诊,2026-12-01,\n",
        "D001,,内科,周五,上午,8:00,12:00,20,50,专家,停诊,2026-12-01,2026-11-01\n",
        "D001,,内科,周三,上午,8:00,12:00,21,50,专家,停诊,2026-12-01,\n",
        ",,,,,,,,,,,,\n",
        "D001,,,周六,上午,8:00,12:00,,50\n",
    ]
    assert faults(session, HEADING + "".join(rows), now) == [
        "Row 3, Staff number: nobody who works here has the staff number D999",
        "Row 3, Department: there is no department 骨科",
        "Row 3, Weekday: 周八 is no weekday such as 周三, Wed or 3",
        "Row 3, Period: must be one of: 上午 / 下午 (Morning / Afternoon)",
        "Row 3, Starts: 25:00 is no time such as 08:00",
        "Row 3, Numbers: must be a whole number from 1 to 200",
        "Row 3, Fee (yuan): -1 is no amount in yuan such as 50 or 12.50",
        "Row 3, Clinic type: must be one of: 普通 / 专家 / 特需 (Ordinary / Expert / Special)",
        "Row 3, On holidays: must be one of: 随调休 / 停诊 / 照常 (As workdays / Closed / Open)",
        "Row 3, Valid from: 2026-13-01 is no date such as 2026-11-27",
        "Row 4: ends before it starts",
        "Row 5: ends before its first day",
        "Row 6: is about the same as row 2",
        "Row 8, Numbers: is empty",
        "Row 8, Valid from: is empty",
    ]
    assert session.scalar(select(func.count()).select_from(Roster)) == before


def test_faults_are_said_in_the_readers_language(session: Session, hospital: Hospital, now: datetime) -> None:
    with pytest.raises(FileRefused) as caught:
        put(session, HEADING + GOOD.replace("20,50", "0,50"), now)
    assert [problem.said("zh_CN") for problem in caught.value.problems] == ["第2行，号数：应为1至200的整数"]


def test_only_of_ones_own_department(session: Session, hospital: Hospital, now: datetime) -> None:
    own = hospital.skin.id
    said = faults(session, HEADING + GOOD, now, may=lambda department_id: department_id == own)
    assert said == ["Row 2, Department: is not one whose roster you keep"]


def test_exceptions(session: Session, hospital: Hospital, now: datetime) -> None:
    other = practitioner(session, "D003", hospital.medicine)
    text = DEPARTURES + (
        "D001,2026-11-27,上午,请假,,,,,,,开会\n"
        "D003,2026-11-27,下午,加诊,18:00,20:00,10,50,,,\n"
        "D001,2026-11-28,上午,换班,,,,,D003,,\n"
    )
    assert [change.kind for change in put(session, text, now, "exceptions").changes] == ["new"] * 3
    assert put(session, text, now, "exceptions").unchanged == 3
    kinds = {row.kind: row for row in session.scalars(select(RosterException))}
    assert kinds[ExceptionKind.LEAVE].reason == "开会"
    assert kinds[ExceptionKind.EXTRA].fee_fen == 5000
    assert kinds[ExceptionKind.SWAP].swap_with_id == other.id
    changed = put(session, text.replace("开会", "学习"), now, "exceptions")
    assert [change.kind for change in changed.changes] == ["changed"]
    live = select(func.count()).where(RosterException.revoked_at.is_(None))
    assert session.scalar(live) == 3


def test_faults_of_exceptions(session: Session, hospital: Hospital, now: datetime) -> None:
    practitioner(session, "D003", hospital.medicine)
    text = DEPARTURES + (
        "D003,2026-11-27,上午,请假,,,,,,,\n"
        "D001,2026-11-27,上午,加诊,,,,,,,\n"
        "D001,2026-11-20,上午,请假,,,,,,,\n"
        "D001,2026-11-28,上午,换班,,,,,D002,,\n"
        "D001,2026-11-28,下午,换班,,,,,D001,,\n"
        "D001,2026-11-29,下午,换班,,,,,,,\n"
    )
    assert faults(session, text, now, "exceptions") == [
        "Row 2: The doctor has no clinic in that period, so there is nothing to cancel or to move.",
        "Row 3: an extra clinic needs its hours, numbers and fee",
        "Row 4: That day is over.",
        "Row 5: The colleague has a clinic of their own in that period and can't stand in.",
        "Row 6: a swap is with somebody else or on another day",
        "Row 7: a swap, and only a swap, names either a colleague or another day",
    ]
    assert session.scalar(select(func.count()).select_from(RosterException)) == 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "This is no spreadsheet. CSV (UTF-8 or GBK) and XLSX can be read."),
        (b"PK\x03\x04 no zip at all", "This is no spreadsheet. CSV (UTF-8 or GBK) and XLSX can be read."),
        (b"\xd0\xcf\x11\xe0 old", "This is a file of an old Excel (.xls). Save it as .xlsx or CSV."),
        (b"a" * (BYTES + 1), "The file is larger than 2 MB."),
        (b"x\n" * 5002, "The file has more than 5000 rows."),
        (HEADING.replace("号数", "数").encode(), "Row 1, Numbers: The heading lacks this column."),
    ],
)
def test_what_is_no_roster_at_all(session: Session, hospital: Hospital, now: datetime, data: bytes, said: str) -> None:
    assert faults(session, data, now) == [said]


def test_a_zip_that_unpacks_to_too_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "UNPACKED", 100)
    with pytest.raises(FileRefused):
        read(to_xlsx([["工号"]]))


def test_no_cell_of_an_export_is_a_formula() -> None:
    rows = [["=1+1", "+86", "-2", "@sum", "'quoted", "plain"]]
    assert to_csv(rows).decode("utf-8-sig") == "'=1+1,'+86,'-2,'@sum,''quoted,plain\r\n"
    sheet = load_workbook(io.BytesIO(to_xlsx(rows))).active
    assert sheet
    assert [cell.data_type for cell in sheet[1]] == ["s"] * 6
    assert read(to_csv(rows)) == read(to_xlsx(rows)) == rows


KEPT = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
WORD = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=20)
TEMPLATE = st.fixed_dictionaries({
    "starts": st.times(time(6), time(12)).map(lambda t: t.replace(second=0, microsecond=0)),
    "ends": st.times(time(13), time(22)).map(lambda t: t.replace(second=0, microsecond=0)),
    "quota": st.integers(9, 200),
    "fee_fen": st.integers(0, 1_000_000),
    "clinic_type": st.sampled_from(ClinicType),
    "on_holidays": st.sampled_from(OnHolidays),
    "valid_to": st.none() | st.dates(date(2026, 11, 25), date(2030, 1, 1)),
})  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    templates=st.lists(st.tuples(TEMPLATE, KEPT, st.dates(date(2020, 1, 2), date(2026, 11, 25))), max_size=4),
    reason=WORD,
    writer=st.sampled_from(sorted(WRITERS)),
    locale=st.sampled_from(["zh_CN", "en"]),
)
def test_what_is_exported_is_imported_without_a_change(
    session: Session, hospital: Hospital, now: datetime, templates: Any, reason: str, writer: str, locale: str
) -> None:
    savepoint = session.begin_nested()
    session.execute(delete(Roster))
    where = {"practitioner_id": hospital.doctor.id, "department_id": hospital.medicine.id, "period": Period.MORNING}
    for weekday, (values, (later, followup, area), since) in enumerate(templates):
        kept = {"later_quota": later, "followup_quota": followup, "area_quota": area, "valid_from": since}
        session.add(Roster(**where, **values, **kept, weekday=weekday))
    plain = spreadsheets.read(to_csv([[reason or "x"]]))[0]
    made = RosterException(**where, day=date(2026, 11, 29), kind=ExceptionKind.LEAVE, created_at=now)
    made.reason = (plain or [""])[0]
    session.add(made)
    session.flush()
    whats: list[What] = ["templates", "exceptions"]
    for what in whats:
        rows: Rows = export(session, what, now, locale, everywhere)
        again = load(session, what, read(WRITERS[writer](rows)), by=None, now=now, may=everywhere)
        assert again.changes == []
        assert again.unchanged == len(rows) - 1 == (len(templates) if what == "templates" else 1)
    savepoint.rollback()
