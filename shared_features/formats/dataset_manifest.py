"""The wall "dataset manifest": what a training dataset was built from, so that it can be built again bit for bit.

Training writes it as `dataset.json` beside the rows of a run, into the registry beside the model, and into a directory
that a user exports a dataset to. Streaming reads it before it deletes anything that a model version needs (retention,
retirement, compaction), and when it erases an entity. A user's dataset is needed like that of a model version as long
as its manifest also lies in the lake, as `<lake>/pinned-datasets/<name>.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from shared_features.formats.dataset_rows import BroughtSpine, Division
from shared_features.formats.json_document import decode_document, encode_document

SCHEMA_VERSION = 1
DATASET_FILE = "dataset.json"
PINNED_FOLDER = "pinned-datasets"
"""Below the lake. No table has this name, because it is not an identifier."""


@dataclass(frozen=True)
class DatasetView:
    """The feature view whose matrix the dataset holds."""

    name: str
    version: int
    fingerprint: str

    @property
    def label(self) -> str:
        return f"{self.name}:v{self.version}"


@dataclass(frozen=True)
class PinnedVersion:
    """One version of a Delta table. files: its data files, relative to the table, sorted."""

    version: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class LabelCounts:
    """The labels that had arrived by the cutoff. conflicting: join keys with labels of different values.

    outside: labels of a row's key that are inside the label window of no row. by_source: label source -> how many of
    them are its own; empty where the view has one.
    """

    cutoff_us: int
    known: int
    conflicting: int
    outside: int = 0
    by_source: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TimeSplit:
    """`[start, start + train)` to learn from, then the gap, then the test window up to `end`; microseconds."""

    start_us: int
    train_us: int
    gap_us: int
    test_us: int

    @property
    def train_end_us(self) -> int:
        return self.start_us + self.train_us

    @property
    def test_start_us(self) -> int:
        return self.train_end_us + self.gap_us

    @property
    def end_us(self) -> int:
        return self.test_start_us + self.test_us


@dataclass(frozen=True)
class DatasetParameters:
    """What was asked of a dataset; None takes the default that the data allow (`choose_split` of training).

    cutoff_us: labels that arrived later are unknown; default the last instant below the cut. entity: the entity whose
    precision is measured; default that of the view's first group. train_from_us to test_to_us: the windows by their
    ends, each up to but not including the second; they win over days.
    """

    cutoff_us: int | None = None
    train_days: float | None = None
    delay_days: float | None = None
    test_days: float | None = None
    entity: str | None = None
    seed: int = 0
    train_from_us: int | None = None
    train_to_us: int | None = None
    test_from_us: int | None = None
    test_to_us: int | None = None

    @property
    def by_date(self) -> bool:
        """Whether any end of a window was given."""
        return (self.train_from_us, self.train_to_us, self.test_from_us, self.test_to_us) != (None,) * 4


@dataclass(frozen=True)
class WindowCounts:
    """Rows of one window of the split. Rows whose label is unknown are left out of the dataset.

    positive: labels above 0, of several classes 0. by_class: rows of each class, in the order of the classes.
    without_label: rows whose label nobody sent within its delay, so that it is what the label source says otherwise.
    by_source: label source -> rows that have their label of it; empty where the view has one.
    """

    labelled: int
    positive: int
    unknown_label_left_out: int
    by_class: tuple[int, ...] = ()
    without_label: int = 0
    by_source: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RowCounts:
    """Rows of each window. copies_left_out: further positions that hold an event again.

    labelled_before, labelled_after: labelled rows before the train window, and after the test window. They are not in
    the dataset; 0 in manifests that were written before they were counted.
    """

    copies_left_out: int
    train: WindowCounts
    gap: WindowCounts
    test: WindowCounts
    labelled_before: int = 0
    labelled_after: int = 0


@dataclass(frozen=True)
class DatasetManifest:
    """One training dataset.

    groups: label of a group -> its fingerprint. cut_us: the arrival watermark up to which the rows are complete.
    tables: name -> what was read of it. entity: the entity that evaluation follows. features: the columns of the
    matrix, in order. digest: sha256 of the rows. erased_entities: how many entities had been erased from the events
    tables; 0 in manifests that were written before entities could be erased. task: what the labels are for; "binary"
    in manifests that were written before there was another. classes: the outcomes under their own names; the label of
    a row is the place of its class. Empty where a label is a number, or true or false. categories: feature -> its
    values, those of the train window; the matrix holds the place of a value among them.

    Of an exported directory: data_digest of its table, and the versions of the libraries that made it; spine, where the
    rows are not events of the view but those that a user brought; is_range, where they are all events of a span of
    time, whether their label is known or not. Such rows have no windows: all count as train. division: how they were
    divided later; the columns `window`, or `fold_1` and so on, say which row is for what.
    """

    view: DatasetView
    groups: Mapping[str, str]
    cut_us: int
    allowed_lateness_us: int
    tables: Mapping[str, PinnedVersion]
    labels: LabelCounts
    split: TimeSplit
    entity: str
    parameters: DatasetParameters
    features: tuple[str, ...]
    rows: RowCounts
    digest: str
    erased_entities: int = 0
    task: str = "binary"
    classes: tuple[str | int, ...] = ()
    categories: Mapping[str, tuple[str | int | bool, ...]] = field(default_factory=dict)
    spine: BroughtSpine | None = None
    data_digest: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)
    is_range: bool = False
    division: Division | None = None
    schema_version: int = SCHEMA_VERSION


def encode_dataset_manifest(manifest: DatasetManifest) -> bytes:
    """The file's content; equal manifests give equal bytes."""
    return encode_document(asdict(manifest))


def decode_dataset_manifest(content: bytes, where: str = DATASET_FILE) -> DatasetManifest:
    """The manifest in these bytes; keys it does not know are left out. Raises FormatVersionError, naming `where`."""
    return decode_document(
        content,
        DatasetManifest,
        SCHEMA_VERSION,
        where,
        "a dataset manifest",
        "restore the file, or remove what it belongs to (a training run or a model version) and train again",
    )
