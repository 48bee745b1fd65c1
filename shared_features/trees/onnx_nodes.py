"""Whether a graph is trees alone, told by its bytes: what serves a model and lists versions has no library of ONNX.

An ONNX file is a message of Protocol Buffers (https://protobuf.dev/programming-guides/encoding): fields, each with its
number and, of those that are read here, its length. All that is not asked for is stepped over, so a file of any size
takes microseconds for each operator.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MOVING = ("Gather", "Identity", "Reshape", "Squeeze")
"""Operators that leave each number as it is."""
_TREES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
_GRAPH, _NODE = 7, 1  # of ModelProto, of GraphProto
_INPUT, _OUTPUT, _OPERATOR = 1, 2, 4  # of NodeProto
_VARINT, _EIGHT_BYTES, _WITH_LENGTH, _FOUR_BYTES = 0, 1, 2, 5


class Node(NamedTuple):
    """An operator: its type, and the names of what it reads and gives."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def is_trees_alone(graph: bytes, input_name: str, output_name: str) -> bool:
    """Whether its answer is that of one ensemble of trees that reads the features, with numbers only moved.

    Such a graph has a file of trees where they give its bits too. False of other bytes.
    """
    try:
        nodes = nodes_of(graph)
    except (IndexError, ValueError):
        return False
    needed, found = {output_name}, list[Node]()
    for each in reversed(nodes):  # in the order of a file, an operator stands behind those that it reads
        if needed.intersection(each.outputs):
            needed.update(each.inputs)
            found.append(each)
    trees = [each.inputs for each in found if each.operator in _TREES]
    others = {each.operator for each in found if each.operator not in _TREES}
    return trees == [(input_name,)] and others <= {*MOVING, "Cast"}


def nodes_of(graph: bytes) -> list[Node]:
    """The operators in their order. Raises IndexError or ValueError for other bytes."""
    return [
        _node(node)
        for number, part in _fields(memoryview(graph))
        if number == _GRAPH
        for inner, node in _fields(part)
        if inner == _NODE
    ]


def _node(message: memoryview) -> Node:
    texts: dict[int, list[str]] = {_INPUT: [], _OUTPUT: [], _OPERATOR: []}
    for number, content in _fields(message):
        if number in texts:
            texts[number].append(str(content, "utf-8"))
    return Node("".join(texts[_OPERATOR]), tuple(texts[_INPUT]), tuple(texts[_OUTPUT]))


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The number and the content of each field that has a length."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind, length = key & 7, 0
        if kind == _VARINT:
            _, at = _varint(message, at)
        elif kind == _WITH_LENGTH:
            length, at = _varint(message, at)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"a field of kind {kind}")
        if at + length > len(message):
            raise ValueError("a field that ends behind its message")
        if kind == _WITH_LENGTH:
            yield key >> 3, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first; and where it ends."""
    found, shift = 0, 0
    while True:
        byte = message[at]
        found |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return found, at
