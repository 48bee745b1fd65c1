"""Logs of training: structured, human-readable on a terminal and for a person, JSON otherwise, on standard error."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Any, TextIO

import structlog

from training.settings import TrainingSettings


def configure_log(settings: TrainingSettings, *, for_a_person: bool = False) -> None:
    """Set up structlog for this process; standard output stays free for what a command prints.

    for_a_person: `auto` is human, wherever standard error leads.
    """
    human = settings.log_format == "human" or (settings.log_format == "auto" and (for_a_person or sys.stderr.isatty()))
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
        logger_factory=structlog.PrintLoggerFactory(_Forgiving(sys.stderr)),  # type: ignore[arg-type]  # it only prints
    )


class _Forgiving:
    """A stream that loses a line for which there is no room: a full disk must not end what the line tells of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()
