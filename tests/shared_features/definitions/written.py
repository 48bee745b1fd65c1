"""Functions written by a test: the text of a module becomes a module, as if it lay in a file."""

import itertools
import linecache
from collections.abc import Callable
from types import ModuleType
from typing import Any

_NUMBERS = itertools.count()


def module_of(text: str, name: str = "shop.features", **given: Any) -> ModuleType:
    """A module of this text, which also has the `given` names. It is not put among the imported ones."""
    file = f"<written {next(_NUMBERS)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    module = ModuleType(name)
    vars(module).update(given)
    exec(compile(text, file, "exec"), vars(module))
    return module


def function_of(text: str, **given: Any) -> Callable[..., Any]:
    """The function `f` of the module of this text."""
    function: Callable[..., Any] = module_of(text, **given).f
    return function
