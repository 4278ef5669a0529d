"""The commands, run as on the command line."""

import csv
import json
from datetime import date, time, timedelta
from pathlib import Path

import pytest
import zxingcpp
from flask import Flask
from PIL import Image
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

import commands.demo
from booking.models import Period, Schedule
from booking.pool import OursAlone
from booking.roster_models import Roster
from booking.rules import open_days
from commands.demo_pictures import NO_CODE, UNKNOWN, UNKNOWN_CONTENT
from config import clock
from config.policy import Policy, PolicyChange, current
from config.settings import ROOT
from people.index import TablePatientIndex
from people.invitations import Invitation
from people.models import Account, AuditEvent, Department, IndexEntry, Patient, Practitioner, PractitionerRole, Role
from people.scenes import NoSceneCode
from tests.product import Hospital, make_settings
from wechat.scenes import Scenes

HEADER = "code,number,name,birth_date,sex,phones,last_visit_on\n"
GOOD = "QR-9,900,阿依古丽·买买提,2021-1-7,女,+86-13900030001;010-66668888,2026/11/16\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that a test fills."""
    return tmp_path / "children.csv"


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_release_loads_the_departments_once(app: Flask, session: Session) -> None:
    assert run(app, "release")[0] == 0
    code, output = run(app, "release")
    assert (code, output) == (0, "database is up to date; departments: 0 new; medicines: 0 new\n")
    assert session.scalar(select(func.count()).select_from(Department)) == 41


def test_release_makes_children_of_before_known(app: Flask, session: Session, hospital: Hospital) -> None:
    session.execute(update(Patient).values(name_blind=None))
    session.commit()
    run(app, "release")
    assert session.scalar(select(func.count()).where(Patient.name_blind.is_(None))) == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_index_import_reads_what_hospitals_export(app: Flask, file: Path, encoding: str) -> None:
    other = GOOD.replace("9", "8").replace("阿依古丽·买买提", "𠮷安")
    file.write_bytes(f"{HEADER}{GOOD}\n{other}".encode(encoding))
    assert run(app, "index", "import", str(file)) == (0, "2 children new, 0 known and refreshed\n")
    found = TablePatientIndex().find("QR-9")
    assert found is not None
    assert (found.name, found.birth_date, str(found.sex)) == ("阿依古丽·买买提", date(2021, 1, 7), "female")
    assert (found.phones, found.last_visit_on) == (("13900030001", "01066668888"), date(2026, 11, 16))


def test_index_import_refreshes_by_number(app: Flask, file: Path) -> None:
    file.write_text(HEADER + GOOD, "utf-8")
    run(app, "index", "import", str(file))
    file.write_text(HEADER + GOOD.replace("QR-9", "QR-10"), "utf-8")
    assert run(app, "index", "import", str(file)) == (0, "0 children new, 1 known and refreshed\n")
    assert TablePatientIndex().find("QR-9") is None
    assert TablePatientIndex().find("QR-10") is not None


def test_index_import_names_every_bad_row_and_loads_nothing(app: Flask, session: Session, file: Path) -> None:
    rows = [
        GOOD,
        ",901,王芳,2021-13-01,男,13900030001,2026-11-16\n",
        "QR-2,902,王芳,2021-02-30,男,13900030001,2026-11-16\n",
        "QR-3,903,王芳,2021-02-03,other,call me,2020-01-01\n",
        "QR-4,904\n",
        "QR-5,905,王芳,2099-01-01,男,,2099-02-01\n",
        "QR-9,900,王芳,2021-01-01,男,,2026-11-16\n",
    ]
    file.write_text(HEADER + "".join(rows), "utf-8")
    code, output = run(app, "index", "import", str(file))
    assert code == 1
    assert output.splitlines() == [
        "row 3, code: is empty",
        "row 3, birth_date: '2021-13-01' is not in the calendar",
        "row 4, birth_date: '2021-02-30' is not in the calendar",
        "row 5, sex: is none of male, female, unknown, 男, 女",
        "row 5, phones: holds something that is no phone number; several are separated by a space",
        "row 6: has 2 values instead of 7",
        "row 7, birth_date: is in the future",
        "row 7, last_visit_on: is before birth_date or in the future",
        "row 8, code: stands in row 2 already",
        "row 8, number: stands in row 2 already",
        "Error: 10 problems; nothing was loaded",
    ]
    assert session.scalar(select(func.count()).select_from(IndexEntry)) == 0


def test_index_import_reads_visits_where_they_are_known(app: Flask, hospital: Hospital, file: Path) -> None:
    rows = [
        GOOD.replace("\n", ",internal-medicine 2026-10-09；dermatology:2026/11/20; other 2026-11-16;\n"),
        GOOD.replace("9", "8").replace("2026/11/16\n", ",\n"),
    ]
    file.write_text(HEADER.replace("\n", ",visits\n") + "".join(rows), "utf-8")
    assert run(app, "index", "import", str(file)) == (0, "2 children new, 0 known and refreshed\n")
    found, never = TablePatientIndex().find("QR-9"), TablePatientIndex().find("QR-8")
    assert found
    assert never
    assert found.seen == (
        ("dermatology", date(2026, 11, 20)),
        ("other", date(2026, 11, 16)),
        ("internal-medicine", date(2026, 10, 9)),
    )
    assert (never.last_visit_on, never.seen) == (None, ())


def test_index_import_names_every_bad_visit(app: Flask, session: Session, hospital: Hospital, file: Path) -> None:
    bad = ("2026-11-16", "other 2026-11-31", "other 2020-01-01", "other 2099-01-01", "")
    rows = [GOOD.replace("QR-9,900", f"QR-{n},{n}").replace("\n", f",{visits}\n") for n, visits in enumerate(bad)]
    file.write_text(HEADER.replace("\n", ",visits\n") + "".join(rows), "utf-8")
    code, output = run(app, "index", "import", str(file))
    assert (code, output.splitlines()) == (
        1,
        [
            "row 2, visits: '2026-11-16' is no visit such as internal-medicine 2021-03-09; several: a semicolon",
            "row 3, visits: '2026-11-31' is not in the calendar",
            "row 4, visits: is before birth_date or in the future",
            "row 5, visits: is before birth_date or in the future",
            "Error: 4 problems; nothing was loaded",
        ],
    )
    file.write_text(HEADER.replace("\n", ",visits\n") + GOOD.replace("\n", ",heart 2026-11-16\n"), "utf-8")
    code, output = run(app, "index", "import", str(file))
    problem = "row 2, visits: no department 'heart'; one without an internet clinic is 'other'"
    assert (code, output.splitlines()[0]) == (1, problem)
    assert session.scalar(select(func.count()).select_from(IndexEntry)) == 3, "the hospital's own"


def test_index_import_does_not_move_a_code_to_another_child(app: Flask, file: Path) -> None:
    file.write_text(HEADER + GOOD, "utf-8")
    run(app, "index", "import", str(file))
    file.write_text(HEADER + GOOD.replace(",900,", ",901,"), "utf-8")
    code, output = run(app, "index", "import", str(file))
    assert (code, output.splitlines()[0]) == (1, "row 2, code: belongs to another patient number")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff\xfe\x00", "the file is neither UTF-8 nor GB18030"),
        (b"", "row 1: the columns must be code,number,name,birth_date,sex,phones,last_visit_on and, if known, visits"),
        (
            b"code;number\n",
            "row 1: the columns must be code,number,name,birth_date,sex,phones,last_visit_on and, if known, visits",
        ),
    ],
)
def test_index_import_says_what_is_wrong_with_a_file(app: Flask, file: Path, data: bytes, problem: str) -> None:
    file.write_bytes(data)
    code, output = run(app, "index", "import", str(file))
    assert (code, output.splitlines()[0]) == (1, problem)


def test_policy_is_set_and_shown(app: Flask, session: Session, hospital: Hospital) -> None:
    assert run(app, "policy", "set", "cancel_until_hours", "24")[0] == 0
    assert run(app, "policy", "set", "release_time", "06:30", "--department", "dermatology")[0] == 0
    assert run(app, "policy", "set", "children_per_account", "6", "--from", "2999-01-01 08:00")[0] == 0
    now = clock.now()
    assert current(session, now).cancel_until_hours == 24
    assert str(current(session, now, "dermatology").release_time) == "06:30:00"
    assert current(session, now, "internal-medicine").release_time == Policy().release_time
    code, output = run(app, "policy", "show", "--department", "dermatology")
    assert code == 0
    assert "cancel_until_hours = 24 (default 12)" in output
    assert "release_time = 06:30:00 (default 07:00:00)" in output
    assert "from 2999-01-01 08:00: children_per_account = 6" in output


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["no_such_rule", "1"], "no rule 'no_such_rule'; there are: horizon_first_day"),
        (["cancel_until_hours", "soon"], "cancel_until_hours: Input should be a valid integer"),
        (["cancel_until_hours", "24", "--department", "magic"], "no department 'magic'"),
    ],
)
def test_policy_refuses_what_is_no_rule(app: Flask, words: list[str], error: str) -> None:
    code, output = run(app, "policy", "set", *words)
    assert code == 1
    assert error in output


def test_staff_bind(app: Flask, session: Session, hospital: Hospital) -> None:
    assert run(app, "staff", "bind", "D002", "o-new") == (0, "D002 is bound\n")
    bound = select(Account.openid).join(Practitioner, Practitioner.account_id == Account.id)
    assert session.scalar(bound.where(Practitioner.code == "D002")) == "o-new"
    assert session.scalar(select(func.count()).where(AuditEvent.action == "bind-staff")) == 1
    assert "that WeChat user is D001" in run(app, "staff", "bind", "D002", "o-doctor")[1]
    assert "no member of staff 'D999'" in run(app, "staff", "bind", "D999", "o-new")[1]
    assert run(app, "staff", "unbind", "D002") == (0, "D002 is not bound\n")
    assert session.scalar(select(func.count()).where(Practitioner.code == "D002", Practitioner.account_id.is_(None)))
    assert session.scalar(select(func.count()).where(AuditEvent.action == "unbind-staff")) == 1
    assert "no member of staff 'D999'" in run(app, "staff", "unbind", "D999")[1]


def test_the_first_administrator_and_an_invitation(
    app: Flask, session: Session, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(app, "staff", "admin", "D001", "o-doctor") == (0, "D001 is an administrator\n")
    assert run(app, "staff", "admin", "D001", "o-doctor")[0] == 0
    held = select(PractitionerRole.role).where(PractitionerRole.practitioner_id == hospital.doctor.id)
    assert set(session.scalars(held)) == {Role.DOCTOR, Role.ADMINISTRATOR}
    assert run(app, "staff", "invite", "D002") == (1, f"Error: {NoSceneCode.message}\n")
    assert "no member of staff 'D999'" in run(app, "staff", "invite", "D999")[1]
    monkeypatch.setattr(Scenes, "create", lambda _self, _scene, _seconds: "http://weixin.example/q/1")
    code, output = run(app, "staff", "invite", "D002")
    assert code == 0
    assert "http://weixin.example/q/1\nfor D002 only, once, until" in output
    assert session.scalars(select(Invitation.practitioner_id)).one() == hospital.colleague.id
    assert run(app, "staff", "admin", "A001") == (1, "Error: no member of staff 'A001'\n")
    code, output = run(app, "staff", "admin", "A001", "--name", "林清")
    assert (code, output.splitlines()[0]) == (0, "A001 is an administrator")
    assert "for A001 only, once" in output


def test_staff_access_prints_the_table(app: Flask) -> None:
    code, output = run(app, "staff", "access")
    assert code == 0
    assert output.startswith("| | anyone | parent | doctor |")


def test_roster_cut(app: Flask, session: Session, hospital: Hospital) -> None:
    assert run(app, "roster", "cut")[0] == 0
    assert run(app, "roster", "cut") == (0, "0 schedules new\n")


def test_menu_is_shown_and_a_silent_wechat_is_one_line(app: Flask) -> None:
    code, output = run(app, "menu", "preview")
    assert code == 0
    assert len(json.loads(output)["button"]) == 3
    code, output = run(app, "menu", "publish")
    assert code == 1
    assert output.startswith("Error: WeChat does not answer")
    assert output.count("\n") == 1


def test_demo_is_a_believable_clinic_and_loads_once(app: Flask, session: Session, tmp_path: Path) -> None:
    assert run(app, "demo", "load", "--to", str(tmp_path))[0] == 0
    rosters = session.scalar(select(func.count()).select_from(Roster))
    code, output = run(app, "demo", "load", "--to", str(tmp_path))
    assert code == 0
    assert output.startswith("demo doctors: 0 new")
    assert session.scalar(select(func.count()).select_from(Roster)) == rosters
    doctors = session.scalars(select(Practitioner).join(Account).where(Account.followed)).all()
    assert len(doctors) == 12 + 3  # two pharmacists and a dispatcher
    demo = current(session, clock.now())
    assert (demo.doctor_group_minutes, demo.quiet_from, demo.quiet_until) == (0, time(0), time(0))
    assert session.scalar(select(func.count()).select_from(PolicyChange)) == 3
    held = [
        (code, role)
        for code, role in session.execute(
            select(Practitioner.code, PractitionerRole.role)
            .join(PractitionerRole)
            .where(PractitionerRole.role != "doctor")
        )
    ]
    assert sorted(held) == [
        ("D001", "administrator"),
        ("P001", "pharmacist"),
        ("P002", "pharmacist"),
        ("V001", "dispatcher"),
        ("V002", "dispatcher"),
    ]
    for day in open_days(clock.now(), Policy()):
        for period in Period:
            at_work = (
                select(func.count())
                .select_from(Schedule)
                .join(Department)
                .where(Department.code == "internal-medicine", Schedule.day == day, Schedule.period == period)
            )
            assert session.scalar(at_work) == 3, (day, period)
    for doctor in (one for one in doctors if one.licence):
        half_days = select(func.count()).where(Roster.practitioner_id == doctor.id)
        assert session.scalar(half_days) in {6, 7}


def test_demo_pictures_hold_the_childrens_codes(app: Flask, tmp_path: Path) -> None:
    run(app, "demo", "load", "--to", str(tmp_path))
    found = {path.stem: _decoded(path) for path in (tmp_path / "qr").iterdir()}
    with (ROOT / "config/demo/children.csv").open(encoding="utf-8") as source:
        codes = {row["code"] for row in csv.DictReader(source)}
    assert found.pop(NO_CODE) is None
    assert found.pop(UNKNOWN) == UNKNOWN_CONTENT
    assert TablePatientIndex().find(UNKNOWN_CONTENT) is None
    assert set(found.values()) == codes
    assert all(TablePatientIndex().find(code or "") for code in found.values())
    text = (tmp_path / "README.txt").read_text("utf-8")
    assert all(f"{name}.png" in text for name in found)
    assert "陈𠮷安" in text


def _decoded(path: Path) -> str | None:
    with Image.open(path) as picture:
        result = zxingcpp.read_barcode(picture)
    return result.text if result else None


def test_demo_children_are_of_every_age() -> None:
    with (ROOT / "config/demo/children.csv").open(encoding="utf-8") as source:
        born = sorted(date.fromisoformat(row["birth_date"]) for row in csv.DictReader(source))
    assert len(born) >= 6
    assert born[-1] - born[0] > timedelta(days=12 * 365)


def test_demo_is_refused_in_production() -> None:
    production = make_settings(
        "postgresql://db/clinic",
        "redis://cache",
        clinic_env="production",
        clinic_origin="https://clinic.example.org",
        secret_key="s" * 40,
        field_keys="k1:" + "A" * 43 + "=",
        blind_index_key="b" * 40,
        wechat_secret="w" * 32,
        wechat_token="t" * 20,
        wechat_api_origin="https://api.weixin.qq.com",
        wechat_open_origin="https://open.weixin.qq.com",
        wechat_jssdk_url="https://res.wx.qq.com/open/js/jweixin-1.6.0.js",
    )
    app = Flask(__name__)
    app.cli.add_command(commands.demo.group(production, OursAlone(), None, "messenger"))
    code, output = run(app, "demo", "load")
    assert (code, output) == (1, "Error: this is production: demo data is for development\n")
