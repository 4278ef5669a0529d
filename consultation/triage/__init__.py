"""What follows from the answers about a child, before a number and before the visit: rules that are data."""
