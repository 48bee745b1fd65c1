"""The pipeline of a run: found in the module `pipelines` beside the definitions; without one, retraining."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable
from typing import TYPE_CHECKING

from shared_features.arguments import did_you_mean
from shared_features.definitions.catalogue.definitions_module import import_definitions
from shared_features.errors import DefinitionError
from training.errors import RequestError
from training.runs.plan.retraining import STEPS
from training.runs.plan.run_parameters import RunParameters
from training.settings import TrainingSettings
from training.steps.code_digest import code_of
from training.steps.step import Queue, Step

if TYPE_CHECKING:
    from training.pipelines.pipeline import Pipeline

_PROTOCOL = "queued step 1"
"""What a scheduler and its workers say to each other."""


def steps_of_run(definitions: str, parameters: RunParameters) -> tuple[Step, ...]:
    """The steps in their order. definitions: the module that the setting names."""
    if parameters.pipeline:
        steps = pipeline_of(definitions, parameters.pipeline).plan(STEPS, parameters.steps)
        _refuse_unchecked(steps, parameters)
        return steps
    if parameters.steps:
        step = next(iter(parameters.steps))
        raise RequestError(
            f"Parameters of step {step!r} are given, and no pipeline. Name the pipeline.", f"$.parameters.steps.{step}"
        )
    return STEPS


def _refuse_unchecked(steps: Iterable[Step], parameters: RunParameters) -> None:
    """Expectations that a step of a user's would skip without a word."""
    if parameters.expectations and any(each.name == "validate" and each.arguments is not None for each in steps):
        raise RequestError(
            f"Pipeline {parameters.pipeline!r} replaces step 'validate', which checks the expectations of model "
            f"{parameters.model_name!r}. Rename the step of the pipeline, or take the expectations out of the model.",
            "$.parameters.pipeline",
        )


def check_queues(settings: TrainingSettings, steps: Iterable[Step], *, durable: bool) -> None:
    """Raises RequestError for a step of a queue that this run cannot reach. durable: whether DBOS does the run."""
    for step in steps:
        if not isinstance(step.target, Queue):
            continue
        what = f"Step {step.name!r} is done by a worker of queue {step.target.name!r}"
        if not durable:
            raise RequestError(
                f"{what}, and `python -m training run` has no queues. Use `python -m training start`; `serve` does it.",
                "$.parameters.pipeline",
            )
        if not settings.runs_database:
            raise RequestError(
                f"{what}, and the runs are kept in an SQLite file, which no other machine can reach. Set "
                "MILLRACE_RUNS_DATABASE to the URL of a PostgreSQL database, for `serve` and for `work`.",
                "$.parameters.pipeline",
            )


def code_of_pipelines(definitions: str) -> str:
    """16 hex digits, by which a worker and a scheduler know that they have the same code of all pipelines' steps.

    Libraries do not count: those of the machine that does a step are in the key of its result.
    """
    # Imported here: a run without a pipeline does not wait for it.
    from training.pipelines.pipeline import Pipeline

    module = module_of_pipelines(definitions)
    if not _is_there(module):
        raise RequestError(
            f"There is no module {module} beside the definitions {definitions}, so there is no step that a queue could "
            "hold. Set MILLRACE_DEFINITIONS as `serve` has it."
        )
    found = [each for each in vars(import_definitions(module)).values() if isinstance(each, Pipeline)]
    steps = sorted({(each.name, step.name, step.action, step.inputs) for each in found for step in each.steps})
    text = repr((_PROTOCOL, steps, code_of({action for _, _, action, _ in steps}).digest))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def module_of_pipelines(definitions: str) -> str:
    """`my_shop.pipelines` for the definitions `my_shop.features`."""
    return module_beside(definitions, "pipelines")


def module_beside(definitions: str, name: str) -> str:
    """A module of this name in the package of the definitions."""
    package = definitions.rpartition(".")[0]
    return f"{package}.{name}" if package else name


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its package is missing too
        return False


def pipeline_of(definitions: str, name: str) -> Pipeline:
    """The pipeline of this name beside the definitions. Raises RequestError."""
    # Imported here: a run without a pipeline does not wait for it.
    from training.pipelines.pipeline import Pipeline

    module = module_of_pipelines(definitions)
    if not _is_there(module):
        raise RequestError(
            f"There is no pipeline {name!r}: there is no module {module} beside the definitions {definitions}. "
            "Define the pipeline there.",
            "$.parameters.pipeline",
        )
    found = [each for each in vars(import_definitions(module)).values() if isinstance(each, Pipeline)]
    names = [each.name for each in found]
    if names.count(name) > 1:
        raise DefinitionError(f"module {module} has two pipelines {name!r}; rename one")
    if name not in names:
        raise RequestError(
            f"There is no pipeline {name!r} in {module}. There are: {', '.join(names) or 'none'}."
            f"{did_you_mean(name, names)}",
            "$.parameters.pipeline",
        )
    return found[names.index(name)]
