"""What a program checks of a published version before it runs it: serving, the stream job and batch prediction."""

from __future__ import annotations

import hashlib
from pathlib import Path

from shared_features.definitions import FeatureView
from shared_features.errors import ManifestMismatchError
from shared_features.formats.model_manifest import MODEL_FILE, TREES_FILE, ModelManifest
from shared_features.kernel.vocabulary import Vocabulary

Vocabularies = tuple[tuple[int, Vocabulary], ...]
"""Of each category of a view, in its order: its column of the matrix, and the values that the model knows."""


def check_place(manifest: ModelManifest, directory: Path) -> None:
    """Raise ManifestMismatchError unless the version lies in a directory of its own number."""
    if (manifest.model, str(manifest.version)) != (directory.parent.name, directory.name):
        raise ManifestMismatchError(
            f"{directory.parent.name}/{directory.name} holds the manifest of model {manifest.model} {manifest.version}."
            " A version is never copied or renamed. Promote the version that was published, or publish the model again."
        )


def check_graph(manifest: ModelManifest, graph: bytes) -> str:
    """The sha256 of the graph, hexadecimal. Raises ManifestMismatchError unless it is the one that was published."""
    return _check_file(manifest, MODEL_FILE, graph, manifest.model_digest)


def check_trees(manifest: ModelManifest, content: bytes) -> None:
    """Raise ManifestMismatchError unless the file of the trees is the one that was published."""
    _check_file(manifest, TREES_FILE, content, manifest.files[TREES_FILE])


def _check_file(manifest: ModelManifest, name: str, content: bytes, wanted: str) -> str:
    digest = hashlib.sha256(content).hexdigest()
    if digest != wanted:
        model, version = manifest.model, manifest.version
        raise ManifestMismatchError(
            f"{name} of model {model} {version} is not the file that was published: its digest is {digest[:12]}, and "
            f"the manifest says {wanted[:12]}. `python -m training registry verify {model} {version}` says what "
            "differs. Restore the file, or publish the model again."
        )
    return digest


def vocabularies_of(manifest: ModelManifest, view: FeatureView) -> Vocabularies:
    """Raises ManifestMismatchError where the model knows other categories than the view has."""
    if {each.name for _, each in view.categories} != manifest.categories.keys():
        raise ManifestMismatchError(
            f"Model {manifest.model} {manifest.version} knows the values of "
            f"{', '.join(manifest.categories) or 'none'}, and view {view.label} has other categories. Train a new "
            "model."
        )
    return tuple((at, Vocabulary(manifest.categories[each.name])) for at, each in view.categories)
