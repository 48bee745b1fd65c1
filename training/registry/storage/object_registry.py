"""A registry on object storage, written by conditional writes alone: there is no lock, and no rename.

A version. Its number is taken by an object `<model>/.numbers/<number>` that is written only if it is absent, and stays.
Its files follow, and its manifest last: a version without a manifest does not exist, so it appears whole by one write.

A change. The log is read, then what the change depends on. Its line is added by a write of the log that fails if the
log has changed since, and the step is done again. So lines have one order, and each is decided on all before it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TypeVar

from shared_features.errors import RegistryStorageError
from shared_features.formats.model_manifest import MANIFEST_FILE
from shared_features.formats.registry_log import LOG_FILE
from shared_features.registry_storage.object_reader import ObjectReader
from shared_features.registry_storage.object_store import PATIENT, ListedObject, ObjectStore, Patience
from shared_features.registry_storage.reader import Stored
from training.errors import OvertakenError, RegistryError
from training.registry.storage.registry_store import STALE_S, until_alone

T = TypeVar("T")
_NUMBERS = ".numbers"


class ObjectRegistry(ObjectReader):
    """See RegistryStore. Raises RegistryStorageError where the storage refuses or does not answer."""

    def __init__(self, url: str, clock: Callable[[], float] = time.time, patience: Patience = PATIENT) -> None:
        super().__init__(url, patience)
        self._clock = clock

    @contextmanager
    def new_version(self, model: str, files: Mapping[str, bytes]) -> Iterator[ObjectVersion]:
        """They are written when their number is known."""
        self._remove_stale(model)
        new = ObjectVersion(self.objects, model, files)
        try:
            yield new
        finally:
            new.clear()

    def change(self, step: Callable[[ObjectChange], T]) -> T:
        return until_alone(lambda: step(ObjectChange(self.objects)))

    def _remove_stale(self, model: str) -> None:
        """Remove what killed processes left: the files of versions without a manifest."""
        found: dict[str, list[ListedObject]] = {}
        for each in self.objects.every(model):
            number = each.key.removeprefix(f"{model}/").partition("/")[0]
            if number.isdecimal():
                found.setdefault(number, []).append(each)
        before_s = self._clock() - STALE_S
        for number, objects in found.items():
            if all(each.key != f"{model}/{number}/{MANIFEST_FILE}" and each.modified_s < before_s for each in objects):
                for each in objects:
                    self.objects.delete(each.key)


class ObjectVersion:
    """See NewVersion."""

    def __init__(self, objects: ObjectStore, model: str, files: Mapping[str, bytes]) -> None:
        self._objects, self._model, self._files = objects, model, files
        self._owner, self._began_s = uuid.uuid4().hex.encode(), time.monotonic()
        self._number, self._may_be_seen = 0, False

    def number(self, lowest: Callable[[], int]) -> int:
        """It takes a number and writes the files. Nobody else ever writes below a number that is taken."""
        if self._number:
            return self._number
        number = lowest()
        while not self._objects.put_if_absent(self._taken(number), self._owner):
            number += 1
        self._number = number
        for name, content in self._files.items():
            self._objects.put(f"{self._model}/{number}/{name}", content)
        return number

    def appear(self, manifest: bytes) -> bool:
        if time.monotonic() - self._began_s > STALE_S / 2:  # others may take it for what a killed process left
            raise RegistryError(f"Publishing {self._model} took too long. Nothing was published. Publish it again.")
        self._may_be_seen = True  # from here on, whatever answer is lost
        seen = self._objects.put_if_absent(f"{self._model}/{self._number}/{MANIFEST_FILE}", manifest)
        if not seen:
            self._number, self._may_be_seen = 0, False
        return seen

    def clear(self) -> None:
        """Remove the files that nobody will see. What cannot be removed now is stale in a day."""
        if self._may_be_seen or not self._number:
            return
        with suppress(RegistryStorageError):
            for name in self._files:
                self._objects.delete(f"{self._model}/{self._number}/{name}")
            self._objects.delete(self._taken(self._number))

    def _taken(self, number: int) -> str:
        return f"{self._model}/{_NUMBERS}/{number}"


class ObjectChange:
    """See Change. The log is read before anything that the change depends on."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects, self._log, self._has_appended = objects, objects.read(LOG_FILE), False

    def append(self, line: bytes) -> None:
        if self._has_appended:
            self._log = self._objects.read(LOG_FILE)
        before = b"" if self._log is None else self._log.content
        torn = bool(before) and not before.endswith(b"\n")
        whole = before + (b"\n" if torn else b"") + line
        if not self._objects.replace_if_unchanged(LOG_FILE, whole, self._log):
            found = self._objects.read(LOG_FILE)
            if found is None or not found.content.startswith(whole):  # it does where our answer was lost
                raise OvertakenError(f"The log of the registry {self._objects.url} grows too fast. Try again.")
        self._has_appended = True

    def replace(self, key: str, content: bytes, known: Stored | None) -> None:
        if not self._objects.replace_if_unchanged(key, content, known):
            raise OvertakenError(f"{self._objects.url}/{key} was changed by another process. Try again.")

    def remove(self, key: str, known: Stored) -> None:
        """It is emptied: a deletion has no condition, and might hit what another process wrote meanwhile."""
        self.replace(key, b"", known)

    def remove_version(self, model: str, version: int) -> None:
        """By its manifest first. The next publication removes what a killed process leaves of the rest."""
        folder = f"{model}/{version}"
        self._objects.delete(f"{folder}/{MANIFEST_FILE}")
        for each in list(self._objects.every(folder)):
            self._objects.delete(each.key)
