"""The watch: looks for news every few seconds, and queues what was not told yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog

from training.registry.versions import Registry
from training.scheduler.news.news import News, of_champions, of_queues, of_runs, of_schedules, of_ticks
from training.scheduler.news.webhook import tell
from training.scheduler.runs.runs import Runs
from training.scheduler.schedules.past_ticks import past_ticks
from training.scheduler.schedules.schedules import Schedules
from training.settings import TrainingSettings

_LOOK_S = 5.0
_LOG = structlog.get_logger(part="watch")


def news_of(settings: TrainingSettings, runs: Runs) -> Iterator[News]:
    """All that there is to tell now."""
    now, schedules = datetime.now(UTC), list(Schedules(runs.client).all())
    yield from of_runs(runs.newest(), schedules, now)
    yield from of_champions(Registry(settings.registry), settings.champion_age_limit, now)
    yield from of_schedules(schedules, now)
    for each in schedules:
        yield from of_ticks(past_ticks(runs.client, each.schedule.name), now)
    yield from of_queues(runs.queued_steps(), now)


@contextmanager
def watching(settings: TrainingSettings, runs: Runs, look_s: float = _LOOK_S) -> Iterator[None]:
    """Tells inside the block, if there is a webhook."""
    if not settings.runs_webhook:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_watch, args=(settings, runs, stop, look_s), name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _watch(settings: TrainingSettings, runs: Runs, stop: threading.Event, look_s: float) -> None:
    told: set[str] = set()
    while not stop.wait(look_s):
        try:
            for each in news_of(settings, runs):
                if each.id not in told:
                    tell(runs.client, each)
                    told.add(each.id)
        except Exception:  # the database or the registry may be unavailable for a while
            _LOG.exception("looking for news failed")
