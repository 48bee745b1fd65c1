"""A registry in a folder, read."""

from __future__ import annotations

from pathlib import Path

from shared_features.registry_storage.reader import Stored


class FolderReader:
    """See RegistryReader. A version appears by one rename, so each folder of a version is whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def address(self) -> str:
        return str(self.folder)

    def where(self, key: str) -> str:
        return str(self.folder / key)

    def read(self, key: str, known: Stored | None = None) -> Stored | None:
        try:
            return Stored((self.folder / key).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def folders(self, key: str = "") -> list[str]:
        return sorted(each.name for each in self._inside(key) if each.is_dir())

    def files(self, key: str) -> dict[str, int]:
        return {each.name: each.stat().st_size for each in sorted(self._inside(key)) if each.is_file()}

    def versions(self, model: str) -> list[int]:
        return sorted(int(name) for name in self.folders(model) if name.isdecimal())

    def _inside(self, key: str) -> list[Path]:
        folder = self.folder / key
        return list(folder.iterdir()) if folder.is_dir() else []
