"""Threads that want the same kind of thing at the same moment get it together, by the work of one of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock
from typing import Any, Generic, TypeVar

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")
MOST = 16  # at once; a process of the Procfile's web has no more threads


@dataclass
class _One(Generic[Wish, Answer]):
    """One thread's wish. Its ``turn`` comes when the wish is ``over``, or when it is to see to all that wait."""

    wish: Wish
    turn: Any = field(default_factory=Lock)
    over: bool = False
    answer: tuple[Answer] | None = None
    following: _One[Wish, Answer] | None = None  # whose turn comes next


class Together(Generic[Wish, Answer]):
    """Sees to several wishes at a time. While one thread does, others wait; then the first of those sees to all of
    them. Alone nobody waits for company.

    Where it fails for several, each tries again alone, so that nobody suffers for what another wished: ``see_to`` may
    have done part of it by then.
    """

    def __init__(self, see_to: Callable[[Sequence[Wish]], Sequence[Answer]]) -> None:
        self._see_to = see_to
        self._mutex, self._waiting, self._busy = Lock(), deque[_One[Wish, Answer]](), False

    def ask(self, wish: Wish) -> Answer:
        """What ``see_to`` answers for this wish. Raises what it raises for this wish alone."""
        mine = _One[Wish, Answer](wish)
        mine.turn.acquire()
        with self._mutex:
            waits, self._busy = self._busy, True
            if waits:
                self._waiting.append(mine)
        if waits:
            mine.turn.acquire()
        if mine.over:
            self._pass_on(mine)
        else:
            self._see_to_all(mine)
        (answer,) = mine.answer or (self._see_to([wish])[0],)
        return answer

    def _see_to_all(self, first: _One[Wish, Answer]) -> None:
        with self._mutex:
            others = [self._waiting.popleft() for _ in range(min(MOST - 1, len(self._waiting)))]
        these = [first, *others]
        try:
            for one, answer in list(zip(these, self._see_to([one.wish for one in these]), strict=True)):
                one.answer = (answer,)
        except Exception:
            if not others:
                raise
        finally:
            for one, following in pairwise(these):
                one.over, one.following = True, following
            these[-1].over = True
            self._pass_on(first)

    def _pass_on(self, one: _One[Wish, Answer]) -> None:
        """Let the next go on: one by one, since all at once would stand in each other's way. The next to see to those
        who wait comes last, so that whoever comes back meanwhile is among them."""
        following = one.following
        if following is None:
            with self._mutex:
                following = self._waiting.popleft() if self._waiting else None
                self._busy = following is not None
        if following is not None:
            following.turn.release()
