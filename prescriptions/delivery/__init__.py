"""The way to the family's door, through the port ``Couriers``."""
