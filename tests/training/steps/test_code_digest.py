"""Code counts by what it computes: helpers in other modules do, comments and docstrings do not."""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from training.steps import code_digest
from training.steps.code_digest import Code, code_of

ACTION = """
import json
import numpy as np
from {package}.helpers import halve
from {package} import tables
LIMIT = 3

def action(task):
    '''Says what it does.'''
    from pandas import DataFrame
    return halve(LIMIT) + np.sum(tables.ROWS)

def unused():
    return 1
"""
HELPERS = "class Divider:\n    by = 2\n\ndef halve(x: int) -> float:\n    return x / Divider.by\n"
_COUNT = itertools.count()

Build = Callable[..., Code]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """The code of `action` in a package of its own, after replacements in its sources."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def built(old: str = "", new: str = "") -> Code:
        package = f"steps_package_{next(_COUNT)}"
        (tmp_path / package).mkdir()
        for name, text in {"__init__": "", "action": ACTION, "helpers": HELPERS, "tables": "ROWS = [1, 2]\n"}.items():
            said = text.replace(old, new) if old else text
            (tmp_path / package / f"{name}.py").write_text(said.format(package=package))
        found = code_of([f"{package}.action:action"])
        assert f"{package}.helpers" not in sys.modules, "reading the code must not import it"
        return found

    return built


def same(one: Code, other: Code) -> bool:
    return len(one.digest) == len(other.digest) == 64 and one.digest == other.digest


@pytest.fixture(autouse=True)
def _names_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each copy of the package has another name, which is part of the digest. Here it is not."""
    import hashlib
    import re

    sha256 = hashlib.sha256
    monkeypatch.setattr(
        "training.steps.code_digest.hashlib.sha256", lambda text: sha256(re.sub(rb"steps_package_\d+", b"p", text))
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("by = 2", "by = 3"),
        ("x / Divider.by", "x // Divider.by"),
        ("[1, 2]", "[1, 3]"),
    ],
)
def test_what_a_function_reaches_counts(build: Build, old: str, new: str) -> None:
    assert not same(build(), build(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [("Says what it does.", "Says it otherwise."), ("return 1", "return 2"), ("LIMIT = 3", "LIMIT = 3  # a limit")],
)
def test_what_changes_no_result_does_not_count(build: Build, old: str, new: str) -> None:
    assert same(build(), build(old, new))


def test_libraries_are_named_wherever_they_are_imported(build: Build) -> None:
    assert build().libraries == {"numpy", "pandas"}


def test_the_real_steps_reach_the_libraries_that_shape_them() -> None:
    assert {"numpy", "sklearn", "threadpoolctl", "polars"} <= code_of(
        ["training.runs.actions.fit_steps:fit_step"]
    ).libraries
    assert {"onnx", "skl2onnx"} <= code_of(["training.runs.actions.model_steps:export_step"]).libraries


def test_a_function_that_does_not_exist_is_refused() -> None:
    with pytest.raises(LookupError, match=r"training\.runs\.actions\.model_steps:no_step"):
        code_of(["training.runs.actions.model_steps:no_step"])


def test_a_module_in_no_package_counts_and_so_does_the_helper_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    digests = []
    for by in (2, 3):
        module, helper = f"lone_steps_{by}", f"lone_helper_{by}"
        (tmp_path / f"{module}.py").write_text(f"from {helper} import halve\n\ndef action():\n    return halve(4)\n")
        (tmp_path / f"{helper}.py").write_text(f"def halve(x):\n    return x / {by}\n")
        digests.append(code_of([f"{module}:action"]))
    assert not same(*digests)
    assert digests[0].libraries == frozenset()


def test_the_text_of_a_definition_is_that_of_the_standard_library_so_that_results_outlast_a_release() -> None:
    source = Path(ast.__file__).read_text() + "x = None\nmatch x:\n    case {'a': None, **rest}: pass\n"
    for node in ast.parse(source).body:
        assert code_digest._text(node, []) == ast.dump(node)


def test_docstrings_count_nowhere() -> None:
    places = {
        "function": "def f():\n    {}\n    return 1",
        "nested": "def f():\n    def g():\n        {}\n        return 1\n    return g",
        "in a branch": "def f(x):\n    if x:\n        pass\n    else:\n        class A:\n            {}\n    return x",
        "in a handler": "def f():\n    try:\n        pass\n    except ValueError:\n        def g():\n            {}\n",
        "in a case": "def f(x):\n    match x:\n        case 1:\n            def g():\n                {}\n",
    }
    for place, text in places.items():
        first, second = (ast.parse(text.format(repr(said))) for said in ("one", "two"))
        for tree in (first, second):
            code_digest._drop_texts(tree.body)
        assert ast.dump(first) == ast.dump(second), place
