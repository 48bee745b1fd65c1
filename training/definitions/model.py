"""A model as a definition: which view it learns from, what is tried, and what it has to reach."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from shared_features.advice import found
from shared_features.arguments import Checked, did_you_mean
from shared_features.definitions import FeatureView
from shared_features.definitions.expectations.expectation import Expectation
from shared_features.errors import DefinitionError
from shared_features.formats.dataset_manifest import DatasetParameters
from training.datasets.expectations.of_a_view import expectation_faults
from training.definitions.early_stopping import EarlyStopping
from training.definitions.gate_limits import GateLimits, limit_faults
from training.definitions.search import Search, search_faults
from training.definitions.split import Split
from training.models.columns import Build
from training.models.encoders import Encoder, encoder_faults
from training.models.fitting import Calibrate, Fitting, fitting_faults
from training.models.task_rules import MODELS, RULES, TaskRules, floor_fault

_NAME = re.compile(r"\w[\w.-]*")
_PARAMETERS = ["columns", "seed"]
Promotion = Literal["within_tolerance", "not_worse", "better"]
"""What a challenger needs beside the champion: its metric less the tolerance; not to be worse with 95 % confidence; or
to be better with 95 % confidence."""
PROMOTIONS: tuple[Promotion, ...] = get_args(Promotion)


@dataclass(frozen=True)
class Model(metaclass=Checked):
    """What a training run is asked for, by name.

    view: whose matrix it learns from, or the view's name. candidates: names of built-in ones, and functions
    `build(columns, seed)`, each called like its function; all of the task where none is given. metrics: those that a
    run tells; the first chooses a candidate, and the gate compares it. floors: worst values that may become champion,
    over those of the task. threshold: the score from which on an answer's decision is true. slices: features whose
    values are measured one by one. slice_gap: how far the best and the worst slice of one may lie apart. promotion:
    what the gate asks beside the champion. limits: what it asks of scores and of the graph. encoders: feature -> what
    an estimator is given in its place. early_stopping: of boosting, yours too; None: only of what is built in, and of
    more than 10,000 rows. search: candidate -> which of its parameters are searched for on the train window.
    expectations: of the dataset, checked before a fit. entity: whose precision a day is measured, and whose rows are
    drawn together; None: that of its first group. calibrate, class_weights, keep_negatives: as `Fitting` has them.
    """

    name: str
    view: FeatureView | str
    candidates: tuple[Any, ...] = ()
    metrics: tuple[str, ...] = ()
    floors: Mapping[str, float] = field(default_factory=dict)
    split: Split = field(default_factory=Split)
    threshold: float | None = None
    slices: tuple[str, ...] = ()
    slice_gap: float | None = None
    promotion: Promotion = "within_tolerance"
    limits: GateLimits = field(default_factory=GateLimits)
    encoders: Mapping[str, Encoder] = field(default_factory=dict)
    early_stopping: EarlyStopping | None = None
    search: Mapping[str, Search] = field(default_factory=dict)
    calibrate: Calibrate | None = None
    class_weights: Mapping[Any, float] = field(default_factory=dict)
    keep_negatives: float | None = None
    expectations: tuple[Expectation, ...] = ()
    entity: str | None = None
    owner: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise DefinitionError(
                f"model {self.name!r}: a name has letters, digits, underscores, dots and hyphens; rename it"
            )
        for place, each in enumerate(self.candidates):
            self._check_candidate(place, each)
        names = list(self.candidate_names)
        if twice := sorted({each for each in names if names.count(each) > 1}):
            raise self._wrong(f"candidate {twice[0]!r} is given twice; drop one")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise self._wrong(f"threshold is {self.threshold:g}; give a score from 0 to 1")
        if self.promotion not in PROMOTIONS:
            raise self._wrong(
                f"promotion is {self.promotion!r}; write one of {', '.join(PROMOTIONS)}."
                f"{did_you_mean(self.promotion, PROMOTIONS)}"
            )
        if self.slice_gap is not None and not (self.slices and self.slice_gap > 0):
            raise self._wrong(f"slice_gap is {self.slice_gap:g}; give more than 0, and the slices that it is about")
        for metric, floor in self.floors.items():
            if type(floor) not in (int, float) or not math.isfinite(floor):
                raise self._wrong(f"the floor of {metric} is {floor!r}; give a number, such as 0.5")
        for says in search_faults(self.search, self.candidate_names or MODELS, self.builds):
            raise self._wrong(says)
        if isinstance(self.view, FeatureView):
            self._check_task(self.view)

    @property
    def candidate_names(self) -> tuple[str, ...]:
        return tuple(each if isinstance(each, str) else each.__name__ for each in self.candidates)

    @property
    def builds(self) -> dict[str, Build]:
        """The candidates that are functions, by name."""
        return {each.__name__: each for each in self.candidates if not isinstance(each, str)}

    @property
    def fitting(self) -> Fitting:
        return Fitting(self.calibrate, self.class_weights, self.keep_negatives)

    @property
    def trained_on(self) -> FeatureView:
        """The view itself. Raises DefinitionError where only its name is known yet."""
        if isinstance(self.view, FeatureView):
            return self.view
        raise self._wrong(f"its view is known by its name {self.view!r} alone; take the model from `defined_models`")

    def fill(self, asked: DatasetParameters) -> DatasetParameters:
        """With the windows and the entity that a run does not say."""
        return replace(self.split.fill(asked), entity=asked.entity or self.entity)

    def on(self, view: FeatureView) -> Model:
        """The same model with its view in place of the view's name. Raises DefinitionError for what does not fit."""
        return replace(self, view=view)

    def _check_candidate(self, place: int, candidate: Any) -> None:
        where = f"candidates[{place}]"
        if isinstance(candidate, str):
            if candidate not in MODELS:
                raise self._wrong(
                    f"{where} is {candidate!r}, and there is no built-in candidate of that name; write one of "
                    f"{', '.join(MODELS)}, or a function build(columns, seed).{did_you_mean(candidate, MODELS)}"
                )
            return
        name, module = getattr(candidate, "__qualname__", ""), getattr(candidate, "__module__", "")
        if not inspect.isfunction(candidate):
            raise self._wrong(
                f"{where} is {found(candidate)}, which has no build; write a function that makes a new one: "
                f"def my_candidate(columns, seed): return {_made(candidate)}"
            )
        if not name.isidentifier() or module == "__main__":
            raise self._wrong(f"{where} is {found(candidate)}; define it by `def` at the top of a module")
        first, others = _parameters(candidate)
        if first != _PARAMETERS:
            raise self._wrong(
                f"{where} is {name}{inspect.signature(candidate)}; let it begin as def {name}(columns, seed):"
            )
        for each in others:
            if each.default is each.empty:
                raise self._wrong(f"{where}: parameter {each.name} of {name} has no default; write {each.name}=...")
        if name in MODELS:
            raise self._wrong(f"{where} is called like the built-in candidate {name!r}; rename the function")

    def _check_task(self, view: FeatureView) -> None:
        if view.predicted is None:
            raise self._wrong(f"view {view.label} has no labels to learn from; give it labels=LabelSource(...)")
        features, entities = [each.name for each in view.columns], sorted({each.entity.name for each in view.groups})
        named = [("slices", name, features, "a feature of the view") for name in self.slices]
        named += [] if self.entity is None else [("entity", self.entity, entities, f"one of {', '.join(entities)}")]
        for what, name, known, write in named:
            if name not in known:
                raise self._wrong(
                    f"{what} names {name!r}, which view {view.label} does not have; write {write}."
                    f"{did_you_mean(name, known)}"
                )
        faults = (*encoder_faults(self.encoders, view), *fitting_faults(self.fitting, view.predicted))
        for says in (*faults, *expectation_faults(self.expectations, view)):
            raise self._wrong(says)
        rules = RULES[view.predicted.kind]
        for says in self._faults(rules):
            raise self._wrong(f"view {view.label} asks for {rules.name}, and {says}")

    def _faults(self, rules: TaskRules) -> Iterator[str]:
        for name in self.candidate_names:
            if name in MODELS and name not in rules.models:
                yield f"candidate {name} cannot learn it; write one of {', '.join(rules.models)}"
        for what, names in (("metrics", self.metrics), ("floors", self.floors)):
            for name in names:
                if not rules.knows(name):
                    yield (
                        f"{what} names {name!r}, which it does not have; write one of {', '.join(rules.metric_names)}."
                        f"{rules.advice(name)}"
                    )
        for name, floor in self.floors.items():
            if rules.knows(name) and (fault := floor_fault(name, floor)):
                yield f"floors[{name!r}] is {floor!r}{fault}"
        yield from limit_faults(self.limits, rules.name, self.threshold)
        if self.threshold is not None and rules.name != "binary":
            yield "a threshold decides between two outcomes only; leave it out"

    def _wrong(self, what: str) -> DefinitionError:
        return DefinitionError(f"model {self.name!r}: {what}")


def _parameters(build: Any) -> tuple[list[str], list[inspect.Parameter]]:
    """The names of its first two parameters, and the others."""
    given = list(inspect.signature(build).parameters.values())
    return [each.name for each in given[: len(_PARAMETERS)]], given[len(_PARAMETERS) :]


def _made(candidate: Any) -> str:
    """As it would be written in a function."""
    text = candidate.__name__ + "()" if isinstance(candidate, type) else repr(candidate)
    return " ".join(text.split()) if len(text) <= 60 else f"{type(candidate).__name__}(...)"
