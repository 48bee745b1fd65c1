"""The pipeline of a run: found in the module `pipelines` beside the definitions; without one, retraining."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from shared_features.arguments import did_you_mean
from shared_features.definitions.definitions_module import import_definitions
from shared_features.errors import DefinitionError
from training.errors import RequestError
from training.runs.retraining import STEPS
from training.runs.run_parameters import RunParameters
from training.steps.step import Step

if TYPE_CHECKING:
    from training.pipelines.pipeline import Pipeline


def steps_of_run(definitions: str, parameters: RunParameters) -> tuple[Step, ...]:
    """The steps in their order. definitions: the module that the setting names."""
    if parameters.pipeline:
        return _pipeline(definitions, parameters.pipeline).plan(STEPS, parameters.steps)
    if parameters.steps:
        step = next(iter(parameters.steps))
        raise RequestError(
            f"Parameters of step {step!r} are given, and no pipeline. Name the pipeline.", f"$.parameters.steps.{step}"
        )
    return STEPS


def module_of_pipelines(definitions: str) -> str:
    """`my_shop.pipelines` for the definitions `my_shop.features`."""
    return module_beside(definitions, "pipelines")


def module_beside(definitions: str, name: str) -> str:
    """A module of this name in the package of the definitions."""
    package = definitions.rpartition(".")[0]
    return f"{package}.{name}" if package else name


def _pipeline(definitions: str, name: str) -> Pipeline:
    # Imported here: a run without a pipeline does not wait for it.
    from training.pipelines.pipeline import Pipeline

    module = module_of_pipelines(definitions)
    if importlib.util.find_spec(module) is None:
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
