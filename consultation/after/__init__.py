"""What a family can still say after a visit: how it was, one question, that it got worse, a complaint."""
