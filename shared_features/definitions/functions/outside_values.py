"""What a function takes from outside of itself: a value that cannot change, or a thing that its name and version say.

Everything else is refused, with what to write instead: a table that may change while a program runs, a clock, chance,
a compiled function of an unknown module.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import importlib.metadata
import re
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from shared_features.errors import DefinitionError

Plain = Any

_SCALARS = (type(None), bool, int, float, complex, str, bytes, type(...))
_STANDARD = {"bisect", "cmath", "collections", "decimal", "fractions", "functools", "itertools", "math", "numbers",
             "operator", "statistics", "typing"}  # fmt: skip
"""Modules of the standard library that read no clock, no file and no chance."""
_UNKNOWABLE = {
    "builtins": {"__import__", "compile", "eval", "exec", "globals", "hash", "id", "input", "locals", "open", "vars"},
    "numpy": {"fromfile", "genfromtxt", "load", "loadtxt", "memmap", "random"},
}
_CLOCK_TEXTS = ("now", "today")
"""Which numpy reads from the clock where it expects a time, in capitals too."""
_TIMES = re.compile(r"numpy\.(datetime64|is_busday|busday\w*)|'?[<>=|]?(M8|datetime64)(\[.*|'?$)")
"""A function of numpy that reads a text as a time, by its name; the type of times, as a text and as a dtype."""
_INSTEAD: tuple[tuple[Any, str], ...] = (
    (list, "Write a tuple"),
    (set, "Write a frozenset"),
    (dict, "Write types.MappingProxyType({...})"),
    (bytearray, "Write bytes"),
    (np.ndarray, "Make it read-only where it is defined: .setflags(write=False)"),
)


class UnknowableError(DefinitionError):
    """A value that may be another one tomorrow; the message says what it is and what to write."""


def is_followed(function: types.FunctionType, root: Any) -> bool:
    """Whether a function counts by what it computes: of the package of `root`, of Millrace, or of no installed one."""
    package = _package(function.__globals__.get("__name__", ""))
    if package in (_package(root.__module__), _package(__name__)):
        return True
    return package not in sys.stdlib_module_names and package != "numpy" and not _distributions().get(package)


def is_namespace(value: Any) -> bool:
    """Whether the attributes of a value are things of their own: those of a module, the members of an Enum."""
    return isinstance(value, types.ModuleType | enum.EnumType)


def made_of(value: Any) -> tuple[str, list[Any]] | None:
    """What a value is made of, where it is made of others and cannot change."""
    if type(value) is tuple:
        return "tuple", list(value)
    if isinstance(value, frozenset):
        return "frozenset", sorted(value, key=repr)
    if isinstance(value, types.MappingProxyType):
        return "mapping", [each for pair in value.items() for each in pair]
    if isinstance(value, enum.Enum):
        return f"enum {value.name}", [value.value]
    if isinstance(value, functools.partial):
        return "partial", [value.func, value.args, tuple(value.keywords.items())]
    if python := getattr(value, "py_func", None):  # compiled by numba
        return f"compiled {sorted((str(key), str(each)) for key, each in value.targetoptions.items())}", [python]
    return None


def value_meaning(value: Any) -> Plain | None:
    """A constant as plain data; None of anything else. Raises UnknowableError of a value that can change."""
    if type(value) in _SCALARS:
        return [type(value).__name__, repr(value)]
    if isinstance(value, np.dtype):
        return ["dtype", value.str]
    if isinstance(value, np.generic):
        return [value.dtype.str, value.tobytes().hex()]
    if isinstance(value, np.ndarray) and not value.dtype.hasobject and _is_frozen(value):
        return ["array", value.dtype.str, str(value.shape), hashlib.sha256(value.tobytes()).hexdigest()]
    if isinstance(value, types.GenericAlias | types.UnionType) or type(value).__module__ == "typing":
        return ["type", repr(value)]
    for kind, instead in _INSTEAD:
        if isinstance(value, kind):
            raise UnknowableError(f"a {kind.__name__}, which may change while a program runs. {instead}.")
    return None


def value_name(value: Any, owner: Any, root: Any) -> Plain:
    """A thing by its name, and by its package's version where that is not numpy or the standard library.

    owner: the module that it was taken from, if it was named as that module's attribute.
    """
    module, name = _address(value, owner)
    if _package(module) in sys.stdlib_module_names:
        module = module.lstrip("_")  # _operator is how operator is compiled
    package = _package(module)
    if package in (_package(root.__module__), _package(__name__)):
        raise UnknowableError(f"a {type(value).__name__} of its own package. Use a function or a constant.")
    if {name.partition(".")[0], *module.split(".")[1:]} & _UNKNOWABLE.get(package, set()):
        raise UnknowableError("which reads more than its parameters. Make what it reads a parameter or a constant.")
    if package in ("builtins", "numpy", *_STANDARD):
        return ["named", f"{module}.{name}"]
    if package in sys.stdlib_module_names:
        raise UnknowableError(f"of the module {package}, which may read a clock, a file or chance. Use numpy or math.")
    if not (installed := _distributions().get(package)):
        raise UnknowableError(f"of {module}, a package without a version. Use a function that is written in Python.")
    versions = [f"{each} {importlib.metadata.version(each)}" for each in sorted(set(installed))]
    return ["named", f"{module}.{name}", versions]


def clock_text(meaning: Plain) -> str | None:
    """The text that numpy takes for the present, in what a function computes; None where no text becomes a time."""
    pairs = [pair for pair in _pairs(meaning) if pair[0] in ("str", "named", "dtype")]
    if not any(_TIMES.match(said) for _, said in pairs):
        return None
    texts = (said for kind, said in pairs if kind == "str")
    return next((each for each in texts if each.strip("'").lower() in _CLOCK_TEXTS), None)


def _pairs(plain: Plain) -> Iterator[tuple[str, str]]:
    """The pairs of two texts, to any depth."""
    if isinstance(plain, dict):
        plain = list(plain.values())
    if isinstance(plain, list):
        if len(plain) == 2 and all(isinstance(each, str) for each in plain):
            yield plain[0], plain[1]
        for each in plain:
            yield from _pairs(each)


def _address(value: Any, owner: Any) -> tuple[str, str]:
    """The module and the name under which a value is found."""
    if isinstance(value, types.ModuleType):
        return value.__name__, "the module itself"
    module = getattr(value, "__module__", None) or "builtins"
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", "")
    if name and _found(module, name) is value:
        return module, name
    if isinstance(owner, types.ModuleType) and not isinstance(value, types.FunctionType):
        names = sorted(key for key, each in vars(owner).items() if each is value)
        if names:
            return owner.__name__, names[0]
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    raise UnknowableError(f"an object of type {kind} that nothing is known of. Use a function or a constant.")


def _found(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _is_frozen(array: Any) -> bool:
    return not array.flags.writeable and (
        array.base is None or (isinstance(array.base, np.ndarray) and _is_frozen(array.base))
    )


def _package(module: str) -> str:
    return module.partition(".")[0]


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())
