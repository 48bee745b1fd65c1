"""A copy of what an alias of a registry on object storage names, in a folder of this machine.

The folder is laid out as a registry, so models are loaded from it as from any other. A version is in it whole and with
the digest of its manifest, or not at all, and an alias names it only then. So a process starts with what the folder
has while the storage does not answer, and nothing that the storage does stops one that answers.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from shared_features.errors import FeatureError, ManifestMismatchError, RegistryStorageError
from shared_features.formats.model_manifest import ALIASES, MANIFEST_FILE, MODEL_FILE, TREES_FILE, decode_manifest
from shared_features.registry_storage.object_reader import ObjectReader
from shared_features.registry_storage.object_store import IMPATIENT
from shared_features.registry_storage.reader import RegistryReader, Stored

_TRIED_AGAIN_S = 30.0
_PART = ".part-"


class RegistryMirror:
    """Several processes may share a folder: what they write there appears by renames.

    warn, tell: the log of the program. again_s: how long storage that did not answer is left alone.
    """

    def __init__(
        self,
        registry: RegistryReader,
        folder: Path,
        alias: str,
        warn: Callable[..., object] = lambda event, **facts: None,
        tell: Callable[..., object] = lambda event, **facts: None,
        again_s: float = 0.0,
    ) -> None:
        self._registry, self.folder, self._alias = registry, folder, alias
        self._warn, self._tell, self._again_s, self._asked_s = warn, tell, again_s, 0.0
        self._known: dict[str, Stored] = {}
        self._sound: dict[str, str] = {}
        self._damaged: dict[str, tuple[str, float, ManifestMismatchError]] = {}
        self._silent_since_s: float | None = None
        self._reason = ""

    def fetch(self, model: str) -> None:
        """Copy the version that the alias of a model names, where it is another one than before.

        An alias that is as it was costs one small request. Raises ManifestMismatchError for a version whose files are
        not those that were published; the folder keeps the previous version.
        """
        if self._silent_since_s is not None and time.monotonic() - self._asked_s < self._again_s:
            return
        try:
            self._fetch(model)
        except RegistryStorageError as error:
            if self._silent_since_s is None:
                self._silent_since_s = time.monotonic()
                self._warn("doing without the model registry", folder=str(self.folder), reason=str(error))
            self._reason, self._asked_s = str(error), time.monotonic()
            return
        if self._silent_since_s is not None:
            self._silent_since_s = None
            self._tell("reading the model registry again", registry=self._registry.address)

    def silence(self) -> str:
        """That the storage cannot be read, as a sentence; empty where it can."""
        since_s = self._silent_since_s
        if since_s is None:
            return ""
        return f"{self._reason} New versions have not been seen for {time.monotonic() - since_s:.0f} s."

    def _fetch(self, model: str) -> None:
        key = f"{model}/{ALIASES}/{self._alias}"
        found = self._registry.read(key, self._known.get(model))
        named = "" if found is None else found.content.decode(errors="replace").strip()
        if found is not None and named:
            if named.isdecimal():
                self._have(model, named)
            self._write(self.folder / key, found.content)
            self._known[model] = found
        elif found is not None or self._alias not in self._registry.files(f"{model}/{ALIASES}"):
            self._known.pop(model, None)
            (self.folder / key).unlink(missing_ok=True)

    def _have(self, model: str, number: str) -> None:
        """Have the version in the folder. Files that were harmed there are fetched again."""
        there = self.folder / model / number
        if self._sound.get(model) == number and there.is_dir():
            return
        if not _is_sound(there):
            self._refuse_damaged(model, number)
            self._copy(model, number, there)
        self._sound[model] = number
        self._damaged.pop(model, None)
        self._forget_others(model)

    def _copy(self, model: str, number: str, there: Path) -> None:
        manifest = self._registry.read(f"{model}/{number}/{MANIFEST_FILE}")
        names = [MODEL_FILE, TREES_FILE] if _has_trees(manifest) else [MODEL_FILE]
        content = {MANIFEST_FILE: manifest}
        content |= {name: self._registry.read(f"{model}/{number}/{name}") for name in names}
        missing = [name for name in (MANIFEST_FILE, MODEL_FILE) if content[name] is None]
        part = self.folder / model / f"{_PART}{uuid.uuid4().hex}"
        part.mkdir(parents=True, exist_ok=True)
        try:
            for name, each in content.items():
                if each is not None:
                    (part / name).write_bytes(each.content)
            if missing or not _is_sound(part):
                what = f"{', '.join(missing)} is missing" if missing else "its files are not those that were published"
                raise self._damage(model, number, what)
            with suppress(FileNotFoundError):
                os.replace(there, part / ".harmed")  # noqa: PTH105  # a folder, and it need not be there
            with suppress(OSError):  # another process was quicker
                os.rename(part, there)  # noqa: PTH104  # a folder
        finally:
            shutil.rmtree(part, ignore_errors=True)
            shutil.rmtree(there / ".harmed", ignore_errors=True)

    def _damage(self, model: str, number: str, what: str) -> ManifestMismatchError:
        error = ManifestMismatchError(
            f"Model {model} {number} cannot be used: {what}. `python -m training registry verify {model}` says more. "
            "Publish the model again, or promote another version."
        )
        self._damaged[model] = number, time.monotonic(), error
        return error

    def _refuse_damaged(self, model: str, number: str) -> None:
        """A version that was damaged a moment ago is not fetched again so soon: a model may be large."""
        known, at_s, error = self._damaged.get(model, ("", 0.0, None))
        if error is not None and known == number and time.monotonic() - at_s < _TRIED_AGAIN_S:
            raise error

    def _forget_others(self, model: str) -> None:
        """Remove versions that no alias in the folder names, but for the newest two: a roll-back may return to one."""
        folder = self.folder / model
        named = {each.read_text().strip() for each in folder.glob(f"{ALIASES}/[!.]*")}
        numbers = sorted((each.name for each in folder.iterdir() if each.name.isdecimal()), key=int)
        for number in set(numbers[:-2]) - named - {self._sound[model]}:
            shutil.rmtree(folder / number, ignore_errors=True)

    def _write(self, file: Path, content: bytes) -> None:
        """In one step, and only what is new: who loads models looks at the time of the file."""
        with suppress(FileNotFoundError):
            if file.read_bytes() == content:
                return
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f"{_PART}{uuid.uuid4().hex}")
        part.write_bytes(content)
        part.replace(file)


def mirror_of(
    url: str, cache: Path, alias: str, warn: Callable[..., object], tell: Callable[..., object], again_s: float = 0.0
) -> RegistryMirror:
    """Of the registry with this URL. Raises RegistryStorageError where the library of object storage is missing."""
    return RegistryMirror(ObjectReader(url, IMPATIENT), mirror_folder(cache, url), alias, warn, tell, again_s)


def mirror_folder(cache: Path, url: str) -> Path:
    """The folder of one registry among those that a machine has known."""
    return cache / hashlib.sha256(url.encode()).hexdigest()[:16]


def _is_sound(version: Path) -> bool:
    """Whether a folder holds a version with the graph that its manifest names, and no other trees than it names."""
    try:
        manifest, trees = decode_manifest((version / MANIFEST_FILE).read_bytes()), version / TREES_FILE
        wanted = manifest.files.get(TREES_FILE)
        if wanted and trees.exists() and _digest(trees) != wanted:
            return False
        return _digest(version / MODEL_FILE) == manifest.model_digest
    except (OSError, FeatureError):
        return False


def _has_trees(manifest: Stored | None) -> bool:
    """Whether a version has a file of trees. One that is damaged is refused when all of it is there."""
    try:
        return manifest is not None and TREES_FILE in decode_manifest(manifest.content).files
    except FeatureError:
        return False


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
