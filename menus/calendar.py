"""A booked visit for the phone's own calendar (RFC 5545).

WeChat opens no downloads: its page says how to open this one in the phone's browser, where nobody is signed in. So the
address itself is the right: signed, for one visit, with no more in it than a message on a locked screen has.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Response, current_app, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer

from booking import queries as bookings
from booking.models import AppointmentStatus
from booking.queries import Visit
from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.formats import masked
from config.hospital import hospital
from config.templates import in_locale
from config.text import N_, translate
from menus.pages import bp, locale, page
from menus.ways import VISITS
from wechat.signin import in_wechat, public

LENGTH = timedelta(minutes=30)  # what the calendar shows; the visit takes as long as it takes
KEPT = timedelta(days=1)  # after the visit the address is worthless
ALARM = timedelta(minutes=30)
OCTETS = 75  # of a line, RFC 5545 section 3.1


def token_of(visit_id: UUID) -> str:
    """What opens the calendar entry of a visit, for a page that its guardian sees."""
    return _signer().dumps(visit_id.hex)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="calendar")


def _visit(token: str) -> tuple[Visit, datetime]:
    """The visit that a token is for, and this moment. Raises NotFound for a forged or an old one."""
    try:
        visit_id = UUID(_signer().loads(token))
    except (BadSignature, ValueError, AttributeError, TypeError):
        raise NotFound from None
    with transaction() as session:
        found, at = bookings.visit(session, visit_id), now()
    if found.appointment.starts_at + KEPT < at or found.appointment.status is AppointmentStatus.PENDING:
        raise NotFound
    return found, at


@bp.get("/calendar/<token>")
@public
def calendar(token: str) -> ResponseReturnValue:
    """In WeChat: how to get there; in a browser: the file."""
    visit, _ = _visit(token)
    return page("calendar.html", tab=VISITS, visit=visit, here_in_wechat=in_wechat(), token=token)


@bp.get("/calendar/<token>.ics")
@public
def calendar_file(token: str) -> ResponseReturnValue:
    visit, at = _visit(token)
    link = request.host_url.rstrip("/") + url_for(".visit", visit_id=visit.appointment.id)
    answer = Response(entry(visit, locale(), at, link), content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="visit-{visit.appointment.day}.ics"'
    return answer


SUMMARY = N_("Video visit: %(department)s")
DETAILS = N_(
    "%(child)s, %(doctor)s, number %(number)s. The time can shift a little. Open it in WeChat, under My visits."
)
REMINDER = N_("The video visit starts soon")


def entry(visit: Visit, locale: str, at: datetime, link: str) -> str:
    """The visit as an iCalendar file; a cancelled one tells the calendar so."""
    appointment = visit.appointment
    details = translate(
        locale,
        DETAILS,
        child=masked(visit.patient.name),
        doctor=in_locale(visit.practitioner.name, locale),
        number=appointment.number,
    )
    gone = appointment.status is AppointmentStatus.CANCELLED
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//internet-clinic//visits//ZH",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{appointment.id}@internet-clinic",
        f"SEQUENCE:{int(gone)}",
        f"DTSTAMP:{_moment(at)}",
        f"DTSTART:{_moment(appointment.starts_at)}",
        f"DTEND:{_moment(appointment.starts_at + LENGTH)}",
        f"SUMMARY:{_text(translate(locale, SUMMARY, department=in_locale(visit.department.name, locale)))}",
        f"DESCRIPTION:{_text(details)}",
        f"LOCATION:{_text(in_locale(hospital().name, locale))}",
        f"URL:{link}",
        f"STATUS:{'CANCELLED' if gone else 'CONFIRMED'}",
        *([] if gone else _alarm(locale)),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def _alarm(locale: str) -> list[str]:
    minutes = int(ALARM.total_seconds() // 60)
    text = _text(translate(locale, REMINDER))
    return ["BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER:-PT{minutes}M", f"DESCRIPTION:{text}", "END:VALARM"]


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        value = value.replace(plain, escaped)
    return value


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets, no character cut in two; all but the first begin with a space."""
    piece = ""
    for character in line:
        if len((piece + character).encode()) > OCTETS:
            yield piece
            piece = " "
        piece += character
    yield piece
