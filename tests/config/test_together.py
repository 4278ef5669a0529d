"""Wishes that come at the same moment are seen to together, each with its own end."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event, Lock
from time import monotonic

import pytest

from config import together
from config.together import Together


class Desk:
    """Doubles numbers. The first call waits until it may go on; ``calls`` is what was wished in each."""

    def __init__(self, *, refuses: int | None = None, loses: int | None = None) -> None:
        self.calls: list[list[int]] = []
        self.refuses, self.loses = refuses, loses
        self.begun, self.go_on = Event(), Event()
        self.together = Together(self.double)

    def double(self, wishes: Sequence[int]) -> list[int]:
        self.calls.append(list(wishes))
        if len(self.calls) == 1:
            self.begun.set()
            assert self.go_on.wait(30)
        if self.refuses in wishes:
            raise ValueError(f"{self.refuses} of {len(wishes)}")
        return [2 * wish for wish in wishes if wish != self.loses]

    def waiting(self) -> int:
        return len(self.together._waiting)

    def with_company(self, pool: ThreadPoolExecutor, others: Sequence[int]) -> tuple[Future[int], list[Future[int]]]:
        """0 is seen to; the others come one after the other meanwhile."""
        first, found, end = pool.submit(self.together.ask, 0), list[Future[int]](), monotonic() + 30
        assert self.begun.wait(30)
        for number, wish in enumerate(others, 1):
            found.append(pool.submit(self.together.ask, wish))
            while self.waiting() < number:
                assert monotonic() < end
        self.go_on.set()
        return first, found


def test_who_comes_alone_is_seen_to_alone() -> None:
    desk = Desk()
    desk.go_on.set()
    assert [desk.together.ask(wish) for wish in (3, 4)] == [6, 8]
    assert desk.calls == [[3], [4]]


def test_who_comes_meanwhile_is_seen_to_together_in_the_order_of_coming() -> None:
    desk = Desk()
    with ThreadPoolExecutor(8) as pool:
        first, others = desk.with_company(pool, [5, 1, 4, 2, 3])
        assert (first.result(30), [one.result(30) for one in others]) == (0, [10, 2, 8, 4, 6])
    assert desk.calls == [[0], [5, 1, 4, 2, 3]]
    assert desk.together.ask(9) == 18, "afterwards nobody is waited for"


def test_not_more_than_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "MOST", 3)
    desk = Desk()
    with ThreadPoolExecutor(8) as pool:
        _, others = desk.with_company(pool, range(1, 8))
        assert [one.result(30) for one in others] == [2, 4, 6, 8, 10, 12, 14]
    assert desk.calls == [[0], [1, 2, 3], [4, 5, 6], [7]]


def test_where_it_fails_for_several_each_tries_alone() -> None:
    desk = Desk(refuses=2)
    with ThreadPoolExecutor(8) as pool:
        _, others = desk.with_company(pool, [1, 2, 3])
        assert [others[0].result(30), others[2].result(30)] == [2, 6]
        with pytest.raises(ValueError, match="2 of 1"):
            others[1].result(30)
    assert desk.calls[:2] == [[0], [1, 2, 3]]
    assert sorted(desk.calls[2:]) == [[1], [2], [3]]
    assert desk.together.ask(9) == 18, "who failed let the next go on"


def test_an_answer_too_few_is_nobodys() -> None:
    desk = Desk(loses=1)
    with ThreadPoolExecutor(8) as pool:
        _, others = desk.with_company(pool, [1, 2])
        assert others[1].result(30) == 4
        with pytest.raises(IndexError):
            others[0].result(30)


def test_a_failure_alone_is_raised_once_and_lets_the_next_go_on() -> None:
    desk = Desk(refuses=0)
    with ThreadPoolExecutor(8) as pool:
        first, others = desk.with_company(pool, [1, 2])
        with pytest.raises(ValueError, match="0 of 1"):
            first.result(30)
        assert [one.result(30) for one in others] == [2, 4]
    assert desk.calls == [[0], [1, 2]]


def test_many_threads_for_long_get_each_their_own_and_only_one_works_at_a_time() -> None:
    working, sizes = Lock(), list[int]()

    def triple(wishes: Sequence[int]) -> list[int]:
        assert working.acquire(blocking=False), "two at a time"
        sizes.append(len(wishes))
        working.release()
        return [3 * wish for wish in wishes]

    several, start = Together(triple), Barrier(12)

    def visit(number: int) -> bool:
        start.wait(30)
        wishes = range(number, 6000, 12)
        return [several.ask(wish) for wish in wishes] == [3 * wish for wish in wishes]

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(visit, range(12)))
    assert sum(sizes) == 6000
    assert max(sizes) <= together.MOST
