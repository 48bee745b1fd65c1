"""The converter of boosted trees: skl2onnx writes a pipeline that holds them as it writes any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)
from sklearn.base import is_classifier

from training.models.boosting.boosted_estimators import boosted_estimators, library_of
from training.models.boosting.catboost_trees import catboost_trees
from training.models.boosting.lightgbm_trees import lightgbm_trees
from training.models.boosting.tree_ensemble import TreeEnsemble
from training.models.boosting.xgboost_trees import xgboost_trees

_READERS: Mapping[str, Callable[[Any], TreeEnsemble]] = {
    "xgboost": xgboost_trees,
    "lightgbm": lightgbm_trees,
    "catboost": catboost_trees,
}
_ONNX_ML = {"op_domain": "ai.onnx.ml", "op_version": 3}


def register_boosting(part: Any) -> None:
    """Let skl2onnx know the converter for whatever a pipeline holds of these libraries, to any depth."""
    for each in boosted_estimators(part):
        kind, classifies = type(each), is_classifier(each)
        update_registered_converter(
            kind,
            _operator_name(kind),
            calculate_linear_classifier_output_shapes if classifies else calculate_linear_regressor_output_shapes,
            _convert,
            parser=_parse_classifier if classifies else None,  # by its base classes, CatBoost's is not one
            options={"zipmap": [True, False], "nocl": [True, False]} if classifies else None,
        )


def _operator_name(kind: type) -> str:
    return f"Millrace{kind.__name__}"


def _parse_classifier(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    operator = scope.declare_local_operator(_operator_name(type(model)), model)
    operator.inputs = inputs
    operator.outputs.append(scope.declare_local_variable("label", Int64TensorType()))
    operator.outputs.append(scope.declare_local_variable("probabilities", FloatTensorType()))
    return operator.outputs


def _convert(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    ensemble = _READERS[library_of(model)](model)
    given = _with_sets(ensemble, operator.inputs[0].full_name, scope, container)
    sums = scope.get_unique_variable_name("sums")
    name = scope.get_unique_operator_name("TreeEnsembleRegressor")
    container.add_node("TreeEnsembleRegressor", [given], [sums], name=name, **_ONNX_ML, **ensemble.attributes())
    if is_classifier(model):
        _answer_classes(ensemble, sums, operator, scope, container)
    else:
        _answer_value(ensemble, sums, operator.outputs[0].full_name, scope, container)


def _answer_value(ensemble: TreeEnsemble, sums: str, value: str, scope: Any, container: Any) -> None:
    if ensemble.link == "exp":
        power = scope.get_unique_variable_name("power")
        _node("Exp", [sums], [power], scope, container)
        factor = _constant("factor", TensorProto.FLOAT, [1], [ensemble.factor], scope, container)
        _node("Mul", [power, factor], [value], scope, container)
    else:
        _node("Identity", [sums], [value], scope, container)


def _answer_classes(ensemble: TreeEnsemble, sums: str, operator: Any, scope: Any, container: Any) -> None:
    label, probabilities = (each.full_name for each in operator.outputs)
    if ensemble.link == "softmax":
        _node("Softmax", [sums], [probabilities], scope, container, axis=1)
    else:
        positive, negative = (scope.get_unique_variable_name(name) for name in ("positive", "negative"))
        one = _constant("one", TensorProto.FLOAT, [1], [1.0], scope, container)
        _node("Sigmoid", [sums], [positive], scope, container)
        _node("Sub", [one, positive], [negative], scope, container)
        _node("Concat", [negative, positive], [probabilities], scope, container, axis=1)
    place = scope.get_unique_variable_name("place")
    classes = np.ravel(operator.raw_operator.classes_).astype(np.int64)
    codes = _constant("classes", TensorProto.INT64, [len(classes)], classes, scope, container)
    _node("ArgMax", [probabilities], [place], scope, container, axis=1, keepdims=0)
    _node("Gather", [codes, place], [label], scope, container, axis=0)


def _with_sets(ensemble: TreeEnsemble, given: str, scope: Any, container: Any) -> str:
    """The features, and behind them a column for each set of a category's places, looked up in a table."""
    if not ensemble.sets:
        return given
    parts, order = [given], list(range(ensemble.features))
    for feature in dict.fromkeys(feature for feature, _ in ensemble.sets):
        at = [at for at, (of, _) in enumerate(ensemble.sets) if of == feature]
        parts.append(_looked_up(given, feature, [ensemble.sets[each][1] for each in at], scope, container))
        order += [ensemble.features + each for each in at]
    side_by_side, found = (scope.get_unique_variable_name(name) for name in ("side_by_side", "with_sets"))
    _node("Concat", parts, [side_by_side], scope, container, axis=1)
    places = _constant("places", TensorProto.INT64, [len(order)], np.argsort(order), scope, container)
    _node("Gather", [side_by_side, places], [found], scope, container, axis=1)
    return str(found)


def _looked_up(given: str, feature: int, sets: list[frozenset[int]], scope: Any, container: Any) -> str:
    """Of each row and each set 0 where the feature's value is in it, 1 where it is another one, NaN where it misses."""
    size = max(max(each, default=0) for each in sets) + 1
    table = np.ones((size + 2, len(sets)), np.float32)  # behind the places: any other one, and a missing value
    for at, values in enumerate(sets):
        table[list(values), at] = 0
    table[size + 1] = np.nan

    def constant(name: str, kind: int, shape: list[int], values: Any) -> str:
        return _constant(name, kind, shape, values, scope, container)

    def node(kind: str, inputs: list[str], **attributes: Any) -> str:
        name = str(scope.get_unique_variable_name(kind.lower()))
        _node(kind, inputs, [name], scope, container, **attributes)
        return name

    last, missing = (constant("end", TensorProto.FLOAT, [1], [float(each)]) for each in (size, size + 1))
    value = node("Gather", [given, constant("column", TensorProto.INT64, [], [feature])], axis=1)
    known = node("Max", [node("Min", [value, last]), constant("first", TensorProto.FLOAT, [1], [0.0])])
    place = node("Cast", [node("Where", [node("IsNaN", [value]), missing, known])], to=TensorProto.INT64)
    rows = constant("table", TensorProto.FLOAT, list(table.shape), table.ravel())
    return node("Gather", [rows, place], axis=0)


def _constant(name: str, kind: int, shape: list[int], values: Any, scope: Any, container: Any) -> str:
    unique = scope.get_unique_variable_name(name)
    container.add_initializer(unique, kind, shape, values)
    return str(unique)


def _node(kind: str, given: list[str], found: list[str], scope: Any, container: Any, **attributes: Any) -> None:
    name = scope.get_unique_operator_name(kind)
    container.add_node(kind, given, found, name=name, op_version=container.target_opset_any_domain(""), **attributes)
