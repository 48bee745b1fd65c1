"""Opens a registry to be read, as the settings name it."""

from __future__ import annotations

from pathlib import Path

from shared_features.registry_storage.folder_reader import FolderReader
from shared_features.registry_storage.object_reader import ObjectReader
from shared_features.registry_storage.reader import RegistryReader


def open_reader(place: Path | str) -> RegistryReader:
    """place: a folder, or the URL of object storage. Raises RegistryStorageError where its library is missing."""
    return FolderReader(place) if isinstance(place, Path) else ObjectReader(place)
