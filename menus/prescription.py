"""A prescription on the family's side."""

from __future__ import annotations

SIGNER = "prescriptions.seal"  # where the application keeps it
