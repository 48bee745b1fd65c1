"""The log of a registry as files: changes are read without a lock, and made by one process at a time."""

from __future__ import annotations

import errno
import fcntl
import getpass
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared_features.formats.registry_log import LOG_FILE, RegistryChange, decode_log, encode_change
from training.durable_files import sync_directory

Append = Callable[[RegistryChange], None]
"""Writes a change and waits until the disk has it."""


def this_user() -> str:
    """Who runs this process, for the log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"uid {os.getuid()}"


class RegistryLog:
    """Who changed the registry, when and why."""

    def __init__(self, registry: Path, clock: Callable[[], float] = time.time) -> None:
        self.file, self._clock = registry / LOG_FILE, clock

    def now_us(self) -> int:
        return int(self._clock() * 1e6)

    def changes(self, model: str | None = None) -> list[RegistryChange]:
        """Of all models or of one, the newest last; without lines that are damaged."""
        return [each for each in self._read()[0] if model in (None, each.model)]

    def damaged_lines(self) -> list[int]:
        """Their numbers, from 1 on."""
        return self._read()[1]

    @contextmanager
    def changing(self) -> Iterator[Append]:
        """Hold the registry: no other process changes it meanwhile. Raises OSError where it cannot be written."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            sync_directory(self.file.parent)
            yield lambda change: _append(descriptor, encode_change(change))
        finally:
            os.close(descriptor)  # which ends the lock

    def _read(self) -> tuple[list[RegistryChange], list[int]]:
        try:
            content = self.file.read_bytes()
        except FileNotFoundError:
            return [], []
        return decode_log(content, str(self.file))


def _append(descriptor: int, line: bytes) -> None:
    """After a line that a power cut left incomplete, the new one still begins a line."""
    size = os.fstat(descriptor).st_size
    torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
    whole = (b"\n" if torn else b"") + line
    if os.write(descriptor, whole) != len(whole):
        raise OSError(errno.ENOSPC, "The log of the registry could not be written whole. Make room, and repeat it")
    os.fsync(descriptor)
