"""Logs of training: structured, human-readable on a terminal and JSON otherwise, on standard error."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from training.settings import TrainingSettings


def configure_log(settings: TrainingSettings) -> None:
    """Set up structlog for this process; standard output stays free for what a command prints."""
    human = settings.log_format == "human" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if human else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if human else "iso", utc=not human),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
