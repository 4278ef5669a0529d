"""Rosters: weekly templates and what departs from them, and the schedules and numbers that are cut from both."""

from booking.rosters.cutting import cut_schedules

__all__ = ["cut_schedules"]
