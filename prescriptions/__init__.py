"""Medicines: the formulary, and the rules of a prescription."""
