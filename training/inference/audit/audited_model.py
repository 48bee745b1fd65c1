"""A version of the registry that an audit runs again."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.formats.model_manifest import MODEL_FILE
from shared_features.formats.scored_event import Outcome, outcome_of
from shared_features.kernel.vocabulary import Vocabulary
from training.inference.batch_scorer import BatchScorer
from training.registry.versions import Registry


class AuditedModel:
    """Raises RegistryError where there is no such version."""

    def __init__(self, registry: Registry, name: str, version: int, ends: ExitStack) -> None:
        """ends: where the threads that score end."""
        manifest, graph = registry.manifest(name, version), registry.read(name, version, MODEL_FILE)
        self._named, self._digest = f"the file {MODEL_FILE} of {name} {version}", hashlib.sha256(graph).hexdigest()
        self._manifest = manifest
        self._scorer = ends.enter_context(BatchScorer(graph, manifest.input_name, manifest.output_name))

    def fault(self, digest: str) -> str:
        """Why it is not the one that answered; empty where it is. digest: of the file that answered."""
        if digest == self._digest:
            return ""
        return f"{self._named} has the digest {self._digest[:12]}, and the one that answered had {digest[:12]}"

    def categories(self, view: FeatureView) -> tuple[tuple[int, Vocabulary], ...]:
        """Of each category of the view, its place and its values."""
        return tuple((at, Vocabulary(self._manifest.categories[each.name])) for at, each in view.categories)

    def outcome(self, given: Any) -> Outcome:
        """What it says where the graph gives this: a score, a value or a list of probabilities."""
        return outcome_of(self._manifest.task, self._manifest.classes, self._manifest.threshold, given)

    def gives(self, matrix: NDArray[np.float32], scores: NDArray[Any]) -> NDArray[np.bool_]:
        """bool[n]: whether it gives these scores, bit for bit. matrix: float32[n, features].

        scores: one a row, float32 or object.
        """
        if not len(matrix):
            return np.empty(0, np.bool_)
        ours = self._scorer.score(matrix)
        try:
            logged = scores if scores.dtype == np.float32 else np.array(scores.tolist(), np.float32)
        except (TypeError, ValueError):  # of different shapes, or no numbers
            logged = np.empty(0, np.float32)
        if logged.shape == ours.shape:
            same = np.ascontiguousarray(ours).view(np.uint32) == logged.view(np.uint32)
            every: NDArray[np.bool_] = same.reshape(len(ours), -1).all(axis=1)
            return every
        return np.array([_same(one, other) for one, other in zip(ours, scores, strict=True)], np.bool_)


def _same(ours: NDArray[np.float32], logged: Any) -> bool:
    try:
        theirs = np.array(logged, np.float32)
    except (TypeError, ValueError):
        return False
    return theirs.shape == np.shape(ours) and theirs.tobytes() == ours.tobytes()
