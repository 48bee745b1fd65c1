"""What `import shared_features` offers, and that opening a door runs no code."""

import ast
import doctest
import importlib

import pytest

from tests.architecture.source_tree import PACKAGES, python_files

FACES = {name: tree for package in PACKAGES for name, tree in python_files(package) if name.endswith("/__init__.py")}
MODULES = [name for package in PACKAGES for name, _ in python_files(package) if "__main__" not in name]


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and type(node.value.value) is str


def is_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["__all__"]


@pytest.mark.parametrize("face", FACES)
def test_an_init_file_only_re_exports(face: str) -> None:
    """Whoever imports one module pays for the package's face: it must be free of work and of surprises."""
    package = face.partition("/")[0]
    for node in FACES[face].body:
        from_ours = isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in (
            package,
            "__future__",
        )
        assert is_docstring(node) or is_all(node) or from_ours, f"{face}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("face", FACES)
def test_an_init_file_names_what_it_re_exports(face: str) -> None:
    imported = {
        alias.asname or alias.name
        for node in FACES[face].body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }
    listed: list[str] = next(
        (ast.literal_eval(node.value) for node in FACES[face].body if isinstance(node, ast.Assign)), []
    )
    assert len(listed) == len(set(listed))
    assert set(listed) == imported


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
