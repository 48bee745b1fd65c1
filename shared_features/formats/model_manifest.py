"""The wall "model registry": what training publishes beside a model, and what serving checks before it answers with it.

A registry is a directory that people and any tool can read:

    <registry>/<model>/<version>/model.onnx       the estimator with all that was fitted with it, as one graph
                                 manifest.json    this format: what the model is and what it wants
                                 metrics.json     how it did on the test window, and its rivals
                                 dataset.json     what it was trained on (`formats.dataset_manifest`)
                                 card.md, .html   the same for people; of a model that `run` or `publish` made
                                 trees.msgpack    its trees, of a graph that is trees alone (`formats.tree_file`)
    <registry>/<model>/aliases/<alias>            a text file that holds a version number, such as "12"
    <registry>/<model>/deleted/<version>.json     the manifest of a version that was deleted
    <registry>/<model>/verdicts/<version>.json    what the gate decided of a version when it was last asked
    <registry>/log.jsonl                          who changed what, when and why (`formats.registry_log`)

A model is called like its view, unless its definition says otherwise. Versions count up from 1, appear by an atomic
rename and never change; an alias moves by an atomic replacement of its file. The number of a deleted version is not
given again: receipts name it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from shared_features import definitions  # its names are loaded when they are used: a registry is read without numba
from shared_features.errors import ManifestMismatchError
from shared_features.formats.json_document import decode_document, encode_document
from shared_features.trees.onnx_nodes import is_trees_alone

if TYPE_CHECKING:
    from shared_features.definitions import FeatureView

SCHEMA_VERSION = 1

MODEL_FILE = "model.onnx"
MANIFEST_FILE = "manifest.json"
METRICS_FILE = "metrics.json"
TREES_FILE = "trees.msgpack"
ALIASES = "aliases"
DELETED = "deleted"
VERDICTS = "verdicts"
CHAMPION = "champion"
BATCH_ROWS = 100
"""Of the batch whose time a `GraphCost` has."""


@dataclass(frozen=True)
class GroupStamp:
    """A part of a feature group as it was when the model was trained; `name` is the part's."""

    name: str
    version: int
    fingerprint: str

    @property
    def label(self) -> str:
        """The label of the group, or of the addition: the name of an addition includes its number."""
        group, plus, part = self.name.partition("+")
        return f"{group}:v{self.version}{plus}{part}"


@dataclass(frozen=True)
class ViewStamp:
    """A feature view as it was when the model was trained. features: the columns of the matrix, in order.

    definition: its text (`definitions.difference`), so that a change of it can be named; empty in manifests before it.
    """

    name: str
    version: int
    fingerprint: str
    features: tuple[str, ...]
    groups: tuple[GroupStamp, ...]
    request_fields: tuple[str, ...]
    definition: str = ""


@dataclass(frozen=True)
class Parity:
    """What the certificate found: over `cases` rows, fitted and exported scores differ by `worst_difference` at most.

    Of a regression, differences are parts of the spread of the labels, less the rounding of the value to a float32.

    on_demand_cases: values of on-demand functions that were computed from scalars and from arrays; all were equal
    bit for bit, or the model would not have been published.

    worst_of_classes: of a model of several classes, the worst difference of each, in their order. served_values:
    values that were read out of bytes of entities, as serving reads them, and were equal to those of the training rows,
    bit for bit. reason: what the tolerance is of, and why it is that large; empty in manifests before it.
    """

    cases: int
    worst_difference: float
    tolerance: float
    on_demand_cases: int
    worst_of_classes: tuple[float, ...] = ()
    served_values: int = 0
    reason: str = ""


@dataclass(frozen=True)
class GraphCost:
    """What the graph costs: bytes of its file, and processor time in ONNX Runtime, on one thread, as serving runs it.

    row_us, batch_us: of one row and of BATCH_ROWS, microseconds: of the medians of several rounds the least.
    """

    graph_bytes: int
    row_us: float
    batch_us: float


@dataclass(frozen=True)
class ModelManifest:
    """One version of a model. The graph takes float32[n, features] at `input_name`, gives float32[n] at `output_name`.

    Of several classes it gives float32[n, classes].

    model_digest: sha256 of model.onnx. dataset_digest: `digest` of the dataset manifest. cut_us: the arrival watermark
    up to which the rows of that dataset are complete. libraries: name -> version at export. task: what the graph
    gives: a score (binary), a probability of each class (multiclass) or a value (regression). classes: the outcomes
    under their own names, in the order of the probabilities; the score of a binary model is of the second. Empty where
    a label is a number, or true or false. threshold: the score from which on a binary model decides for the second
    outcome; None: it does not decide. categories: feature -> its values, in the order of their places: in the column of
    a category the graph takes the place of a value, and NaN for a missing one and for every other. files: name ->
    sha256 of each other file of the version; empty in manifests that were written before they were kept.
    rows_share_runs: by its operators, the graph gives a row the same bits in a run of many as in a run of its own.
    encoders: feature -> what its estimator is given in its place, as a definition says it. corrections: what the
    graph makes of its estimator's probabilities, in order, in words. cost: as measured when it was certified; None in
    manifests before it. republished_from: the version that was certified and measured, where its graph was published
    again; all else but `files`, `rows_share_runs` and a cost that was missing is of that version.
    """

    model: str
    version: int
    model_digest: str
    view: ViewStamp
    input_name: str
    output_name: str
    estimator: str
    libraries: Mapping[str, str]
    dataset_digest: str
    cut_us: int
    parity: Parity
    created_at_us: int
    task: str = "binary"
    classes: tuple[str | int, ...] = ()
    threshold: float | None = None
    categories: Mapping[str, tuple[str | int | bool, ...]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    rows_share_runs: bool = False
    encoders: Mapping[str, str] = field(default_factory=dict)
    corrections: tuple[str, ...] = ()
    cost: GraphCost | None = None
    republished_from: int | None = None
    schema_version: int = SCHEMA_VERSION


def stamp_view(view: FeatureView) -> ViewStamp:
    """What a manifest keeps of a view."""
    return ViewStamp(
        name=view.name,
        version=view.version,
        fingerprint=view.fingerprint,
        features=tuple(column.name for column in view.columns),
        groups=tuple(GroupStamp(each.part_name, each.version, each.fingerprint) for each in view.groups),
        request_fields=tuple(field.name for field in view.request_fields),
        definition=definitions.definition_text(view),
    )


def encode_manifest(manifest: ModelManifest) -> bytes:
    """The file's content; equal manifests give equal bytes."""
    return encode_document(asdict(manifest))


def decode_manifest(content: bytes, where: str = MANIFEST_FILE) -> ModelManifest:
    """The manifest in these bytes; keys it does not know are left out. Raises FormatVersionError, naming `where`."""
    return decode_document(content, ModelManifest, SCHEMA_VERSION, where, "a model manifest", "publish the model again")


def lacks_trees(manifest: ModelManifest, graph: bytes) -> bool:
    """Whether a version could have a file of its trees and has none, as it was published by an earlier release."""
    return TREES_FILE not in manifest.files and is_trees_alone(graph, manifest.input_name, manifest.output_name)


def republish_command(model: str, version: int) -> str:
    """What to write for a version that lacks its trees."""
    return f"python -m training registry republish {model} {version}"


def check_manifest(manifest: ModelManifest, view: FeatureView) -> None:
    """Raise ManifestMismatchError unless the view gives exactly what the model was trained on.

    Features are compared by name and order, groups and the view itself by fingerprint: equal names with another
    meaning are refused too.
    """
    model, wanted, has = f"model {manifest.model} {manifest.version}", manifest.view, stamp_view(view)
    for name in wanted.features:
        if name not in has.features:
            close = difflib.get_close_matches(name, has.features, n=1, cutoff=0.5)
            hint = f". Did you mean {close[0]}?" if close else "; add it to the view, or train a new model"
            raise ManifestMismatchError(f"{model} wants {name}, view {view.label} lacks it{hint}")
    for name in has.features:
        if name not in wanted.features:
            raise ManifestMismatchError(
                f"view {view.label} has feature {name}, which {model} does not know; train a new model, or take it out"
            )
    for index, (theirs, ours) in enumerate(zip(wanted.features, has.features, strict=True)):
        if theirs != ours:
            raise ManifestMismatchError(
                f"{model} wants {theirs} as feature {index}, view {view.label} has {ours} there; restore the order, or "
                "train a new model"
            )
    unnamed = "the group, an on-demand function, the source or the labels changed"
    changed = definitions.difference(wanted.definition, view) if wanted.definition else unnamed
    ours_by_name = {group.name: group for group in has.groups}
    for group in wanted.groups:
        live = ours_by_name.get(group.name)
        if live != group:
            found = "does not read it" if live is None else f"reads v{live.version} ({live.fingerprint})"
            raise ManifestMismatchError(
                f"{model} was trained on group {group.name} v{group.version} ({group.fingerprint}), view {view.label} "
                f"{found} ({changed}). Run the definitions that the model was trained on, or train a new model"
            )
    if (wanted.name, wanted.version, wanted.fingerprint) != (has.name, has.version, has.fingerprint):
        raise ManifestMismatchError(
            f"{model} was trained on view {wanted.name}:v{wanted.version} ({wanted.fingerprint}), the definitions have "
            f"{view.label} ({has.fingerprint}): {changed}. Train a new model"
        )
