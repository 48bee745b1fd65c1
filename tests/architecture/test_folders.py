"""A folder is small enough to be looked over."""

from collections import Counter
from pathlib import PurePosixPath

import pytest

from tests.architecture.source_tree import PACKAGES, python_files

LARGEST = 15
LISTS_OF_ONE_KIND = {
    "shared_features/formats": "a file for each boundary between services",
    "shared_features/kernel/loops": "a file for each kind of loop",
}


@pytest.mark.parametrize("package", [*PACKAGES, "deploy"])
def test_a_folder_has_at_most_fifteen_modules(package: str) -> None:
    modules = [PurePosixPath(name) for name, _ in python_files(package) if not name.endswith("__init__.py")]
    assert modules
    counts = Counter(str(module.parent) for module in modules)
    large = {folder: count for folder, count in counts.items() if count > LARGEST and folder not in LISTS_OF_ONE_KIND}
    assert not large, f"divide these, and say in pyproject.toml which part uses which: {large}"
