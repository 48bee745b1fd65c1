"""Which workers live: each holds the lock on a file of its own, in the directory of the runs that all machines share.

A lock ends with its process, however that ends. No clock and no heartbeat is needed.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from training.errors import StepError

_FILES = "worker-*.lock"


class Worker(msgspec.Struct, frozen=True):
    """id: what DBOS knows it by. code: of its pipelines."""

    id: str
    queues: tuple[str, ...]
    code: str


@contextmanager
def living(directory: Path, worker: Worker) -> Iterator[None]:
    """Inside the block this process is known as a worker. Raises StepError where the directory cannot be used."""
    path = _file(directory, worker.id)
    behind = path.with_name(f".{path.name}")
    try:
        with behind.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # before anybody sees it
            file.write(msgspec.json.encode(worker).decode())
            file.flush()
            behind.rename(path)
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise StepError(
            f"the worker cannot use {directory}: {error}. Mend it, or set MILLRACE_TRAINING_RUNS."
        ) from error


def lives(directory: Path, worker_id: str) -> bool:
    """Whether the worker of this id lives. What a killed one left is removed."""
    path = _file(directory, worker_id)
    try:
        with path.open("rb") as file:
            if _is_held(file):
                return True
    except FileNotFoundError:
        return False
    path.unlink(missing_ok=True)
    return False


def living_workers(directory: Path) -> list[Worker]:
    """All that live."""
    found = list[Worker]()
    for path in sorted(directory.glob(_FILES)):
        try:
            with path.open("rb") as file:
                if _is_held(file):
                    found.append(msgspec.json.decode(file.read(), type=Worker))
        except (FileNotFoundError, msgspec.MsgspecError):  # it has just ended
            continue
    return found


def _file(directory: Path, worker_id: str) -> Path:
    return directory / _FILES.replace("*", worker_id)


def _is_held(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
