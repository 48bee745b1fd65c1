"""Advice: how an error names a wrong argument of a definition, and what it says to write instead."""

from __future__ import annotations

import collections.abc
import dataclasses
import difflib
import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

_LONGEST = 60
_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
_SHORT_UNITS = {"d": "days", "h": "hours", "m": "minutes", "min": "minutes", "s": "seconds"}
_WORDS: dict[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    type(None): "None",
    timedelta: "a duration such as days(7)",
}
_MEANT = {"iso": "rfc3339", "iso8601": "rfc3339", "iso-8601": "rfc3339", "seconds": "s", "sec": "s", "millis": "ms",
          "milliseconds": "ms", "micros": "us", "microseconds": "us", "=": "==", "<>": "!="}  # fmt: skip
_PYTHON_TYPES = {"int": "Integer", "float": "Decimal", "str": "Text", "bool": "Boolean", "datetime": "Timestamp"}


def where(cls: type, given: Mapping[str, Any]) -> str:
    """What an error is about, as in "feature group 'spend'" or "Aggregate('price', ...)"."""
    name, column = given.get("name"), given.get("column")
    if isinstance(name, str):
        return f"{re.sub(r'(?<!^)(?=[A-Z])', ' ', cls.__name__).lower()} {name!r}"
    return f"{cls.__name__}({column!r}, ...)" if isinstance(column, str) else f"{cls.__name__}(...)"


def found(value: Any) -> str:
    """A value as an error shows it, as in "the class Max" or "days(7)"."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, types.FunctionType):
        return "a lambda" if value.__name__ == "<lambda>" else f"the function {value.__name__}"
    return _code(value)


def advice(value: Any, hint: Any, path: str) -> str:
    """What to write in place of a value that an option of this annotation does not take."""
    wanted = list(_alternatives(hint))
    for each in wanted:
        if said := _conversion(value, each, path):
            others = (
                f", hours({value}), minutes({value}) or seconds({value})"
                if each is timedelta and _is_number(value)
                else ""
            )
            return f"write {said}{others}"
    for each in wanted:
        if typing.get_origin(each) is typing.Literal:
            choices = [str(one) for one in typing.get_args(each)]
            near = difflib.get_close_matches(_MEANT.get(str(value).lower(), str(value)), choices, 1)
            return f"{f'did you mean {near[0]!r}? Write' if near else 'write'} one of {', '.join(map(repr, choices))}"
    if isinstance(value, str) and isinstance(hint, type) and hint not in _WORDS and not inspect.isabstract(hint):
        return f"write the {hint.__name__} itself, not its name"
    return f"write {' or '.join(dict.fromkeys(map(_words, wanted)))}"


def _alternatives(hint: Any) -> Iterator[Any]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        for each in typing.get_args(hint):
            yield from _alternatives(each)
    else:
        yield hint


def _conversion(value: Any, hint: Any, path: str) -> str | None:
    """The value as it would be right, where that can be told."""
    if typing.get_origin(hint) is tuple:
        return _in_a_tuple(value, typing.get_args(hint)[0], path)
    if hint is timedelta:
        return _duration(value)
    if not isinstance(hint, type):
        return None
    if isinstance(value, type) and issubclass(value, hint):
        return _call(value)
    name = value.__name__ if isinstance(value, type) else value
    if isinstance(name, str) and (kinds := _subclasses(hint)):
        near = difflib.get_close_matches(_PYTHON_TYPES.get(name, name).casefold(), list(kinds), 1, cutoff=0.75)
        return _call(kinds[near[0]]) if near else None
    return None


def _in_a_tuple(value: Any, inner: Any, path: str) -> str | None:
    """A value that should stand in a tuple, in one."""
    for kind in _alternatives(inner):
        fits = kind is Any or (isinstance(value, kind) if isinstance(kind, type) else callable(value))
        if fits and not isinstance(value, type):
            return f"{path}=({value.__name__ if isinstance(value, types.FunctionType) else _code(value)},)"
        if said := _conversion(value, kind, path):
            return f"{path}=({said},)"
    return None


def _duration(value: Any) -> str | None:
    if _is_number(value):
        return f"days({value})"
    if isinstance(value, str) and (parts := re.fullmatch(r"\s*(\d+)\s*([a-z]+)\s*", value.lower())):
        unit = _SHORT_UNITS.get(parts[2]) or next((name for name, _ in _UNITS if name.startswith(parts[2])), None)
        return f"{unit}({parts[1]})" if unit else None
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _subclasses(cls: type) -> dict[str, type]:
    """All classes that derive from a class and can be built, by their names in small letters."""
    names: dict[str, type] = {}
    kinds: list[type] = cls.__subclasses__()
    for kind in kinds:
        own = {} if inspect.isabstract(kind) else {kind.__name__.casefold(): kind}
        for name, each in (own | _subclasses(kind) | own).items():
            names.setdefault(name, each)  # of one name, the class that others derive from
    return names


def _call(cls: type) -> str:
    parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]  # of the class itself
    needed = [parameter.name for parameter in parameters if parameter.default is parameter.empty][1:]
    return f"{cls.__name__}({', '.join(needed)})"


def _words(hint: Any) -> str:
    origin = typing.get_origin(hint)
    if origin is tuple:
        inner = list(_alternatives(typing.get_args(hint)[0]))
        return f"a tuple, each {' or '.join(dict.fromkeys(map(_words, inner)))}"
    if origin is collections.abc.Callable:
        return "a function"
    if hint in _WORDS:
        return _WORDS[hint]
    if inspect.isabstract(hint):
        return f"one of {', '.join(_call(each) for each in _subclasses(hint).values() if _is_ours(each))}"
    name = getattr(hint, "__name__", str(hint))
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _is_ours(cls: type) -> bool:
    return cls.__module__.startswith(f"{__package__}.")


def _code(value: Any) -> str:
    """A value as it would be written in Python; a definition by its probable name."""
    if isinstance(value, timedelta):
        for name, seconds in _UNITS:
            if value % timedelta(seconds=seconds) == timedelta(0):
                return f"{name}({value // timedelta(seconds=seconds)})"
    if dataclasses.is_dataclass(value) and any(each.name == "name" for each in dataclasses.fields(value)):
        return str(getattr(value, "name", "")).upper()
    text = repr(value)
    if len(text) > _LONGEST and dataclasses.is_dataclass(value):
        return f"{type(value).__name__}(...)"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
