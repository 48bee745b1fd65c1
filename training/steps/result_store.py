"""The store of step results, by key. A result is there whole or not at all, and never changes."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from shared_features.errors import FormatVersionError
from shared_features.formats.training_run import (
    BEGUN_FILE,
    NEW_PREFIX,
    RESULT_FILE,
    RESULTS_FOLDER,
    StepResult,
    decode_step_result,
    encode_step_result,
)
from training.durable_files import may_be_locked, sync_directory, write_synced
from training.errors import StepError

_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)
_INPUTS = "inputs"

Digest = Callable[[bytes], str]


class ResultStore:
    """Several processes may use it at once. `runs`: the directory of the training runs."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self.directory = runs / RESULTS_FOLDER

    def folder(self, step: str, key: str) -> Path:
        return self.directory / key / step

    def find(self, step: str, key: str) -> StepResult | None:
        """The result, if it is there with all its files in their sizes. A damaged one is removed: it is made again."""
        entry = self.directory / key
        if not entry.is_dir():
            return None
        with suppress(FormatVersionError, OSError):
            result = decode_step_result((entry / RESULT_FILE).read_bytes(), str(entry / RESULT_FILE))
            if all((entry / step / name).stat().st_size == size for name, (_, size) in result.files.items()):
                return result
        shutil.rmtree(entry, ignore_errors=True)
        return None

    def claim(self, link: Path, step: str, key: str) -> StepResult | None:
        """Find a result, and keep it from being forgotten as long as the run's link to it stays."""
        with self._locked():
            _link(link, self.folder(step, key))
            return self.find(step, key)

    @contextmanager
    def begin(self, step: str, key: str, made_from: Mapping[str, str]) -> Iterator[Path]:
        """A new folder for a result, removed after the block unless it was committed.

        It says at once what it is made from: an erasure may look at any time. A lock on that file, and no clock, says
        that somebody is still making it.
        """
        folder = self.directory / f"{NEW_PREFIX}{uuid.uuid4().hex}"
        try:
            with ExitStack() as held:
                with self._locked():
                    folder.mkdir()
                    write_synced(folder / BEGUN_FILE, encode_step_result(StepResult(step, key, dict(made_from), {})))
                    fcntl.flock(held.enter_context((folder / BEGUN_FILE).open("r+b")), fcntl.LOCK_EX)
                (folder / step).mkdir()
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def link_inputs(self, folder: Path, files: Mapping[str, Path]) -> Path:
        """A folder that holds links to these files only, under their names `step/file`."""
        inputs = folder / _INPUTS
        inputs.mkdir()
        for name, file in files.items():
            (inputs / name).parent.mkdir(exist_ok=True)
            (inputs / name).symlink_to(file.resolve())
        return inputs

    def commit(
        self, folder: Path, step: str, key: str, made_from: Mapping[str, str], line: str, digests: Mapping[str, Digest]
    ) -> StepResult:
        """Give the folder its key, in one atomic step after the disk has all of it."""
        shutil.rmtree(folder / _INPUTS, ignore_errors=True)
        files = {}
        for file in sorted(each for each in (folder / step).rglob("*") if each.is_file()):
            name = str(file.relative_to(folder / step))
            files[name] = (_digest(file, digests.get(name)), file.stat().st_size)
            _sync(file)
        for each in (*(each for each in (folder / step).rglob("*") if each.is_dir()), folder / step):
            sync_directory(each)
        result = StepResult(step, key, dict(made_from), files, line)
        write_synced(folder / RESULT_FILE, encode_step_result(result))
        with self._locked():  # nobody finds it without both files and takes it for one of a killed process
            (folder / BEGUN_FILE).unlink()
            sync_directory(folder)
            return self._put(folder, result)

    def _put(self, folder: Path, result: StepResult) -> StepResult:
        try:
            os.rename(folder, self.directory / result.key)  # noqa: PTH104  # Path.rename says nothing of directories
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            shutil.rmtree(folder)  # another run was faster
            return self.find(result.step, result.key) or result
        sync_directory(self.directory)
        return result

    def check(self, result: StepResult, names: Mapping[str, Digest | None]) -> None:
        """Compare files with their digests before something is made from them. Raises StepError, and removes them."""
        for name, digest in names.items():
            file = self.folder(result.step, result.key) / name
            if _digest(file, digest) != result.files[name][0]:
                shutil.rmtree(file.parents[1], ignore_errors=True)
                raise StepError(
                    f"{file} is damaged: its bytes are not those that step {result.step!r} wrote. It was removed. "
                    "Check the disk, then start the run again; it makes the file again."
                )

    def forget(self) -> int:
        """Remove the results that no run links to, and what killed runs left. Returns how many."""
        if not self.directory.is_dir():
            return 0
        with self._locked():
            there = [each for each in self.directory.iterdir() if each.is_dir()]
            linked = {_key(each) for each in self._runs.glob("*/*/*") if each.is_symlink()}
            old = [each for each in there if not (_is_being_made(each) if _is_new(each) else each.name in linked)]
            for each in old:
                shutil.rmtree(each, ignore_errors=True)
        return len(old)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _is_new(folder: Path) -> bool:
    return folder.name.startswith(NEW_PREFIX)


def _is_being_made(folder: Path) -> bool:
    """Whether the process that began it lives: it has the lock of the file that it wrote first."""
    return may_be_locked(folder / BEGUN_FILE)


def _key(link: Path) -> str:
    return link.readlink().parent.name


def _link(link: Path, folder: Path) -> None:
    """Let the run's link name a folder: relative, so that the runs can be moved."""
    target = Path("..", "..", *folder.parts[-3:])
    if link.is_symlink():
        if link.readlink() == target:
            return
        link.unlink()
    link.symlink_to(target)


def _digest(file: Path, digest: Digest | None) -> str:
    if digest is not None:
        return digest(file.read_bytes())
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
