"""Nodes that are added behind a graph's own, with their constants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray


@dataclass
class GraphNodes:
    """prefix: of the names of tensors, so that they differ from those of other nodes."""

    prefix: str
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, value: NDArray[Any]) -> str:
        """The name of a tensor that has this value."""
        name = f"{self.prefix}_constant_{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, operator: str, *given: str, outputs: int = 1, domain: str = "", **attributes: Any) -> Any:
        """The name of its output, or of its outputs as a list."""
        names = [f"{self.prefix}_{len(self.nodes)}_{at}" for at in range(outputs)]
        self.nodes.append(onnx.helper.make_node(operator, list(given), names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def wide(self, given: str) -> str:
        """The tensor as float64."""
        return str(self.add("Cast", given, to=onnx.TensorProto.DOUBLE))

    def float32(self, given: str) -> str:
        return str(self.add("Cast", given, to=onnx.TensorProto.FLOAT))
