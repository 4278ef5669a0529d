"""Which numbers a clinic has, at what time and for whom: pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from booking.models import Pool
from booking.rules import number_times


@dataclass(frozen=True)
class Number:
    """One number; ``held``: somebody has it, paid or not."""

    number: int
    starts_at: datetime
    pool: Pool
    held: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is somebody's or for sale. Of what is held and wanted no more, ``withdrawn`` says that it is not
        sold again when it is given back."""
        return self.held or self.pool is not Pool.WITHDRAWN


@dataclass(frozen=True)
class Shape:
    """What decides the numbers of a clinic: its hours, how many numbers, and how many are kept back for whom."""

    starts_at: datetime
    ends_at: datetime
    quota: int
    kept_back: Mapping[Pool, int]


def arranged(have: Iterable[Number], ours: Collection[int], shape: Shape) -> list[Number]:
    """The numbers that the clinic should have. What is held stays, whatever the shape says.

    ``ours`` are the numbers that are ours to give out. Held by nobody: times divide the hours evenly. Held by somebody:
    what is there keeps its time, new numbers come at the end, and only free ones go, from the end.
    """
    there = {number.number: number for number in have}
    held = {n for n, number in there.items() if number.held}
    wanted = {n for n in ours if 1 <= n <= shape.quota} | held
    times = _added(there, wanted, shape) if held else dict(enumerate(_evenly(shape), start=1))
    made = {n: replace(there[n], starts_at=times.get(n, there[n].starts_at)) for n in wanted & set(there)}
    made |= {n: Number(n, times[n], Pool.OPEN) for n in wanted - set(there)}
    for n in held:
        pool = made[n].pool if made[n].pool is not Pool.WITHDRAWN else Pool.OPEN
        made[n] = replace(made[n], pool=pool if n <= shape.quota else Pool.WITHDRAWN)
    free = [n for n in sorted(made) if n not in held]
    pools = _pools(free, _still_needed(made, held, shape))
    return [replace(made[n], pool=pools.get(n, made[n].pool)) for n in sorted(made)]


def only_held(have: Iterable[Number]) -> list[Number]:
    """The numbers of a clinic that should not be: what is held, not to be sold again."""
    held = (replace(number, pool=Pool.WITHDRAWN) for number in have if number.held)
    return sorted(held, key=lambda number: number.number)


def _evenly(shape: Shape) -> list[datetime]:
    return number_times(shape.starts_at, shape.ends_at, shape.quota)


def _added(there: Mapping[int, Number], wanted: Collection[int], shape: Shape) -> dict[int, datetime]:
    """Times of the numbers that come new: between the last one and the end; of a gap, that of the number before."""
    known = {n: there[n].starts_at for n in wanted if n in there}
    last = max(known)
    after = sorted(n for n in wanted if n > last)
    step = (max(shape.ends_at, known[last]) - known[last]) / (len(after) + 1)
    added = {n: (known[last] + step * (i + 1)).replace(second=0, microsecond=0) for i, n in enumerate(after)}
    gaps = (n for n in wanted if n < last and n not in known)
    return added | {n: known[max((m for m in known if m < n), default=min(known))] for n in gaps}


def _still_needed(made: Mapping[int, Number], held: Collection[int], shape: Shape) -> dict[Pool, int]:
    taken = [made[n].pool for n in held]
    return {pool: max(0, count - taken.count(pool)) for pool, count in shape.kept_back.items()}


def _pools(free: list[int], needed: Mapping[Pool, int]) -> dict[int, Pool]:
    """The last free numbers are kept back; from the end: areas under control, follow-ups, later the same day."""
    pools = dict.fromkeys(free, Pool.OPEN)
    rest = list(free)
    for pool in (Pool.AREA, Pool.FOLLOWUP, Pool.LATER):
        for _ in range(min(needed.get(pool, 0), len(rest))):
            pools[rest.pop()] = pool
    return pools
