"""The spool: records that Kafka did not take yet, on disk, within a bound.

Each process has a folder of its own, with a lock. What a process leaves behind, another one sends: the next that
starts, or one that runs. A segment is a file of lines, and is deleted when Kafka has all of its records. A line that is
not complete was being written when its process died.
"""

from __future__ import annotations

import fcntl
import os
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from shared_features.formats.prediction_spool import LOCK_FILE, SEGMENT_NAME, SEGMENTS

_SEGMENT_BYTES = 1 << 20


@dataclass(eq=False)
class Segment:
    """One file. `left`: how many of its records Kafka does not have yet, once it was read."""

    path: Path
    length: int
    left: int = 0
    records: list[bytes] = field(default_factory=list)


class Spool:
    """Of one process. most_bytes: of its own segments and of those it took over. Used by one thread."""

    def __init__(self, directory: Path, instance: str, most_bytes: int) -> None:
        self._directory, self._own = directory, directory / instance
        self._most_bytes = most_bytes
        self._sealed: deque[Segment] = deque()
        self._written: IO[bytes] | None = None
        self._number = 0
        self._locks: dict[Path, int] = {}
        self.length = 0
        """Bytes on disk."""

    def append(self, record: bytes) -> bool:
        """Keep a record. False where there is no room, or where the disk refuses."""
        if self.length + len(record) + 1 > self._most_bytes:
            return False
        try:
            file = self._written or self._begin()
            file.write(record + b"\n")
            file.flush()
        except OSError:
            return False
        self.length += len(record) + 1
        if file.tell() >= _SEGMENT_BYTES:
            self._seal()
        return True

    def take(self) -> Segment | None:
        """The oldest segment with its records; None where there is none. It stays on disk until `done`."""
        if not self._sealed:
            self._seal()
        if not self._sealed:
            return None
        segment = self._sealed.popleft()
        try:
            lines = segment.path.read_bytes().split(b"\n")
        except OSError:
            self._sealed.append(segment)  # it may be readable later
            return None
        segment.records = lines[:-1]
        segment.left = len(segment.records)
        return segment

    def done(self, segment: Segment) -> None:
        """Kafka has all of its records, or they are elsewhere."""
        with suppress(OSError):
            segment.path.unlink()
        self.length -= segment.length
        folder = segment.path.parent
        if folder != self._own and not any(folder.glob(SEGMENTS)):
            self._give_back(folder)

    def take_over(self) -> int:
        """Take over the segments of processes that have ended; how many."""
        found = 0
        for folder in sorted(self._directory.glob("*/")):
            if folder != self._own and folder not in self._locks and self._lock(folder):
                segments = [Segment(path, path.stat().st_size) for path in sorted(folder.glob(SEGMENTS))]
                self._sealed.extend(segments)
                self.length += sum(each.length for each in segments)
                found += len(segments)
                if not segments:
                    self._give_back(folder)
        return found

    def close(self) -> None:
        """Seal what is written, and let other processes have it."""
        self._seal()
        for folder in list(self._locks):
            self._give_back(folder)

    def _begin(self) -> IO[bytes]:
        if self._own not in self._locks:
            self._own.mkdir(parents=True, exist_ok=True)
            if not self._lock(self._own):
                raise OSError(f"the folder {self._own.name} of this process is locked by another")
        self._number += 1
        self._written = (self._own / SEGMENT_NAME.format(self._number)).open("ab")
        return self._written

    def _seal(self) -> None:
        file, self._written = self._written, None
        if file is not None:
            length = file.tell()
            file.close()
            self._sealed.append(Segment(Path(file.name), length))

    def _lock(self, folder: Path) -> bool:
        try:
            lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:  # another process has just deleted it
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return False
        self._locks[folder] = lock
        return True

    def _give_back(self, folder: Path) -> None:
        """Unlock a folder, and delete it where nothing is in it."""
        if not any(folder.glob(SEGMENTS)):
            with suppress(OSError):
                (folder / LOCK_FILE).unlink()
                folder.rmdir()
        os.close(self._locks.pop(folder))
