"""A prescription from its first line to its approval: written by the treating doctor, signed, reviewed."""
