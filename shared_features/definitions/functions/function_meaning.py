"""What a function computes, as plain data: its tree, and what it takes from outside, to any depth.

Constants, defaults and closures count by their values, helpers of the same package by what they compute in turn.
numpy and the standard library count by name, functions of other installed packages by name and version. A function
whose inputs cannot be known is refused.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from shared_features.definitions.fingerprints import fingerprint
from shared_features.definitions.functions.function_source import (
    FunctionNode,
    SourceError,
    function_node,
    outside_names,
    parts_of,
)
from shared_features.definitions.functions.outside_values import (
    UnknowableError,
    clock_text,
    is_followed,
    is_namespace,
    made_of,
    value_meaning,
    value_name,
)
from shared_features.errors import DefinitionError

Plain = Any


def function_fingerprint(function: Callable[..., Any]) -> str:
    """16 hex digits that change when what the function computes changes. The same under each Python.

    Raises DefinitionError when the function's inputs cannot be known.
    """
    return fingerprint(_Meaning(function).plain())


class _Meaning:
    """What one on-demand function and all that it calls compute; each function once, numbered in order of first use."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._root = function
        self._name = getattr(function, "__name__", repr(function))
        self._numbers: dict[FunctionType, int] = {}
        self._functions: list[Plain] = []

    def plain(self) -> Plain:
        if self._name == "<lambda>":
            raise DefinitionError("an on-demand function is a lambda, which has no name. Define it with `def`.")
        root = self._value(self._root, self._name, None)
        if text := clock_text([root, self._functions]):
            raise self._refusal(
                None, f"It uses the text {text}, which numpy reads from the clock. Use the parameter as_of_us."
            )
        return [root, self._functions]

    def _function(self, function: FunctionType) -> Plain:
        if function not in self._numbers:
            self._numbers[function] = len(self._functions)
            self._functions.append(None)  # known by its number from here on: it may call itself
            self._functions[self._numbers[function]] = self._computes(function)
        return ["function", self._numbers[function]]

    def _computes(self, function: FunctionType) -> Plain:
        try:
            node = function_node(function)
        except SourceError as error:
            raise self._refusal(function, str(error)) from None
        given = {str(at): each for at, each in enumerate(function.__defaults__ or ())}
        given |= function.__kwdefaults__ or {}
        defaults = {at: self._value(each, f"the default {each!r}", function) for at, each in given.items()}
        tree = _Tree(node, lambda chain: self._chain(function, chain))
        return {"tree": tree.plain(node), "defaults": defaults}

    def _chain(self, function: FunctionType, chain: list[str]) -> tuple[Plain, int]:
        """The meaning of `name.attribute.attribute`, as far as it names one thing; and how many words that takes."""
        value, taken, owner = self._outside(function, chain[0]), 1, None
        while is_namespace(value) and taken < len(chain):
            owner = value
            if not hasattr(value, chain[taken]):
                raise self._refusal(function, f"{'.'.join(chain[: taken + 1])} does not exist. Correct the name.")
            value, taken = getattr(value, chain[taken]), taken + 1
        if isinstance(value, FunctionType) and is_followed(value, self._root) and taken < len(chain):
            raise self._refusal(function, f"It reads an attribute of the function {chain[taken - 1]}. Use a constant.")
        return self._value(value, ".".join(chain[:taken]), function, owner), taken

    def _outside(self, function: FunctionType, name: str) -> Any:
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        try:
            if name in cells:
                return cells[name].cell_contents
            return function.__globals__[name] if name in function.__globals__ else getattr(builtins, name)
        except (AttributeError, ValueError):
            raise self._refusal(function, f"{name} is not defined yet. Define it above the view.") from None

    def _value(self, value: Any, name: str, user: FunctionType | None, owner: ModuleType | None = None) -> Plain:
        """The meaning of a value that `user` calls `name`."""
        if isinstance(value, FunctionType) and is_followed(value, self._root):
            return self._function(value)
        if parts := made_of(value):
            kind, inner = parts
            return [kind, [self._value(each, name, user) for each in inner]]
        try:
            found = value_meaning(value)
            return value_name(value, owner, self._root) if found is None else found
        except UnknowableError as error:
            raise self._refusal(user, f"It uses {name}, {error}") from None

    def _refusal(self, user: Any, why: str) -> DefinitionError:
        who = "" if user in (None, self._root) else f" In its helper {user.__name__!r}:"
        return DefinitionError(f"on-demand function {self._name!r}: what it computes cannot be known.{who} {why}")


class _Tree:
    """A function's tree as plain data; what it takes from outside stands in it by meaning, not by name."""

    def __init__(self, node: FunctionNode, chain: Callable[[list[str]], tuple[Plain, int]]) -> None:
        self._outside = outside_names(node)
        self._chain = chain

    def plain(self, part: Any) -> Plain:
        if isinstance(part, list):
            return [self.plain(each) for each in part]
        if isinstance(part, ast.Constant):
            return ["Constant", value_meaning(part.value)]
        if not isinstance(part, ast.AST):
            return None if part is None else str(part)
        names = list(_chain_of(part))
        if not names or names[0] not in self._outside:
            return [type(part).__name__, {name: self.plain(each) for name, each in parts_of(part)}]
        meaning, taken = self._chain(names)
        for attribute in names[taken:]:
            meaning = ["Attribute", {"attr": attribute, "value": meaning}]
        return meaning


def _chain_of(node: ast.AST) -> Iterator[str]:
    """`["np", "linalg", "norm"]` of `np.linalg.norm`; nothing if the first part is not a name that is read."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        names = list(_chain_of(node.value))
        if names:
            yield from (*names, node.attr)
