"""Whether the kernel is compiled already for these definitions: then `up` need not start a process that compiles it.

numba keeps what it compiled beside the sources, or in NUMBA_CACHE_DIR. A wrong answer breaks nothing: each program
compiles what it lacks.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import numba

from deploy.local.programs import ROOT
from deploy.local.stack_directory import StackDirectory
from shared_features.definitions import Catalogue

_STAMP = "kernel"


class CompiledKernel:
    """The stamp of a stack: which sources, definitions and Python were compiled, and into which files."""

    def __init__(self, directory: StackDirectory, catalogue: Catalogue) -> None:
        self._stamp = directory.path / _STAMP
        self._catalogue = catalogue

    def is_there(self) -> bool:
        """Whether everything was compiled before, and no file of it has gone."""
        try:
            sources, *files = self._stamp.read_text().splitlines()
        except (OSError, ValueError):
            return False
        return bool(files) and sources == self._sources() and all(Path(file).is_file() for file in files)

    def note(self) -> None:
        """Everything is compiled now."""
        self._stamp.write_text("\n".join([self._sources(), *map(str, _files())]) + "\n")

    def _sources(self) -> str:
        digest = hashlib.sha256(f"{sys.version} {numba.__version__}".encode())
        for group in self._catalogue.groups:
            digest.update(f"{group.label} {group.fingerprint}".encode())
        for path in sorted((ROOT / "shared_features").rglob("*.py")):
            digest.update(path.read_bytes())
        return digest.hexdigest()


def _files() -> list[Path]:
    """The indices of numba's cache."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or ROOT / "shared_features")
    return sorted(folder.rglob("*.nbi"))
