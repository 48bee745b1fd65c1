"""`streaming`, `training` and `serving` are names somebody else may take."""

from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.architecture.source_tree import PACKAGES, ROOT


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_else_ships_a_package_of_our_name(package: str) -> None:
    """Two distributions with one package would overwrite each other's files, silently."""
    assert set(packages_distributions().get(package, ["millrace"])) == {"millrace"}


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_our_name_finds_our_folder(package: str) -> None:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).resolve() == ROOT / package / "__init__.py"
