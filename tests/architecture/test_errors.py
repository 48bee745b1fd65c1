"""The tree of errors at the top of each `errors.py` is the tree that the code raises."""

import ast
import re

import pytest

from tests.architecture.source_tree import PACKAGES, python_files


def errors_of(package: str) -> tuple[str, dict[str, set[str]]]:
    """The docstring of a package's `errors.py`, and its error classes with the names of their bases."""
    tree = dict(python_files(package))[f"{package}/errors.py"]
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    errors = {each.name: {ast.unparse(base) for base in each.bases} for each in classes if each.bases}
    return ast.get_docstring(tree) or "", errors


def raised_names() -> set[str]:
    """Every name that is called or named in our packages outside the definition of the errors themselves."""
    return {
        node.id
        for package in PACKAGES
        for name, tree in python_files(package)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not name.endswith("/errors.py")
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_every_leaf_of_the_tree_is_in_use(package: str) -> None:
    _, errors = errors_of(package)
    parents = set().union(*errors.values())
    leaves = {name for name in errors if name not in parents and name.endswith("Error")}
    assert leaves
    assert not leaves - raised_names(), "errors that nothing raises"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_tree_as_drawn_has_every_error(package: str) -> None:
    drawn, errors = errors_of(package)
    names = {name for name in errors if name.endswith("Error")}
    assert set(re.findall(r"^ *(\w+Error)\b", drawn, re.MULTILINE)) == names
