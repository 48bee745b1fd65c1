"""The trees of a published version: used where they give the bits of its graph on this processor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from serving.log import get_log
from shared_features.errors import FormatVersionError
from shared_features.formats.model_checks import check_trees
from shared_features.formats.model_manifest import TREES_FILE, ModelManifest, lacks_trees, republish_command
from shared_features.formats.tree_file import decode_trees
from shared_features.trees.flat_trees import Matrix
from shared_features.trees.model_trees import ModelTrees

Run = Callable[[Matrix], Matrix]
_WALKS = 400_000
"""Of rows through trees, in the trial: 30 ms."""


def load_trees(directory: Path, manifest: ModelManifest, whole: Run) -> ModelTrees | None:
    """None where the version has none, or where ONNX Runtime has to run the graph; a line of the log says why.

    whole: the graph. Raises ManifestMismatchError where the file is not the one that was published.
    """
    if TREES_FILE not in manifest.files:
        return None
    try:
        found = _tried(directory, manifest, whole)
    except OSError as error:
        found = f"{TREES_FILE} cannot be read: {error.strerror}"
    except FormatVersionError as error:
        found = str(error)
    if isinstance(found, ModelTrees):
        return found
    get_log("serving.models").warning(
        "running the graph of a model in place of its trees", model=manifest.model, version=manifest.version,
        reason=found,
    )  # fmt: skip
    return None


def tell_lacking_trees(manifest: ModelManifest, graph: bytes) -> None:
    """Say what to do for a version that an earlier release published without its trees."""
    if lacks_trees(manifest, graph):
        get_log("serving.models").info(
            "running the graph of a model that was published without its trees", model=manifest.model,
            version=manifest.version, command=republish_command(manifest.model, manifest.version),
        )  # fmt: skip


def _tried(directory: Path, manifest: ModelManifest, whole: Run) -> ModelTrees | str:
    """The trees, or why they do not answer."""
    content, features = (directory / TREES_FILE).read_bytes(), len(manifest.view.features)
    check_trees(manifest, content)
    found = decode_trees(content)
    if found.ensemble.trees.most >= features:
        return f"{TREES_FILE} reads column {found.ensemble.trees.most} of {features}"
    if not found.has_the_bits_of(whole, features, _WALKS):
        return f"{TREES_FILE} gave other bits than the graph for a row that was tried"
    return found
