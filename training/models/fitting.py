"""How candidates are fitted, as a model's definition says it: class weights, sampled rows, a calibration.

Importable without scikit-learn: a definition is read by programs that never fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from shared_features.arguments import did_you_mean
from shared_features.definitions import Integer, LabelSource, Text
from shared_features.definitions.field_types import FieldType
from shared_features.definitions.sources.label_classes import can_be_class
from training.errors import TrainingError

Calibrate = Literal["isotonic", "platt"]
CALIBRATIONS: tuple[Calibrate, ...] = get_args(Calibrate)
_WITHOUT_NAMES = (False, True)


@dataclass(frozen=True)
class Fitting:
    """calibrate: by what, on the later part of the train window. class_weights: class -> how much its rows count.

    keep_negatives: the share of the rows of the first of two classes that is learned from. Probabilities are corrected
    for both, so that they stay estimates of how often a class occurs.
    """

    calibrate: Calibrate | None = None
    class_weights: Mapping[Any, float] = field(default_factory=dict)
    keep_negatives: float | None = None

    @property
    def plain(self) -> dict[str, Any]:
        """As a key of a result counts it."""
        weights = {str(name): weight for name, weight in self.class_weights.items()}
        return {"calibrate": self.calibrate, "class_weights": weights, "keep_negatives": self.keep_negatives}

    def weights(self, classes: Sequence[str | int]) -> tuple[float, ...]:
        """Of each class, in their order; empty where no class has one. classes: none of true and false.

        Raises TrainingError for a class that there is not.
        """
        names = list(classes) or list(_WITHOUT_NAMES)
        if fault := _unknown(self.class_weights, names):
            raise TrainingError(f"The model's {fault}")
        return tuple(float(self.class_weights.get(name, 1.0)) for name in names) if self.class_weights else ()


def fitting_faults(fitting: Fitting, labels: LabelSource) -> Iterator[str]:
    """What is wrong with it for a view's labels, and what to do."""
    kind = labels.kind
    asked: Mapping[Any, Any] = fitting.class_weights
    if fitting.calibrate is not None and kind == "regression":
        yield f"calibrate is {fitting.calibrate!r}, and the label is a number; leave it out, it is of classes"
    if asked and kind == "regression":
        yield "class_weights are given, and the label is a number; leave them out"
    known: list[Any] = list(labels.classes) if labels.is_named else list(_WITHOUT_NAMES)
    if known and kind != "regression" and (fault := _unknown(asked, known)):
        yield fault
    if not known and kind != "regression" and (fault := _impossible(asked, labels.type)):
        yield fault
    for name, weight in asked.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
            yield f"class_weights[{name!r}] is {weight!r}; give more than 0, and 1 for rows that count as they are"
    if fitting.keep_negatives is not None:
        if kind != "binary":
            yield f"keep_negatives is given, and the label asks for {kind}; leave it out, it is of two classes"
        elif not 0 < fitting.keep_negatives <= 1:
            yield f"keep_negatives is {fitting.keep_negatives:g}; give a share of the rows, more than 0 and up to 1"


def _impossible(weights: Mapping[Any, float], kind: FieldType) -> str:
    """What is wrong where no label of this type can have a class with a weight; "" where each may be had."""
    for name in weights:
        if isinstance(kind, Text | Integer) and not can_be_class(name, kind):
            return (
                f"class_weights names {name!r}, and the label is {kind.accepts}; write a class that the label can have"
            )
    return ""


def _unknown(weights: Mapping[Any, float], names: Sequence[Any]) -> str:
    """What is wrong where a weight is of no class; "" where each is of one."""
    for name in weights:
        if name not in names:
            meant = [each for each in names if not isinstance(each, str) and str(each).lower() == str(name).lower()]
            if meant:
                return f"class_weights names {name!r}, which is a text; write {meant[0]!r}, without quotes"
            choices = [str(each) for each in names]
            return (
                f"class_weights names {name!r}, and the label has the classes {', '.join(map(repr, names))}; write one "
                f"of them.{did_you_mean(str(name), choices)}"
            )
    return ""
