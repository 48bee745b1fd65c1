"""Which way the imports point."""

import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source_tree import PACKAGES, ROOT, imported_packages, python_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OURS = {*PACKAGES, "tests", "deploy"}


def distributions(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def test_the_import_contracts_are_kept() -> None:
    """The directions of the design, as import-linter reads them from pyproject.toml."""
    linter = Path(sysconfig.get_path("scripts")) / "lint-imports"
    outcome = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_shared_features_needs_msgspec_numba_and_numpy_and_nothing_else() -> None:
    """A list of what is allowed: the contract that forbids I/O libraries cannot know the next one."""
    allowed = {*sys.stdlib_module_names, "msgspec", "numba", "numpy", "shared_features"}
    strangers = [
        f"{name}:{line} imports {package}"
        for name, tree in python_files("shared_features")
        for package, line in imported_packages(tree)
        if package not in allowed
    ]
    assert not strangers, "\n".join(strangers)


@pytest.mark.parametrize("service", ["streaming", "training", "serving"])
def test_a_service_imports_only_what_its_extra_installs(service: str) -> None:
    """Each extra is an image of its own: a library that another one declares is not there."""
    declared = distributions(PROJECT["dependencies"] + PROJECT["optional-dependencies"][service])
    shipped_by = packages_distributions()
    # The other halves of what is declared: settings are pydantic models, a FastAPI request is starlette's.
    if declared & {"pydantic-settings", "fastapi"}:
        declared.add("pydantic")
    if "fastapi" in declared:
        declared.add("starlette")
    undeclared = [
        f"{name}:{line} imports {package}"
        for name, tree in python_files(service)
        for package, line in imported_packages(tree)
        if package not in sys.stdlib_module_names
        and package not in OURS
        and not declared & {canonicalize_name(d) for d in shipped_by.get(package, [package])}
    ]
    assert not undeclared, f"not in extra {service!r} of pyproject.toml:\n" + "\n".join(undeclared)


def test_dev_holds_every_service() -> None:
    """One environment runs all tests; it must be what the services declare, not a copy that drifts."""
    dev = [Requirement(line) for line in PROJECT["optional-dependencies"]["dev"]]
    assert {"streaming", "training", "serving"} in [r.extras for r in dev if r.name == "millrace"]
