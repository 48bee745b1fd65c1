"""A model that answers: loaded from a version of the registry, and checked against the view it answers for."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from serving.models.loaded_trees import load_trees, tell_lacking_trees
from serving.models.run_guard import TIMES_LONGER, RunGuard
from shared_features.definitions import FeatureView
from shared_features.errors import ManifestMismatchError
from shared_features.feature_matrix import place_categories
from shared_features.formats.model_checks import Vocabularies, check_graph, check_place, vocabularies_of
from shared_features.formats.model_manifest import (
    MANIFEST_FILE,
    MODEL_FILE,
    ModelManifest,
    check_manifest,
    decode_manifest,
)
from shared_features.trees.model_trees import ModelTrees
from shared_features.trees.same_bits import same_bits
from shared_features.trees.walk_steps import times_longer

_COMPARED_ROWS = 33  # more than any processor's vector, and odd: the last ones may be computed in another way
_SURELY_SLOW_S = 1.0  # for one row, even on a machine that is busy otherwise


@dataclass(frozen=True)
class Model:
    """A model version that answers. A request keeps the one it began with."""

    name: str
    version: int
    input_name: str
    output_name: str
    session: Any  # onnxruntime has no types
    task: str = "binary"
    classes: tuple[str | int, ...] = ()
    threshold: float | None = None
    categories: Vocabularies = ()
    row_s: float = 0.0
    """How long it took for one row when it was loaded, seconds. No walk of trees takes `TIMES_LONGER` as long."""
    digest: str = ""
    """sha256 of its file, hexadecimal."""
    shares_runs: bool = False
    """Whether a row has the same bits in a run of many as in a run of its own."""
    trees: ModelTrees | None = field(default=None, compare=False)
    """What answers in place of the session, with the same bits: a third of its time for the rows of a request."""

    def seen(self, rows: NDArray[np.float32], codes: NDArray[np.float64] | None) -> NDArray[np.float32]:
        """The rows as the graph takes them. codes: `category_codes` of the rows; None where the view has none."""
        return rows if codes is None else place_categories(rows, codes, self.categories)

    def guarded(self, guard: RunGuard, seconds: float) -> AbstractContextManager[Any]:
        """The options of a run that is ended after so long; None of a walk of trees: see `row_s`."""
        return nullcontext() if self.trees is not None else guard.within(seconds)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The classes as the keys of a JSON object, in the order of the probabilities."""
        return tuple(map(str, self.classes))

    def score(self, matrix: NDArray[np.float32], options: Any = None) -> list[Any]:
        """One score per row, float32 as float: or one value (regression), or a list of probabilities (multiclass).

        Row by row unless the rows may share a run: a matrix product adds in another order for one row than for
        several, and a score must not depend on which requests happened to be read together. (Seen: a logistic
        regression, half of 3,000 rows.) options: of ONNX Runtime, for its runs; a walk of trees is never ended.
        """
        if self.trees is not None:
            walked: list[Any] = self.trees.run(matrix).tolist()
            return walked
        run, wanted, name = self.session.run, [self.output_name], self.input_name
        if self.shares_runs and len(matrix) > 1:
            scores: list[Any] = run(wanted, {name: matrix}, options)[0].tolist()
            return scores
        return [run(wanted, {name: matrix[row : row + 1]}, options)[0][0].tolist() for row in range(len(matrix))]


class Models(Protocol):
    """What the request path asks of the models."""

    def current(self, view: FeatureView) -> Model:
        """The model that answers for a view. Raises NoModelError, or why its features are not ready."""

    def answering(self, name: str) -> FeatureView | None:
        """The version of a view that its bare name means. None while no model answers for any version of it."""

    def waiting(self) -> list[str]:
        """Why new model versions do not answer yet, and that the registry does not, as sentences."""

    def refused(self) -> list[str]:
        """Which published versions were not loaded, and why, as sentences."""


def load_model(directory: Path, view: FeatureView, row_within_s: float = 60.0) -> Model:
    """The model version in a directory, ready to answer for a view.

    Raises ManifestMismatchError when it wants other features, lies under another number than it was published as, is
    not the file its manifest was written for, or takes longer than `row_within_s` for every row that it is tried with.
    """
    manifest = read_manifest(directory)
    check_place(manifest, directory)
    check_manifest(manifest, view)
    graph = (directory / MODEL_FILE).read_bytes()
    digest = check_graph(manifest, graph)
    model = Model(
        manifest.model,
        manifest.version,
        manifest.input_name,
        manifest.output_name,
        open_session(graph),
        manifest.task,
        manifest.classes,
        manifest.threshold,
        vocabularies_of(manifest, view),
    )
    row_s, columns = _try_out(model, manifest, row_within_s), len(manifest.view.features)
    model = replace(model, row_s=row_s, digest=digest, shares_runs=manifest.rows_share_runs and _shares(model, columns))
    tell_lacking_trees(manifest, graph)
    return _with_trees(model, directory, manifest, row_within_s) if model.shares_runs else model


def _with_trees(model: Model, directory: Path, manifest: ModelManifest, row_within_s: float) -> Model:
    """The model whose trees answer, where it has some."""

    def whole(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = model.session.run([model.output_name], {model.input_name: rows})[0]
        return found

    trees = load_trees(directory, manifest, whole)
    if trees is None:
        return model
    walked = replace(model, trees=trees)
    longer = times_longer(trees.ensemble.trees, _tried_rows(manifest))
    return replace(walked, row_s=_try_out(walked, manifest, row_within_s) * max(1.0, longer / TIMES_LONGER))


def read_manifest(directory: Path) -> ModelManifest:
    """The manifest of the model version in a directory."""
    return decode_manifest((directory / MANIFEST_FILE).read_bytes(), f"{directory.name}/{MANIFEST_FILE}")


def open_session(graph: bytes) -> Any:
    """An ONNX Runtime session on one thread of the CPU: a row takes microseconds, a thread pool would cost more."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised; its own lines are coloured text between those of our log
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _tried_rows(manifest: ModelManifest) -> NDArray[np.float32]:
    return np.repeat(np.array([[np.nan], [0], [1]], np.float32), len(manifest.view.features), axis=1)


def _try_out(model: Model, manifest: ModelManifest, row_within_s: float) -> float:
    """Score rows of missing values, zeros and ones: a model that cannot score fails here and not in a request.

    The least time that it took for one, seconds.
    """
    rows = _tried_rows(manifest)
    given, took_s, named = [], list[float](), f"Model {manifest.model} {manifest.version}"
    slow = ManifestMismatchError(
        f"{named} takes longer than {row_within_s:g} s for one instance, and a request may not take longer. Train a "
        "smaller model, or raise MILLRACE_SERVING_MODEL_DEADLINE_MS."
    )
    for row in (*rows, *rows):  # the first runs also make room for the graph's values
        began_s = time.perf_counter()
        with model.guarded(RunGuard(), max(row_within_s, _SURELY_SLOW_S)) as options:
            try:
                given += model.score(row[None], options)
            except Exception as error:
                raise slow if options is not None and options.terminate else error from error
        took_s.append(time.perf_counter() - began_s)
    if min(took_s) > row_within_s:
        raise slow
    if model.task == "multiclass" and not (isinstance(given[0], list) and len(given[0]) == len(model.classes)):
        raise ManifestMismatchError(
            f"{named} gives {given[0]!r} for a row, and its manifest has {len(model.classes)} classes. Publish the "
            "model again."
        )
    if not any(map(math.isfinite, map(one_number, given))):
        raise ManifestMismatchError(
            f"{named} gives no number: not for missing values, zeros or ones. Train a new model."
        )
    return min(took_s)


def _shares(model: Model, columns: int) -> bool:
    """Whether it does on this processor what its operators promise: rows in one run as alone, bit for bit."""
    random = np.random.default_rng(0)
    rows = (random.standard_normal((_COMPARED_ROWS, columns)) * 10 ** random.uniform(-2, 4, columns)).astype(np.float32)
    rows[random.random(rows.shape) < 0.05] = np.nan
    alone, together = (np.array(each.score(rows), np.float32) for each in (model, replace(model, shares_runs=True)))
    return same_bits(alone, together)


def one_number(given: Any) -> float:
    """A score or a value as it is, probabilities as their sum: finite where all of them are."""
    return float(sum(given)) if isinstance(given, list) else float(given)
