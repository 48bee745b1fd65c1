"""What `import shared_features` offers, and that opening a door runs no code."""

import ast
import doctest
import importlib
from typing import TypeGuard

import pytest

from tests.architecture.source_tree import PACKAGES, ROOT, python_files

FACES = {name: tree for package in PACKAGES for name, tree in python_files(package) if name.endswith("/__init__.py")}
MODULES = [name for package in PACKAGES for name, _ in python_files(package) if "__main__" not in name]


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and type(node.value.value) is str


def is_typing_only(node: ast.stmt) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def re_exports(tree: ast.Module) -> list[ast.stmt]:
    """What stands in a face. Of one that loads its names when they are used: what a type checker reads."""
    return [each for node in tree.body for each in (node.body if is_typing_only(node) else [node])]


def is_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["__all__"]


@pytest.mark.parametrize("face", FACES)
def test_an_init_file_only_re_exports(face: str) -> None:
    """Whoever imports one module pays for the package's face: it must be free of work and of surprises."""
    package = face.partition("/")[0]
    for node in re_exports(FACES[face]):
        from_ours = isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in (
            package,
            "__future__",
            "typing",
        )
        assert is_docstring(node) or is_all(node) or from_ours, f"{face}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("face", FACES)
def test_an_init_file_names_what_it_re_exports(face: str) -> None:
    imported = {
        alias.asname or alias.name
        for node in re_exports(FACES[face])
        if isinstance(node, ast.ImportFrom) and node.module not in ("__future__", "typing")
        for alias in node.names
    }
    listed: list[str] = next(
        (ast.literal_eval(node.value) for node in FACES[face].body if isinstance(node, ast.Assign)), []
    )
    assert len(listed) == len(set(listed))
    assert set(listed) == imported


@pytest.mark.parametrize("face", [face for face, tree in FACES.items() if any(map(is_typing_only, tree.body))])
def test_a_face_that_loads_late_gives_at_run_time_what_a_type_checker_reads(face: str) -> None:
    (block,) = filter(is_typing_only, FACES[face].body)
    read = {node.module: {each.name for each in node.names} for node in block.body if isinstance(node, ast.ImportFrom)}
    loading, assigned = block.orelse
    assert ast.unparse(loading) == "from shared_features.lazy_names import lazy_names"
    assert isinstance(assigned, ast.Assign)
    assert ast.unparse(assigned.targets[0]) == "(__getattr__, __dir__)"
    assert isinstance(assigned.value, ast.Call)
    given = ast.literal_eval(assigned.value.args[1])
    assert {module: set(names.split()) for module, names in given.items()} == read


@pytest.mark.parametrize("face", FACES)
def test_no_name_of_a_face_is_hidden_by_a_module_of_the_same_name(face: str) -> None:
    """Python sets an imported module as an attribute of its package: `difference.py` would hide `difference()`."""
    folder = (ROOT / face).parent
    modules = {each.stem for each in folder.iterdir()}
    named = {each.asname or each.name for node in re_exports(FACES[face]) if isinstance(node, ast.ImportFrom)
             for each in node.names}  # fmt: skip
    assert not named & modules


def test_the_face_of_shared_features_is_there() -> None:
    face = importlib.import_module("shared_features")
    assert face.__doc__
    missing = [name for name in face.__all__ if not hasattr(face, name)]
    assert not missing


@pytest.mark.parametrize("module_file", MODULES)
def test_examples_in_docstrings_are_true(module_file: str) -> None:
    """An example is a promise: it runs."""
    name = module_file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0
