"""What a family is told of a medicine beside what the doctor prescribed; where they differ, the doctor goes first."""

from __future__ import annotations

import re

from config.text import N_, translate

HOURS = re.compile(r"两次至少隔(\d+)小时|(\d+) hours apart(?! from)")  # between two doses, in a leaflet's words
TIMES = re.compile(r"(?:每天|不超过)(?:(\d+)～)?(\d+)次|(?:(\d+) to )?(\d+) times (?:a day|in 24 hours)")  # a day


def counselling(text: str, times: int, interval: int, locale: str) -> str:
    """The leaflet's words; where they name other hours or times than the doctor's, that the doctor's go first.
    ``times``: a day; ``interval``: hours between two doses."""
    hours = {int(one) for found in HOURS.findall(text) for one in found if one}
    often = {int(one) for found in TIMES.findall(text) for one in found if one}
    if hours <= {interval} and (not often or min(often) <= times <= max(often)):
        return text
    return translate(locale, N_("%(text)s (How often and how far apart: as above.)"), text=text)
