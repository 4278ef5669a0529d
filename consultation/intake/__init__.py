"""What the family tells before the visit: questions that are data, answers in versions, the child's weight."""
