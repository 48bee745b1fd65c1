"""The files of the definitions: whether somebody has edited them since they were loaded."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.parts.programs import ROOT

_LOOK_EVERY_S = 5.0
_NOT_THEIRS = {"site-packages", "dist-packages"}
_OURS = tuple(ROOT / name for name in ("shared_features", "streaming", "training", "serving", "deploy"))


class EditedModule:
    """The module and all that it loaded from the folders of the user."""

    def __init__(self, module: str, folders: Sequence[str]) -> None:
        self._loaded = {path: _digest(path) for path in _files(module, folders)}
        self._looked_s, self._edited = float("-inf"), list[str]()

    def edited(self) -> list[str]:
        """The names of the files that differ now. Looks once in five seconds."""
        if time.monotonic() - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = time.monotonic()
            self._edited = [path.name for path, digest in self._loaded.items() if _digest(path) != digest]
        return self._edited


def _files(module: str, folders: Sequence[str]) -> list[Path]:
    found: dict[Path, None] = {}
    for name, loaded in list(sys.modules.items()):
        path = Path(getattr(loaded, "__file__", None) or "")
        theirs = any(map(path.is_relative_to, folders)) and not any(map(path.is_relative_to, _OURS))
        theirs = theirs and not set(path.parts) & _NOT_THEIRS
        if path.suffix == ".py" and (name == module or theirs):
            found[path] = None
    return list(found)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
