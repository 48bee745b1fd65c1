"""A registry in a folder, written: a version appears by one rename, and one process at a time changes the registry."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from shared_features.formats.model_manifest import MANIFEST_FILE
from shared_features.formats.registry_log import LOG_FILE
from shared_features.registry_storage.folder_reader import FolderReader
from shared_features.registry_storage.reader import Stored
from training.durable_files import remove_file, replace_file, sync_directory, write_synced
from training.errors import OvertakenError
from training.registry.storage.registry_store import STALE_S, until_alone

T = TypeVar("T")
_TEMPORARY, _REMOVED = ".publishing-", ".deleting-"
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)


class FolderStore(FolderReader):
    """See RegistryStore. Raises OSError where the folder cannot be written."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        super().__init__(folder)
        self._clock = clock

    @contextmanager
    def new_version(self, model: str, files: Mapping[str, bytes]) -> Iterator[FolderVersion]:
        """They are written aside and synced."""
        directory = self.folder / model
        directory.mkdir(parents=True, exist_ok=True)
        self._remove_stale(directory)
        temporary = directory / f"{_TEMPORARY}{uuid.uuid4().hex}"
        temporary.mkdir()
        try:
            for name, content in files.items():
                write_synced(temporary / name, content)
            yield FolderVersion(temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def change(self, step: Callable[[FolderChange], T]) -> T:
        """It holds the log's lock, so it is alone, except where somebody writes by hand."""
        return until_alone(lambda: self._alone(step))

    def _alone(self, step: Callable[[FolderChange], T]) -> T:
        self.folder.mkdir(parents=True, exist_ok=True)
        log = os.open(self.folder / LOG_FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            fcntl.flock(log, fcntl.LOCK_EX)
            sync_directory(self.folder)
            return step(FolderChange(self, log))
        finally:
            os.close(log)  # which ends the lock

    def _remove_stale(self, directory: Path) -> None:
        """Remove what killed processes left."""
        for path in directory.glob(f"{_REMOVED}*"):
            shutil.rmtree(path, ignore_errors=True)
        for path in directory.glob(f"{_TEMPORARY}*"):
            with suppress(FileNotFoundError):  # published or removed between the look and here
                if path.stat().st_mtime < self._clock() - STALE_S:
                    shutil.rmtree(path, ignore_errors=True)


class FolderVersion:
    """See NewVersion."""

    def __init__(self, temporary: Path) -> None:
        self._temporary, self._number = temporary, 0

    def number(self, lowest: Callable[[], int]) -> int:
        self._number = self._number or lowest()
        return self._number

    def appear(self, manifest: bytes) -> bool:
        directory = self._temporary.parent
        replace_file(self._temporary / MANIFEST_FILE, manifest)
        try:
            os.rename(self._temporary, directory / str(self._number))  # noqa: PTH104  # Path.rename says nothing of directories
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            self._number = 0  # another process took it between the look and the rename
            return False
        sync_directory(directory)
        sync_directory(directory.parent)
        return True


class FolderChange:
    """See Change."""

    def __init__(self, store: FolderStore, log: int) -> None:
        self._store, self._log = store, log

    def append(self, line: bytes) -> None:
        """After a line that a power cut left incomplete, the new one still begins a line."""
        size = os.fstat(self._log).st_size
        torn = size > 0 and os.pread(self._log, 1, size - 1) != b"\n"
        whole = (b"\n" if torn else b"") + line
        if os.write(self._log, whole) != len(whole):
            raise OSError(errno.ENOSPC, "The log of the registry could not be written whole. Make room, and repeat it")
        os.fsync(self._log)

    def replace(self, key: str, content: bytes, known: Stored | None) -> None:
        self._check(key, known)
        replace_file(self._store.folder / key, content)

    def remove(self, key: str, known: Stored) -> None:
        self._check(key, known)
        remove_file(self._store.folder / key)

    def remove_version(self, model: str, version: int) -> None:
        path = self._store.folder / model / str(version)
        removed = path.parent / f"{_REMOVED}{uuid.uuid4().hex}"
        path.rename(removed)
        sync_directory(path.parent)
        shutil.rmtree(removed, ignore_errors=True)

    def _check(self, key: str, known: Stored | None) -> None:
        if self._store.read(key) != known:
            raise OvertakenError(f"{self._store.where(key)} was changed by another process. Try again.")
