"""A version of the registry that an audit runs again."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.formats.model_manifest import MODEL_FILE
from shared_features.kernel.vocabulary import Vocabulary
from training.models.graph.onnx_export import open_session
from training.registry.versions import Registry


class AuditedModel:
    """Raises RegistryError where there is no such version."""

    def __init__(self, registry: Registry, name: str, version: int) -> None:
        path = registry.path(name, version)
        self._manifest, graph = registry.manifest(name, version), (path / MODEL_FILE).read_bytes()
        self._named, self._digest = f"the file {MODEL_FILE} of {name} {version}", hashlib.sha256(graph).hexdigest()
        self._session = open_session(graph)

    def fault(self, digest: str) -> str:
        """Why it is not the one that answered; empty where it is. digest: of the file that answered."""
        if digest == self._digest:
            return ""
        return f"{self._named} has the digest {self._digest[:12]}, and the one that answered had {digest[:12]}"

    def categories(self, view: FeatureView) -> tuple[tuple[int, Vocabulary], ...]:
        """Of each category of the view, its place and its values."""
        return tuple((at, Vocabulary(self._manifest.categories[each.name])) for at, each in view.categories)

    def scores(self, matrix: NDArray[np.float32]) -> list[Any]:
        """Row by row, as serving does."""
        output = [self._manifest.output_name]
        return [
            self._session.run(output, {self._manifest.input_name: matrix[row : row + 1]})[0][0].tolist()
            for row in range(len(matrix))
        ]
