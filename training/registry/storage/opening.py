"""Opens a registry to be written, as the settings name it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from training.registry.storage.folder_store import FolderStore
from training.registry.storage.object_registry import ObjectRegistry
from training.registry.storage.registry_store import RegistryStore


def open_store(place: Path | str, clock: Callable[[], float] = time.time) -> RegistryStore:
    """place: a folder, or the URL of object storage. Raises RegistryStorageError where its library is missing."""
    return FolderStore(place, clock) if isinstance(place, Path) else ObjectRegistry(place, clock)
