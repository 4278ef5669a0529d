"""Why money goes back: codes, and what the payer reads (an English msgid)."""

from __future__ import annotations

from config.text import N_

# At most 20 characters each, in both languages: they stand in a message's ``thing``.
REASONS = {
    "parent": N_("Cancelled by family"),
    "late": N_("Paid too late"),
    "suspended": N_("Clinic was stopped"),
    "rescheduled": N_("Changed to another"),
    "conflict": N_("Has another number"),
    "worsened": N_("Child got worse"),
    "triage": N_("Needs the hospital"),
    "technical": N_("Technical trouble"),
    "delayed": N_("Doctor is delayed"),
    "replaced": N_("Doctor was replaced"),
    "no-followup": N_("Not a follow-up"),
    "identity": N_("Identity not certain"),
    "no-guardian": N_("No guardian present"),
    "unanswered": N_("No doctor answered"),
    "clinic": N_("Cancelled by clinic"),
    "pharmacy": N_("Pharmacy cancelled"),
    "no-stock": N_("Not in stock"),
    "withdrawn": N_("Doctor withdrew it"),
    "decision": N_("Pharmacist decided"),
}
OTHER = N_("Refund")


def reason_text(code: str) -> str:
    """What the payer reads for a code."""
    return REASONS.get(code, OTHER)
