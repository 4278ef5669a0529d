"""The medical record of a visit: what the doctor writes, what follows from it, and what was signed."""
