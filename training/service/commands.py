"""The commands of `python -m training` that need the service: `serve`, and `news`, which it tells."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial

import structlog

from training.scheduler.engine import launched
from training.scheduler.news.news import EXIT_CODES
from training.scheduler.runs.runs import Runs
from training.scheduler.workflow.step_process import end_all
from training.service.app import create_app
from training.service.watch import news_of, watching
from training.service.web_server import serving_http
from training.settings import TrainingSettings

_LOG = structlog.get_logger(part="scheduler")
_LOOK_EVERY_S = 0.2


def serve(settings: TrainingSettings, options: argparse.Namespace) -> int:
    """Scheduler, workers and REST, until a signal. The run that is being done continues at the next start.

    The process ends as if it had been killed, because a run survives that: it waits for no step, however long.
    """
    asked = list[int]()  # an Event can be set for ever by a handler that interrupts its own wait
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda number, frame: asked.append(number))
    with launched(settings) as runs:
        with serving_http(settings, partial(create_app, settings, runs)) as address, watching(settings, runs):
            database = settings.runs_database.partition("@")[2] or str(settings.training_runs)
            _LOG.info("serving", database=database, address=address)
            while not asked:
                time.sleep(_LOOK_EVERY_S)
        _LOG.info("stopped")
        end_all()  # a process of steps that is only just loading would notice our end late
        os._exit(0)


def news(settings: TrainingSettings, options: argparse.Namespace) -> int:
    """What there is to tell; the exit code says whether somebody has to look at it."""
    with Runs(settings) as runs:
        found = list(news_of(settings, runs))
    for each in found:
        sys.stdout.write(f"{each.kind:16} {each.text}\n")
    kinds = {each.kind for each in found}
    return next((code for kind, code in EXIT_CODES.items() if kind in kinds), 0)


COMMANDS: dict[str, Callable[[TrainingSettings, argparse.Namespace], int]] = {
    "serve": serve,
    "news": news,
}
