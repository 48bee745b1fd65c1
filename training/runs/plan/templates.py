"""Run templates: what a run may be started as, and the parameters that each takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec

from shared_features.arguments import did_you_mean
from training.errors import RequestError
from training.models.graph.model_constants import TOLERANCE
from training.models.task_rules import METRIC_NAMES, MODELS, is_metric
from training.registry.gate.decision import DEFAULT_TOLERANCE
from training.runs.plan.batch_score import BATCH_SCORE, BatchScore, check_zone
from training.runs.plan.step_names import RETRAIN

_TIMES = ("cutoff", "train_from", "train_to", "test_from", "test_to")


class Retrain(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The parameters of the template `retrain`: those of `python -m training run`, under the names of its options."""

    view: str | None = None
    model: str | None = None
    cutoff: datetime | None = None
    train_days: float | None = None
    delay_days: float | None = None
    test_days: float | None = None
    train_from: datetime | None = None
    train_to: datetime | None = None
    test_from: datetime | None = None
    test_to: datetime | None = None
    entity: str | None = None
    seed: int = 0
    models: tuple[str, ...] = ()
    top: int = 100
    floor: Mapping[str, float] = {}
    gate_tolerance: float = DEFAULT_TOLERANCE
    pipeline: str = ""
    steps: Mapping[str, Mapping[str, Any]] = {}

    def check(self) -> None:
        """Raises RequestError for a parameter that does not fit."""
        if (unknown := [name for name in self.models if name not in MODELS]) and self.model is None:
            raise RequestError(
                f"Unknown models: {', '.join(unknown)}. Give some of {', '.join(MODELS)}, or name the `model` that has "
                "other candidates.",
                "$.parameters.models",
            )
        if unknown := sorted(name for name in self.floor if not is_metric(name)):
            raise RequestError(
                f"There is no floor for {', '.join(unknown)}. Give {', '.join(METRIC_NAMES)}.", "$.parameters.floor"
            )
        for name in _TIMES:
            if (given := getattr(self, name)) is not None:
                check_zone(name, given)

    def plain(self) -> dict[str, Any]:
        """What `RunParameters.from_plain` reads."""
        # Imported here: a scheduler at rest only checks parameters, and holds no numba.
        from shared_features.formats.dataset_manifest import DatasetParameters
        from shared_features.kernel.event_time import to_us

        times = (getattr(self, name) for name in _TIMES)
        cutoff_us, *ends_us = (None if each is None else to_us(each) for each in times)
        days = (self.train_days, self.delay_days, self.test_days)
        return {
            "dataset": asdict(DatasetParameters(cutoff_us, *days, self.entity, self.seed, *ends_us)),
            "models": list(self.models),
            "k": self.top,
            "parity_tolerance": TOLERANCE,
            "floors": dict(self.floor),
            "gate_tolerance": self.gate_tolerance,
            "pipeline": self.pipeline,
            "steps": {step: dict(given) for step, given in self.steps.items()},
        }


TEMPLATES: dict[str, type[Retrain | BatchScore]] = {RETRAIN: Retrain, BATCH_SCORE: BatchScore}


def check_request(template: str, parameters: Mapping[str, Any]) -> Retrain | BatchScore:
    """The parameters of a template. Raises RequestError for a template or a parameter that does not exist or fit."""
    if template not in TEMPLATES:
        raise RequestError(
            f"There is no run template {template!r}. There are: {', '.join(TEMPLATES)}."
            f"{did_you_mean(template, list(TEMPLATES))}",
            "$.template",
        )
    try:
        found = msgspec.convert(dict(parameters), TEMPLATES[template])
    except msgspec.ValidationError as error:
        names = ", ".join(each.encode_name for each in msgspec.structs.fields(TEMPLATES[template]))
        raise RequestError(
            f"Parameters of run template {template!r}: {error}. It takes {names}.", _path_of(error)
        ) from error
    found.check()
    return found


def _path_of(error: msgspec.ValidationError) -> str:
    """Where the parameter stands in the body of a request."""
    if unknown := re.search(r"unknown field `([^`]+)`", str(error)):
        return f"$.parameters.{unknown[1]}"
    at = re.search(r"at `\$([^`]*)`", str(error))
    return f"$.parameters{at[1] if at else ''}"
