"""A step: a named piece of work with declared inputs and parameters, and files as its output."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Action = Callable[["Task"], str]
"""Does the work into `Task.output` and returns one line that says what came of it."""


@dataclass(frozen=True)
class Step:
    """action: `module:function`, imported when the step runs, so that a step that is skipped imports nothing.

    inputs: files of earlier steps as `step/file`, or `step/*` for all of them; the action sees no other file.
    parameters: those that shape the result, by name. effect: the step changes something outside its folder, so it is
    never skipped; it must come to the same when it is done again. digests: file -> `module:function` from the file's
    bytes to a digest, where less than all of its bytes matters to later steps.
    """

    name: str
    action: str
    inputs: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    effect: bool = False
    digests: Mapping[str, str] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The steps whose files it takes."""
        return tuple(dict.fromkeys(each.partition("/")[0] for each in self.inputs))


@dataclass(frozen=True)
class Task:
    """One execution. inputs: a folder that holds the declared inputs as `step/file`. output: an empty folder.

    context: what the run hands to each of its steps.
    """

    inputs: Path
    output: Path
    context: Any


def load_function(where: str) -> Callable[..., Any]:
    """The function that `module:function` names."""
    module, _, name = where.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found
