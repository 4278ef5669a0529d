"""What the staff's pages share: the blueprint, rendering, and the page for a refusal."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from config.errors import Refused
from config.text import CHINESE, translate
from wechat.signin import visitor_locale

bp = Blueprint("desk", __name__, template_folder="templates", url_prefix="/desk")


def page(template: str, status: int = 200, **context: object) -> ResponseReturnValue:
    """Render one of the staff's pages."""
    lang = "zh-CN" if visitor_locale() == CHINESE else "en"
    return render_template(f"desk/{template}", lang=lang, **context), status


@bp.errorhandler(Refused)
def refused(error: Refused) -> ResponseReturnValue:
    """What the domain refuses, to somebody of the staff or to a visitor who is none."""
    return page("refused.html", error.status, message=translate(visitor_locale(), error.message, **error.params))
