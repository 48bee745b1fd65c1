"""The journal of a run: the file `run.json` in its folder. A process that reads it can continue the run."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from training.durable_files import may_be_locked, replace_file
from training.errors import StepError

JOURNAL_FILE = "run.json"
_LOCK_FILE, _USE_FILE = ".journal.lock", ".use.lock"
_HELD = set[Path]()
"""By this process, until it ends."""
RUNNING, SUCCEEDED, FAILED = "running", "succeeded", "failed"


@dataclass(frozen=True)
class StepEntry:
    """A finished step. parts: what its key was made of. done: `run`, `skipped` or, for an effect, `effect`.

    ended_at_us: None in runs of earlier releases.
    """

    done: str
    line: str
    seconds: float
    reason: str
    key: str | None = None
    parts: dict[str, Any] | None = None
    ended_at_us: int | None = None


@dataclass(frozen=True)
class Journal:
    """asked: what the run was asked for, as plain data. data: which data it reads. ended_at_us: None while it runs.

    number: runs of a view count up from 1, in the order in which they began. So no clock says which run is newer.
    template: what the run was started as.
    """

    asked: dict[str, Any]
    data: dict[str, Any]
    began_at_us: int
    steps: dict[str, StepEntry]
    status: str = RUNNING
    ended_at_us: int | None = None
    error: str = ""
    number: int = 0
    template: str = "retrain"


def write_journal(run: Path, journal: Journal) -> None:
    """Raises StepError where the disk is full, say: what is there stays as it is."""
    try:
        replace_file(run / JOURNAL_FILE, (json.dumps(asdict(journal), indent=2) + "\n").encode())
    except OSError as error:
        raise _unwritable(run, error) from error


def add_step(run: Path, name: str, entry: StepEntry) -> None:
    """Add a finished step. Several processes may do that at once. Raises StepError where the run is gone."""
    try:
        with (run / _LOCK_FILE).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            journal = read_journal(run)
            write_journal(run, replace(journal, steps={**journal.steps, name: entry}))
    except OSError as error:
        raise _unwritable(run, error) from error


def _unwritable(run: Path, error: OSError) -> StepError:
    return StepError(
        f"the journal of {run} cannot be written: {error}. Mend it, or start a new run if the run was removed."
    )


def read_journal(run: Path) -> Journal:
    """Raises StepError where the run is gone, or its file is damaged."""
    file = run / JOURNAL_FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=Journal)
    except (OSError, msgspec.MsgspecError) as error:
        raise StepError(
            f"{file} cannot be read: {error}. The run was removed, perhaps by an erasure. Start a new run."
        ) from error


def hold(run: Path) -> None:
    """Keep a run that has begun from being forgotten as long as this process lives, whatever a clock says."""
    if run not in _HELD and run.is_dir():
        with suppress(OSError):  # an erasure removes the folder
            fcntl.flock(os.open(run / _USE_FILE, os.O_RDWR | os.O_CREAT, 0o644), fcntl.LOCK_SH)
            _HELD.add(run)


def may_be_held(run: Path) -> bool:
    """Whether a process holds it, or may hold it: see `may_be_locked`."""
    return may_be_locked(run / _USE_FILE)


@contextmanager
def alone_among(runs: Path) -> Iterator[None]:
    """Inside the block no other process begins or forgets a run below this directory."""
    with runs.with_name(f".{runs.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def next_number(runs: Path) -> int:
    """That of a run that begins now. Only inside `alone_among`."""
    return 1 + max((journal.number for _, journal in journals(runs)), default=0)


def has_begun(run: Path) -> bool:
    return (run / JOURNAL_FILE).is_file()


def journals(runs: Path) -> list[tuple[Path, Journal]]:
    """The runs below a directory that have a journal, newest first: that which began last."""
    found = list[tuple[Path, Journal]]()
    for run in sorted((each for each in runs.glob("*") if each.is_dir()), reverse=True):
        with suppress(StepError):  # it has not begun, or is being removed
            found.append((run, read_journal(run)))
    return sorted(found, key=lambda each: each[1].number, reverse=True)  # those of earlier releases have number 0
