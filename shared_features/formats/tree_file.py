"""The wall "trees of a model": `trees.msgpack` beside a graph that is trees alone, so that serving need not read ONNX.

Training writes it where the trees were compared with ONNX Runtime, and serving compares them again when it loads them.
The graph says what the model is: where the file is missing or another schema's, the graph is run.

The file is one MessagePack map. Its arrays are bytes, little-endian; a place is a node of a tree, and the roots are the
first places:

    schema_version, trees           how many trees there are
    answer, column, divisor, base   of the ensemble (`trees.tree_ensemble`, `trees.model_trees`); base: f4[targets]
    columns, missing                i4: of each row of keys its feature, and the key of a missing value
    rows, thresholds, children      i4, i4, u4: of each place its row of keys, threshold and first child
    bounds                          i4[places + 1]: where the weights of a place begin and end
    targets, weights                i4, f4: of each weight
    sure                            u1[targets]: whether every row gets a weight of the target
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from shared_features.errors import FormatVersionError
from shared_features.formats.model_manifest import TREES_FILE
from shared_features.trees.flat_trees import ABOVE, FlatTrees
from shared_features.trees.model_trees import ModelTrees
from shared_features.trees.tree_ensemble import ANSWERS, TreeEnsemble, width_of

SCHEMA_VERSION = 1
_AGAIN = "Publish the model again."
_STORED = {
    "base": "<f4", "columns": "<i4", "missing": "<i4", "rows": "<i4", "thresholds": "<i4", "children": "<u4",
    "bounds": "<i4", "targets": "<i4", "weights": "<f4", "sure": "|u1",
}  # fmt: skip
_WALKED = {"columns": np.int64, "rows": np.int64, "bounds": np.int64, "targets": np.int64, "sure": np.bool_}
"""As the loops take them, where that differs."""


class _Versioned(msgspec.Struct):
    schema_version: int


class _File(_Versioned):
    trees: int
    answer: str
    column: int | None
    divisor: float
    base: bytes
    columns: bytes
    missing: bytes
    rows: bytes
    thresholds: bytes
    children: bytes
    bounds: bytes
    targets: bytes
    weights: bytes
    sure: bytes


def encode_trees(model: ModelTrees) -> bytes:
    """The file's content; equal trees give equal bytes."""
    ensemble, trees = model.ensemble, model.ensemble.trees
    arrays = {name: getattr(ensemble if name == "base" else trees, name) for name in _STORED}
    stored = {name: each.astype(_STORED[name]).tobytes() for name, each in arrays.items()}
    return msgspec.msgpack.encode(
        _File(SCHEMA_VERSION, len(trees.roots), ensemble.answer, model.column, float(ensemble.divisor), **stored)
    )


def decode_trees(content: bytes, where: str = TREES_FILE) -> ModelTrees:
    """Raises FormatVersionError, naming `where`, for another schema and for trees that cannot be walked."""
    try:
        schema = msgspec.msgpack.decode(content, type=_Versioned).schema_version
        if schema != SCHEMA_VERSION:
            raise FormatVersionError(
                f"{where} was written by schema {schema}, this reader knows {SCHEMA_VERSION}. {_AGAIN}"
            )
        file = msgspec.msgpack.decode(content, type=_File)
        arrays: dict[str, Any] = {
            name: np.frombuffer(getattr(file, name), kind).astype(_WALKED.get(name, kind[1:]))
            for name, kind in _STORED.items()
        }
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise FormatVersionError(f"{where} is damaged: {error}. {_AGAIN}") from error
    if fault := _fault(file, arrays):
        raise FormatVersionError(f"{where} is damaged: {fault}. {_AGAIN}")
    base, roots = arrays.pop("base"), np.arange(file.trees, dtype=np.uint32)
    ensemble = TreeEnsemble(FlatTrees(roots=roots, **arrays), base, np.float32(file.divisor), file.answer)
    return ModelTrees(ensemble, file.column)


def _fault(file: _File, arrays: dict[str, Any]) -> str:
    """Why the trees cannot be walked, or nothing: the loops look at no bounds, and end at a leaf."""
    width, places, weights = len(arrays["sure"]), len(arrays["thresholds"]), len(arrays["weights"])
    sizes = {"rows": places, "children": places, "bounds": places + 1, "targets": weights, "base": width}
    if any(len(arrays[name]) != size for name, size in sizes.items()) or len(arrays["columns"]) != len(
        arrays["missing"]
    ):
        return "its arrays do not have one size"
    if not (0 < file.trees <= places and width and len(arrays["columns"])):
        return "it has no tree, no target or no column"
    answers = width_of(file.answer, width) if file.answer in ANSWERS else 0
    if not 0 <= (file.column or 0) < answers or answers != width != 1:
        return f"it answers {file.answer!r} of {width} sums"
    if min(arrays["columns"].min(), arrays["rows"].min()) < 0 or arrays["rows"].max() >= len(arrays["columns"]):
        return "a split reads a column that it does not have"
    return _fault_of_places(file.trees, arrays, width)


def _fault_of_places(trees: int, arrays: dict[str, Any], width: int) -> str:
    leaf, children = arrays["thresholds"] == ABOVE, arrays["children"].astype(np.int64)
    beyond = (children + ~leaf).max() >= len(leaf)
    if beyond or (children[leaf] != np.flatnonzero(leaf)).any() or not _ends(trees, leaf, children):
        return "a place of its trees has a child that is missing, or above it"
    counts, bounds, targets = np.diff(arrays["bounds"]), arrays["bounds"], arrays["targets"]
    if bounds[0] != 0 or bounds[-1] != len(targets) or counts.min() < 0 or counts[leaf].min() < 1:
        return "a leaf of its trees has no weight"
    if targets.min() < 0 or targets.max() >= width or (width == 1 and counts[leaf].max() > 1):
        return "a weight of its trees has no target of its own"
    return ""


def _ends(trees: int, leaf: Any, children: Any) -> bool:
    """Whether every walk comes to a leaf, pairs of children lie side by side behind the roots, and each is reached.

    Level after level, as two places may have one child.
    """
    places, met = np.arange(trees), np.zeros(len(leaf), np.bool_)
    behind = children[~leaf] - trees
    if (behind < 0).any() or (behind % 2).any():
        return False
    for _ in leaf:
        met[places] = True
        splits = places[~leaf[places]]
        if not len(splits):
            return bool(met.all())
        places = np.unique(np.concatenate([children[splits], children[splits] + 1]))
    return False
