"""Booking: rosters, schedules, numbers and appointments."""
