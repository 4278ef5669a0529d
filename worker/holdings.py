"""All that the clinic keeps of a child, every room's together, in the order in which rows can go; and what is exempt.

A new table stands in its room's ``holdings.py``, or here among the exempt with the reason (a test compares).
"""

from __future__ import annotations

from sqlalchemy import or_, select

import booking.holdings
import consultation.holdings
import notifications.holdings
import people.holdings
import prescriptions.holdings
from people.keeping import holds
from people.keeping.purging import Keeping
from people.models import Patient

HOLDINGS = (
    *notifications.holdings.HOLDINGS,
    *prescriptions.holdings.HOLDINGS,
    *consultation.holdings.HOLDINGS,
    *booking.holdings.HOLDINGS,
    *people.holdings.HOLDINGS,
)

# Of whom nothing is removed. Another reason to hold is another line: a select of children's ids.
HOLDS = (holds.held(), consultation.holdings.complained(), prescriptions.holdings.unsettled())
HELD = select(Patient.id).where(or_(*(Patient.id.in_(reason) for reason in HOLDS)))

KEEPING = Keeping(HOLDINGS, HELD)

_NOBODY = "tells of no child"
_MONEY = "accounts, kept by the accounting rules; names no child"
_ACCOUNT = "an account's own; goes or stays with it"
_PROTOCOL = "the proof of what was removed: ids, counts and days"

EXEMPT = {
    "accounts": _ACCOUNT,
    "favourites": _ACCOUNT,
    "muted_messages": _ACCOUNT,
    "notice_agreements": _ACCOUNT,
    "consents": "an account's answers; the proof of the right to keep what is kept",
    "sign_ins": "an account's own; forgotten after they ended (people/sessions.py)",
    "computer_codes": "of the staff's computers",
    "status_changes": "goes with the row whose history it is (people/keeping/purging.py)",
    "index_entries": "the hospital's own index, as it loads it",
    "payments": _MONEY,
    "refunds": _MONEY,
    "ledger_entries": _MONEY,
    "reconciliations": _MONEY,
    "differences": _MONEY,
    "purges": _PROTOCOL,
    "purge_lines": _PROTOCOL,
    "purge_files": "names of files on their way out",
    "phrases": "a doctor's own words for any child",
    "medications": _NOBODY,
    "medication_versions": _NOBODY,
    "sent_files": _NOBODY,
    "shelves": _NOBODY,
    "lots": _NOBODY,
    "signing_certificates": _NOBODY,
    "prescription_templates": "a doctor's own sets of medicines for any child",
    "addresses": _ACCOUNT,
    "practitioner_pins": _NOBODY,
    "real_name_checks": _NOBODY,
    "departments": _NOBODY,
    "practitioners": _NOBODY,
    "practitioner_roles": _NOBODY,
    "invitations": _NOBODY,
    "policy_changes": _NOBODY,
    "schedules": _NOBODY,
    "slots": _NOBODY,
    "rosters": _NOBODY,
    "roster_exceptions": _NOBODY,
    "roster_files": _NOBODY,
    "calendar_days": _NOBODY,
    "calendar_years": _NOBODY,
    "clinic_stops": _NOBODY,
}
