"""The folders of runs: made when a run begins, and removed when enough others have begun after it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from shared_features.kernel.event_time import to_datetime
from training.errors import StepError
from training.steps.run_journal import (
    SUCCEEDED,
    Journal,
    alone_among,
    has_begun,
    journals,
    may_be_held,
    next_number,
    write_journal,
)

_UNFINISHED_KEPT = 20


def begin_folder(runs: Path, journal: Journal, now_us: int, name: str | None = None) -> Path:
    """Make a folder below `runs` and write the journal of a run that has just begun into it. None: a new name."""
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with alone_among(runs):
            run = _new_directory(runs, now_us) if name is None else runs / name
            run.mkdir(exist_ok=True)
            if not has_begun(run):
                write_journal(run, replace(journal, number=next_number(runs)))
    except OSError as error:
        raise StepError(f"the run cannot begin in {runs}: {error}. Mend it, then start the run again.") from error
    return run


def forget_old(runs: Path, kept: int) -> None:
    """Keep the runs that began last, and those that have not ended: a process does them, or may continue them.

    One that nobody does any more is kept until enough others have begun after it. No clock decides: it may step. The
    newest of each model that succeeded is kept however many failed after it: schedules count from its cut what is new.
    """
    with alone_among(runs):
        found = journals(runs)
        succeeded = {each.asked.get("model", ""): run for run, each in reversed(found) if each.status == SUCCEEDED}
        keep = {*(run for run, _ in found[:kept]), *succeeded.values()}
        for place, (run, journal) in enumerate(found):
            if journal.ended_at_us is None and (place < _UNFINISHED_KEPT or may_be_held(run)):
                keep.add(run)
        for path in [each for each in runs.iterdir() if each.is_dir() and each not in keep]:
            shutil.rmtree(path, ignore_errors=True)


def _new_directory(runs: Path, now_us: int) -> Path:
    for name in _names(f"{to_datetime(now_us):%Y%m%dT%H%M%S}"):
        try:
            (runs / name).mkdir()
        except FileExistsError:
            continue
        return runs / name
    raise AssertionError("names do not end")


def _names(stem: str) -> Iterator[str]:
    yield stem
    number = 2
    while True:
        yield f"{stem}-{number}"
        number += 1
