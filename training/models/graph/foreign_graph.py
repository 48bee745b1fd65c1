"""A graph that another framework exported, as serving takes it: a matrix in, and a score, a value or classes out."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from training.errors import CertificateError
from training.models.graph.model_constants import INPUT_NAME
from training.models.graph.onnx_export import open_session, run_session
from training.models.task_rules import RULES

_PROBE_ROWS = 3
_OTHER = "its own output"
_CAST, _ONE_AXIS, _POSITIVE = "output_as_float", "one_axis", "positive_class"
"""The names of what is put behind the model's own output."""


def adapt_graph(content: bytes, features: int, task: str, classes: int = 0, output: str = "") -> bytes:
    """The graph with the names that a registry has, and the shape of its task: float32[n], or [n, classes].

    output: its output with the scores, where it has several of float32. Of two columns, the second is the score.
    Raises CertificateError for a graph that does not take this many features, or gives something else.
    """
    try:
        session, model = open_session(content), onnx.load_model_from_string(content)
    except Exception as error:
        raise CertificateError(
            f"The file is not an ONNX model that can be run: {' '.join(str(error).split())[:300]}. Export it again."
        ) from error
    _check_input(session, features)
    name = _output_of(session, output)
    given = session.get_inputs()[0].name
    probe = np.zeros((_PROBE_ROWS, features), np.float32)
    try:
        shape = np.asarray(session.run([name], {given: probe})[0]).shape
    except Exception as error:
        raise CertificateError(
            f"The model cannot score {_PROBE_ROWS} rows at once: {' '.join(str(error).split())[:300]}. Export it with "
            "a first axis of any length."
        ) from error
    nodes = _nodes(name, shape, task, classes)
    # A model may call its tensors as we do: `score` is what many call their output.
    ours = {RULES[task].output_name, _CAST, _ONE_AXIS, _POSITIVE} | ({INPUT_NAME} if given != INPUT_NAME else set())
    _set_apart(model.graph, ours)
    _rename(model.graph, _apart(given, ours), _apart(name, ours), nodes)
    return bytes(model.SerializeToString(deterministic=True))


def certify_outputs(
    graph: bytes, rows: NDArray[np.float32], expected: NDArray[np.float64], task: str, tolerance: float
) -> float:
    """The worst difference from what the framework itself gave for these rows; of values, as a part of their spread.

    Raises CertificateError where it is more than the tolerance, or where a row of missing values has no score.
    """
    session = open_session(graph)
    if not np.isfinite(run_session(session, np.full((1, rows.shape[1]), np.nan, np.float32))).all():
        raise CertificateError(
            "The model gives no number where features are missing, and any feature may be missing in a request. "
            "Replace NaN inside the model, then export it again."
        )
    found = run_session(session, rows).astype(np.float64)
    spread = float(np.std(expected)) if task == "regression" else 1.0
    difference = np.abs(found - expected) / (spread or 1.0)
    difference = np.where(np.isnan(difference), np.inf, difference)
    if not difference.max(initial=0.0) <= tolerance:
        row = int(difference.reshape(len(rows), -1).max(axis=1).argmax())
        raise CertificateError(
            f"The model does not give what is expected, so nothing was published. Row {row} gives "
            f"{found[row].tolist()}, and the file has {expected[row].tolist()}; {tolerance:g} is allowed. See that the "
            "columns are those of the view, in float32, and that the file was made by this very model."
        )
    return float(difference.max(initial=0.0))


def _check_input(session: Any, features: int) -> None:
    inputs = session.get_inputs()
    said = ", ".join(f"{each.name} {each.type} {each.shape}" for each in inputs)
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 2:
        raise CertificateError(f"The model takes {said}. Let it take one float32 matrix: a line for each row.")
    if inputs[0].shape[1] not in (features, None) and not isinstance(inputs[0].shape[1], str):
        raise CertificateError(f"The model takes {said}, and the view has {features} features. Train it on the view.")


def _output_of(session: Any, output: str) -> str:
    floats = [each.name for each in session.get_outputs() if each.type in ("tensor(float)", "tensor(double)")]
    if (output and output not in floats) or not floats:
        raise CertificateError(
            f"The model has no output {output or 'of floats'!r}. It has "
            f"{', '.join(f'{each.name} {each.type}' for each in session.get_outputs())}."
        )
    if not output and len(floats) > 1:
        raise CertificateError(
            f"The model has the outputs {', '.join(floats)}. Name the one of the scores by --output."
        )
    return output or floats[0]


def _nodes(name: str, shape: tuple[int, ...], task: str, classes: int) -> list[Any]:
    """From the model's own output to that of its task."""
    wanted, cast = RULES[task].output_name, _CAST
    nodes = [onnx.helper.make_node("Cast", [_OTHER], [cast], to=onnx.TensorProto.FLOAT)]
    if task == "multiclass" and shape == (_PROBE_ROWS, classes):
        return [*nodes, onnx.helper.make_node("Identity", [cast], [wanted])]
    if task != "multiclass" and shape in ((_PROBE_ROWS,), (_PROBE_ROWS, 1)):
        return [*nodes, onnx.helper.make_node("Reshape", [cast, _ONE_AXIS], [wanted])]
    if task == "binary" and shape == (_PROBE_ROWS, 2):
        return [*nodes, onnx.helper.make_node("Gather", [cast, _POSITIVE], [wanted], axis=1)]
    asks = f"{classes} probabilities" if task == "multiclass" else "one number"
    raise CertificateError(
        f"Output {name!r} has the shape {list(shape)} for {_PROBE_ROWS} rows, and {task} asks for {asks} of each row."
    )


def _apart(name: str, ours: Collection[str]) -> str:
    return f"{name} of the model" if name in ours else name


def _set_apart(graph: Any, ours: Collection[str]) -> None:
    """Call the tensors otherwise that have one of our names, in the graphs inside it too."""
    for node in graph.node:
        node.input[:] = [_apart(each, ours) for each in node.input]
        node.output[:] = [_apart(each, ours) for each in node.output]
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _set_apart(inner, ours)
    for each in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        each.name = _apart(each.name, ours)
    for each in graph.sparse_initializer:
        each.values.name = _apart(each.values.name, ours)


def _rename(graph: Any, given: str, name: str, nodes: list[Any]) -> None:
    """Put nodes between the registry's names and the model's own."""
    for node in nodes:
        node.input[:] = [name if each == _OTHER else each for each in node.input]
    if given != INPUT_NAME:
        graph.node.insert(0, onnx.helper.make_node("Identity", [INPUT_NAME], [given]))
        kept = [each for each in graph.input if each.name != given]
        old = next(each for each in graph.input if each.name == given)
        del graph.input[:]
        graph.input.extend([onnx.helper.make_tensor_value_info(INPUT_NAME, onnx.TensorProto.FLOAT, _shape(old)), *kept])
    for constant, dims, value in ((_ONE_AXIS, [1], [-1]), (_POSITIVE, [], [1])):
        if any(constant in node.input for node in nodes):
            graph.initializer.append(onnx.helper.make_tensor(constant, onnx.TensorProto.INT64, dims, value))
    graph.node.extend(nodes)
    wanted = nodes[-1].output[0]
    columns = [] if nodes[-1].op_type != "Identity" else [None]
    del graph.output[:]
    graph.output.append(onnx.helper.make_tensor_value_info(wanted, onnx.TensorProto.FLOAT, [None, *columns]))


def _shape(value: Any) -> list[int | None]:
    dims = value.type.tensor_type.shape.dim
    return [None, dims[1].dim_value or None]
