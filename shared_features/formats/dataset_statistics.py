"""The wall "dataset statistics": what each feature and the label of a dataset are like, window by window.

Training writes it as `statistics.json` beside the table of an exported dataset. Everybody who watches live traffic can
hold it against the bins and quantiles of the train window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from shared_features.formats.json_document import decode_document, encode_document

SCHEMA_VERSION = 1
STATISTICS_FILE = "statistics.json"
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True)
class WindowStatistics:
    """One column in one window. rows: with the missing ones. infinite: numbers without end, which nothing else counts.

    mean, std, least, most, quantiles (at QUANTILES): of a column of numbers that has any. bins: rows in each bin of the
    column. correlation: Pearson's with the label; None where one of them is constant, or a label is not a number.
    """

    rows: int
    missing: int
    infinite: int
    bins: tuple[int, ...]
    mean: float | None = None
    std: float | None = None
    least: float | None = None
    most: float | None = None
    quantiles: tuple[float, ...] = ()
    correlation: float | None = None


@dataclass(frozen=True)
class ColumnStatistics:
    """One column. edges: of numbers: bin `i` has the values above edge `i - 1` and up to edge `i`, so there is one bin
    more than edges; they are the deciles of the train window. values: of categories: bin `i` has the value `i`, the
    last bin all others. drift: population stability index of the test window against the train window, with missing
    values as a bin of their own; None where one of them is empty.
    """

    name: str
    edges: tuple[float, ...]
    values: tuple[str, ...]
    windows: Mapping[str, WindowStatistics]
    drift: float | None = None


@dataclass(frozen=True)
class DatasetStatistics:
    """data_digest: of the table it is about. windows: name -> rows; "all" where the table has no windows.

    label: None where the table has none.
    """

    view: str
    data_digest: str
    windows: Mapping[str, int]
    features: tuple[ColumnStatistics, ...]
    label: ColumnStatistics | None = None
    schema_version: int = SCHEMA_VERSION


def encode_dataset_statistics(statistics: DatasetStatistics) -> bytes:
    """The file's content; equal statistics give equal bytes."""
    return encode_document(asdict(statistics))


def decode_dataset_statistics(content: bytes, where: str = STATISTICS_FILE) -> DatasetStatistics:
    """The statistics in these bytes; keys it does not know are left out. Raises FormatVersionError, naming `where`."""
    return decode_document(
        content,
        DatasetStatistics,
        SCHEMA_VERSION,
        where,
        "the statistics of a dataset",
        "export the dataset again",
    )
