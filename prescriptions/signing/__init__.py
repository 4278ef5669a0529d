"""Signatures with a key per person: over the canonical content of a prescription, verified at every reading."""
