"""Adding a child: the QR code by scanner or photo, then the proof, then the binding.

The code itself never stands in an address: it waits in Redis under a ticket, or, when Redis is down, in the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from config.clock import now, today
from config.database import transaction
from config.errors import Refused
from config.policy import Policy, current
from config.settings import Settings
from config.text import N_
from menus.forms import BadForm, ProofForm, read
from menus.pages import lead_back, page, say
from menus.ways import CHILDREN, way_on
from people import actions, consents
from people.index import PatientIndex
from people.models import Relation
from people.refusals import ConsentMissing, IndexUnavailable, ProofRefused, TooManyTries
from people.rules import Proof
from wechat.jssdk import JsSdk
from wechat.qr import decode
from wechat.signin import signed_in, viewer
from wechat.tickets import Tickets

PATH = "/children/bind"
CODE_LENGTH = 500
TYPED = tuple(ProofForm.model_fields)

NO_CODE = N_("Please scan the QR code, or choose a picture of it.")
NOT_FOUND = N_(
    "We found no QR code in this picture. Hold the phone straight above the code, in good light, and fill half the "
    "picture with it."
)
SEVERAL = N_("There are several QR codes in this picture. Please show only the child's.")
TOO_OLD = N_("The scan is more than ten minutes old. Please scan the code again.")


@dataclass(frozen=True)
class Binder:
    """What adding a child needs from outside: the hospital's index, WeChat's scanner, the tickets for codes."""

    settings: Settings
    index: PatientIndex
    jssdk: JsSdk
    tickets: Tickets

    def scan_page(self, problem: str | None = None, status: int = 200) -> ResponseReturnValue:
        """Step 1. What was typed before (a ticket that ran out) goes along."""
        here = self.settings.clinic_origin + request.full_path.removesuffix("?")
        return page(
            "scan.html",
            tab=CHILDREN,
            status=status,
            problem=problem,
            scanner=self.jssdk.config(here),
            jssdk_url=self.settings.wechat_jssdk_url,
            next=way_on(request.values.get("next"), ""),
            kept=_typed(),
        )

    def proof_page(
        self, code: str, problems: Mapping[str, str], *, refusal: Refused | None = None, status: int = 200
    ) -> ResponseReturnValue:
        """Step 2, with all that was typed."""
        ticket = self.tickets.put(code)
        with transaction() as session:
            at = now()
            policy = current(session, at)
        return page(
            "proof.html",
            tab=CHILDREN,
            status=status,
            ticket=ticket,
            code=None if ticket else code,
            typed=_typed(),
            problems=problems,
            refusal=say(refusal.message, **refusal.params) if refusal else None,
            needs_phone=policy.bind_needs_phone,
            relations=Relation,
            today=today(at),
            next=way_on(request.values.get("next"), ""),
        )

    def bind(self, form: ProofForm, code: str, policy: Policy) -> str:
        """Try the proof and bind; returns the path of the child's page. Raises what people.actions raises."""
        who = viewer()
        with transaction() as session:
            actions.count_try(session, who.account_id, code, now(), policy)
        record = self.index.find(code)
        proof = Proof(form.name, form.birth_date, form.phone_tail)
        with transaction() as session:
            bound = actions.bind(
                session,
                who.account_id,
                record,
                proof,
                guardian=form.guardian,
                relation=form.relation,
                now=now(),
                policy=policy,
            )
        return f"/children/{bound.patient_id}?new"

    def begin(self) -> ResponseReturnValue:
        """GET: the consents first, then the code, then (with a ticket) the proof."""
        if not _agreed():
            return redirect(f"/consents?{urlencode({'next': request.full_path.removesuffix('?')})}")
        ticket = request.args.get("ticket")
        if not ticket:
            return self.scan_page()
        code = self.tickets.get(ticket)
        return self.proof_page(code, {}) if code else self.scan_page(TOO_OLD)

    def read_code(self) -> ResponseReturnValue:
        """POST of a scanned code or a photo of one."""
        code, problem = _scanned()
        if problem:
            return self.scan_page(problem, 422)
        ticket = self.tickets.put(code)
        if ticket is None or any(_typed().values()):
            return self.proof_page(code, {})
        query = {"ticket": ticket, **({"next": request.form["next"]} if request.form.get("next") else {})}
        return redirect(f"{PATH}?{urlencode(query)}", 303)

    def prove(self) -> ResponseReturnValue:
        """POST of the proof."""
        lead_back(*CHILDREN)
        code = request.form.get("code", "")[:CODE_LENGTH] or self.tickets.get(request.form.get("ticket", ""))
        if not code:
            return self.scan_page(TOO_OLD, 422)
        with transaction() as session:
            at = now()
            policy = current(session, at)
        try:
            form = read(ProofForm, request.form, today=today(at), needs_phone=policy.bind_needs_phone)
            child = self.bind(form, code, policy)
        except BadForm as bad:
            return self.proof_page(code, bad.problems, status=422)
        except (ProofRefused, TooManyTries, IndexUnavailable) as refusal:
            return self.proof_page(code, {}, refusal=refusal, status=refusal.status)
        except ConsentMissing:
            return redirect(f"/consents?{urlencode({'next': PATH})}", 303)
        return redirect(way_on(request.form.get("next"), child), 303)


def blueprint(settings: Settings, index: PatientIndex, jssdk: JsSdk, tickets: Tickets) -> Blueprint:
    """The routes of adding a child."""
    binder = Binder(settings, index, jssdk, tickets)
    binding = Blueprint("binding", __name__, url_prefix=PATH)

    binding.add_url_rule("", "begin", signed_in(binder.begin), methods=["GET"])
    binding.add_url_rule("/code", "read_code", signed_in(binder.read_code), methods=["POST"])
    binding.add_url_rule("", "prove", signed_in(binder.prove), methods=["POST"])
    return binding


def _agreed() -> bool:
    with transaction() as session:
        return consents.given(session, viewer().account_id)


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "")[:100] for name in TYPED}


def _scanned() -> tuple[str, str | None]:
    """The code that was scanned or photographed, and else what to say."""
    code = request.form.get("code", "").strip()
    if code:
        return code[:CODE_LENGTH], None
    photo = request.files.get("photo")
    if photo is None or not photo.filename:
        return "", NO_CODE
    codes = decode(photo.read())
    if len(codes) == 1:
        return codes[0], None
    return "", SEVERAL if codes else NOT_FOUND
