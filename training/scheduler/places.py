"""The places of the schedulers of a runs directory: who lives in which, and the runs that a killed one left behind."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dbos import DBOS

from training.durable_files import take_lock
from training.errors import StepError
from training.scheduler.repeating import repeating

_PLACES = 64
_LOOK_EVERY_S = 10.0


@contextmanager
def taken_place(directory: Path) -> Iterator[int]:
    """The lowest number that no living scheduler of this directory has. A killed one gives its number back.

    Raises StepError if the directory cannot be used, or has too many schedulers.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for number in range(_PLACES):
            with _lock(directory, number).open("a") as file:
                if take_lock(file):
                    yield number
                    return
    except OSError as failure:
        raise StepError(
            f"the scheduler cannot use {directory}: {failure}. Mend it, or set MILLRACE_TRAINING_RUNS."
        ) from failure
    raise StepError(f"{_PLACES} schedulers run in {directory} already. Stop some of them.")


def executor_id(place: int) -> str:
    """What DBOS calls the scheduler of a place of this machine. It marks a run with the scheduler that does it."""
    return f"{socket.gethostname()}-{place}"


@contextmanager
def taking_over(directory: Path, own: int) -> Iterator[None]:
    """Inside the block, the runs of killed schedulers of this machine continue here, at once and later on.

    DBOS itself gives the runs of a dead scheduler only to the next one of the same place.
    """

    def look() -> None:
        for place in range(_PLACES):
            if place != own:
                _take_over(directory, place)

    with repeating("take over", _LOOK_EVERY_S, look):
        yield


def _take_over(directory: Path, place: int) -> None:
    """Put what the last scheduler of a place was doing back into the queue, if nobody lives there."""
    path = _lock(directory, place)
    if not path.exists():
        return
    try:
        with path.open("a") as file:
            if take_lock(file):  # held meanwhile, so that nobody moves in
                DBOS._recover_pending_workflows([executor_id(place)])
    except Exception as error:  # the database or the directory is unavailable, and is asked again soon
        DBOS.logger.warning(f"cannot look for runs of killed schedulers now: {error}")


def _lock(directory: Path, place: int) -> Path:
    return directory / f"scheduler-{place}.lock"
