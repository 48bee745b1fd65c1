"""What a function takes from outside counts by its value, by its name and version, or is refused."""

import bisect
import datetime
import functools
import importlib.metadata
import itertools
import math
import operator
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec
import numba
import numpy as np
import pytest

from shared_features import DefinitionError
from shared_features.definitions.functions.function_meaning import function_fingerprint
from tests.shared_features.definitions.written import function_of, module_of


def fingerprint_with(value: Any) -> str:
    return function_fingerprint(function_of("def f(x):\n    return x + VALUE\n", VALUE=value))


def frozen(*numbers: float) -> Any:
    array = np.array(numbers)
    array.setflags(write=False)
    return array


CONSTANTS: tuple[Any, ...] = (
    None, True, False, 0, 1, 1.0, -0.0, 0.0, float("nan"), 1j, "1", b"1", ..., (), (1,), ((1,),), (1, 2), (2, 1),
    frozenset({1}), frozenset({1, 2}), MappingProxyType({1: 2}), MappingProxyType({1: 3}), np.float32(1), np.float64(1),
    np.datetime64("2026-01-01"), np.dtype("f4"), np.dtype("f8"), frozen(1, 2), frozen(1, 3), frozen(1, 2).reshape(2, 1),
)  # fmt: skip


def test_every_constant_has_a_fingerprint_of_its_own() -> None:
    found = [fingerprint_with(each) for each in CONSTANTS]
    assert len(set(found)) == len(found)
    assert [fingerprint_with(each) for each in CONSTANTS] == found


def test_a_set_has_no_order() -> None:
    assert fingerprint_with(frozenset({"a", "b", "c"})) == fingerprint_with(frozenset({"c", "b", "a"}))


def test_a_partial_counts_by_its_function_and_its_arguments() -> None:
    module = module_of("def g(a, b):\n    return a + b\n\ndef h(a, b):\n    return a - b\n")
    given = [(module.g, 1), (module.g, 2), (module.h, 1)]
    found = {fingerprint_with(functools.partial(function, number)) for function, number in given}
    assert len(found) == 3


def test_a_compiled_helper_counts_by_what_it_computes() -> None:
    def compiled(text: str, **options: Any) -> str:
        return fingerprint_with(numba.njit(**options)(function_of(text)))

    assert compiled("def f(a):\n    return a\n") == compiled("def f(a):\n    'Said.'\n    return a\n")
    assert compiled("def f(a):\n    return a\n") != compiled("def f(a):\n    return -a\n")
    assert compiled("def f(a):\n    return a\n") != compiled("def f(a):\n    return a\n", fastmath=True)


def test_numpy_and_the_standard_library_count_by_name() -> None:
    """So a new numpy is not another feature; the parity certificate of a model says what it was computed with."""
    text = "import math\nimport numpy as np\ndef f(x):\n    return np.log1p(math.floor(x)) + np.linalg.norm(x)\n"
    other = "from math import floor\nfrom numpy import log1p as log\nfrom numpy.linalg import norm as length\n"
    other += "def f(x):\n    return log(floor(x)) + length(x)\n"
    assert function_fingerprint(function_of(text)) == function_fingerprint(function_of(other))


STANDARD = (operator.add, functools.reduce, itertools.chain, bisect.bisect_left, statistics.fmean, math.log, len)


def test_the_standard_library_counts_whether_it_is_compiled_or_not() -> None:
    found = [fingerprint_with(each) for each in STANDARD]
    assert len(set(found)) == len(found)
    assert fingerprint_with(operator.add) == "336bd9752cb0426c"  # the same under each Python


def test_a_function_of_another_package_counts_by_name_and_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint_with(msgspec.json.encode)
    assert before != fingerprint_with(msgspec.json.decode)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.0")
    assert fingerprint_with(msgspec.json.encode) != before


def test_a_function_of_a_module_that_is_not_installed_counts_by_what_it_computes() -> None:
    """A file that lies beside the definitions has no version that could be named."""

    def beside(step: int) -> Any:
        return module_of(f"def up(x):\n    return x + {step}\n", "beside_the_definitions").up

    assert fingerprint_with(beside(1)) == fingerprint_with(beside(1))
    assert fingerprint_with(beside(1)) != fingerprint_with(beside(2))


@dataclass
class Changeable:
    step: int = 1


@functools.lru_cache
def remembered(x: Any) -> Any:
    return x


VIEW_OF_WRITABLE = np.array([1.0, 2.0])[:1]
VIEW_OF_WRITABLE.setflags(write=False)

REFUSED: dict[str, tuple[Any, str]] = {
    "a list": ([1], "a list, which may change while a program runs. Write a tuple."),
    "a list in a tuple": (([1],), "a list, which may change while a program runs. Write a tuple."),
    "a dict": ({1: 2}, "a dict, which may change while a program runs. Write types.MappingProxyType({...})."),
    "a set": ({1}, "a set, which may change while a program runs. Write a frozenset."),
    "bytes that can change": (bytearray(b"x"), "Write bytes."),
    "a list in a mapping": (MappingProxyType({1: [2]}), "Write a tuple."),
    "an array": (
        np.array([1]),
        "a ndarray, which may change while a program runs. Make it read-only where it is defined",
    ),
    "a view of an array": (VIEW_OF_WRITABLE, "Make it read-only"),
    "an object": (
        Changeable(),
        "an object of type tests.shared_features.definitions.functions.test_outside_values.Changeable",
    ),
    "a cached function": (remembered, "Use a function that is written in Python."),
    "the clock": (time.time, "of the module time, which may read a clock, a file or chance. Use numpy or math."),
    "the calendar": (datetime.datetime, "of the module datetime"),
    "chance": (random.random, "an object of type builtin_function_or_method that nothing is known of"),
    "chance of numpy": (np.random.default_rng, "which reads more than its parameters"),
    "a file": (open, "which may read a clock, a file or chance. Use numpy or math."),
    "a file of numpy": (np.load, "which reads more than its parameters"),
    "text as code": (eval, "which reads more than its parameters. Make what it reads a parameter or a constant."),
    "a hash, which differs in each process": (hash, "which reads more than its parameters"),
    "a method of an object": ("".join, "an object of type builtin_function_or_method that nothing is known of"),
    "a vectorized function": (np.vectorize(abs), "an object of type numpy.vectorize that nothing is known of"),
    "a module": (module_of("", "shop.helpers"), "a module of its own package. Use a function or a constant."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_be_another_thing_tomorrow_is_refused(name: str) -> None:
    value, says = REFUSED[name]
    with pytest.raises(DefinitionError) as refused:
        fingerprint_with(value)
    assert str(refused.value).startswith("on-demand function 'f': what it computes cannot be known. It uses VALUE, ")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        "np.datetime64('now')",
        "np.datetime64('Today', 'D')",
        "x - np.array(['now'], dtype='datetime64[s]').astype('f8')",
        "np.asarray('today').astype('<M8[us]')",
        "np.array(WORD, 'M8')",
        "np.array(WORD, DTYPE)",
        "helper(np.datetime64)",
        "np.busday_count('2026-01-01', 'today')",
    ],
)
def test_a_text_that_numpy_reads_from_the_clock_is_a_clock(body: str) -> None:
    text = f"import numpy as np\ndef helper(kind):\n    return kind(WORD)\n\ndef f(x):\n    return {body}\n"
    with pytest.raises(DefinitionError, match=r"It uses the text '\w+', which numpy reads from the clock"):
        function_fingerprint(function_of(text, WORD="now", DTYPE=np.dtype("M8[s]")))


@pytest.mark.parametrize(
    "body", ["np.where(x == 'now', 1, 0)", "np.datetime64('2026-01-01')", "np.timedelta64(1, 's')"]
)
def test_a_text_that_is_no_time_and_a_time_that_is_no_clock_are_taken(body: str) -> None:
    function_fingerprint(function_of(f"import numpy as np\ndef f(x):\n    return {body}\n"))


def test_a_compiled_function_of_an_unknown_module_is_refused() -> None:
    class Unknown:
        __module__ = "no_such_module"

        def __call__(self, x: Any) -> Any:
            return x

    function: Callable[[Any], Any] = Unknown()
    with pytest.raises(DefinitionError, match=r"an object of type no_such_module\..*Unknown that nothing is known of"):
        fingerprint_with(function)
