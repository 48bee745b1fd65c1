"""Which graphs give a row the same bits in a run of many rows as in a run of its own, as serving runs them.

A matrix product adds in another order for one row than for several, so a graph that has one is run row by row
(docs/decisions/0007). Trees, and operators that compute each element or copy it, see a row at a time anyway.
"""

from __future__ import annotations

import onnx

_TREES = ("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor")
_OF_ELEMENTS = (
    *("Abs", "Add", "And", "Cast", "Ceil", "Clip", "Div", "Equal", "Exp", "Floor", "Greater", "GreaterOrEqual"),
    *("IsInf", "IsNaN", "Less", "LessOrEqual", "Log", "Max", "Min", "Mul", "Neg", "Not", "Or", "Pow", "Reciprocal"),
    *("Relu", "Round", "Sigmoid", "Sign", "Softplus", "Sqrt", "Sub", "Sum", "Tanh", "Where"),
)
_OF_PLACES = (
    *("ArrayFeatureExtractor", "Concat", "Constant", "ConstantOfShape", "Expand", "FeatureVectorizer", "Flatten"),
    *("Gather", "GatherElements", "Identity", "OneHot", "Reshape", "Shape", "Slice", "Split", "Squeeze", "Tile"),
    *("Transpose", "Unsqueeze", "ZipMap"),
)
_OF_ROWS = ("ArgMax", "ArgMin", "Binarizer", "Imputer", "LabelEncoder", "Normalizer", "Scaler", "Softmax")
KEEP_BITS = frozenset((*_TREES, *_OF_ELEMENTS, *_OF_PLACES, *_OF_ROWS))


def operators(graph: bytes) -> set[str]:
    """The types of all operators, those inside of others too."""
    found: set[str] = set()
    waiting = [onnx.load_model_from_string(graph).graph]
    while waiting:
        for node in waiting.pop().node:
            found.add(node.op_type)
            for attribute in node.attribute:
                waiting += [each for each in (attribute.g, *attribute.graphs) if each.node]
    return found


def keeps_bits(graph: bytes) -> bool:
    """Whether rows may share a run; False where it is not known of an operator."""
    return operators(graph) <= KEEP_BITS
