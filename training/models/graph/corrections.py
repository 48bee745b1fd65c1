"""The corrections of a model's probabilities as the last nodes of its graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.models.correction.corrected_model import Correction
from training.models.correction.graph_nodes import GraphNodes

UNCORRECTED = "uncorrected"
"""The tensor that corrections begin with: what the pipeline's part of the graph gives."""


def add_corrections(graph: Any, corrections: Sequence[Correction]) -> None:
    """Put them between what gives the graph's only output and the output. It keeps its name and its shape."""
    answer = graph.output[0].name
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [UNCORRECTED if name == answer else name for name in names]
    tensor = UNCORRECTED
    for number, each in enumerate(corrections):
        nodes = GraphNodes(f"correction_{number}")
        tensor = each.graph(tensor, nodes)
        if number == len(corrections) - 1:
            nodes.nodes[-1].output[0] = answer
        graph.node.extend(nodes.nodes)
        graph.initializer.extend(nodes.constants)
