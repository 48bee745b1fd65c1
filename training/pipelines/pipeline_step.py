"""A step of your own: a name, a plain function, and what the function takes and leaves."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from shared_features.arguments import Checked, did_you_mean
from shared_features.errors import DefinitionError
from training.errors import RequestError
from training.steps.step import SPARK, Spark, Target

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = ("begin", "end", "lock", "plan")
_FOLDERS = ["inputs", "output"]
_CALL = "`def function(inputs: Path, output: Path, ...) -> str`"


@dataclass(frozen=True)
class PipelineStep(metaclass=Checked):
    """function: `function(inputs, output, **parameters)` reads and writes files, and returns one line for the log.

    inputs: files of earlier steps, as `step/file` or `step/*`. parameters: values of the function's further parameters;
    a run may give others. One of type Path is a file, whose content counts. outputs: files that the function writes.
    after, before: steps between which this one stands, where no file says it. effect: the function changes something
    outside of `output`, so the step is never skipped. target: where the function is called; None: in the run's process.
    """

    name: str
    function: Callable[..., Any]
    inputs: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    effect: bool = False
    target: Target | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in _TAKEN:
            raise DefinitionError(
                f"{self.name!r} is not a name of a step; use a-z, 0-9 and _, but not {', '.join(_TAKEN)}"
            )
        where = f"step {self.name!r}"
        module, name = getattr(self.function, "__module__", None), getattr(self.function, "__qualname__", "")
        if not inspect.isfunction(self.function) or not name.isidentifier() or module == "__main__":
            raise DefinitionError(f"{where}: {name or self.function!r} is not defined by `def` at the top of a module")
        if list(inspect.signature(self.function).parameters)[:2] != _FOLDERS:
            raise DefinitionError(f"{where}: {name}{inspect.signature(self.function)} does not begin as {_CALL}")
        if isinstance(self.target, Spark) and SPARK not in inspect.signature(self.function).parameters:
            raise DefinitionError(f"{where}: {name} has no parameter {SPARK!r}, which takes the session of its target")
        for each in self.inputs:
            step, _, file = each.partition("/")
            if not step or not file:
                raise DefinitionError(f"{where}: input {each!r} names no file of a step; write 'step/file' or 'step/*'")
        try:
            self._converted(self.parameters)
        except RequestError as error:
            raise DefinitionError(str(error)) from error

    @property
    def action(self) -> str:
        return f"{self.function.__module__}:{self.function.__qualname__}"

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the function is called with, `given` in place of what is defined. Raises RequestError."""
        found = self._converted({**self.parameters, **given})
        for name, parameter in self._takes().items():
            if name not in found and parameter.default is parameter.empty:
                raise self._wrong(name, f"parameter {name!r} has no value; give one, or define it")
            found.setdefault(name, parameter.default)
        for name, value in found.items():
            if isinstance(value, Path) and not value.is_file():
                raise self._wrong(name, f"parameter {name!r} names {str(value)!r}, which is not a file")
        return found

    def _takes(self) -> dict[str, inspect.Parameter]:
        """The function's parameters beside its folders."""
        takes = dict(list(inspect.signature(self.function).parameters.items())[2:])
        if isinstance(self.target, Spark):
            takes.pop(SPARK, None)  # the target gives it
        return takes

    def _converted(self, given: Mapping[str, Any]) -> dict[str, Any]:
        takes, hints, found = self._takes(), typing.get_type_hints(self.function), dict[str, Any]()
        for name, value in given.items():
            if name not in takes:
                known = f"It takes {', '.join(takes)}." if takes else "It takes none."
                raise self._wrong(name, f"there is no parameter {name!r}. {known}{did_you_mean(name, takes)}")
            kind = hints.get(name, Any)
            try:
                found[name] = _converted(value, kind)
            except msgspec.ValidationError as error:
                raise self._wrong(name, f"parameter {name!r} is {value!r}: {error}") from error
        return found

    def _wrong(self, parameter: str, what: str) -> RequestError:
        return RequestError(f"step {self.name!r}: {what}", f"$.parameters.steps.{self.name}.{parameter}")


def _converted(value: Any, kind: Any) -> Any:
    if kind is Path:
        return value if isinstance(value, Path) else Path(msgspec.convert(value, str))
    return msgspec.convert(value, kind)
