"""What lies in the pharmacy, lot by lot: received, reserved, given out, recalled; never below nothing."""
