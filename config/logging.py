"""Logs as JSON lines on standard error: codes and ids, never names, phones, messages or codes of children."""

from __future__ import annotations

import logging
import sys

import structlog

PROCESSORS: list[structlog.typing.Processor] = [  # one list: loggers already in use keep the one they began with
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(ensure_ascii=False),
]


def configure(level: str) -> None:
    """Set up structlog for this process."""
    structlog.configure(
        processors=PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level="WARNING", stream=sys.stderr, format="%(name)s %(levelname)s %(message)s")
