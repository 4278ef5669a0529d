"""A new rules file tried on past answers before it counts: which verdicts change, which way, by which rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from booking.admission import Level
from consultation.triage.models import TriageResult
from consultation.triage.rules import Rules, judge


@dataclass
class Replay:
    """``judged``: how many answers; ``stricter`` and ``milder``: how many verdicts change in that direction; ``moves``:
    by old and new level; ``gained`` and ``lost``: by rule, in how many it begins or ceases to hold."""

    judged: int = 0
    stricter: int = 0
    milder: int = 0
    moves: Counter[tuple[Level, Level]] = field(default_factory=Counter)
    gained: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


def replay(old: Rules, new: Rules, past: Iterable[TriageResult]) -> Replay:
    """Judge past answers by both rules: what the family changed and what the doctor decided is left out."""
    found = Replay()
    for result in past:
        answers, age = result.judged
        was = judge(old.version, old.visiting, answers, age)
        becomes = judge(new.version, new.visiting, answers, age)
        found.judged += 1
        found.gained.update(set(becomes.held) - set(was.held))
        found.lost.update(set(was.held) - set(becomes.held))
        if was.level is not becomes.level:
            found.moves[was.level, becomes.level] += 1
            found.stricter += becomes.level.rank > was.level.rank
            found.milder += becomes.level.rank < was.level.rank
    return found
