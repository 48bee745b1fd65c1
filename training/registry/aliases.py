"""The aliases of the model registry: movable names such as `champion`, each for one version of a model."""

from __future__ import annotations

from pathlib import Path

from shared_features.formats.model_manifest import ALIASES, CHAMPION
from training.durable_files import replace_file
from training.errors import RegistryError
from training.registry.versions import Registry


class Aliases:
    """Reads and moves the aliases of a registry. Several processes may move them at once; readers need no lock."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def of(self, model: str) -> dict[str, int]:
        """Alias -> the version it names."""
        directory = self._directory(model)
        if not directory.is_dir():
            return {}
        files = sorted(each for each in directory.iterdir() if each.name[0] != ".")
        return {file.name: _number(file) for file in files}

    def promote(self, model: str, version: int, alias: str = CHAMPION) -> int | None:
        """Let the alias name a version, in one atomic step; returns the version that the alias named before."""
        if not alias.isidentifier():
            raise RegistryError(f"Alias {alias!r} is not an identifier. Name it champion, challenger or the like.")
        self._registry.path(model, version)
        before = self.of(model).get(alias)
        if before != version:
            replace_file(self._directory(model) / alias, f"{version}\n".encode())
        return before

    def _directory(self, model: str) -> Path:
        return self._registry.directory / model / ALIASES


def _number(file: Path) -> int:
    text = file.read_text().strip()
    if not text.isdecimal():
        raise RegistryError(
            f"Alias file {file} is damaged. It holds {text!r} in place of a version number. Promote a version again."
        )
    return int(text)
