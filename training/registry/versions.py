"""The versions of the model registry: immutable directories (laid out in `formats.model_manifest`)."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shared_features.formats.dataset_manifest import (
    DATASET_FILE,
    DatasetManifest,
    decode_dataset_manifest,
    encode_dataset_manifest,
)
from shared_features.formats.json_document import encode_document
from shared_features.formats.model_manifest import (
    DELETED,
    MANIFEST_FILE,
    METRICS_FILE,
    MODEL_FILE,
    ModelManifest,
    decode_manifest,
    encode_manifest,
)
from shared_features.formats.registry_log import RegistryChange
from training.durable_files import replace_file, sync_directory, write_synced
from training.errors import RegistryError
from training.registry.registry_log import Append, RegistryLog, this_user

_TEMPORARY, _REMOVED = ".publishing-", ".deleting-"
_STALE_S = 24 * 3600.0
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)


@dataclass(frozen=True)
class Published:
    """A version in the registry; `new` is False where the same model was there already."""

    version: int
    path: Path
    new: bool


class Registry:
    """Publishes versions. Several processes may publish at once; readers need no lock."""

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self.directory, self.log = directory, RegistryLog(directory, clock)
        self._clock = clock

    def models(self) -> list[str]:
        if not self.directory.is_dir():
            return []
        return sorted(each.name for each in self.directory.iterdir() if each.is_dir() and each.name[0] != ".")

    def versions(self, model: str) -> list[int]:
        """Version numbers, ascending; empty for an unknown model."""
        directory = self.directory / model
        if not directory.is_dir():
            return []
        return sorted(int(each.name) for each in directory.iterdir() if each.name.isdecimal())

    def path(self, model: str, version: int) -> Path:
        path = self.directory / model / str(version)
        if not path.is_dir():
            there = ", ".join(map(str, self.versions(model)))
            found = f"It has {there}. Name one of these." if there else "It has none yet. Train and publish one."
            raise RegistryError(f"Model {model!r} has no version {version}. {found}")
        return path

    def manifest(self, model: str, version: int) -> ModelManifest:
        file = self.path(model, version) / MANIFEST_FILE
        return decode_manifest(file.read_bytes(), str(file))

    def dataset(self, model: str, version: int) -> DatasetManifest | None:
        """What a version was trained on. None: its directory does not say so."""
        file = self.path(model, version) / DATASET_FILE
        return decode_dataset_manifest(file.read_bytes(), str(file)) if file.is_file() else None

    def publish(
        self,
        manifest: ModelManifest,
        model_onnx: bytes,
        metrics: Mapping[str, Any],
        dataset: DatasetManifest,
        why: str = "",
        more: Mapping[str, bytes] | None = None,
    ) -> Published:
        """Publish a version under the next free number; the manifest's own number is set to it.

        The version is written aside, synced, and appears whole by one rename. A model of the same digest for the same
        view is not published again, unless its metrics, its threshold or the rows that it learned from differ. why: for
        the log. more: name -> content of further files of the version.
        """
        model = manifest.model
        if found := self._same(manifest, encode_document(dict(metrics))):
            return Published(found, self.path(model, found), new=False)
        directory = self.directory / model
        directory.mkdir(parents=True, exist_ok=True)
        self._remove_stale(directory)
        temporary = directory / f"{_TEMPORARY}{uuid.uuid4().hex}"
        temporary.mkdir()
        files = {
            MODEL_FILE: model_onnx,
            METRICS_FILE: encode_document(dict(metrics)),
            DATASET_FILE: encode_dataset_manifest(dataset),
            **(more or {}),
        }
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        try:
            for name, content in files.items():
                write_synced(temporary / name, content)
            with self.log.changing() as append:
                version = self._take_number(temporary, replace(manifest, files=digests), why, append)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        sync_directory(directory)
        sync_directory(self.directory)
        return Published(version, self.path(model, version), new=True)

    def delete(self, model: str, version: int) -> None:
        """Remove the files of a version; its manifest stays beside. The registry is held, and the change is logged."""
        path = self.path(model, version)
        kept, removed = path.parent / DELETED / f"{version}.json", path.parent / f"{_REMOVED}{uuid.uuid4().hex}"
        replace_file(kept, (path / MANIFEST_FILE).read_bytes())
        path.rename(removed)  # a reader sees the whole version or none of it
        sync_directory(path.parent)
        shutil.rmtree(removed, ignore_errors=True)

    def _next_number(self, model: str) -> int:
        deleted = (self.directory / model / DELETED).glob("*.json")
        return max([*self.versions(model), *(int(each.stem) for each in deleted)], default=0) + 1

    def _take_number(self, temporary: Path, manifest: ModelManifest, why: str, append: Append) -> int:
        directory = temporary.parent
        while True:
            version = self._next_number(manifest.model)
            content = encode_manifest(replace(manifest, version=version))
            replace_file(temporary / MANIFEST_FILE, content)
            digest, at_us = hashlib.sha256(content).hexdigest(), self.log.now_us()
            append(RegistryChange(at_us, this_user(), "publish", manifest.model, version, why, digest=digest))
            try:
                os.rename(temporary, directory / str(version))  # noqa: PTH104  # Path.rename says nothing of directories
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
                continue  # another process took this number between the look and the rename
            return version

    def _same(self, manifest: ModelManifest, metrics: bytes) -> int | None:
        wanted = _meaning(manifest)
        for version in reversed(self.versions(manifest.model)):
            found = self.manifest(manifest.model, version)
            if _meaning(found) != wanted:
                continue
            if (self.path(manifest.model, version) / METRICS_FILE).read_bytes() == metrics:
                return version
        return None

    def _remove_stale(self, directory: Path) -> None:
        """Remove what killed processes left; one that still publishes is done within a day."""
        for path in directory.glob(f"{_REMOVED}*"):
            shutil.rmtree(path, ignore_errors=True)
        for path in directory.glob(f"{_TEMPORARY}*"):
            with suppress(FileNotFoundError):  # published or removed between the look and here
                if path.stat().st_mtime < self._clock() - _STALE_S:
                    shutil.rmtree(path, ignore_errors=True)


def _meaning(manifest: ModelManifest) -> tuple[Any, ...]:
    return manifest.model_digest, manifest.view, manifest.dataset_digest, manifest.threshold, manifest.categories
