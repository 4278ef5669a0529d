"""Nudges: who looks at something right now hears at once that there is more; what there is, the rows say.

A nudge is published after its transaction has committed; where nobody publishes, nothing is lost but speed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy.orm import Session

from config.database import afterwards

_TOPICS = "nudges"
_publish: Callable[[Collection[str]], object] | None = None


def use(publish: Callable[[Collection[str]], object] | None) -> None:
    """Set what carries this process's nudges (config.redis.publisher); it must not raise. None: nobody is nudged."""
    global _publish  # noqa: PLW0603 - a process has one
    _publish = publish


def nudge(session: Session, topic: str) -> None:
    """Say under a topic (``encounter:<id>``) that there is more to see, once this session's transaction commits."""
    topics: set[str] = session.info.setdefault(_TOPICS, set())
    if not topics:
        afterwards(session, lambda: _told(session))
    topics.add(topic)


def _told(session: Session) -> None:
    topics: set[str] = session.info.pop(_TOPICS, set())
    if _publish is not None:
        _publish(sorted(topics))
