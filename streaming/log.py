"""The structured log on standard error, one line per event: for people on a terminal, JSON elsewhere."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from streaming.settings import StreamingSettings

Log = Any
"""A bound structlog logger: `log.info("event", key=value)`."""


def set_up_log(settings: StreamingSettings, **bound: Any) -> None:
    """Configure the log of this process once. Every line carries `bound` (such as process="online")."""
    human = settings.log_format == "human" or (settings.log_format == "auto" and sys.stderr.isatty())
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]

    def say_who(_: Any, __: str, line: dict[str, Any]) -> dict[str, Any]:
        # Not by context variables: Bytewax's and librdkafka's threads start without the main thread's.
        return {**bound, **line}

    shared: list[Any] = [
        say_who,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if human else "iso", utc=not human),
    ]
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if human
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=shared + last,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_log(name: str) -> Log:
    """A logger whose lines carry the name of this part of the program."""
    return structlog.get_logger(part=name)
