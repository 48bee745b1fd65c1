"""Which way the imports point."""

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
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


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    linter = Path(sysconfig.get_path("scripts")) / "lint-imports"
    environment = os.environ | {"PYTHONPATH": str(root)}
    command = [str(linter), "--no-cache"]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def test_the_import_contracts_are_kept() -> None:
    """The directions of the design, as import-linter reads them from pyproject.toml."""
    outcome = lint_imports(ROOT)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("streaming/online/router.py", "from streaming.archive.marks import Marks"),
        ("streaming/lake/scan.py", "def late() -> None:\n    from streaming.replay import spine"),
        ("streaming/kafka/brokers/topics.py", "if TYPE_CHECKING:\n    from streaming.lake.handle import DeltaHandle"),
        ("serving/request/request_body.py", "if TYPE_CHECKING:\n    from serving.online_store import online_store"),
    ],
    ids=[
        "a program imports another",
        "a floor imports one above it, in a function",
        "the same, for types only",
        "one side of serving imports another",
    ],
)
def test_a_contract_that_is_broken_on_purpose_fails(module: str, line: str, tmp_path: Path) -> None:
    for name in (*PACKAGES, "deploy", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a") as file:
        file.write(f"\nfrom typing import TYPE_CHECKING\n{line}\n")
    outcome = lint_imports(tmp_path)
    assert outcome.returncode == 1
    assert "1 broken" in outcome.stdout
    service = module.partition("/")[0]
    assert f"Inside {service}, every floor stands on those below it BROKEN" in outcome.stdout


def imported_modules(tree: ast.Module, modules: set[str]) -> Iterator[str]:
    """Those of our modules that a file imports, inside functions and under TYPE_CHECKING too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield from (each for each in (name if name in modules else node.module,) if each in modules)


@pytest.mark.parametrize("package", [*PACKAGES, "deploy"])
def test_no_imports_go_in_a_circle(package: str) -> None:
    trees = {name.removesuffix(".py").replace("/", "."): tree for name, tree in python_files(package)}
    trees = {name: tree for name, tree in trees.items() if not name.endswith(".__init__")}
    graph = {name: set(imported_modules(tree, set(trees))) for name, tree in trees.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("a circle of imports: " + " -> ".join(error.args[1]))


def test_shared_features_needs_msgspec_numba_and_numpy_and_nothing_else() -> None:
    """A list of what is allowed: the contract that forbids I/O libraries cannot know the next one."""
    allowed = {*sys.stdlib_module_names, "msgspec", "numba", "numpy", "shared_features"}
    of_an_extra = {
        ("shared_features/access/oidc/signatures.py", "jwt"),  # imported where a token is verified
        ("shared_features/registry_storage/object_store.py", "obstore"),  # where the registry is a URL: decision 16
        ("shared_features/tracing/described.py", "opentelemetry"),  # where the setting traces asks for spans
    }
    strangers = [
        f"{name}:{line} imports {package}"
        for name, tree in python_files("shared_features")
        for package, line in imported_packages(tree)
        if package not in allowed and (name, package) not in of_an_extra
    ]
    assert not strangers, "\n".join(strangers)


_PARTS_OF_TRAINING: dict[str, tuple[str, ...]] = {
    "scheduler": ("training/scheduler/", "training/service/"),
    "kafka": ("training/inference/audit/scores/score_topic.py",),
    "search": ("training/models/search/hyper_parameters.py",),
    "mlflow": ("training/registry/mlflow_bridge/", "training/runs/records/mlflow_run.py"),
    "spark": ("training/spark/", "training/steps/spark_session.py"),
    "otel": ("training/runs/records/sent_trace.py",),
}
"""Extra -> what needs it, with training's libraries and its own."""
_PARTS_OF_SERVING: dict[str, tuple[str, ...]] = {
    "grpc": ("serving/endpoints/inference/over_grpc/",),
    "otel": ("serving/tracing/tracing.py", "serving/tracing/exported_spans.py"),
}
_PARTS: dict[str, dict[str, tuple[str, ...]]] = {"training": _PARTS_OF_TRAINING, "serving": _PARTS_OF_SERVING}

_OF_ANOTHER_EXTRA = {("streaming/scores/scoring_model.py", "onnxruntime")}
"""Imported in a function that says what to install: who scores no events in the stream does without it."""


def test_local_and_all_hold_every_service() -> None:
    extras = PROJECT["optional-dependencies"]
    assert extras["all"] == ["millrace[local]"]
    (services,) = (Requirement(line) for line in extras["local"] if line.startswith("millrace["))
    assert services.extras == {"streaming", "training", "scheduler", "serving"}


_WHOLE = [(name, name) for name in ("streaming", "training", "serving")]


@pytest.mark.parametrize(("service", "whole"), [*_WHOLE, *((of, name) for name in _PARTS for of in _PARTS[name])])
def test_a_service_imports_only_what_its_extra_installs(service: str, whole: str) -> None:
    """Each extra is an image of its own: a library that another one declares is not there."""
    extras = PROJECT["optional-dependencies"]
    declared = distributions(PROJECT["dependencies"] + extras[service] + extras[whole])
    shipped_by = packages_distributions()
    # The other halves of what is declared: settings are pydantic models, a FastAPI request is starlette's.
    if declared & {"pydantic-settings", "fastapi"}:
        declared |= {"pydantic", "pydantic-core"}
    if "fastapi" in declared:
        declared.add("starlette")
    undeclared = [
        f"{name}:{line} imports {package}"
        for name, tree in python_files(whole)
        if not name.startswith(
            tuple(part for of, parts in _PARTS.get(whole, {}).items() if of != service for part in parts)
        )
        for package, line in imported_packages(tree)
        if package not in sys.stdlib_module_names
        and package not in OURS
        and (name, package) not in _OF_ANOTHER_EXTRA
        and not declared & {canonicalize_name(d) for d in shipped_by.get(package, [package])}
    ]
    assert not undeclared, f"not in extra {service!r} of pyproject.toml:\n" + "\n".join(undeclared)


def test_what_is_installed_with_local_is_all_that_deploy_needs() -> None:
    """`pip install millrace[local]` brings the stack and the demo."""
    extras = PROJECT["optional-dependencies"]
    named = [line for extra in ("streaming", "training", "scheduler", "serving", "local") for line in extras[extra]]
    declared = distributions(PROJECT["dependencies"] + named)
    shipped_by = packages_distributions()
    undeclared = [
        f"{name}:{line} imports {package}"
        for name, tree in python_files("deploy")
        for package, line in imported_packages(tree)
        if package not in sys.stdlib_module_names
        and package not in OURS
        and not declared & {canonicalize_name(d) for d in shipped_by.get(package, [package])}
    ]
    assert not undeclared, "\n".join(undeclared)


def test_dev_holds_every_service() -> None:
    """One environment runs all tests; it must be what the services declare, not a copy that drifts."""
    dev = [Requirement(line) for line in PROJECT["optional-dependencies"]["dev"]]
    assert {"local"} in [requirement.extras for requirement in dev if requirement.name == "millrace"]
