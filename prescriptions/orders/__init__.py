"""A family's order for an approved prescription: delivery or pick-up, its price, its payment."""
