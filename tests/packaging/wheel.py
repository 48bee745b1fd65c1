"""The wheel: what `pip install millrace` gets, built from the committed files alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.source_tree import ROOT, project_files


def build_wheel(directory: Path) -> Path:
    """Build the wheel in a directory and return its path. Needs no network: the build backend is in the lock file.

    Raises RuntimeError with the builder's output when the build fails.
    """
    # A copy: setuptools also packs whatever an earlier build left in `build/`, modules that are gone included.
    source = directory / "source"
    for path in project_files():
        copy = source / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    command = ["uv", "build", "--wheel", "--no-build-isolation", "--offline", "--python", sys.executable]
    built = subprocess.run(
        [*command, "--out-dir", directory / "dist", source], capture_output=True, text=True, check=False
    )
    if built.returncode:
        raise RuntimeError(f"The wheel cannot be built. uv says:\n{built.stdout}{built.stderr}")
    (wheel,) = (directory / "dist").glob("*.whl")
    return wheel
