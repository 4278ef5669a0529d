"""Money: the gateway through which it comes and goes back."""
