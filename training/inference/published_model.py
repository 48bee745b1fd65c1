"""A version of the registry that predicts many rows: checked against its view, as serving checks what it loads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import Catalogue, FeatureView
from shared_features.feature_matrix import place_categories
from shared_features.formats.model_checks import Vocabularies, check_graph, vocabularies_of
from shared_features.formats.model_manifest import MODEL_FILE, ModelManifest, check_manifest
from training.errors import RegistryError
from training.inference.batch_scorer import BatchScorer
from training.models.prediction_columns import prediction_columns, prediction_names
from training.registry.version_facts import find_version
from training.registry.versions import Registry


@dataclass(frozen=True)
class PublishedModel:
    """categories: column of the matrix and vocabulary of each category, in the view's order."""

    manifest: ModelManifest
    view: FeatureView
    scorer: BatchScorer
    categories: Vocabularies

    @property
    def label(self) -> str:
        return f"{self.manifest.model} version {self.manifest.version}"

    @property
    def names(self) -> list[str]:
        """The names of the columns that it adds to a table."""
        return prediction_names(self.manifest.task, self.manifest.classes, self.manifest.threshold)

    def predict(self, matrix: NDArray[np.float32], codes: NDArray[np.float64]) -> list[pl.Series]:
        """matrix: float32[n, features] with NaN for categories. codes: float64[n, categories], `category_codes`."""
        found = self.scorer.score(place_categories(matrix, codes, self.categories))
        manifest = self.manifest
        return prediction_columns(manifest.task, manifest.classes, manifest.threshold, found)


def open_model(
    registry: Registry, catalogue: Catalogue, model: str, version: str | None = None, threads: int | None = None
) -> PublishedModel:
    """version: a number or an alias; None: the champion, or the newest where there is none.

    Raises RegistryError, or ManifestMismatchError where the definitions do not give what it was trained on, or where
    the graph is not the file that was published.
    """
    number = find_version(registry, model, version)
    manifest, view = registry.manifest(model, number), _view(registry.manifest(model, number), catalogue)
    check_manifest(manifest, view)
    vocabularies = vocabularies_of(manifest, view)
    graph = registry.read(model, number, MODEL_FILE)
    check_graph(manifest, graph)
    scorer = BatchScorer(graph, manifest.input_name, manifest.output_name, threads)
    return PublishedModel(manifest, view, scorer, vocabularies)


def _view(manifest: ModelManifest, catalogue: Catalogue) -> FeatureView:
    """The view version that it was trained on, or the newest one if that version is no longer defined."""
    named = [each for each in catalogue.views if each.name == manifest.view.name]
    if not named:
        known = ", ".join(sorted({each.name for each in catalogue.views}))
        raise RegistryError(
            f"Model {manifest.model} {manifest.version} was trained on view {manifest.view.name!r}, which the "
            f"definitions do not have. They have {known}. Set MILLRACE_DEFINITIONS to those of the model."
        )
    return max(named, key=lambda each: (each.version == manifest.view.version, each.version))
