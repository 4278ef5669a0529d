"""``flask demo load``: a believable small clinic for trying things out (config/demo). Never in production."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import ClinicType, Period
from booking.pool import NumberPool
from booking.roster_models import OnHolidays, Roster
from commands import demo_medicines, demo_pictures, demo_visits
from commands.demo_pictures import NO_CODE, UNKNOWN
from config.clock import now, today
from config.database import transaction
from config.policy import PolicyChange, change
from config.settings import ROOT, Settings
from consultation.record import queries as record
from consultation.record.actions import add_phrase
from people import departments, importing, staff
from people.actions import follow
from people.index import IndexRecord
from people.models import Practitioner, Role, Sex, Title
from people.queries import department
from prescriptions.signing.authority import CertificateAuthority
from prescriptions.signing.keys import KeptKeys, Signer
from worker import jobs

DATA = ROOT / "config/demo"
WEEKDAYS = {Period.MORNING: "mornings", Period.AFTERNOON: "afternoons"}
CLINIC_TYPES = {
    Title.CHIEF: ClinicType.EXPERT,
    Title.ASSOCIATE_CHIEF: ClinicType.EXPERT,
    Title.ATTENDING: ClinicType.ORDINARY,
    None: ClinicType.ORDINARY,
}
STOCKED = timedelta(days=30)  # ago the packages came
SEXES = {Sex.MALE: "boy", Sex.FEMALE: "girl", Sex.UNKNOWN: "child"}


def group(settings: Settings, pool: NumberPool, authority: CertificateAuthority | None, courier: str) -> click.Group:
    """The commands; they refuse to run in production. ``authority`` vouches for the keys of who signs, ``courier`` is
    the name in the rows of who carries medicines."""
    demo = click.Group("demo", help="Demo data; refused in production.")

    @demo.command("load")
    @click.option(
        "--to", type=click.Path(file_okay=False, path_type=Path), default=ROOT / "var/demo", help="Where pictures go."
    )
    @click.option("--visits", is_flag=True, help="Also visits of today, in every state, and an earlier one.")
    def load(to: Path, visits: bool) -> None:
        """Load doctors, rosters and children, and draw the children's QR codes. Repeating it changes nothing, but on a
        new day there are visits of that day."""
        if settings.production:
            raise click.ClickException("this is production: demo data is for development")
        source = (DATA / "children.csv").read_bytes()
        with transaction() as session:
            departments.load(session)
            new = _load_doctors(session, now())
            _load_others(session, now())
            _load_phrases(session)
            _load_policy(session, now())
            importing.load(session, source, date.max)
        jobs.cut(pool)
        children = list(importing.parse(source, date.max).values())
        made = _load_visits(children, KeptKeys(authority), courier, now()) if visits else 0
        demo_pictures.draw(to / "qr", {_picture_names()[child.number]: child for child in children})
        text = _readme(children, to)
        (to / "README.txt").write_text(text, encoding="utf-8")
        click.echo(f"demo doctors: {new} new\ndemo visits: {made} new\n\n{text}")

    return demo


def _read(name: str) -> dict[str, Any]:
    with (DATA / name).open("rb") as source:
        return tomllib.load(source)


def _load_doctors(session: Session, at: datetime) -> int:
    data = _read("doctors.toml")
    known = set(session.scalars(select(Practitioner.code)))
    new = [entry for entry in data["doctor"] if entry["code"] not in known]
    for entry in new:
        doctor = Practitioner(
            code=entry["code"],
            department_id=department(session, entry["department"]).id,
            name=entry["name"],
            title=Title(entry["title"]),
            speciality=entry["speciality"],
            licence=entry["licence"],
        )
        session.add(doctor)
        session.flush()
        session.add_all(_week(doctor, entry, data, today(at)))
        follow(session, entry["openid"], at)
        staff.bind(session, entry["code"], entry["openid"], at)
        for role in ("doctor", *entry.get("roles", [])):
            staff.grant(session, doctor, Role(role), by=None, now=at)
    return len(new)


def _load_visits(children: list[IndexRecord], signer: Signer, courier: str, at: datetime) -> int:
    index = {child.number: child for child in children}
    with transaction() as session:
        demo_medicines.stock(session, at - STOCKED)
        return demo_visits.load(session, _read("visits.toml"), index, signer, courier, at)


def _load_phrases(session: Session) -> None:
    """The phrases of the first doctor's own, unless there are some."""
    data = _read("doctors.toml")
    doctor = session.scalars(select(Practitioner).where(Practitioner.code == data["doctor"][0]["code"])).one()
    if not record.phrases(session, doctor.id):
        for phrase in data["phrase"]:
            add_phrase(session, doctor, phrase["field"], phrase["code"], phrase["text"])


def _load_policy(session: Session, at: datetime) -> None:
    """The rules in which the demo differs, unless somebody has set them otherwise."""
    known = set(session.scalars(select(PolicyChange.key)))
    for key, value in _read("doctors.toml")["policy"].items():
        if key not in known:
            change(session, key, value, author="command:demo", valid_from=at)


def _load_others(session: Session, at: datetime) -> None:
    """Staff without a roster; whose WeChat is not bound the administrator can invite."""
    known = set(session.scalars(select(Practitioner.code)))
    for entry in _read("doctors.toml")["member"]:
        if entry["code"] not in known:
            member = Practitioner(code=entry["code"], name=entry["name"])
            session.add(member)
            session.flush()
            if openid := entry.get("openid"):
                follow(session, openid, at)
                staff.bind(session, entry["code"], openid, at)
            staff.grant(session, member, Role(entry["role"]), by=None, now=at)


def _week(doctor: Practitioner, entry: dict[str, Any], data: dict[str, Any], since: date) -> list[Roster]:
    return [
        Roster(
            practitioner_id=doctor.id,
            department_id=doctor.department_id,
            weekday=weekday,
            period=period,
            starts=data["hours"][period][0],
            ends=data["hours"][period][1],
            quota=data["numbers"],
            fee_fen=entry.get("fee_fen", data["fee_fen"]),
            clinic_type=CLINIC_TYPES[doctor.title],
            on_holidays=OnHolidays(data["on_holidays"]),
            valid_from=since,
        )
        for period, weekdays in WEEKDAYS.items()
        for weekday in entry[weekdays]
    ]


def _picture_names() -> dict[str, str]:
    return {number: name for family in _read("families.toml")["family"] for number, name in family["children"].items()}


def _readme(children: list[IndexRecord], to: Path) -> str:
    by_number = {child.number: child for child in children}
    lines = [
        "Demo children. To bind one, scan its QR code and enter name, birth date and last four digits of the phone.",
        f"The QR codes are pictures in {to / 'qr'}:",
        "",
    ]
    for family in _read("families.toml")["family"]:
        lines.append(f"{family['guardian']} ({family['parent']})")
        lines += [_line(by_number[number], picture) for number, picture in family["children"].items()]
    lines += [
        "",
        "The last two families have visits today and on earlier days, the first of them medicines at home and on their",
        "way: on the phones wu-min and he-jun, and at the desk of doctor-01. On a new day:",
        'make flask ARGS="demo load --visits".',
        "",
        f"{UNKNOWN}.png holds a code that the hospital does not know, {NO_CODE}.png none at all.",
        "",
        "Doctors, bound to the simulator's doctor-01 to doctor-12 in this order",
    ]
    for entry in _read("doctors.toml")["doctor"]:
        also = "".join(f", {role}" for role in entry.get("roles", []))
        lines.append(f"  {entry['name']['zh_CN']}  {entry['name']['en']}, {entry['department']}{also}")
    lines += ["", "Other staff; for whom no phone is named the administrator can print an invitation"]
    for entry in _read("doctors.toml")["member"]:
        phone = ", on the simulator's phone of that name" if "openid" in entry else ""
        lines.append(f"  {entry['name']['zh_CN']}  {entry['name']['en']}, {entry['role']}{phone}")
    return "\n".join(lines) + "\n"


def _line(child: IndexRecord, picture: str) -> str:
    phone = " or ".join(number[-4:] for number in child.phones)
    who = f"{child.name}  {SEXES[child.sex]}, born {child.birth_date}, phone ending in {phone}"
    return f"  {who}, patient number {child.number}, {picture}.png"
