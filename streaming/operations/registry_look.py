"""Reads from the model registry, and from the pinned datasets, what is still needed. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared_features.errors import FormatVersionError
from shared_features.formats.dataset_manifest import DATASET_FILE, PINNED_FOLDER, decode_dataset_manifest
from shared_features.formats.model_manifest import (
    ALIASES,
    MANIFEST_FILE,
    ModelManifest,
    decode_manifest,
)
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
        self._registry, self._may_lack = settings.registry, settings.without_registry
        self._pinned = settings.lake / PINNED_FOLDER

    @property
    def missing(self) -> str | None:
        """What to say if the registry is empty or missing; else None. A registry that is not mounted is often empty."""
        try:
            there = any(each.is_dir() for each in self._registry.iterdir())
        except OSError:
            there = False
        if there or self._may_lack:
            return None
        return (
            f"the model registry at {self._registry} is empty or missing, so it is unknown what its models need. Mount "
            "the registry, or set MILLRACE_WITHOUT_REGISTRY=true if nothing was trained yet"
        )

    def datasets(self) -> Iterator[PinnedDataset]:
        """The datasets of all versions of all models, and those that users pinned."""
        for directory in self._versions():
            what = f"the dataset of model {directory.parent.name} version {directory.name}"
            yield _read(directory / DATASET_FILE, what, "a model version", f"the version {directory}")
        for file in sorted(each for each in self._pinned.glob("*.json") if not each.name.startswith(".")):
            yield _read(file, f"the pinned dataset {file.stem}", "a pinned dataset", f"the file {file}")

    def served(self) -> Iterator[Served]:
        """The models behind all aliases."""
        for file in sorted(self._registry.glob(f"*/{ALIASES}/*")):
            if file.name.startswith("."):
                continue
            try:
                manifest = file.parent.parent / file.read_text().strip() / MANIFEST_FILE
                yield Served(file.name, decode_manifest(manifest.read_bytes(), str(manifest)))
            except OSError as error:
                raise RefusedError(
                    f"Alias {file} does not lead to a model ({error}), so it is unknown what its model needs. Promote "
                    "a version"
                ) from error

    def _versions(self) -> list[Path]:
        found = [each for each in self._registry.glob("*/*") if each.name.isdecimal() and each.is_dir()]
        return sorted(found, key=lambda each: (each.parent.name, int(each.name)))


def _read(file: Path, what: str, owner: str, removable: str) -> PinnedDataset:
    try:
        found = decode_dataset_manifest(file.read_bytes(), str(file))
    except (OSError, FormatVersionError) as error:
        raise RefusedError(
            f"The data that {owner} needs is unknown, so nothing can be deleted: {error} "
            f"To stop needing it, remove {removable}."
        ) from error
    files = {name: table.files for name, table in found.tables.items()}
    replayed = tuple(found.groups) if found.spine is not None else ()
    return PinnedDataset(what, found.split.start_us, found.cut_us, files, replayed)
