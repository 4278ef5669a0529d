"""The formulary: what the hospital dispenses, in versions that a pharmacist verifies."""
