"""A step: a named piece of work with declared inputs and parameters, and files as its output."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared_features.arguments import Checked
from shared_features.errors import DefinitionError
from training.progress import Tell, untold

SPARK = "spark"
"""The parameter of a function that takes the session of its target."""

_QUEUE_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_TAKEN_QUEUES = ("training-runs", "news")
"""Those of the scheduler."""

Action = Callable[["Task"], str]
"""Does the work into `Task.output` and returns one line that says what came of it."""


@dataclass(frozen=True)
class Subprocess:
    """A compute target: a process of its own, for this step alone. None: no limit.

    memory_mb: of its data, in units of 2**20 bytes. seconds: from its start to its end.
    """

    memory_mb: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Queue(metaclass=Checked):
    """A compute target: a worker, on any machine, that takes the steps of this queue (`python -m training work`).

    memory_mb, seconds: as those of Subprocess, on the worker's machine. waits_at_most_seconds: until a worker takes the
    step; then it fails. Raises DefinitionError.
    """

    name: str
    memory_mb: int | None = None
    seconds: float | None = None
    waits_at_most_seconds: float = 86_400.0

    def __post_init__(self) -> None:
        if not _QUEUE_NAME.fullmatch(self.name) or self.name in _TAKEN_QUEUES:
            raise DefinitionError(
                f"{self.name!r} is not a name of a queue; use a-z, 0-9, - and _, but not {' or '.join(_TAKEN_QUEUES)}"
            )
        for option in ("memory_mb", "seconds", "waits_at_most_seconds"):
            value = getattr(self, option)
            if value is not None and not value > 0:
                raise DefinitionError(f"queue {self.name!r}: {option} is {value}; give more than 0, or leave it out")

    @property
    def limits(self) -> Subprocess | None:
        """Those of the function's process on the worker's machine; None: it is called in the process of the step."""
        bounded = self.memory_mb is not None or self.seconds is not None
        return Subprocess(self.memory_mb, self.seconds) if bounded else None


@dataclass(frozen=True)
class Spark(metaclass=Checked):
    """A compute target: the function gets a session of Apache Spark as `spark`, which ends with the step.

    master: as Spark has it, `local[*]` for this machine. options: of Spark, such as "spark.executor.memory". Needs the
    extra `millrace[spark]` and Java. Raises DefinitionError.
    """

    master: str = "local[*]"
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if wrong := [name for name in self.options if not name.startswith("spark.")]:
            raise DefinitionError(f"{wrong[0]!r} is not an option of Spark; write its name in full, as 'spark.NAME'")


Target = Subprocess | Queue | Spark


@dataclass(frozen=True)
class Step:
    """action: `module:function`, imported when the step runs, so that a step that is skipped imports nothing.

    inputs: files of earlier steps as `step/file`, or `step/*` for all of them; the action sees no other file.
    parameters: those that shape the result, by name. effect: the step changes something outside its folder, so it is
    never skipped; it must come to the same when it is done again. digests: file -> `module:function` from the file's
    bytes to a digest, where less than all of its bytes matters to later steps.

    arguments: the action is a plain function `action(inputs, output, **arguments)`; None: it takes a Task. A Path among
    them is a file, whose content counts. outputs: files that it writes, where they are known. after: further steps that
    come before it. target: where a plain function is called; None: in this process.
    """

    name: str
    action: str
    inputs: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    effect: bool = False
    digests: Mapping[str, str] | None = None
    arguments: Mapping[str, Any] | None = None
    outputs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    target: Target | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The steps whose files it takes."""
        return tuple(dict.fromkeys(each.partition("/")[0] for each in self.inputs))


@dataclass(frozen=True)
class Task:
    """One execution. inputs: a folder that holds the declared inputs as `step/file`. output: an empty folder.

    context: what the run hands to each of its steps. tell: called with what the step does now.
    """

    inputs: Path
    output: Path
    context: Any
    tell: Tell = untold


def load_function(where: str) -> Callable[..., Any]:
    """The function that `module:function` names."""
    module, _, name = where.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found
