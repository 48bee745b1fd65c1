"""The call of a step: of an action of ours with its task, of a plain function with its folders and arguments."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from training.errors import StepError
from training.steps.step import SPARK, Queue, Spark, Step, Task, load_function


def call_step(step: Step, task: Task) -> str:
    """What the step says of its work. Raises StepError for a plain function that fails or breaks its contract."""
    if step.arguments is None:
        line: str = load_function(step.action)(task)
        return line
    target = step.target.limits if isinstance(step.target, Queue) else step.target
    if isinstance(target, Spark):
        from training.steps.spark_session import spark_session

        with spark_session(target, step.name) as spark:
            said = call_plain(step.name, step.action, task.inputs, task.output, {**step.arguments, SPARK: spark})
    elif target is None:
        said = call_plain(step.name, step.action, task.inputs, task.output, step.arguments)
    else:
        # Imported here: most runs start no further process.
        from training.steps.limited_process import call_limited

        said = call_limited(target, step.name, step.action, task.inputs, task.output, step.arguments)
    if missing := [name for name in step.outputs if not (task.output / name).is_file()]:
        written = sorted(str(each.relative_to(task.output)) for each in task.output.rglob("*") if each.is_file())
        raise StepError(
            f"step {step.name!r} did not write {', '.join(missing)}, which is among its outputs. It wrote "
            f"{', '.join(written) or 'no file'}. Let the function write it into its folder `output`."
        )
    return said


def call_plain(name: str, action: str, inputs: Path, output: Path, arguments: Mapping[str, Any]) -> str:
    """Call `action(inputs, output, **arguments)` in this process."""
    try:
        said = load_function(action)(inputs, output, **arguments)
    except Exception as error:
        raise StepError(
            f"step {name!r} raised {type(error).__name__}: {error}{_place(error, action)}. Finished steps are kept. "
            "Mend it, then start the run again."
        ) from error
    if not isinstance(said, str) or not said.strip():
        raise StepError(
            f"step {name!r} returned {said!r}. Let {action} return one line that says what came of the step."
        )
    return said.strip()


def argument_parts(step: Step) -> dict[str, Any]:
    """The arguments as a key counts them: a file by its name and its content."""
    found = {}
    for name, value in (step.arguments or {}).items():
        found[name] = _file_part(step, value) if isinstance(value, Path) else msgspec.to_builtins(value)
    return found


def _file_part(step: Step, file: Path) -> dict[str, str]:
    try:
        with file.open("rb") as opened:
            return {"file": file.name, "sha256": hashlib.file_digest(opened, "sha256").hexdigest()}
    except OSError as error:
        raise StepError(
            f"step {step.name!r} cannot read its file: {error}. Mend it, then start the run again."
        ) from error


def _place(error: Exception, action: str) -> str:
    """The line of the function's module at which it failed, as in " (line 3 of steps.py)"."""
    frames = traceback.extract_tb(error.__traceback__)
    stem = action.partition(":")[0].rpartition(".")[2]
    theirs = [each for each in frames if Path(each.filename).stem == stem]
    return f" (line {theirs[-1].lineno} of {Path(theirs[-1].filename).name})" if theirs else ""
