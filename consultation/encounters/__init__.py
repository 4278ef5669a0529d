"""One visit as it takes place: its state, who sits in its room, and what happens there in order."""
