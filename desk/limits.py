"""How many sign-in codes one browser and one address may ask for, so that nobody uses up the whole clinic's.

Counted in Redis by the minute. Redis down: the clinic's own limit (people/computers.py) alone stands.
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv6Address, ip_address

from redis import Redis

from config.redis import attempt
from people.refusals import TooManyCodes

MINUTE = 60  # seconds
PER_BROWSER = 6  # a minute: a code is good for two
PER_ADDRESS = 40  # a minute: a hospital's computers often share one address


class CodeLimit:
    """Counts the codes that were asked for."""

    def __init__(self, store: Redis) -> None:
        self._store = store

    def count(self, browser: str, address: str | None, now: datetime) -> None:
        """One more code for a browser (a random value in its cookie) at an address. Raises TooManyCodes."""
        window, past = divmod(int(now.timestamp()), MINUTE)
        limits = {f"browser:{browser}": PER_BROWSER}
        if network := network_of(address):
            limits[f"address:{network}"] = PER_ADDRESS
        for who, most in limits.items():
            if self._counted(f"desk-code:{window}:{who}") > most:
                raise TooManyCodes(seconds=MINUTE - past)

    def _counted(self, key: str) -> int:
        def count() -> int:
            pipeline = self._store.pipeline()
            pipeline.incr(key)
            pipeline.expire(key, 2 * MINUTE)
            return int(pipeline.execute()[0])

        return int(attempt(count, 0))


def network_of(address: str | None) -> str | None:
    """Whose address it is: one of IPv4, the /64 network of IPv6. None when it is this machine's or none: then it is a
    reverse proxy's that TRUSTED_PROXIES does not name, and everybody's."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if found.is_loopback:
        return None
    return found.exploded[:19] if isinstance(found, IPv6Address) else str(found)
