"""Whether the kernel is compiled already for these definitions: then `up` need not start a process that compiles it.

numba keeps what it compiled beside the sources, or in NUMBA_CACHE_DIR. A wrong answer breaks nothing: each program
compiles what it lacks.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numba

from deploy.local.parts.programs import ROOT, Program
from deploy.local.stack.board import Board
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.stack_directory import StackDirectory
from shared_features.definitions import Catalogue

KERNEL = "kernel"
_STAMP, _BEFORE = "kernel", "was compiled before"


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

    def compile(self, board: Board, start: Callable[[], Program], interruption: Interruption) -> None:
        """Unless everything was compiled before. Its lines stand on the board: how far it is, or for whom it waits."""
        if self.is_there():
            board.put(KERNEL, "ended", _BEFORE)
            return
        board.put(KERNEL, "starting", "loading")
        last = "loading"

        def say(line: str) -> None:
            nonlocal last
            last = line
            board.put(KERNEL, "starting", line)

        with start() as program:
            program.run_to_end(say, interruption.check)
        self.note()
        board.put(KERNEL, "ended", last if last.startswith("compiled") else _BEFORE)

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
