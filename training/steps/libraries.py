"""The versions of the libraries that shape a result, and of the Python below them."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable
from functools import cache
from importlib import metadata

_DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "PyYAML"}
"""Top-level names that differ from the name of their distribution."""
_BELOW = {"numpy": (), "scikit-learn": ("scipy", "joblib"), "skl2onnx": ("onnx", "protobuf"), "polars": ("pyarrow",)}
"""What does the work below a library that is imported."""


def library_versions(names: Iterable[str]) -> dict[str, str]:
    """Distribution -> version for top-level module names; Python and the kind of processor are always among them."""
    found = {"python": ".".join(map(str, sys.version_info[:2])), "machine": platform.machine()}
    for name in names:
        library = _DISTRIBUTIONS.get(name, name)
        for each in (library, *_BELOW.get(library, ())):
            found[each] = _version(each)
    return dict(sorted(found.items()))


@cache
def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        owners = metadata.packages_distributions().get(distribution, [])
        return ", ".join(f"{owner} {metadata.version(owner)}" for owner in sorted(set(owners))) or "unknown"
