"""Picking, checking by a second person, labels; what was given out of which lot."""
