"""The versions of the model registry: immutable folders (laid out in `formats.model_manifest`), wherever they lie."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
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
    TREES_FILE,
    VERDICTS,
    ModelManifest,
    decode_manifest,
    encode_manifest,
    lacks_trees,
)
from shared_features.formats.registry_log import RegistryChange
from training.errors import RegistryError
from training.registry.registry_log import Append, RegistryLog, this_user
from training.registry.storage.opening import open_store
from training.registry.storage.registry_store import Change, NewVersion, RegistryStore


@dataclass(frozen=True)
class Published:
    """A version in the registry, and where; `new` is False where the same model was there already."""

    version: int
    where: str
    new: bool


class Registry:
    """Publishes versions. Several processes may publish at once; readers need no lock."""

    def __init__(self, place: Path | str | RegistryStore, clock: Callable[[], float] = time.time) -> None:
        """place: a folder, or the URL of object storage, as the settings have it; or what writes it already.

        Raises RegistryStorageError where the library of object storage is missing.
        """
        self.store = open_store(place, clock) if isinstance(place, Path | str) else place
        self.log = RegistryLog(self.store, clock)

    def __repr__(self) -> str:
        """Where it lies. What is in it is not read: a repr does not wait for a network."""
        return f"Registry in {self.store.where('').rstrip('/')}"

    def models(self) -> list[str]:
        return [name for name in self.store.folders() if name[0] != "."]

    def versions(self, model: str) -> list[int]:
        """Version numbers, ascending; empty for an unknown model."""
        return self.store.versions(model)

    def where(self, model: str, version: int) -> str:
        """The folder or URL of a version, for people. Raises RegistryError where there is no such version."""
        self.files(model, version)
        return self.store.where(f"{model}/{version}")

    def files(self, model: str, version: int) -> dict[str, int]:
        """Name -> bytes of each file of a version. Raises RegistryError where there is no such version."""
        found = self.store.files(f"{model}/{version}")
        if MANIFEST_FILE not in found and version not in self.versions(model):
            raise self._unknown(model, version)
        return found

    def read(self, model: str, version: int, name: str) -> bytes:
        """A file of a version. Raises RegistryError where there is no such version, or no such file in it."""
        found = self.find(model, version, name)
        if found is None:
            raise RegistryError(
                f"{name} of model {model} {version} is missing. `python -m training registry verify {model}` says what "
                "else is. Restore it from a copy, or publish the model again."
            )
        return found

    def find(self, model: str, version: int, name: str) -> bytes | None:
        """The same; None where the version has no such file."""
        found = self.store.read(f"{model}/{version}/{name}")
        if found is None:
            self.files(model, version)
        return None if found is None else found.content

    def manifest(self, model: str, version: int) -> ModelManifest:
        content = self.read(model, version, MANIFEST_FILE)
        return decode_manifest(content, self.store.where(f"{model}/{version}/{MANIFEST_FILE}"))

    def dataset(self, model: str, version: int) -> DatasetManifest | None:
        """What a version was trained on. None: its folder does not say so."""
        content = self.find(model, version, DATASET_FILE)
        where = self.store.where(f"{model}/{version}/{DATASET_FILE}")
        return None if content is None else decode_dataset_manifest(content, where)

    def publish(
        self,
        manifest: ModelManifest,
        model_onnx: bytes,
        metrics: Mapping[str, Any],
        dataset: DatasetManifest,
        why: str = "",
        more: Mapping[str, bytes] | None = None,
        made: Callable[[], Mapping[str, bytes]] = dict,
    ) -> Published:
        """Publish a version under the next free number; the manifest's own number is set to it.

        why: for the log. more: name -> content of further files of the version. made: gives more of them.
        """
        files = {
            MODEL_FILE: model_onnx,
            METRICS_FILE: encode_document(dict(metrics)),
            DATASET_FILE: encode_dataset_manifest(dataset),
            **(more or {}),
        }
        return self.publish_files(manifest, files, why, made=made)

    def publish_files(
        self,
        manifest: ModelManifest,
        files: Mapping[str, bytes],
        why: str = "",
        who: str | None = None,
        made: Callable[[], Mapping[str, bytes]] = dict,
    ) -> Published:
        """Publish the files of a version, all but its manifest.

        It appears whole, in one step. A model of the same digest for the same view is not published again, unless its
        metrics, its threshold or the rows that it learned from differ, or the version that is there lacks its trees or
        does not know that rows may share a run. made: is called only for a version that is new, or that lacks its
        trees. who: None takes the user of this process.
        """
        model, alike = manifest.model, self._alike(manifest, files[METRICS_FILE])
        walked = [version for version, each in alike.items() if TREES_FILE in each.files]
        if not alike or (not walked and lacks_trees(manifest, files[MODEL_FILE])):
            files = {**files, **made()}
        if alike and (walked or TREES_FILE not in files):
            found = [*walked, *alike][0]
            return Published(found, self.where(model, found), new=False)
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        sealed = replace(manifest, files=digests)
        with self.store.new_version(model, files) as new:
            version = self.log.change(lambda _, append: self._appear(new, sealed, why, who, append))
        return Published(version, self.where(model, version), new=True)

    def delete(self, model: str, version: int, change: Change) -> None:
        """Remove the files of a version; its manifest stays beside. A part of a change that is logged."""
        kept = f"{model}/{DELETED}/{version}.json"
        change.replace(kept, self.read(model, version, MANIFEST_FILE), self.store.read(kept))
        change.remove_version(model, version)

    def _next_number(self, model: str) -> int:
        """Also after those of which only a manifest or a verdict is left: what it says is of another model."""
        left = [self.store.files(f"{model}/{folder}") for folder in (DELETED, VERDICTS)]
        numbers = (name.removesuffix(".json") for files in left for name in files)
        return max([*self.versions(model), *(int(each) for each in numbers if each.isdecimal())], default=0) + 1

    def _appear(self, new: NewVersion, manifest: ModelManifest, why: str, who: str | None, append: Append) -> int:
        while True:
            version = new.number(lambda: self._next_number(manifest.model))
            content = encode_manifest(replace(manifest, version=version))
            digest, at_us = hashlib.sha256(content).hexdigest(), self.log.now_us()
            append(RegistryChange(at_us, who or this_user(), "publish", manifest.model, version, why, digest=digest))
            if new.appear(content):
                return version

    def _alike(self, manifest: ModelManifest, metrics: bytes) -> dict[int, ModelManifest]:
        """The versions that are the same model, the newest first."""
        every = {version: self.manifest(manifest.model, version) for version in self.versions(manifest.model)[::-1]}
        return {
            version: found
            for version, found in every.items()
            if _meaning(found) == _meaning(manifest)
            and (found.rows_share_runs or not manifest.rows_share_runs)
            and self.find(manifest.model, version, METRICS_FILE) == metrics
        }

    def _unknown(self, model: str, version: int) -> RegistryError:
        there = ", ".join(map(str, self.versions(model)))
        found = f"It has {there}. Name one of these." if there else "It has none yet. Train and publish one."
        return RegistryError(f"Model {model!r} has no version {version}. {found}")


def _meaning(manifest: ModelManifest) -> tuple[Any, ...]:
    return manifest.model_digest, manifest.view, manifest.dataset_digest, manifest.threshold, manifest.categories
