"""A search for hyper-parameters: which of a candidate are tried, in which ranges, and how long."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared_features.advice import found
from shared_features.arguments import Checked, did_you_mean
from shared_features.errors import DefinitionError
from training.models.columns import Build

BUILT_IN_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "hist_gradient_boosting": (
        "categorical_features", "class_weight", "early_stopping", "interaction_cst", "l2_regularization",
        "learning_rate", "loss", "max_bins", "max_depth", "max_features", "max_iter", "max_leaf_nodes",
        "min_samples_leaf", "monotonic_cst", "n_iter_no_change", "quantile", "random_state", "scoring", "tol",
        "validation_fraction", "verbose", "warm_start",
    ),
    "random_forest": (
        "bootstrap", "ccp_alpha", "class_weight", "criterion", "max_depth", "max_features", "max_leaf_nodes",
        "max_samples", "min_impurity_decrease", "min_samples_leaf", "min_samples_split", "min_weight_fraction_leaf",
        "monotonic_cst", "n_estimators", "n_jobs", "oob_score", "random_state", "verbose", "warm_start",
    ),
    "logistic_regression": (
        "C", "class_weight", "dual", "fit_intercept", "intercept_scaling", "l1_ratio", "max_iter", "n_jobs",
        "penalty", "random_state", "solver", "tol", "verbose", "warm_start",
    ),
    "linear_regression": (
        "alpha", "copy_X", "fit_intercept", "max_iter", "positive", "random_state", "solver", "tol",
    ),
}  # fmt: skip
"""Those of the estimators of built-in candidates, of any task. Kept here: to ask scikit-learn is to load it."""


@dataclass(frozen=True)
class WholeRange(metaclass=Checked):
    """A whole number from low to high, both included. log: small ones are told apart more finely than large ones."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        _check_ends(self)


@dataclass(frozen=True)
class NumberRange(metaclass=Checked):
    """A number from low to high. log: small ones are told apart more finely than large ones."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check_ends(self)


@dataclass(frozen=True)
class OneOf(metaclass=Checked):
    """One of the values: texts, numbers, true and false, None."""

    values: tuple[str | int | float | bool | None, ...]

    def __post_init__(self) -> None:
        if len(set(self.values)) < 2 or len(set(self.values)) != len(self.values):
            raise DefinitionError(f"OneOf(values={self.values}): give two different values or more, each once")


Range = WholeRange | NumberRange | OneOf


@dataclass(frozen=True)
class Search(metaclass=Checked):
    """space: parameter -> range. trials: how many combinations are tried at most. minutes: after which no further trial
    begins. folds: how many parts of the train window, one after the other, are scored by what lies before each.

    Where `minutes` ends a search, another machine may find another model; `trials` alone gives the same each time.
    """

    space: Mapping[str, Range]
    trials: int = 30
    minutes: float | None = None
    folds: int = 3

    def __post_init__(self) -> None:
        if not self.space:
            raise DefinitionError('Search(space={}): name what is tried, such as {"max_depth": WholeRange(2, 8)}')
        for name, each in self.space.items():
            if not isinstance(each, Range):
                raise DefinitionError(
                    f"Search: space[{name!r}] is {found(each)}; give a WholeRange, a NumberRange or OneOf"
                )
        for name, least in (("trials", 1), ("folds", 1)):
            if getattr(self, name) < least:
                raise DefinitionError(f"Search({name}={getattr(self, name)}): give {least} or more")
        if self.minutes is not None and self.minutes <= 0:
            raise DefinitionError(f"Search(minutes={self.minutes:g}): give more than 0, or leave it out")


def search_faults(search: Mapping[str, Search], names: Sequence[str], builds: Mapping[str, Build]) -> Iterator[str]:
    """What is searched for and cannot be. names: of the candidates. builds: those that are functions."""
    for name, asked in search.items():
        if not isinstance(asked, Search):
            yield f"search[{name!r}] is {found(asked)}; give a Search"
        elif name not in names:
            yield (
                f"search names {name!r}, and there is no such candidate; write one of {', '.join(names)}."
                f"{did_you_mean(name, names)}"
            )
        else:
            own = own_parameters(builds[name]) if name in builds else BUILT_IN_PARAMETERS[name]
            for parameter in asked.space:
                if parameter not in own:
                    write = (
                        f"def {name}(columns, seed, {parameter}=...)" if name in builds else f"one of {', '.join(own)}"
                    )
                    yield f"search: {name} has no parameter {parameter!r}; write {write}.{did_you_mean(parameter, own)}"


def own_parameters(build: Build) -> Sequence[str]:
    """The parameters of a function behind `columns` and `seed`."""
    return list(inspect.signature(build).parameters)[2:]


def _check_ends(given: WholeRange | NumberRange) -> None:
    kind = f"{type(given).__name__}({given.low:g}, {given.high:g})"
    if not given.low < given.high:
        raise DefinitionError(f"{kind}: the first has to be less than the second; swap or change them")
    if given.log and given.low <= 0:
        raise DefinitionError(f"{kind}: with log=True, both have to be above 0; raise the first")
