"""The fingerprint of an on-demand function is of what it computes, not of its text."""

import subprocess
import sys
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features import DefinitionError, FeatureView
from shared_features.definitions.functions.function_meaning import function_fingerprint
from tests.shared_features.definitions.orders import SOURCE
from tests.shared_features.definitions.written import function_of, module_of

BEFORE = '''
import numpy as np
LIMIT = 10.0
FACTORS = (1.0, 2.0)

def clip(value):
    return np.minimum(value, bound())

def bound():
    return LIMIT

def f(price, mean=None, *, scale=2.0):
    """How dear it is."""
    ratio = np.divide(clip(price), scale)
    return np.where(ratio > 1, ratio, FACTORS[0])
'''

SAME: dict[str, tuple[str, str]] = {
    "a docstring is edited": ('"""How dear it is."""', '"""How expensive it is.\n\n    >>> f(1)\n    """'),
    "a docstring goes": ('    """How dear it is."""\n', ""),
    "a docstring of a helper comes": ("    return LIMIT", '    """The limit."""\n    return LIMIT'),
    "a comment comes": ("    ratio =", "    # the ratio\n    ratio ="),
    "a line is broken": ("np.divide(clip(price), scale)", "np.divide(\n        clip(price),\n        scale,\n    )"),
    "brackets come": ("ratio > 1, ratio", "(ratio > 1), (ratio)"),
    "parameters are annotated": ("price, mean=None, *, scale=2.0", "price: int, mean: str = None, *, scale: int = 2.0"),
    "the result is annotated": ("scale=2.0):", "scale=2.0) -> np.ndarray:"),
    "a variable is annotated": ("ratio =", "ratio: float ="),
    "a number is written otherwise": ("> 1,", "> 0x1,"),
    "the function moves down": ("LIMIT = 10.0", "LIMIT = 10.0\n\n\nOTHER = [1]\n\n"),
    "a constant is computed": ("LIMIT = 10.0", "LIMIT = 2 * 5.0"),
    "a constant is renamed": ("LIMIT", "GREATEST"),
    "a helper is renamed": ("bound()", "limit()"),
    "numpy is imported otherwise": ("np", "numpy"),
    "a numpy function is imported by its name": ("np.divide(", "divide("),
    "something else in the module changes": ("FACTORS = (1.0, 2.0)", "FACTORS = (1.0, 2.0)\nUNUSED = {}\n"),
    "a default is named": ("scale=2.0", "scale=TWO"),
}  # fmt: skip

OTHER: dict[str, tuple[str, str]] = {
    "a constant": ("LIMIT = 10.0", "LIMIT = 11.0"),
    "the type of a constant": ("LIMIT = 10.0", "LIMIT = 10"),
    "an element of a constant": ("(1.0, 2.0)", "(1.0, 3.0)"),
    "a helper": ("np.minimum", "np.maximum"),
    "a helper of a helper": ("return LIMIT", "return LIMIT + 1"),
    "a default": ("mean=None", "mean=0.0"),
    "a default of a keyword": ("scale=2.0", "scale=3.0"),
    "an operator": ("ratio > 1", "ratio >= 1"),
    "a number": ("ratio > 1", "ratio > 2"),
    "the order of parameters": ("price, mean=None", "mean, price=None"),
    "which helper is called": ("clip(price)", "abs(price)"),
    "a numpy function": ("np.divide", "np.multiply"),
    "a statement": ("    return np.where", "    ratio += 1\n    return np.where"),
}  # fmt: skip


def fingerprint_of(text: str, **given: Any) -> str:
    return function_fingerprint(function_of(text, divide=np.divide, TWO=2.0, **given))


@pytest.mark.parametrize("edit", SAME)
def test_an_edit_that_computes_the_same_changes_nothing(edit: str) -> None:
    old, new = SAME[edit]
    assert old in BEFORE
    assert fingerprint_of(BEFORE.replace(old, new)) == fingerprint_of(BEFORE)


@pytest.mark.parametrize("edit", OTHER)
def test_an_edit_that_computes_something_else_changes_the_fingerprint(edit: str) -> None:
    old, new = OTHER[edit]
    assert old in BEFORE
    assert fingerprint_of(BEFORE.replace(old, new)) != fingerprint_of(BEFORE)


def test_a_name_of_the_module_hides_a_built_in_one() -> None:
    text = "def f(price):\n    return abs(price)\n"
    assert fingerprint_of(text) != fingerprint_of("def abs(price):\n    return price\n\n" + text)


COMMENTS = st.sampled_from(["", "  # why", "\n# why", "\n\n"])


@given(limit=st.floats(allow_nan=False), comments=st.lists(COMMENTS, min_size=12, max_size=12))
def test_comments_never_count_and_a_constant_always_does(limit: float, comments: list[str]) -> None:
    text = BEFORE.replace("LIMIT = 10.0", f"LIMIT = float({str(limit)!r})")
    commented = [f"{line}{comment}" for line, comment in zip(text.splitlines(), cycle(comments), strict=False)]
    assert (fingerprint_of("\n".join(commented)) == fingerprint_of(BEFORE)) == (limit == 10.0)


def test_a_closure_counts_by_its_value_and_by_what_it_calls() -> None:
    text = """
def times(factor, after):
    def f(price):
        return after(price * factor)
    return f

def up(price):
    return price + STEP

f = times(FACTOR, up)
"""
    first = fingerprint_of(text, FACTOR=2, STEP=1)
    assert first == fingerprint_of(text, FACTOR=2, STEP=1)
    assert first != fingerprint_of(text, FACTOR=3, STEP=1)
    assert first != fingerprint_of(text, FACTOR=2, STEP=2)


def test_a_decorator_counts_by_the_function_that_it_returns() -> None:
    text = """
import functools

def doubled(inner):
    @functools.wraps(inner)
    def both(*values):
        return FACTOR * inner(*values)
    return both

@doubled
def f(price):
    return price + 1
"""
    first = fingerprint_of(text, FACTOR=2)
    assert first != fingerprint_of(text, FACTOR=3)
    assert first != fingerprint_of(text.replace("+ 1", "+ 2"), FACTOR=2)
    assert first == fingerprint_of(text.replace("+ 1", "+ 1  # one"), FACTOR=2)


def test_a_helper_in_another_module_of_the_package_counts_by_what_it_computes() -> None:
    def helpers(step: int) -> Any:
        return module_of(f"STEP = {step}\ndef up(price):\n    return price + STEP\n", "shop.helpers")

    text = "def f(price):\n    return helpers.up(price) * helpers.STEP\n"
    imported = "def f(price):\n    return up(price) * STEP\n"
    assert fingerprint_of(text, helpers=helpers(1)) != fingerprint_of(text, helpers=helpers(2))
    by_name = {name: each for name, each in vars(helpers(1)).items() if name in ("up", "STEP")}
    assert fingerprint_of(text, helpers=helpers(1)) == fingerprint_of(imported, **by_name)


def test_functions_that_call_each_other_have_an_end() -> None:
    text = """
def f(n):
    return 1 if n < 1 else g(n - 1)

def g(n):
    return f(n) + STEP
"""
    assert fingerprint_of(text, STEP=1) == fingerprint_of(text, STEP=1)
    assert fingerprint_of(text, STEP=1) != fingerprint_of(text, STEP=2)


def test_names_that_the_function_binds_itself_are_not_looked_up() -> None:
    text = "def f(price):\n    rows = [row for row in price]\n    return sum(map(lambda each: each + 1, rows))\n"
    assert fingerprint_of(text, row=[1], rows=[2], each=[3], price=[4]) == fingerprint_of(text)


EVERY_SYNTAX = '''
import math
import numpy as np
from enum import Enum
from types import MappingProxyType

class Kind(Enum):
    LOW = 1

STEPS = MappingProxyType({"a": 1, "b": (2, None)})
BOUNDS = np.array([1.0, 2.0])
BOUNDS.setflags(write=False)
half = lambda value: value / 2

def f(price, /, mean: float = 1e300, *more, low=-0.0, **rest):
    """Everything that Python writes otherwise from one version to the next."""
    def inner(value: int = 3) -> str:
        "Said."
        return f"{value!r:>{low}} {price:.2f}" "and" f'{STEPS["a"]}'
    found = [each for each in more if each]
    found += [*{each: other for each, other in rest.items()}, *(x for x in found), *{y for y in found}]
    if (most := max(found, default=None)) is not None and not (0 < most <= 1 or mean):
        raise ValueError(f"{most=}")
    while found:
        try:
            found = found[1:] if len(found) > 2 else found[:-1:2]
        except (IndexError, KeyError) as error:
            raise TypeError from error
        finally:
            pass
    match most:
        case [1, *others] if others:
            return half(inner())
        case {"a": float(), **kept}:
            return kept
        case None:
            pass
    with np.errstate(all="ignore"):
        mean @= BOUNDS[..., None]
    assert price, "no price"
    return -math.pi if ~int(price) & 1 else Kind.LOW.value + 1j
'''


def test_the_fingerprint_is_the_same_under_each_python() -> None:
    """Golden: one process may run Python 3.11 and another one 3.12."""
    assert fingerprint_of(EVERY_SYNTAX) == "657600329487753b"
    assert fingerprint_of(BEFORE) == "585fa24546f79a7a"


def test_the_fingerprint_is_the_same_in_each_process() -> None:
    text = f"from {__name__} import *; print(fingerprint_of(EVERY_SYNTAX))"
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.split()
    assert found == [fingerprint_of(EVERY_SYNTAX)]


REFUSED: dict[str, str] = {
    "def f(x):\n    return TABLE[0]\n": "'f': what it computes cannot be known. It uses TABLE, a list, which may "
    "change while a program runs. Write a tuple.",
    "def f(x):\n    return g(x)\n\ndef g(x):\n    return TABLE[0]\n": "In its helper 'g': It uses TABLE, a list",
    "def f(x, seen={}):\n    return x\n": "It uses the default {}, a dict",
    "g = lambda x: PAIR[x]\ndef f(x):\n    return g(x)\n": "In its helper '<lambda>': It uses PAIR, a list",
    "count = 0\ndef f(x):\n    global count\n    count += 1\n": "It changes count outside of itself. Return the value",
    "def g():\n    n = 0\n    def f(x):\n        nonlocal n\n        n += 1\n    return f\nf = g()\n": "It changes n",
    "def f(x):\n    import math\n    return math.log(x)\n": "It imports while it runs. Move the import to the top",
    "def f(x):\n    return later(x)\n": "later is not defined yet. Define it above the view.",
    "import numpy\ndef f(x):\n    return numpy.divine(x)\n": "numpy.divine does not exist. Correct the name.",
    "def g(x): return x\ng.step = 2\ndef f(x):\n    return x + g.step\n": "It reads an attribute of the function g",
    "f = lambda x: x\n": "an on-demand function is a lambda, which has no name. Define it with `def`.",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_function_whose_inputs_cannot_be_known_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        fingerprint_of(text, TABLE=[1], PAIR=[2])
    assert REFUSED[text] in str(refused.value)


def test_it_is_refused_when_the_view_is_defined() -> None:
    function = function_of("def f(price):\n    return price + TABLE[0]\n", TABLE=[1])
    with pytest.raises(DefinitionError, match="It uses TABLE, a list"):
        FeatureView("v", 1, SOURCE, (function,))
