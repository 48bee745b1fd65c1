"""Files that are there after a power cut: written whole, synced, and only then given their name. And their locks."""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path
from typing import IO, Any


def write_synced(path: Path, content: bytes) -> None:
    """Write a new file and wait until the disk has it; its directory is the caller's to sync."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """Wait until the disk has the directory's entries."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in place in one atomic step: a reader sees the old content or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        write_synced(temporary, content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)


def remove_file(path: Path) -> None:
    """Remove a file, and wait until the disk has it so. Raises FileNotFoundError."""
    path.unlink()
    sync_directory(path.parent)


def take_lock(file: IO[Any]) -> bool:
    """Take the lock of an open file, until it is closed, unless a process has it: then False.

    Raises OSError where the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def may_be_locked(path: Path) -> bool:
    """Whether a process has the lock of a file, shared or not. Nobody has that of a file which does not exist.

    True where nobody can know: the file may not be opened, or its file system has no locks. So what is in use stays.
    """
    try:
        with path.open("r+b") as file:
            return not take_lock(file)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
