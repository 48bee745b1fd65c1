"""Run in a fresh environment, by its path: imports every module of the packages it is given, from the wheel."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path


def import_everything(package: str, without: tuple[str, ...]) -> int:
    """How many modules a package has, not counting those packages; each was imported. Raises ImportError otherwise."""
    found = importlib.import_module(package)
    place = Path(found.__file__ or "").resolve()
    if not place.is_relative_to(Path(sys.prefix).resolve()):
        raise ImportError(f"{package} was imported from {place}, not from the environment at {sys.prefix}")
    names = [each.name for each in pkgutil.walk_packages(found.__path__, f"{package}.")]
    names = [name for name in names if not f"{name}.".startswith(tuple(f"{each}." for each in without))]
    for name in names:
        importlib.import_module(name)
    return 1 + len(names)


if __name__ == "__main__":
    left_out = tuple(name[1:] for name in sys.argv[1:] if name[0] == "-")
    for name in (name for name in sys.argv[1:] if name[0] != "-"):
        print(f"{import_everything(name, left_out)} modules of {name}")
