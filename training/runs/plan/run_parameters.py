"""What a training run is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

import msgspec

from shared_features.definitions import FeatureView
from shared_features.definitions.expectations.expectation import Expectation
from shared_features.formats.dataset_manifest import DatasetParameters
from training.definitions.early_stopping import EarlyStopping
from training.definitions.gate_limits import GateLimits
from training.definitions.model import Model
from training.definitions.search import Search
from training.models.columns import Build
from training.models.encoders import Encoder
from training.models.fitting import Fitting
from training.models.graph.model_constants import TOLERANCE
from training.models.metrics.choice import metric_of_parts
from training.models.metrics.precision_name import named_ks
from training.models.task_rules import RULES, TaskRules
from training.registry.gate.decision import DEFAULT_TOLERANCE


@dataclass(frozen=True)
class RunParameters:
    """What a run is asked for, beside the dataset's parameters.

    models: candidates; all of the task where none is named. k: entities looked at per day. floors: worst values of
    metrics that may become champion, besides those of the task. pipeline: its name; empty: retraining. steps:
    parameters of the pipeline's steps, by step and name. model: its definition; None: one that says nothing but its
    view, under the view's name. Raises TrainingError for what is not of the task.
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
    model: Model | None = None

    def __post_init__(self) -> None:
        ours, floors = self.model and self.model.candidate_names, self.model.floors if self.model else {}
        self.rules.check_models(self.models, ours or ())
        self.rules.check_floors(self.floors)
        object.__setattr__(self, "models", self.models or ours or self.rules.models)
        object.__setattr__(self, "floors", {**self.rules.floors, **floors, **self.floors})
        if self.model is not None:
            object.__setattr__(self, "dataset", self.model.fill(self.dataset))

    @property
    def rules(self) -> TaskRules:
        """Those of the task that the view's label tells; of a view without labels, which no step can use, any."""
        return RULES["binary" if self.view.predicted is None else self.view.predicted.kind]

    @property
    def model_name(self) -> str:
        """Under which its versions stand in the registry."""
        return self.view.name if self.model is None else self.model.name

    @property
    def defined_model(self) -> str:
        """The name of its definition; empty: there is none."""
        return "" if self.model is None else self.model.name

    @property
    def builds(self) -> Mapping[str, Build]:
        """The candidates that are functions of a user's, by name."""
        return {} if self.model is None else self.model.builds

    @property
    def metrics(self) -> tuple[str, ...]:
        """Those that the run tells; empty: all."""
        return () if self.model is None else self.model.metrics

    @property
    def chosen_by(self) -> str:
        """The metric that chooses a candidate and that the gate compares."""
        return self.metrics[0] if self.metrics else self.rules.chosen_by

    @property
    def searched_by(self) -> str:
        """The metric of the folds of a search."""
        return metric_of_parts(self.chosen_by, self.rules.chosen_by)

    @property
    def named_ks(self) -> tuple[int, ...]:
        """How many entities of a day the metrics and floors look at, each number once."""
        return named_ks((*self.metrics, *self.floors))

    @property
    def ks(self) -> tuple[int, ...]:
        """k and those that are named."""
        return (self.k, *(each for each in self.named_ks if each != self.k))

    @property
    def threshold(self) -> float | None:
        """The score from which on an answer's decision is true."""
        return None if self.model is None else self.model.threshold

    @property
    def slices(self) -> tuple[str, ...]:
        """The features whose values are measured one by one."""
        return () if self.model is None else self.model.slices

    @property
    def limits(self) -> GateLimits:
        """What the gate asks of scores and of the graph."""
        return GateLimits() if self.model is None else self.model.limits

    @property
    def encoders(self) -> Mapping[str, Encoder]:
        """Feature -> what the model's definition says of it."""
        return {} if self.model is None else self.model.encoders

    @property
    def early_stopping(self) -> EarlyStopping | None:
        """Which rows tell boosting when to stop."""
        return None if self.model is None else self.model.early_stopping

    @property
    def search(self) -> Mapping[str, Search]:
        """Candidate -> what is searched for, of those that the run fits."""
        asked = {} if self.model is None else self.model.search
        return {name: each for name, each in asked.items() if name in self.models}

    @property
    def fitting(self) -> Fitting:
        """Class weights, sampled rows and the calibration that the model's definition asks for."""
        return Fitting() if self.model is None else self.model.fitting

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What the model's definition expects of the dataset."""
        return () if self.model is None else self.model.expectations

    @property
    def seed(self) -> int:
        return self.dataset.seed

    @property
    def plain(self) -> dict[str, Any]:
        """Everything but the view, as plain data, the model as its name; `from_plain` reads it."""
        found: dict[str, Any] = msgspec.to_builtins(
            {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("view", "model")}
        )
        found["model"] = self.defined_model
        return {name: value for name, value in found.items() if value or name not in ("pipeline", "steps", "model")}

    @classmethod
    def from_plain(cls, view: FeatureView, plain: Mapping[str, Any], model: Model | None = None) -> RunParameters:
        """model: the definition that `plain` names."""
        kinds = get_type_hints(cls)
        given = {name: msgspec.convert(value, kinds[name]) for name, value in plain.items() if name != "model"}
        return cls(view, **given, model=model)
