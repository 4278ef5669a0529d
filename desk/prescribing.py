"""Prescribing at the desk: what signs, and what may be prescribed."""

from __future__ import annotations

SIGNER = "prescriptions.signer"  # where the application keeps them
VERIFIED_ONLY = "prescriptions.verified-only"
