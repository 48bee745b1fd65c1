"""The runs that were done elsewhere and imported here: listed, shown and compared, and nothing else.

They lie in a folder beside those of the views (`formats.run_archive`). The database of runs knows nothing of them, so
none is resumed, forked, counted or taken for a run of this place.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from shared_features.errors import FormatVersionError
from shared_features.formats.run_archive import ARCHIVE_FILE, IMPORTED_FOLDER, RunArchive, decode_run_archive
from shared_features.formats.training_run import NEW_PREFIX
from training.durable_files import sync_directory
from training.errors import ConflictError, StepError, UnknownNameError
from training.runs.records.run_archive import unpack_archive
from training.scheduler.runs.run import Run
from training.scheduler.workflow.run_steps import RunStep

IMPORTED = "imported:"
"""The beginning of the id of an imported run; no other run has it."""
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)
_ABANDONED_S = 24 * 3600.0


class ImportedRuns:
    """runs: the directory of the training runs."""

    def __init__(self, runs: Path) -> None:
        self._directory = runs / IMPORTED_FOLDER

    def add(self, opened: IO[bytes], where: str) -> str:
        """Unpack an archive; returns the id of its run. Raises RequestError, or ConflictError where it is here."""
        new = self._directory / f"{NEW_PREFIX}{uuid.uuid4().hex}"
        try:
            self._remove_abandoned()
            new.mkdir(parents=True)
            archive = unpack_archive(opened, where, new)
            self._put(new, archive.id)
        except OSError as error:
            raise StepError(
                f"{where} cannot be unpacked in {self._directory}: {error}. Mend it, then import it again."
            ) from error
        finally:
            shutil.rmtree(new, ignore_errors=True)
        return f"{IMPORTED}{archive.id}"

    def show(self, run_id: str) -> Run:
        return _run(self._archive(run_id), self.folder(run_id))

    def all(self) -> Iterator[Run]:
        """Newest first. One whose folder is being removed or cannot be read is left out."""
        found = list[Run]()
        for folder in self._directory.glob("*/"):
            if not folder.name.startswith(NEW_PREFIX):
                with suppress(OSError, FormatVersionError):
                    found.append(_run(_read(folder), folder))
        return iter(sorted(found, key=asked_at, reverse=True))

    def steps(self, run_id: str) -> tuple[RunStep, ...]:
        steps = self._archive(run_id).steps
        return tuple(RunStep(each.name, each.state, each.reason, each.seconds, each.line) for each in steps)

    def plan(self, run_id: str) -> Mapping[str, Sequence[str]]:
        return {each.name: each.needs for each in self._archive(run_id).steps}

    def folder(self, run_id: str) -> Path:
        return self._directory / hashlib.sha256(run_id.removeprefix(IMPORTED).encode()).hexdigest()[:20]

    def archive(self, run_id: str) -> RunArchive:
        """As it was imported."""
        return self._archive(run_id)

    def _archive(self, run_id: str) -> RunArchive:
        try:
            return _read(self.folder(run_id))
        except FileNotFoundError as error:
            raise UnknownNameError(f"There is no run {run_id!r}. `python -m training runs` lists them.") from error

    def _put(self, new: Path, run_id: str) -> None:
        folder = self.folder(run_id)
        try:
            os.rename(new, folder)  # noqa: PTH104  # Path.rename says nothing of directories
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            raise ConflictError(
                f"Run {run_id} was imported already, as {IMPORTED}{run_id}. To import it again, remove {folder} first."
            ) from error
        sync_directory(self._directory)

    def _remove_abandoned(self) -> None:
        """What killed imports left; a living one is done within a day."""
        for folder in self._directory.glob(f"{NEW_PREFIX}*"):
            with suppress(FileNotFoundError):
                if folder.stat().st_mtime < time.time() - _ABANDONED_S:
                    shutil.rmtree(folder, ignore_errors=True)


def is_imported(run_id: str) -> bool:
    return run_id.startswith(IMPORTED)


def asked_at(run: Run) -> datetime:
    """By which runs are in order."""
    return datetime.fromisoformat(run.asked_at)


def _read(folder: Path) -> RunArchive:
    file = folder / ARCHIVE_FILE
    return decode_run_archive(file.read_bytes(), str(file))


def _run(archive: RunArchive, folder: Path) -> Run:
    return Run(
        f"{IMPORTED}{archive.id}",
        archive.status,
        archive.template,
        archive.parameters,
        archive.asked_at,
        folder.name,
        archive.error,
        tuple(each.name for each in archive.steps),
        archive.began_at_ms,
        archive.ended_at_ms,
        archive.origin,
        archive.summary,
        imported=True,
        reason=archive.reason,
    )
