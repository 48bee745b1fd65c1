"""The source of a function is found where the function stands, and cut down to what computes."""

import ast
from types import FunctionType
from typing import Any

import pytest

from shared_features import DefinitionError
from shared_features.definitions.functions.function_source import SourceError, function_node, outside_names, tree_of
from tests.shared_features.definitions.written import module_of


def node_of(text: str) -> Any:
    return function_node(module_of(text).f)


def test_what_computes_nothing_is_cut_away() -> None:
    said = "def f(x: int = 1, *y: 'str', z: float = 2.0, **w: int) -> float:\n    'Said.'\n    v: int = x\n    u: int\n"
    said += "    'Said.'\n    return v\n"
    bare = "def f(x, *y, z, **w):\n    v = x\n    return v\n"
    assert tree_of(node_of(said)) == tree_of(node_of(bare))


def test_a_body_of_nothing_but_a_docstring_stays_a_body() -> None:
    assert ast.unparse(node_of("def f(x):\n    'Said.'\n")) == "def function(x):\n    pass"


def test_a_function_is_found_under_its_decorators() -> None:
    text = "def same(g):\n    return g\n\n@same\n@same\ndef f(x):\n    return x\n"
    assert ast.unparse(node_of(text)) == "def function(x):\n    return x"


def test_the_right_one_of_two_functions_of_one_name_is_found() -> None:
    text = "def f(x):\n    return 1\n\ndef f(x):\n    return 2\n"
    assert ast.unparse(node_of(text)).endswith("return 2")


def test_a_lambda_is_found_also_inside_of_a_call() -> None:
    text = "def same(g):\n    return g\n\nf = same(\n    lambda x: (\n        x + 1\n    )\n)\n"
    assert ast.unparse(node_of(text)) == "lambda x: x + 1"


def test_two_lambdas_of_one_line_are_told_apart_by_their_parameters_or_refused() -> None:
    assert ast.unparse(node_of("f, g = (lambda x: 1), (lambda y: 2)\n")) == "lambda x: 1"
    with pytest.raises(SourceError, match="Several functions begin on its line"):
        node_of("f, g = (lambda x: 1), (lambda x: 2)\n")


def test_a_function_without_source_is_refused() -> None:
    names: dict[str, Any] = {}
    exec("def f(x):\n    return x\n", names)
    function = names["f"]
    assert isinstance(function, FunctionType)
    with pytest.raises(DefinitionError, match="Its source cannot be found"):
        function_node(function)


OUTSIDE: dict[str, set[str]] = {
    "def f(x):\n    return x": set(),
    "def f(x):\n    return np.log(x) + LIMIT": {"np", "LIMIT"},
    "def f(x):\n    y = 1\n    return lambda z: x + y + z + W": {"W"},
    "def f(x):\n    return [y for y in x if y > V]": {"V"},
    "def f(x: int) -> str:\n    y: Floats = x\n    return y": set(),
    "def f(x):\n    def g(y: Floats = D) -> Any:\n        return g(y)\n    return g(x)": {"D"},
    "def f(x):\n    class C:\n        a = B\n    return C": {"B"},
    "f = lambda x: x + A": {"A"},
    "def f(x):\n    return f(x - 1)": {"f"},
}


@pytest.mark.parametrize("text", OUTSIDE)
def test_the_names_from_outside_are_those_that_no_scope_binds(text: str) -> None:
    assert outside_names(node_of(text + "\n")) == OUTSIDE[text]
