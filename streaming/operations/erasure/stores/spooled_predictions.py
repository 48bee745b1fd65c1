"""Erasing from the spool of the prediction log: records on serving's disk that Kafka does not have yet.

What a process left behind is changed here. What a living process holds goes to Kafka first, and is erased from the
table: the process has read its files, and would send what they held.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shared_features.counted import counted
from shared_features.errors import FormatVersionError
from shared_features.formats.prediction_log import decode_record, encode_record, erased
from shared_features.formats.prediction_spool import LOCK_FILE, SEGMENTS
from streaming.errors import RefusedError
from streaming.operations.erasure.subjects.asked_about import AskedAbout
from streaming.operations.erasure.subjects.subject import Subject

_LOOK_EVERY_S = 0.2


class SpooledPredictions:
    """The records about some subjects, in a directory of the endpoint, which may not exist here."""

    def __init__(self, directory: Path, subjects: Sequence[Subject]) -> None:
        self._directory, self._about = directory, AskedAbout(subjects)

    def count(self) -> int:
        """How many records there are."""
        return sum(self._changed(_content(segment))[1] for segment in self._segments())

    def erase(self, deadline: Callable[[], bool]) -> int:
        """Empty the records. Returns their number. Raises RefusedError where a living process keeps its files."""
        waiting, gone = set(self._segments()), 0
        while True:
            for folder in sorted({segment.parent for segment in waiting}):
                with _alone(folder) as is_mine:
                    if is_mine:
                        mine = {segment for segment in waiting if segment.parent == folder}
                        gone += sum(map(self._erase, sorted(mine)))
                        waiting -= mine
            waiting = {segment for segment in waiting if segment.exists()}
            if not waiting:
                return gone
            if deadline():
                raise RefusedError(
                    f"The endpoint holds {counted(len(waiting), 'file')} of predictions in {self._directory} that "
                    "Kafka does not have yet. Run this again when serving_prediction_log_spool_bytes is 0, or when the "
                    "endpoint has stopped"
                )
            time.sleep(_LOOK_EVERY_S)

    def _segments(self) -> list[Path]:
        return sorted(self._directory.glob(f"*/{SEGMENTS}"))

    def _erase(self, segment: Path) -> int:
        content, emptied = self._changed(_content(segment))
        if emptied:
            temporary = segment.with_suffix(".new")
            with temporary.open("wb") as written:
                written.write(content)
                written.flush()
                os.fsync(written.fileno())
            temporary.replace(segment)
        return emptied

    def _changed(self, content: bytes) -> tuple[bytes, int]:
        """The content without what is about a subject, and how many records were. Half a line at the end goes too."""
        lines, emptied = [], 0
        for line in content.split(b"\n")[:-1]:
            kept = self._kept(line)
            emptied += kept != line
            lines += [kept + b"\n"] if kept else []
        return b"".join(lines), emptied

    def _kept(self, line: bytes) -> bytes:
        """The line, or the emptied record; nothing of what cannot be read and names the subject."""
        try:
            record = decode_record(line)
        except FormatVersionError:
            return b"" if self._about.is_in(line.decode(errors="replace")) else line
        return encode_record(erased(record)) if record.request and self._about.is_in(record.request) else line


def _content(segment: Path) -> bytes:
    try:
        return segment.read_bytes()
    except FileNotFoundError:  # Kafka has it now
        return b""


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no process has the folder; then nobody takes it meanwhile."""
    try:
        lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:  # its last file was sent
        yield False
        return
    try:
        yield _is_locked(lock)
    finally:
        os.close(lock)


def _is_locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
