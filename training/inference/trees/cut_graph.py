"""A graph cut at its tree ensembles: what stands before them, and what stands behind them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from shared_features.trees.flat_trees import Matrix
from training.errors import GraphNotReadError
from training.inference.trees.ensemble import Ensemble, is_ensemble, read_ensemble
from training.models.graph.onnx_export import open_session

_FLOATS = "tensor(float)"


class CutGraph:
    """before: None where the trees read the features. behind: None where the answer is that of an ensemble."""

    def __init__(self, graph: bytes, input_name: str, output_name: str) -> None:
        """Raises GraphNotReadError."""
        model = onnx.load_model_from_string(graph)
        self._input, self._output = input_name, output_name
        if any(each.type in (each.GRAPH, each.GRAPHS) for node in model.graph.node for each in node.attribute):
            raise GraphNotReadError("it has graphs inside of operators")
        self.ensembles = [read_ensemble(each) for each in model.graph.node if is_ensemble(each)]
        if not self.ensembles:
            raise GraphNotReadError("it has no trees")
        answered = {each.answered for each in self.ensembles}
        given = {each.given for each in self.ensembles} - {input_name}
        self.before = _Part(model, {input_name}, sorted(given)) if given else None
        self.behind = None if output_name in answered else _Part(model, {input_name, *answered}, [output_name])

    def run(self, rows: Matrix) -> Matrix:
        """What the graph gives for each row."""
        tensors: dict[str, Any] = {self._input: np.ascontiguousarray(rows)}
        if self.before is not None:
            tensors |= self.before.run(tensors)
        answers = {each.answered: each.run(tensors[each.given]) for each in self.ensembles}
        if self.behind is not None:
            answers = self.behind.run({self._input: tensors[self._input], **answers})
        return answers[self._output]


class _Part:
    """The operators from tensors that are given to others, each float32. reads: the given ones that they need."""

    def __init__(self, model: Any, given: Collection[str], wanted: Sequence[str]) -> None:
        needed = _needed(model, given, wanted)
        self.nodes = [each for each in model.graph.node if not is_ensemble(each) and needed.intersection(each.output)]
        graph = onnx.helper.make_graph(
            self.nodes,
            "part",
            [_float(each) for each in sorted(needed.intersection(given))],
            [onnx.ValueInfoProto(name=each) for each in wanted],
            [each for each in model.graph.initializer if each.name in needed],
        )
        self._session, self._wanted = open_session(_model(graph, model.opset_import, model.ir_version)), list(wanted)
        self.reads = [each.name for each in self._session.get_inputs()]
        if any(each.type != _FLOATS for each in self._session.get_outputs()):
            raise GraphNotReadError("its trees do not read float32")

    def run(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        found = self._session.run(self._wanted, {each: tensors[each] for each in self.reads})
        return dict(zip(self._wanted, found, strict=True))


def _needed(model: Any, given: Collection[str], wanted: Sequence[str]) -> set[str]:
    """The names of all tensors on the way."""
    maker = {name: node for node in model.graph.node for name in node.output if name}
    held = {"", *(each.name for each in model.graph.initializer)}
    needed, waiting = set[str](), list(wanted)
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        if name in given or name in held:
            continue
        if name not in maker or is_ensemble(maker[name]):
            raise GraphNotReadError("its trees stand behind one another, or their labels are used")
        waiting += maker[name].input
    return needed


def alone(ensemble: Ensemble) -> Callable[[Matrix], Matrix]:
    """The operator as ONNX Runtime runs it."""
    answer = onnx.ValueInfoProto(name=ensemble.answered)
    graph = onnx.helper.make_graph([ensemble.node], "trees", [_float(ensemble.given)], [answer])
    session = open_session(_model(graph, [onnx.helper.make_opsetid("ai.onnx.ml", 3)]))
    return lambda rows: np.asarray(session.run(None, {ensemble.given: rows})[0])


def _float(name: str) -> Any:
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, None])


def _model(graph: Any, opsets: Sequence[Any], ir_version: int = 8) -> bytes:
    return bytes(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=ir_version).SerializeToString())
