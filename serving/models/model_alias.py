"""The alias whose versions answer: what it names for each model of a registry, and a trace of what it names."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shared_features.errors import FeatureError, ManifestMismatchError
from shared_features.formats.model_manifest import ALIASES, MANIFEST_FILE, MODEL_FILE, decode_manifest

_MOST_SHOWN = 60
Trace = tuple[object, ...]


@dataclass(frozen=True)
class ModelAlias:
    """One alias of all models of a registry."""

    registry: Path
    alias: str

    def named(self, model: str) -> str | None:
        """What it says, which need not be a version. None: nothing was published yet, or the alias was removed."""
        try:
            return self._file(model).read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def of_view(self, view: str) -> list[str]:
        """The models whose named version was trained on a view of this name."""
        found = []
        for directory in sorted(self.registry.glob("[!.]*/")):
            named = self.named(directory.name)
            with suppress(OSError, FeatureError):
                manifest = directory / (named or "") / MANIFEST_FILE
                if named and decode_manifest(manifest.read_bytes()).view.name == view:
                    found.append(directory.name)
        return found

    def directory(self, model: str, named: str) -> Path:
        """Of the version that it names. Raises ManifestMismatchError."""
        if not named.isdecimal():
            said = named[:_MOST_SHOWN]
            raise ManifestMismatchError(f"Alias {self.alias!r} holds {said!r}, not a version. Promote a version.")
        return self.registry / model / named

    def trace(self, model: str, named: str) -> Trace:
        """What changes when the alias is moved, or when the files of the version that it names are others."""
        version = self.registry / model / named
        return named, *map(_stamp, (self._file(model), version / MANIFEST_FILE, version / MODEL_FILE))

    def _file(self, model: str) -> Path:
        return self.registry / model / ALIASES / self.alias


def _stamp(file: Path) -> Trace | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
