"""What the account answers in the chat: small handlers, asked in order until one has an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import now
from config.database import transaction
from config.formats import masked
from config.hospital import hospital
from config.text import CHINESE, ENGLISH, N_, known, translate
from notifications import results
from people import queries
from people.access import Viewer
from people.actions import choose_locale, ensure_account, follow, unfollow
from people.index import IndexRecord, PatientIndex, code_blind, number_blind
from people.models import Account, GuardianStatus
from wechat import emergency, qr
from wechat.inbound import (
    Followed,
    Inbound,
    OtherEvent,
    Picture,
    Scanned,
    TemplateFinished,
    Text,
    Unfollowed,
)
from wechat.pictures import Pictures
from wechat.replies import Nothing, Reply, TextReply
from wechat.tickets import Tickets
from wechat.words import is_number, meaning

log = structlog.get_logger()

SCAN_CHILD = "scan-child"  # the key of the menu's scan entry (config/data/menu.toml)
CODES_TRIED = 4  # in one picture


@dataclass(frozen=True)
class Scan:
    """What was found out about a code before the transaction: ``code`` is None when none could be read."""

    code: str | None = None
    record: IndexRecord | None = None
    ticket: str | None = None
    fetched: bool = True


@dataclass(frozen=True)
class Turn:
    """One message and what a handler may use to answer it."""

    message: Inbound
    session: Session
    now: datetime
    locale: str
    origin: str
    scan: Scan | None = None

    def say(self, text: str, locale: str | None = None, **params: object) -> TextReply:
        """The text in the account's language; the names of PAGES stand for links, ``%(hospital)s`` for the name."""
        locale = locale or self.locale
        links = {name: self.link(path, label, locale) for name, (path, label) in PAGES.items()}
        fixed = {"hospital": hospital().name[locale], "ambulance": hospital().number("emergency")}
        return TextReply(translate(locale, text, **{**links, **fixed, **params}))

    def link(self, path: str, label: str, locale: str | None = None) -> str:
        """A link in the chat to a page of ours."""
        return f'<a href="{self.origin}{path}">{translate(locale or self.locale, label)}</a>'


PAGES = {
    "book": ("/internet-diagnosis", N_("Book a doctor")),
    "visits": ("/visits", N_("My visits")),
    "children": ("/children", N_("My children")),
    "bind": ("/children/bind", N_("Bind your child")),
    "help": ("/help", N_("Help")),
}
URGENT = N_("In an emergency call %(ambulance)s or come to the emergency department at once: nobody watches this chat.")
WELCOME = N_(
    "Welcome to the internet clinic of %(hospital)s. A doctor sees your child by video, for a follow-up. Three steps:\n"
    "1. %(bind)s with the hospital's QR code\n"
    "2. %(book)s: pick a department, a day and a doctor\n"
    "3. We remind you here before the visit\n\n"
)
HELP = N_(
    "What you can do here:\n"
    "• %(book)s\n"
    "• %(visits)s: see or cancel\n"
    "• %(children)s: bind a child, show the QR code\n"
    "• %(help)s\n"
    "You can also send a photo of the child's hospital QR code. For English, send “English”.\n\n"
)
BOOK = N_("%(book)s: pick a department, a day and a doctor.\nNot bound a child yet? %(bind)s first.")
VISITS = N_("%(visits)s: see your coming visits, or cancel one.")
CHILDREN = N_("%(children)s: bind a child, or show a child's QR code.\nOr send a photo of the hospital's QR code here.")
LANGUAGE = N_("Send “English” for English, or “中文” for Chinese.")
CHOSEN = N_("From now on we write to you in English.\n\n")
NUMBER = N_(
    "A number alone is not enough to find a child. Please scan the QR code on the registration slip: tap Scan in the "
    "menu, send a photo of it here, or open %(bind)s."
)
BOUND = N_("%(name)s is among your children. What next?\n• %(book)s\n• %(visits)s")
PAUSED = N_("Another guardian has paused your access to this child. %(children)s shows what you can do.")
READ = N_(
    "QR code read. Next: %(confirm)s, with the name, the birth date and the phone number left at the hospital. The "
    "link works for ten minutes."
)
READ_ON_PAGE = N_("Please scan the code on the page: %(bind)s.")
NO_CODE = N_(
    "We found no QR code in this picture. Please take it again from close by: the whole code, in good light, not "
    "folded. Or tap Scan in the menu. No photos of your child or of reports, please: nobody sees them here."
)
NO_PICTURE = N_("We could not load the picture. Please send it again, or tap Scan in the menu.")


def followed(turn: Turn) -> Reply | None:
    """A new follower is welcomed with the three steps."""
    if not isinstance(turn.message, Followed):
        return None
    account = follow(turn.session, turn.message.openid, turn.now)
    locale = known(account.locale)
    return TextReply(turn.say(WELCOME, locale).text + turn.say(URGENT, locale).text)


def unfollowed(turn: Turn) -> Reply | None:
    """Who leaves hears nothing more."""
    if not isinstance(turn.message, Unfollowed):
        return None
    unfollow(turn.session, turn.message.openid, turn.now)
    return Nothing()


def template_finished(turn: Turn) -> Reply | None:
    """How a template message ended."""
    if not isinstance(turn.message, TemplateFinished):
        return None
    results.delivered(turn.session, turn.message.message_id, turn.message.status, turn.now)
    return Nothing()


def scanned(turn: Turn) -> Reply | None:
    """A child's code, scanned from the menu or in a picture: a child of this account, or the way to bind one.

    An unknown code and a code of somebody else's child get the same answer; the proof on the page decides.
    """
    scan = turn.scan
    if scan is None:
        return None
    if scan.code is None:
        return turn.say(NO_CODE if scan.fetched else NO_PICTURE)
    account = _account(turn.session, turn.message.openid)
    for child in queries.children(turn.session, Viewer(account.id, turn.locale)) if account else ():
        if child.patient.code_blind == code_blind(scan.code) or (
            scan.record and child.patient.number_blind == number_blind(scan.record.number)
        ):
            active = child.binding.status is GuardianStatus.ACTIVE
            return turn.say(BOUND, name=masked(child.patient.name)) if active else turn.say(PAUSED)
    if scan.ticket is None:
        return turn.say(READ_ON_PAGE)
    confirm = turn.link(f"/children/bind?ticket={scan.ticket}", N_("confirm that it is your child"))
    return turn.say(READ, confirm=confirm)


def asked(turn: Turn) -> Reply | None:
    """A typed word we know."""
    meant = meaning(turn.message.words) if isinstance(turn.message, Text) else None
    if meant is None or meant == "help":
        return None
    if meant in CHOICES:
        account = ensure_account(turn.session, turn.message.openid, turn.now)
        choose_locale(turn.session, account.id, CHOICES[meant])
        return TextReply("".join(turn.say(text, CHOICES[meant]).text for text in (CHOSEN, HELP, URGENT)))
    return turn.say(ANSWERS[meant])


CHOICES = {"english": ENGLISH, "chinese": CHINESE}
ANSWERS = {"book": BOOK, "visits": VISITS, "children": CHILDREN, "language": LANGUAGE}


def numbered(turn: Turn) -> Reply | None:
    """A patient number, known or not: the code is needed."""
    if isinstance(turn.message, Text) and is_number(turn.message.words):
        return turn.say(NUMBER)
    return None


def event(turn: Turn) -> Reply | None:
    """Events that happen by themselves (a page opened from the menu, a position sent) get no answer."""
    return Nothing() if isinstance(turn.message, OtherEvent) else None


def anything(turn: Turn) -> Reply:
    """The friendly way forward for everything else."""
    return TextReply(turn.say(HELP).text + turn.say(URGENT).text)


Handler = Callable[[Turn], Reply | None]
HANDLERS: tuple[Handler, ...] = (
    followed,
    unfollowed,
    template_finished,
    scanned,
    asked,
    numbered,
    event,
    anything,
)


@dataclass(frozen=True)
class FrontDesk:
    """Answers every message: emergency words first, then what must be asked outside, then the handlers."""

    origin: str
    index: PatientIndex
    tickets: Tickets
    pictures: Pictures

    def answer(self, message: Inbound) -> Reply:
        """The answer to one message; handling the same message twice changes nothing more."""
        if emergency.heard(message.words):
            log.info("emergency-words")
            return emergency.answer()
        scan = self._look(message)
        with transaction() as session:
            account = _account(session, message.openid)
            turn = Turn(message, session, now(), known(account.locale if account else None), self.origin, scan)
            return next(reply for handler in HANDLERS if (reply := handler(turn)) is not None)

    def _look(self, message: Inbound) -> Scan | None:
        """Read the code in the message, and ask the hospital's index about it: no transaction is open here."""
        match message:
            case Scanned(key=key, code=code) if key == SCAN_CHILD:
                codes = [code] if code else []
            case Picture(url=url):
                picture = self.pictures.fetch(url)
                if picture is None:
                    return Scan(fetched=False)
                codes = qr.decode(picture)
            case _:
                return None
        if not codes:
            return Scan()
        found = ((code, self.index.find(code)) for code in codes[:CODES_TRIED])
        code, record = next((pair for pair in found if pair[1]), (codes[0], None))
        return Scan(code, record, self.tickets.put(code))


def _account(session: Session, openid: str) -> Account | None:
    return session.scalar(select(Account).where(Account.openid == openid))
