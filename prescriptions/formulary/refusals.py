"""Why a change of the formulary is refused."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class VersionChanged(Refused):
    """Somebody changed the medicine since the page was opened."""

    code = "version-changed"
    message = N_("This medicine has been changed in the meantime. Please look at it again.")


class FormularyChanged(Refused):
    """The formulary changed between the preview and the yes."""

    code = "formulary-changed"
    message = N_("The formulary has changed in the meantime. Please look at the changes again.")
