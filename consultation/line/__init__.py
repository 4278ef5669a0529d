"""The doctor's line: checking in, waiting, being called, handed over, and how a visit begins and ends."""
