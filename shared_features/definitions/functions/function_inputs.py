"""The inputs of an on-demand function, which its parameters name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from shared_features.errors import DefinitionError

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def function_inputs(function: Callable[..., Any], where: str) -> tuple[str, tuple[str, ...]]:
    """The name of the function, which is that of its feature, and the names of its inputs.

    Raises DefinitionError where it has none.
    """
    name = getattr(function, "__name__", None)
    if name == "<lambda>":
        raise DefinitionError(f"{where} is a lambda, which has no name. Define a function with `def`.")
    if not isinstance(name, str):
        raise DefinitionError(
            f"{where} is a {type(function).__name__} without a name, and an on-demand feature is called like its "
            "function. Define a function with `def` that calls it."
        )
    about = f"{where}, the on-demand function {name!r},"
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise DefinitionError(f"{about} is asynchronous or a generator. Write a function that returns its value.")
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise DefinitionError(
            f"{about} does not say what it takes. Define a function with `def` that calls it."
        ) from None
    if unnamed := [str(each.replace(annotation=each.empty)) for each in parameters if each.kind not in _BY_POSITION]:
        raise DefinitionError(
            f"{about} takes {', '.join(unnamed)} by name or in any number. Write each input as a plain "
            "parameter, by its name."
        )
    if not parameters:
        raise DefinitionError(f"{about} takes no inputs. Name a field, a stored feature or as_of_us as its parameter.")
    return name, tuple(each.name for each in parameters)
