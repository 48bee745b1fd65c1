"""What a training run is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

import msgspec

from shared_features.definitions import FeatureView
from shared_features.formats.dataset_manifest import DatasetParameters
from training.models.model_constants import TOLERANCE
from training.models.task_rules import RULES, TaskRules
from training.registry.gate import DEFAULT_TOLERANCE


@dataclass(frozen=True)
class RunParameters:
    """What a run is asked for, beside the dataset's parameters.

    models: candidates; all of the task where none is named. k: entities looked at per day. floors: worst values of
    metrics that may become champion, besides those of the task. pipeline: its name; empty: retraining. steps:
    parameters of the pipeline's steps, by step and name. Raises TrainingError for what is not of the task.
    """

    view: FeatureView
    dataset: DatasetParameters = field(default_factory=DatasetParameters)
    models: tuple[str, ...] = ()
    k: int = 100
    parity_tolerance: float = TOLERANCE
    floors: Mapping[str, float] = field(default_factory=dict)
    gate_tolerance: float = DEFAULT_TOLERANCE
    pipeline: str = ""
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rules.check_models(self.models)
        self.rules.check_floors(tuple(self.floors))
        object.__setattr__(self, "models", self.models or self.rules.models)
        object.__setattr__(self, "floors", {**self.rules.floors, **self.floors})

    @property
    def rules(self) -> TaskRules:
        """Those of the task that the view's label tells; of a view without labels, which no step can use, any."""
        return RULES["binary" if self.view.labels is None else self.view.labels.kind]

    @property
    def seed(self) -> int:
        return self.dataset.seed

    @property
    def plain(self) -> dict[str, Any]:
        """Everything but the view, as plain data; `from_plain` reads it."""
        found: dict[str, Any] = msgspec.to_builtins(
            {each.name: getattr(self, each.name) for each in fields(self) if each.name != "view"}
        )
        return {name: value for name, value in found.items() if value or name not in ("pipeline", "steps")}

    @classmethod
    def from_plain(cls, view: FeatureView, plain: Mapping[str, Any]) -> RunParameters:
        kinds = get_type_hints(cls)
        return cls(view, **{name: msgspec.convert(value, kinds[name]) for name, value in plain.items()})
