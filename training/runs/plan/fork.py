"""A fork: a run on the data of another one, with other parameters from one of its steps on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from shared_features.arguments import did_you_mean
from training.errors import RequestError
from training.models.metrics.precision_name import named_ks
from training.runs.plan.batch_score import BatchScore
from training.runs.plan.templates import Retrain
from training.steps.run_journal import read_journal

if TYPE_CHECKING:
    from training.runs.plan.data_version import DataVersion

FIRST_USE = {
    "view": "dataset",
    "model": "dataset",
    "cutoff": "dataset",
    "train_days": "dataset",
    "delay_days": "dataset",
    "test_days": "dataset",
    "train_from": "dataset",
    "train_to": "dataset",
    "test_from": "dataset",
    "test_to": "dataset",
    "entity": "dataset",
    "seed": "dataset",
    "pipeline": "dataset",
    "models": "fit",
    "top": "evaluate",
    "floor": "promote",
    "gate_tolerance": "promote",
}
"""Parameter -> the first step that uses it. `steps` holds parameters by the step that they are of."""


def check_fork(step: str, before: Retrain | BatchScore, after: Retrain | BatchScore, names: Sequence[str]) -> None:
    """names: of the steps of the run, in their order.

    Raises RequestError for a step that does not exist, and for a changed parameter that an earlier step has used.
    """
    if step not in names:
        raise RequestError(
            f"There is no step {step!r}. There are: {', '.join(names)}.{did_you_mean(step, names)}", "$.step"
        )
    if isinstance(before, BatchScore) or isinstance(after, BatchScore):
        _check_same(before, after)
        return
    for name, first in _changed(before, after):
        if first in names and names.index(first) < names.index(step):
            raise RequestError(
                f"Parameter {name} is used by step {first!r}, which comes before {step!r}. Fork from {first!r}.",
                f"$.parameters.{name}",
            )


def _check_same(before: Retrain | BatchScore, after: Retrain | BatchScore) -> None:
    """A batch scoring has one step, and what it reads is pinned before it."""
    plain = [msgspec.to_builtins(each) for each in (before, after)]
    for name in plain[1]:
        if name != "output" and plain[0][name] != plain[1][name]:
            raise RequestError(
                f"Parameter {name} is used when the run begins, and a fork reads the data of its origin. Start a new "
                "run instead.",
                f"$.parameters.{name}",
            )


def _changed(before: Retrain, after: Retrain) -> Iterator[tuple[str, str]]:
    """Each parameter that is another one, with the first step that uses it."""
    for name, first in FIRST_USE.items():
        if getattr(before, name) != getattr(after, name):
            yield name, first
    if named_ks(before.floor) != named_ks(after.floor):
        yield "floor", "evaluate"
    for step in {**before.steps, **after.steps}:
        if before.steps.get(step, {}) != after.steps.get(step, {}):
            yield f"steps.{step}", step


def forked_data(origin: Path) -> DataVersion:
    """The data that the other run reads. Raises StepError where its folder is gone."""
    from training.runs.plan.data_version import DataVersion

    return msgspec.convert(read_journal(origin).data, DataVersion)
