"""What a parent wants to hear: reminders can be switched off, what must be known can't."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from menus.notices import notices
from menus.pages import bp, page
from menus.ways import CHILDREN
from notifications.catalogue import Message, messages
from notifications.preferences import choose, muted
from wechat.signin import signed_in, viewer

PARENTS = "guardian"


def mine(*, mutable: bool) -> list[Message]:
    """The messages that parents get and may, or may not, switch off."""
    return [entry for entry in messages().values() if entry.audience == PARENTS and entry.mutable is mutable]


@bp.get("/settings/messages")
@signed_in
def message_settings() -> ResponseReturnValue:
    with transaction() as session:
        off = muted(session, viewer().account_id)
        choices, always = mine(mutable=True), mine(mutable=False)
        asked = notices().asked(session, viewer().account_id, [entry.name for entry in (*choices, *always)])
    by_notice = {one.message.name for one in asked}
    return page(
        "messages.html",
        tab=CHILDREN,
        choices=choices,
        always=[entry for entry in always if entry.name not in by_notice],
        off=off,
        saved="saved" in request.args,
        **notices().shown(asked),
    )


@bp.post("/settings/messages")
@signed_in
def set_messages() -> ResponseReturnValue:
    wanted = set(request.form.getlist("wanted"))
    with transaction() as session:
        for entry in mine(mutable=True):
            choose(session, viewer().account_id, entry.name, wanted=entry.name in wanted, now=now())
    return redirect(url_for(".message_settings", saved=1), 303)
