"""Encoders: what a model's definition may say of a feature, for what an estimator is given in its place.

Importable without scikit-learn: a definition is read by programs that never fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from shared_features.advice import found
from shared_features.arguments import Checked, did_you_mean
from shared_features.definitions import FeatureView, category_field
from shared_features.definitions.sources.label_classes import can_have
from shared_features.errors import DefinitionError

_MOST_BINS = 1_000
_MOST_TOLD = 5


@dataclass(frozen=True)
class OneHot(metaclass=Checked):
    """Of a category: a column for each value, 1 where it is this one, else 0. All are 0 of a missing value."""


@dataclass(frozen=True)
class Ordinal(metaclass=Checked):
    """Of a category: the place of the value, from 0 on; -1 of a missing one.

    order: the values from the first to the last; those that it leaves out count as missing. Without it they are sorted.
    """

    order: tuple[str | int | bool, ...] = ()

    def __post_init__(self) -> None:
        if twice := [each for at, each in enumerate(self.order) if each in self.order[:at]]:
            raise DefinitionError(f"Ordinal(order=...) names {twice[0]!r} twice; drop one")


@dataclass(frozen=True)
class TargetMean(metaclass=Checked):
    """Of a category: the mean label of the value's rows; of several classes a column for each, with its share.

    The mean is drawn towards that of all rows as by `smoothing` further rows. A missing value has the mean of all rows.
    A row that is learned from is encoded from the labels of other rows: of all folds but its own, which is its number
    modulo `folds`. After Micci-Barreca, *A preprocessing scheme for high-cardinality categorical attributes in
    classification and prediction problems* (SIGKDD Explorations, 2001).
    """

    smoothing: float = 10.0
    folds: int = 5

    def __post_init__(self) -> None:
        if not self.smoothing >= 0:
            raise DefinitionError(f"TargetMean(smoothing=...) is {self.smoothing:g}; give 0 or more rows")
        if self.folds < 2:
            raise DefinitionError(f"TargetMean(folds=...) is {self.folds}; give 2 or more")


@dataclass(frozen=True)
class Winsorized(metaclass=Checked):
    """Of a number: what lies below one quantile of the rows that are learned from, or above the other, becomes it."""

    low: float = 0.01
    high: float = 0.99

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 1:
            raise DefinitionError(
                f"Winsorized(low={self.low:g}, high={self.high:g}) has no range; give shares from 0 to 1, low first"
            )


@dataclass(frozen=True)
class Binned(metaclass=Checked):
    """Of a number: which of `bins` equally full ranges it is in, from 0 on; a missing one stays missing."""

    bins: int = 10

    def __post_init__(self) -> None:
        if not 2 <= self.bins <= _MOST_BINS:
            raise DefinitionError(f"Binned(bins=...) is {self.bins}; give 2 to {_MOST_BINS}")


OfCategory = OneHot | Ordinal | TargetMean
OfNumber = Winsorized | Binned
Encoder = OfCategory | OfNumber


def encoder_faults(encoders: Mapping[str, Encoder], view: FeatureView) -> Iterator[str]:
    """What is wrong with the encoders of a view's features, and what to do."""
    features = [each.name for each in view.columns]
    categories = [each.name for _, each in view.categories]
    for name, encoder in encoders.items():
        if name not in features:
            yield (
                f"encoders names {name!r}, which view {view.label} does not have; write a feature of the view."
                f"{did_you_mean(name, features)}"
            )
        elif name in categories and not isinstance(encoder, OfCategory):
            yield f"encoders[{name!r}] is {_said(encoder)}, and {name} is a category; write {_one_of(OfCategory)}"
        elif name not in categories and not isinstance(encoder, OfNumber):
            yield f"encoders[{name!r}] is {_said(encoder)}, and {name} is a number; write {_one_of(OfNumber)}"
        elif isinstance(encoder, Ordinal):
            yield from _order_faults(name, encoder.order, view)


def _order_faults(name: str, order: Iterable[str | int | bool], view: FeatureView) -> Iterator[str]:
    """A value that the category can never have would count as nothing, and all that it meant as missing."""
    (given,) = next(each.inputs for _, each in view.categories if each.name == name)
    field = category_field(view.source, given.field, given.feature)
    for value in order:
        if field is not None and not can_have(value, field.type):
            yield (
                f"encoders[{name!r}]: Ordinal(order=...) names {value!r}, which is not {field.type.accepts}, as {name} "
                "is; write the values as the events have them"
            )


def order_doubts(encoders: Mapping[str, Encoder], values: Mapping[str, tuple[object, ...]]) -> Iterator[str]:
    """Where an order and the train window differ, which a misspelt value does. values: category -> those of the window.

    Nothing here is an error: a value may be left out, or be rare. A category whose values are unknown says nothing.
    """
    for name, encoder in encoders.items():
        seen = values.get(name, ())
        if not isinstance(encoder, Ordinal) or not encoder.order or not seen:
            continue
        left_out = [each for each in seen if each not in encoder.order]
        never_seen = [each for each in encoder.order if each not in seen]
        says = []
        if left_out:
            says.append(f"leaves out {_listed(left_out)} of the train window, which count as missing")
        if never_seen:
            says.append(f"names {_listed(never_seen)}, no value of the category in the train window")
        if says:
            near = (did_you_mean(str(each), [str(value) for value in left_out]) for each in never_seen)
            yield f"The order of {name} {', and '.join(says)}.{next(filter(None, near), '')}"


def _listed(values: Sequence[object]) -> str:
    """The first of them, and how many more."""
    more = len(values) - _MOST_TOLD
    return ", ".join(map(repr, values[:_MOST_TOLD])) + (f" and {more:,} more" if more > 0 else "")


def _said(encoder: object) -> str:
    return repr(encoder) if isinstance(encoder, Encoder) else found(encoder)


def _one_of(kinds: object) -> str:
    names = [f"{each.__name__}(...)" for each in get_args(kinds)]
    return f"{', '.join(names[:-1])} or {names[-1]}"
