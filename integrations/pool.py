"""The number pool shared with the hospital's own system, over HTTP (docs/rosters.md has what is asked and answered)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import requests

from booking.models import Period
from booking.pool import Clinic, NumberPool, Numbers, OursAlone, PoolUnavailable
from config.settings import Settings

TIMEOUT = (2.0, 15.0)  # seconds to connect, seconds of silence


def connect(settings: Settings) -> NumberPool:
    """The hospital's system if the settings name one; else the numbers are ours alone."""
    if not settings.number_pool_url:
        return OursAlone()
    return HttpPool(settings.number_pool_url.rstrip("/"), settings.number_pool_token.get_secret_value())


@dataclass(frozen=True)
class HttpPool:
    """booking.pool.NumberPool over HTTP: ``POST /reserve`` and ``POST /give-back``."""

    url: str
    token: str

    def reserve(self, wanted: Numbers) -> Numbers:
        """Ask for numbers; an answer that gives what was not asked for is not believed. Raises PoolUnavailable."""
        given = _read(self._ask("reserve", wanted))
        if any(not numbers <= wanted.get(clinic, frozenset()) for clinic, numbers in given.items()):
            raise PoolUnavailable("gives what was not asked for")
        return given

    def give_back(self, unwanted: Numbers) -> None:
        """Hand numbers back. Raises PoolUnavailable."""
        self._ask("give-back", unwanted)

    def _ask(self, verb: str, numbers: Numbers) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        body = {"clinics": [_row(clinic, numbers[clinic]) for clinic in sorted(numbers)]}
        try:
            answer = requests.post(
                f"{self.url}/{verb}", json=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
            if answer.status_code != 200:
                raise PoolUnavailable(f"HTTP {answer.status_code}")
            return answer.json()
        except requests.RequestException as error:
            raise PoolUnavailable(type(error).__name__) from None


def _row(clinic: Clinic, numbers: frozenset[int]) -> Mapping[str, object]:
    names = {"department": clinic.department, "practitioner": clinic.practitioner}
    return names | {"day": clinic.day.isoformat(), "period": clinic.period.value, "numbers": sorted(numbers)}


def _read(answer: Any) -> dict[Clinic, frozenset[int]]:
    try:
        return {
            Clinic(
                str(row["department"]), str(row["practitioner"]), date.fromisoformat(row["day"]), Period(row["period"])
            ): frozenset(map(int, row["numbers"]))
            for row in answer["clinics"]
        }
    except (KeyError, TypeError, ValueError):
        raise PoolUnavailable("an answer of another shape") from None
