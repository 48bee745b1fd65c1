"""Reads from the model registry, and from the pinned datasets, what is still needed. Changes nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from shared_features.errors import FormatVersionError, RegistryStorageError
from shared_features.formats.dataset_manifest import DATASET_FILE, PINNED_FOLDER, decode_dataset_manifest
from shared_features.formats.model_manifest import (
    ALIASES,
    MANIFEST_FILE,
    ModelManifest,
    decode_manifest,
)
from shared_features.registry_storage.folder_reader import FolderReader
from shared_features.registry_storage.opening import open_reader
from shared_features.registry_storage.reader import RegistryReader
from streaming.errors import RefusedError
from streaming.settings import StreamingSettings


@dataclass(frozen=True)
class PinnedDataset:
    """A dataset that a model version or a user needs. start_us: event time of its first row.

    tables: name -> data files. replayed: labels of the groups whose events are replayed for its rows; none where it has
    feature rows.
    """

    what: str
    start_us: int
    cut_us: int
    tables: Mapping[str, tuple[str, ...]]
    replayed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True)
class Served:
    """A model that an alias names."""

    alias: str
    manifest: ModelManifest


class RegistryLook:
    """Raises RefusedError for a file that cannot be read, because its model may need anything."""

    def __init__(self, settings: StreamingSettings) -> None:
        self._registry, self._may_lack = open_reader(settings.registry), settings.without_registry
        self._lake = FolderReader(settings.lake)

    @property
    def missing(self) -> str | None:
        """What to say if the registry is empty or missing; else None. A registry that is not mounted is often empty."""
        try:
            there = bool(self._registry.folders())
        except OSError:
            there = False
        except RegistryStorageError as error:
            return f"{str(error).removesuffix('.')}; so it is unknown what its models need"
        if there or self._may_lack:
            return None
        return (
            f"the model registry at {self._registry.address} is empty or missing, so it is unknown what its models "
            "need. Mount the registry, or set MILLRACE_WITHOUT_REGISTRY=true if nothing was trained yet"
        )

    def datasets(self) -> Iterator[PinnedDataset]:
        """The datasets of all versions of all models, and those that users pinned."""
        with _refusing():
            for model in self._models():
                for version in self._registry.versions(model):
                    key, what = f"{model}/{version}", f"the dataset of model {model} version {version}"
                    where = f"the version {self._registry.where(key)}"
                    yield _read(self._registry, f"{key}/{DATASET_FILE}", what, "a model version", where)
        for name in self._lake.files(PINNED_FOLDER):
            if name.endswith(".json") and not name.startswith("."):
                key, what = f"{PINNED_FOLDER}/{name}", f"the pinned dataset {name.removesuffix('.json')}"
                yield _read(self._lake, key, what, "a pinned dataset", f"the file {self._lake.where(key)}")

    def served(self) -> Iterator[Served]:
        """The models behind all aliases."""
        with _refusing():
            for model in self._models():
                for alias in self._registry.files(f"{model}/{ALIASES}"):
                    if not alias.startswith("."):
                        yield from self._named(model, alias)

    def _models(self) -> list[str]:
        return [each for each in self._registry.folders() if not each.startswith(".")]

    def _named(self, model: str, alias: str) -> Iterator[Served]:
        key = f"{model}/{ALIASES}/{alias}"
        try:
            named = _content(self._registry, key).decode(errors="replace").strip()
            if named:  # an empty one names nothing
                manifest = f"{model}/{named}/{MANIFEST_FILE}"
                content = _content(self._registry, manifest)
                yield Served(alias, decode_manifest(content, self._registry.where(manifest)))
        except OSError as error:
            raise RefusedError(
                f"Alias {self._registry.where(key)} does not lead to a model ({error}), so it is unknown what its "
                "model needs. Promote a version"
            ) from error


@contextmanager
def _refusing() -> Iterator[None]:
    """Storage that does not answer may hold what needs anything."""
    try:
        yield
    except RegistryStorageError as error:
        raise RefusedError(f"What the models need is unknown, so nothing can be deleted. {error}") from error


def _content(reader: RegistryReader, key: str) -> bytes:
    """Raises FileNotFoundError."""
    found = reader.read(key)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), reader.where(key))
    return found.content


def _read(reader: RegistryReader, key: str, what: str, owner: str, removable: str) -> PinnedDataset:
    try:
        found = decode_dataset_manifest(_content(reader, key), reader.where(key))
    except (OSError, FormatVersionError) as error:
        raise RefusedError(
            f"The data that {owner} needs is unknown, so nothing can be deleted: {error} "
            f"To stop needing it, remove {removable}."
        ) from error
    files = {name: table.files for name, table in found.tables.items()}
    replayed = tuple(found.groups) if found.spine is not None else ()
    return PinnedDataset(what, found.split.start_us, found.cut_us, files, replayed)
