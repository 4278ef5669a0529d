"""Booking: rosters, schedules, numbers and appointments."""

from booking import stop_models as stop_models  # schedules refer to its table
