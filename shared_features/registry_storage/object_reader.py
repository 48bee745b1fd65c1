"""A registry on object storage, read."""

from __future__ import annotations

import re

from shared_features.registry_storage.object_store import PATIENT, ObjectStore, Patience
from shared_features.registry_storage.reader import Stored

LAST_FILE = "manifest.json"
"""Of a version: what is written last and deleted first. A version without it does not exist, whatever else is there."""
_WHOLE = re.compile(rf"(\d+)/{re.escape(LAST_FILE)}")


class ObjectReader:
    """See RegistryReader. The storage must show what was written at once and to everybody, as S3 does."""

    def __init__(self, url: str, patience: Patience = PATIENT) -> None:
        """Raises RegistryStorageError where the library is missing."""
        self.objects = ObjectStore(url, patience)

    @property
    def address(self) -> str:
        return self.objects.url

    def where(self, key: str) -> str:
        return f"{self.objects.url}/{key}"

    def read(self, key: str, known: Stored | None = None) -> Stored | None:
        return self.objects.read(key, known)

    def folders(self, key: str = "") -> list[str]:
        return self.objects.inside(key)[0]

    def files(self, key: str) -> dict[str, int]:
        return self.objects.inside(key)[1]

    def versions(self, model: str) -> list[int]:
        keys = (each.key.removeprefix(f"{model}/") for each in self.objects.every(model))
        return sorted(int(found[1]) for each in keys if (found := _WHOLE.fullmatch(each)))
