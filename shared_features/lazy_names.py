"""Lazy names: what a package offers is loaded when it is first used (PEP 562).

So a program that needs one class of errors does not wait for numba, which the kernel needs.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from shared_features import library_settings  # noqa: F401  # every package of ours begins with its lazy names


def lazy_names(package: str, modules: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions `__getattr__` and `__dir__` of a package.

    modules: the names that each module gives, with spaces between them. No module of the package itself may have one of
    these names: Python sets an imported module as an attribute of its package, where it would hide the name.
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}

    def load(name: str) -> Any:
        face = sys.modules[package]
        if name not in homes:
            # With its name and object, of which Python makes its "Did you mean ...?".
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=face)
        found = getattr(importlib.import_module(homes[name]), name)
        setattr(face, name, found)  # the next use finds it without this function
        return found

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return load, names
