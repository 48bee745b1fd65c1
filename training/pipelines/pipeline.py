"""A pipeline: steps of your own among the built-in ones, and the order in which a run does all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

from shared_features.arguments import Checked, did_you_mean
from shared_features.errors import DefinitionError
from training.errors import RequestError
from training.pipelines.pipeline_step import PipelineStep
from training.steps.step import Step

REPLACEABLE = {"validate": (), "fit": (), "evaluate": ("metrics.json",), "export": ("model.onnx",)}
"""Built-in steps that a step of the same name stands for, with the files that it must write then."""


@dataclass(frozen=True)
class Pipeline(metaclass=Checked):
    """retraining: whether the built-in steps of a retraining are among its steps."""

    name: str
    steps: tuple[PipelineStep, ...]
    retraining: bool = True

    def __post_init__(self) -> None:
        names = [each.name for each in self.steps]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DefinitionError(f"pipeline {self.name!r} has two steps {twice[0]!r}; rename one")
        if not names:
            raise DefinitionError(f"pipeline {self.name!r} has no steps; give one")

    def plan(self, builtin: Sequence[Step], given: Mapping[str, Mapping[str, Any]]) -> tuple[Step, ...]:
        """All steps in their order. given: step -> parameters that replace those of the definition.

        Raises DefinitionError for a pipeline that cannot be, and RequestError for what is given.
        """
        theirs = {each.name: each for each in builtin} if self.retraining else {}
        if unknown := [name for name in given if name not in {each.name for each in self.steps}]:
            names = [each.name for each in self.steps]
            raise RequestError(
                f"pipeline {self.name!r} has no step {unknown[0]!r} that takes parameters. There are: "
                f"{', '.join(names)}.{did_you_mean(unknown[0], names)}",
                f"$.parameters.steps.{unknown[0]}",
            )
        steps = {**theirs}
        for each in self.steps:
            if each.name in theirs:
                self._check_replaced(each)
            steps[each.name] = _step(each, theirs.get(each.name), given.get(each.name, {}))
        self._place(steps)
        for step in steps.values():
            self._check_inputs(step, steps)
        return tuple(steps[name] for name in self._order(steps, tuple(theirs)))

    def _check_replaced(self, step: PipelineStep) -> None:
        if step.name not in REPLACEABLE:
            raise DefinitionError(
                f"pipeline {self.name!r}: step {step.name!r} cannot be replaced: without the built-in one nobody would "
                f"know what a published model was made from. Those that can: {', '.join(REPLACEABLE)}; or rename yours"
            )
        if missing := [file for file in REPLACEABLE[step.name] if file not in step.outputs]:
            raise DefinitionError(
                f"pipeline {self.name!r}: step {step.name!r} replaces the built-in one, whose {missing[0]} later steps "
                f"take; write it, and name it in outputs"
            )
        if step.effect:
            raise DefinitionError(
                f"pipeline {self.name!r}: step {step.name!r} replaces a step without an effect; drop effect"
            )

    def _place(self, steps: dict[str, Step]) -> None:
        """Turn `before` of one step into `after` of the other."""
        for each in self.steps:
            for name in (*each.after, *each.before):
                if name not in steps:
                    raise DefinitionError(self._unknown(each.name, f"comes before or after {name!r}", name, steps))
            for name in each.before:
                steps[name] = replace(steps[name], after=(*steps[name].after, each.name))

    def _check_inputs(self, step: Step, steps: Mapping[str, Step]) -> None:
        for each in step.inputs:
            need, _, file = each.partition("/")
            if need not in steps:
                raise DefinitionError(self._unknown(step.name, f"takes {each!r}", need, steps))
            outputs = steps[need].outputs
            if file != "*" and file not in outputs and (outputs or steps[need].arguments is not None):
                raise DefinitionError(
                    f"pipeline {self.name!r}: step {step.name!r} takes {each!r}, which is not among the outputs of "
                    f"step {need!r}: {', '.join(outputs) or 'none'}.{did_you_mean(file, outputs)}"
                )
            if steps[need].effect and (file == "*" or not step.effect):
                raise DefinitionError(
                    f"pipeline {self.name!r}: step {step.name!r} takes {each!r} of an effect, which is done in each "
                    "run; name the file, and make this step an effect too"
                )

    def _order(self, steps: Mapping[str, Step], builtin: Sequence[str]) -> list[str]:
        """Built-in steps keep their order; each other one stands as early as its inputs allow."""
        sorter = TopologicalSorter({name: (*step.needs, *step.after) for name, step in steps.items()})
        for first, second in pairwise(builtin):
            sorter.add(second, first)
        try:
            return list(sorter.static_order())
        except CycleError as error:
            circle = " -> ".join(reversed(error.args[1]))
            raise DefinitionError(
                f"pipeline {self.name!r}: steps wait for each other in a circle: {circle}; drop an input, `after` or "
                "`before`"
            ) from error

    def _unknown(self, step: str, what: str, name: str, steps: Mapping[str, Step]) -> str:
        return (
            f"pipeline {self.name!r}: step {step!r} {what}, and there is no step {name!r}. There are: "
            f"{', '.join(steps)}.{did_you_mean(name, steps)}"
        )


def _step(own: PipelineStep, replaced: Step | None, given: Mapping[str, Any]) -> Step:
    digests = replaced.digests if replaced else None
    return Step(
        own.name, own.action, own.inputs, effect=own.effect, digests=digests, arguments=own.arguments(given),
        outputs=own.outputs, after=own.after, target=own.target,
    )  # fmt: skip
