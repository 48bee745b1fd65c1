"""`RobustScaler` in a graph, to the last bit: a tree behind it may split between two neighbouring floats.

Skl2onnx multiplies by the reciprocal of the scale in float32. What is scaled is then one step of a float32 away from
what was fitted in up to a third of the rows, and one on a threshold falls to the other side of it. scikit-learn
subtracts and divides in place: in float64 where what was fitted is float64, rounded to the values' type each time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.algebra.onnx_ops import OnnxCast, OnnxDiv, OnnxIdentity, OnnxSub
from skl2onnx.common.data_types import DoubleTensorType
from skl2onnx.operator_converters.common import concatenate_variables
from skl2onnx.shape_calculators.scaler import calculate_sklearn_scaler_output_shapes
from sklearn.preprocessing import MaxAbsScaler, RobustScaler, StandardScaler

DIVIDING = {StandardScaler: {"div": "div"}, MaxAbsScaler: {"div": "div"}}
"""Options of skl2onnx for the scalers that it can write exactly: they divide, in the type of the values."""


def _convert(scope: Any, operator: Any, container: Any) -> None:
    step, opset, inputs = operator.raw_operator, container.target_opset, operator.inputs
    kind = TensorProto.DOUBLE if isinstance(inputs[0].type, DoubleTensorType) else TensorProto.FLOAT
    given = inputs[0] if len(inputs) == 1 else concatenate_variables(scope, inputs, container)
    value = OnnxCast(given, to=kind, op_version=opset)
    if step.with_centering:
        value = _in_place(OnnxSub, value, step.center_, kind, opset)
    if step.with_scaling:
        value = _in_place(OnnxDiv, value, step.scale_, kind, opset)
    OnnxIdentity(value, op_version=opset, output_names=operator.outputs[:1]).add_to(scope, container)


def _in_place(operation: Any, value: Any, fitted: NDArray[Any], kind: int, opset: int) -> Any:
    """As numpy computes `value -= fitted` or `value /= fitted`."""
    if kind == TensorProto.DOUBLE or fitted.dtype == np.float64:
        wide = OnnxCast(value, to=TensorProto.DOUBLE, op_version=opset)
        found = operation(wide, fitted.astype(np.float64)[None, :], op_version=opset)
        return OnnxCast(found, to=kind, op_version=opset)
    return operation(value, fitted.astype(np.float32)[None, :], op_version=opset)


update_registered_converter(RobustScaler, "MillraceRobustScaler", calculate_sklearn_scaler_output_shapes, _convert)
