"""What has happened after visits."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class QuestionAsked(Fact, order="question_id"):
    """A family asked about the advice: the doctor is told."""

    question_id: UUID


@dataclass(frozen=True)
class QuestionAnswered(Fact, order="question_id"):
    """The doctor answered: who asked is told."""

    question_id: UUID


@dataclass(frozen=True)
class ChildWorse(Fact, order="worsening_id"):
    """A family says that the child got worse: the team is told. ``level`` is what the answers mean, once given."""

    worsening_id: UUID
    level: str = ""


@dataclass(frozen=True)
class ComplaintMoved(Fact, order="complaint_id"):
    """A complaint was received or answered (``status``): who filed it is told."""

    complaint_id: UUID
    status: str
