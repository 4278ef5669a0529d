"""Run two ways of doing the same thing in turns, and compare."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

Work = Callable[[int], object]


@dataclass(frozen=True)
class Way:
    """One way: a name, what is done per call (given the call's number), and what makes ready before each round."""

    name: str
    call: Work
    ready: Callable[[], None] = lambda: None


def rate(way: Way, clients: int, calls: int) -> float:
    """Calls per second of one round."""
    way.ready()
    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        for _ in pool.map(way.call, range(calls)):
            pass
    return calls / (time.perf_counter() - started)


def compare(title: str, first: Way, second: Way, *, clients: int, calls: int, rounds: int = 5) -> float:
    """Print both ways' median rates and the ratio first / second (median of the rounds' ratios); returns the ratio."""
    rate(first, clients, min(calls, 200))
    rate(second, clients, min(calls, 200))
    pairs = [(rate(first, clients, calls), rate(second, clients, calls)) for _ in range(rounds)]
    ratio = statistics.median(a / b for a, b in pairs)
    spread = sorted(a / b for a, b in pairs)
    print(f"{title} ({clients} clients, {rounds} rounds of {calls})")
    for way, rates in ((first, [a for a, _ in pairs]), (second, [b for _, b in pairs])):
        print(f"  {way.name:<44} {statistics.median(rates):>9.0f} /s")
    print(f"  ratio {ratio:.2f}   (rounds {spread[0]:.2f} to {spread[-1]:.2f})\n")
    return ratio
