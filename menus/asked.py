"""A booking form as it came, read in front of Flask (menus/soldout.py, menus/lane.py). Nothing is believed here."""

from __future__ import annotations

import re
from io import BytesIO
from json import loads
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID
from zlib import decompressobj
from zlib import error as ZlibError

from menus.signatures import decoded
from wechat.signin import SIGN_IN, chosen_locale

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PATH = "/visits"
KEPT = "clinic.asked"  # in the environ
FORM, LONGEST = "application/x-www-form-urlencoded", 2000
SCHEDULE, PATIENT = (re.compile(rb"(?:^|&)%b=([0-9a-f-]{36})(?:&|$)" % name) for name in (b"schedule", b"patient"))
PROOF = re.compile(rb"(?:^|&)csrf_token=([\w.-]+)(?:&|$)")
UNUSUAL = (re.compile(rb"(?:^|&)pool=(?!open(?:&|$))"), re.compile(rb"(?:^|&)kind=(?!video(?:&|$))"))
# as itsdangerous writes it: packed (with a dot in front) or not
COOKIE = re.compile(r"(?:^|; )clinic=((\.?)([\w-]+)\.[\w-]+\.[\w-]+)(?:;|$)")


class Asked(NamedTuple):
    """A booking form as sent, with what its browser's cookie says; ``csrf`` is what the form's ``proof`` must prove."""

    schedule_id: UUID
    patient_id: UUID
    sign_in_id: UUID
    locale: str
    cookie: str
    proof: str
    csrf: str


def asked(environ: WSGIEnvironment) -> Asked | None:
    """The form, if it is whole and comes from a browser with a session of ours; None: let the application see."""
    if KEPT not in environ:
        environ[KEPT] = _read(environ)
    found: Asked | None = environ[KEPT]
    return found


def _read(environ: WSGIEnvironment) -> Asked | None:
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdigit() or int(length) > LONGEST or not environ.get("CONTENT_TYPE", "").startswith(FORM):
        return None
    if "json" in environ.get("HTTP_ACCEPT", "") or "HTTP_COOKIE" not in environ:
        return None
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    schedule, patient, cookie = SCHEDULE.search(body), PATIENT.search(body), COOKIE.search(environ["HTTP_COOKIE"])
    if not (schedule and patient and cookie) or any(other.search(body) for other in UNUSUAL):
        return None
    proof = PROOF.search(body)
    try:
        content = decoded(cookie[3].encode())
        kept = loads(decompressobj().decompress(content, LONGEST) if cookie[2] else content)
        speaks = chosen_locale(kept, environ.get("HTTP_USER_AGENT", ""))
        ids = UUID(schedule[1].decode()), UUID(patient[1].decode()), UUID(kept[SIGN_IN])
        csrf = str(kept.get("csrf_token", ""))
    except (KeyError, ValueError, TypeError, AttributeError, ZlibError):
        return None
    return Asked(*ids, speaks, cookie[1], proof[1].decode() if proof else "", csrf) if speaks else None
