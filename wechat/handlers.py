"""What the account answers in the chat: small handlers, and the table that says which is asked about what."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import now
from config.database import transaction
from config.formats import masked, moment
from config.policy import chat_is_staffed, current
from config.text import CHINESE, ENGLISH, N_, known
from consultation.actions import await_picture
from consultation.queries import next_visit
from notifications import agreements, results
from people import queries, staff
from people.access import Viewer
from people.actions import choose_locale, ensure_account, erase_profile, follow, unfollow
from people.index import PatientIndex, code_blind, number_blind
from people.models import Account, GuardianStatus
from wechat import emergency, qr
from wechat.messages import (
    AccountVerified,
    AuthorizationCancelled,
    AuthorizationRevoked,
    Clicked,
    Event,
    Followed,
    Inbound,
    Message,
    Picture,
    Scanned,
    SceneScanned,
    SubscriptionsAnswered,
    SubscriptionsSent,
    TemplateFinished,
    Text,
    Unfollowed,
)
from wechat.pictures import Pictures
from wechat.replies import Nothing, PassOn, Reply, TextReply
from wechat.router import Route, Scan, Turn, answer
from wechat.scenes import scene_scanned
from wechat.tickets import Tickets
from wechat.words import is_number

log = structlog.get_logger()

SCAN_CHILD = "scan-child"  # the key of the menu's scan entry (config/data/menu.toml)
CODES_TRIED = 4  # in one picture


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
    "folded. Or tap Scan in the menu. Photos of your child or of reports can be sent once a visit is booked: until "
    "then nobody sees them here."
)
SAVING = N_(
    "We are saving this picture for the doctor who sees %(child)s, %(time)s, and tell you here when it is done: "
    "%(pictures)s. If it shows a QR code, tap Scan in the menu instead.\n\n"
)
NO_PICTURE = N_("We could not load the picture. Please send it again, or tap Scan in the menu.")


def followed(turn: Turn) -> Reply:
    """A new follower is welcomed with the three steps."""
    account = follow(turn.session, turn.message.openid, turn.now)
    staff.refollowed(turn.session, account.id)
    locale = known(account.locale)
    return TextReply(turn.say(WELCOME, locale).text + turn.say(URGENT, locale).text)


def unfollowed(turn: Turn) -> Reply:
    """Who leaves hears nothing more."""
    unfollow(turn.session, turn.message.openid, turn.now)
    return Nothing()


def profile_revoked(turn: Turn) -> Reply:
    """Who takes back what WeChat let us know, or closes their WeChat account, loses the profile, not the record."""
    erase_profile(turn.session, turn.message.openid, turn.now)
    return Nothing()


def template_finished(turn: Turn) -> Reply:
    """How a template message ended."""
    if isinstance(turn.message, TemplateFinished):
        told = turn.message
        results.delivered(turn.session, told.message_id, told.status, turn.now, openid=told.openid)
    return Nothing()


def notices_answered(turn: Turn) -> Reply:
    """What a person agreed to when a page asked, or took back in WeChat's settings."""
    told, account = turn.message, _account(turn.session, turn.message.openid)
    if isinstance(told, SubscriptionsAnswered) and account:
        at = datetime.fromtimestamp(told.created_at, UTC)
        for said in told.answers:
            if said.accepted and not told.changed:
                agreements.given(turn.session, account.id, said.template_id, at)
            elif told.changed and not said.accepted:
                agreements.ended(turn.session, account.id, said.template_id, at, turn.now)
    return Nothing()


def notices_sent(turn: Turn) -> Reply:
    """How one-time notices ended."""
    if isinstance(turn.message, SubscriptionsSent):
        for told in turn.message.results:
            status = results.SUCCESS if told.error == "0" else f"failed:{told.error}"
            results.delivered(turn.session, told.message_id, status, turn.now, openid=turn.message.openid)
    return Nothing()


def verified(turn: Turn) -> Reply:
    """A step of the account's yearly verification; without it WeChat takes the account's interfaces away."""
    told = turn.message
    if isinstance(told, AccountVerified):
        log.warning("account-verification", step=told.step, succeeded=told.succeeded, expires_at=told.expires_at)
    return Nothing()


def scanned(turn: Turn) -> Reply | None:
    """A child's code, scanned from the menu or in a picture: a child of this account, or the way to bind one.

    An unknown code and a code of somebody else's child get the same answer; the proof on the page decides.
    """
    scan = turn.scan
    if scan is None:
        return None
    if scan.code is None:
        if isinstance(turn.message, Picture) and (reply := _for_a_visit(turn, turn.message)):
            return reply
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


def _for_a_visit(turn: Turn, picture: Picture) -> Reply | None:
    """Let the worker save a picture for the nearest visit of the sender's children; None when none is coming."""
    account = _account(turn.session, turn.message.openid)
    visit = next_visit(turn.session, Viewer(account.id, turn.locale), turn.now) if account else None
    if not account or not visit or not picture.media_id:
        return None
    digest = hashlib.sha256("\0".join(picture.identity).encode()).digest()
    await_picture(turn.session, visit, account.id, picture.media_id, digest, telling=turn.locale)
    link = turn.link(f"/visits/{visit.appointment.id}#pictures", N_("Its pictures"))
    time = moment(visit.appointment.starts_at, turn.locale)
    saving = turn.say(SAVING, child=masked(visit.patient.name), time=time, pictures=link)
    return TextReply(saving.text + turn.say(URGENT).text)


CHOICES = {"english": ENGLISH, "chinese": CHINESE}
ANSWERS = {"book": BOOK, "visits": VISITS, "children": CHILDREN, "language": LANGUAGE}


def language_chosen(turn: Turn) -> Reply:
    """The language in which we write from now on."""
    locale = CHOICES[str(turn.meaning)]
    account = ensure_account(turn.session, turn.message.openid, turn.now)
    choose_locale(turn.session, account.id, locale)
    return TextReply("".join(turn.say(text, locale).text for text in (CHOSEN, HELP, URGENT)))


def told_where(turn: Turn) -> Reply:
    """A typed word we know: where to go."""
    return turn.say(ANSWERS[str(turn.meaning)])


def numbered(turn: Turn) -> Reply | None:
    """A patient number, known or not: the code is needed."""
    return turn.say(NUMBER) if is_number(turn.message.words) else None


def passed_on(turn: Turn) -> Reply | None:
    """To the hospital's people who answer in the chat, while they are there (policy, off unless the hospital says)."""
    return PassOn() if chat_is_staffed(current(turn.session, turn.now), turn.now) else None


def silent(turn: Turn) -> Reply:  # noqa: ARG001
    """Events that happen by themselves (a page opened from the menu, a position sent) get no answer."""
    return Nothing()


def helped(turn: Turn) -> Reply:
    """The friendly way forward for everything else."""
    return TextReply(turn.say(HELP).text + turn.say(URGENT).text)


ROUTES = (
    Route((Followed, SceneScanned), scene_scanned),
    Route(Followed, followed),
    Route(Unfollowed, unfollowed),
    Route((AuthorizationRevoked, AuthorizationCancelled), profile_revoked),
    Route(TemplateFinished, template_finished),
    Route(SubscriptionsAnswered, notices_answered),
    Route(SubscriptionsSent, notices_sent),
    Route(AccountVerified, verified),
    Route(Scanned, scanned, key=SCAN_CHILD),
    Route(Picture, scanned),
    Route(Text, language_chosen, words=frozenset(CHOICES)),
    Route(Text, told_where, words=frozenset(ANSWERS)),
    Route(Text, helped, words=frozenset({"help"})),
    Route(Text, numbered),
    Route(Message, passed_on),
    Route((Message, Clicked, Scanned, SceneScanned), helped),
    Route(Event, silent),
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
            return answer(ROUTES, turn)

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
