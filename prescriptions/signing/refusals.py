"""Why something is not signed, or not shown although it was."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class NoAuthority(Refused):
    """Nothing can be signed in production without the hospital's certificate authority."""

    code = "no-authority"
    status = 503
    message = N_(
        "Nothing can be signed: this clinic has no certificate authority. The administrator sets SIGNING_CA_URL "
        "(docs/settings.md)."
    )


class NoCertificate(Refused):
    """The person has no certificate yet, or it has run out and the authority has not given another."""

    code = "no-certificate"
    status = 503
    message = N_("You have no signing certificate yet. It is asked for every minute; please try again soon.")


class Damaged(Refused):
    """What is stored is not what was signed."""

    code = "prescription-damaged"
    status = 409
    message = N_("This prescription is not what was signed. Do not rely on it; call the hospital.")
