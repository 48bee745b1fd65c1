"""Arguments: what a definition is built with, checked against the annotations of its class before anything else.

So a wrong argument is a DefinitionError that says what to write, and no error from the depth of a program. A list is
taken for a tuple, a whole number such as 1e6 for an int, and what is of numpy for the same of Python.
"""

from __future__ import annotations

import collections.abc
import difflib
import inspect
import types
import typing
from abc import ABCMeta
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

from shared_features.advice import advice, found, where
from shared_features.errors import DefinitionError


class Checked(ABCMeta):
    """The metaclass of the classes that definitions are made of."""

    def __call__(cls, *given: Any, **named: Any) -> Any:
        signature = _signature(cls)
        try:
            bound = signature.bind(*given, **named)
        except TypeError:
            raise DefinitionError(_miscalled(cls, signature, given, named)) from None
        hints = _hints(cls)
        for option, value in bound.arguments.items():
            if option in hints:
                try:
                    bound.arguments[option] = _fitted(value, hints[option], option)
                except _UnfitError as unfit:
                    raise DefinitionError(f"{where(cls, bound.arguments)}: {unfit.says}") from None
        return super().__call__(*bound.args, **bound.kwargs)


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """The name that was probably meant, as the sentence that follows an error; "" where none is near."""
    near = difflib.get_close_matches(name, list(choices), 1)
    return f" Did you mean {near[0]!r}?" if near else ""


class _UnfitError(Exception):
    def __init__(self, path: str, value: Any, hint: Any) -> None:
        self.says = f"{path} is {found(value)}; {advice(value, hint, path)}"


def _fitted(value: Any, hint: Any, path: str) -> Any:
    """The value as its option takes it. Raises _UnfitError where it does not."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    value = _of_python(value)
    if isinstance(value, np.ndarray) and value.ndim == 1 and origin is tuple:
        value = list(value)
    if origin is collections.abc.Mapping and isinstance(value, dict):
        value = {_of_python(name): _of_python(each) for name, each in value.items()}
    if origin in (typing.Union, types.UnionType):
        return _fitted_to_one(value, hint, path)
    if origin is tuple and isinstance(value, tuple | list):
        return tuple(_fitted(each, inner[0], f"{path}[{at}]") for at, each in enumerate(value))
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if not _is_of(value, hint):
        raise _UnfitError(path, value, hint)
    return value


def _fitted_to_one(value: Any, hint: Any, path: str) -> Any:
    for each in typing.get_args(hint):
        try:
            return _fitted(value, each, path)
        except _UnfitError:
            continue
    raise _UnfitError(path, value, hint)


def _of_python(value: Any) -> Any:
    """A number, a text, True or False of numpy as the one of Python; all else as it is."""
    is_plain = isinstance(value, np.bool_ | np.integer | np.floating | np.str_)
    return value.item() if is_plain and not isinstance(value, np.timedelta64) else value  # which numpy calls a number


def _is_of(value: Any, hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if hint is Any:
        return True
    if origin is typing.Literal:
        return any(type(value) is type(each) and value == each for each in typing.get_args(hint))
    if origin is collections.abc.Callable:
        return callable(value) and not isinstance(value, type)
    if hint in (int, float):
        return isinstance(value, int | float if hint is float else int) and not isinstance(value, bool)
    kind = origin or hint
    return not isinstance(kind, type) or isinstance(value, kind)


@cache
def _signature(cls: type) -> inspect.Signature:
    own = inspect.signature(cls.__init__)  # type: ignore[misc]  # of the class itself, as it is called here
    return own.replace(parameters=list(own.parameters.values())[1:])


@cache
def _hints(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls)
    except (NameError, TypeError):  # a class of a user's whose annotations cannot be resolved
        return {}


def _miscalled(cls: type, signature: inspect.Signature, given: tuple[Any, ...], named: dict[str, Any]) -> str:
    """What is wrong with the number or the names of the arguments."""
    options = list(signature.parameters)
    place = where(cls, dict(zip(options, given, strict=False)) | named)
    for name in named:
        if name not in options:
            return f"{place}: there is no option {name!r}.{did_you_mean(name, options)} {_options(cls, options)}"
    positional = [each for each in signature.parameters.values() if each.kind is not each.KEYWORD_ONLY]
    if len(given) > len(positional):
        return f"{place}: {found(given[len(positional)])} is given and not asked for. {_options(cls, options)}"
    if twice := set(options[: len(given)]) & set(named):
        return f"{place}: {', '.join(sorted(twice))} is given twice, by position and by name; drop one"
    needed = [each.name for each in signature.parameters.values() if each.default is each.empty]
    missing = [name for name in needed[len(given) :] if name not in named]
    return f"{place}: {' and '.join(missing)} must be given. {_options(cls, options)}"


def _options(cls: type, options: list[str]) -> str:
    return f"{cls.__name__} takes {', '.join(options)}" if options else f"{cls.__name__}() takes nothing"
