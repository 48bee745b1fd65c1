"""A version of a model that scores events: loaded from the registry, and checked against the view it scores for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from shared_features.feature_matrix import place_categories
from shared_features.formats.model_checks import Vocabularies, check_graph, check_place, vocabularies_of
from shared_features.formats.model_manifest import (
    MANIFEST_FILE,
    MODEL_FILE,
    ModelManifest,
    check_manifest,
    decode_manifest,
)
from shared_features.formats.scored_event import Outcome, outcome_of
from streaming.errors import RefusedError


@dataclass(frozen=True)
class ScoringModel:
    """session: of ONNX Runtime, which has no types. categories: column and vocabulary of each, in the view's order."""

    view: FeatureView
    manifest: ModelManifest
    session: Any
    categories: Vocabularies

    def seen(self, matrix: NDArray[np.float32], codes: NDArray[np.float64] | None) -> NDArray[np.float32]:
        """The rows as the graph takes them. codes: `category_codes` of the rows; None where the view has none."""
        return matrix if codes is None else place_categories(matrix, codes, self.categories)

    def outcome(self, row: NDArray[np.float32]) -> Outcome | str:
        """What it says of one row, float32[1, features]; else why it says nothing.

        Each row has a run of its own: that is what the endpoint answers, whichever rows share a run there.
        """
        manifest = self.manifest
        try:
            found = self.session.run([manifest.output_name], {manifest.input_name: row})[0][0].tolist()
        except Exception as error:  # whatever the graph raises for this row; the next event is scored
            return f"the model raised {type(error).__name__}"
        if not math.isfinite(sum(found) if isinstance(found, list) else found):
            return "the model gave no number"
        return outcome_of(manifest.task, manifest.classes, manifest.threshold, found)


def load_scoring_model(directory: Path, versions: tuple[FeatureView, ...]) -> ScoringModel:
    """The model version in a directory. versions: those of its view that are defined, the newest last.

    Raises ManifestMismatchError where the view gives other features than it was trained on, and where its files are
    not those that were published; FormatVersionError; OSError.
    """
    manifest = decode_manifest((directory / MANIFEST_FILE).read_bytes(), f"{directory.name}/{MANIFEST_FILE}")
    check_place(manifest, directory)
    view = next((each for each in versions if each.version == manifest.view.version), versions[-1])
    check_manifest(manifest, view)
    vocabularies = vocabularies_of(manifest, view)
    graph = (directory / MODEL_FILE).read_bytes()
    check_graph(manifest, graph)
    return ScoringModel(view, manifest, _session(graph), vocabularies)


def _session(graph: bytes) -> Any:
    """On one thread, as the endpoint runs it."""
    try:
        import onnxruntime  # only here: a job that scores nothing does without it
    except ImportError as error:
        raise RefusedError(
            "MILLRACE_SCORE_TOPICS names views to score, and onnxruntime is not installed. Install "
            "millrace[streaming,serving]"
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
