"""Each figure against its plain definition, on a table that shows each kind of column."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from shared_features.formats.dataset_statistics import (
    QUANTILES,
    DatasetStatistics,
    decode_dataset_statistics,
    encode_dataset_statistics,
)
from training.datasets.statistics.table_statistics import table_statistics

COUNT = 3_000
RANDOM = np.random.default_rng(5)
LABEL = (RANDOM.random(COUNT) < 0.3).astype(np.float64)
TABLE = pl.DataFrame(
    {
        "near": LABEL + RANDOM.normal(0, 0.5, COUNT),
        "moved": np.where(np.arange(COUNT) < 2_000, 0.0, 3.0) + RANDOM.normal(0, 1, COUNT),
        "holes": np.where(RANDOM.random(COUNT) < 0.25, np.nan, 1.0),
        "empty": np.full(COUNT, np.nan),
        "endless": np.where(np.arange(COUNT) % 100 == 0, np.inf, np.arange(COUNT)),
        "place": RANDOM.integers(0, 2, COUNT).astype(np.float32),
        "ward": RANDOM.choice(["north", "south"], COUNT).tolist(),
        "window": ["train"] * 2_000 + ["test"] * 1_000,
        "label": LABEL,
    }
)
FEATURES = ("near", "moved", "holes", "empty", "endless", "place", "ward")


@pytest.fixture(scope="module")
def found() -> DatasetStatistics:
    return table_statistics(
        TABLE,
        FEATURES,
        view="v:v1",
        digest="ab",
        label="label",
        window="window",
        categories={"place": ("left", "right")},
    )


def test_numbers_are_told_as_numpy_tells_them(found: DatasetStatistics) -> None:
    near = TABLE["near"][2_000:].to_numpy()
    told = found.features[0].windows["test"]
    assert (told.rows, told.missing, told.infinite) == (1_000, 0, 0)
    assert (told.mean, told.std, told.least, told.most) == (near.mean(), near.std(), near.min(), near.max())
    assert told.quantiles == tuple(np.quantile(near, QUANTILES))
    assert told.correlation == pytest.approx(np.corrcoef(near, LABEL[2_000:])[0, 1])
    assert told.correlation is not None
    assert told.correlation > 0.5


def test_what_is_missing_and_what_has_no_end_is_counted_apart(found: DatasetStatistics) -> None:
    holes, empty, endless = (found.features[at].windows["train"] for at in (2, 3, 4))
    assert holes.missing == int(np.isnan(TABLE["holes"][:2_000].to_numpy()).sum())
    assert (holes.correlation, empty.mean, empty.quantiles, empty.missing) == (None, None, (), 2_000)
    assert (endless.infinite, endless.most) == (20, 1_999.0)
    assert sum(endless.bins) == 1_980


def test_drift_is_told_where_the_test_window_moved(found: DatasetStatistics) -> None:
    near, moved, holes, empty = (found.features[at].drift for at in range(4))
    assert moved is not None
    assert moved > 1
    assert None not in (near, holes, empty)
    assert max(near or 0, holes or 0, empty or 0) < 0.05


def test_categories_are_told_by_their_values_also_where_the_table_has_their_places(found: DatasetStatistics) -> None:
    place, ward = found.features[5:]
    assert place.values == ("left", "right")
    assert place.windows["train"].bins == (*np.bincount(TABLE["place"][:2_000].to_numpy().astype(int)).tolist(), 0)
    assert ward.values == ("north", "south")
    assert sum(ward.windows["test"].bins) == 1_000


def test_a_label_of_few_values_is_counted_by_class(found: DatasetStatistics) -> None:
    assert found.label is not None
    assert found.label.values == ("0", "1")
    assert found.label.windows["train"].bins == (int((LABEL[:2_000] == 0).sum()), int(LABEL[:2_000].sum()), 0)
    texts = TABLE.with_columns(label=pl.when(TABLE["label"] == 1).then(pl.lit("yes")).otherwise(pl.lit("no")))
    named = table_statistics(texts, FEATURES, view="v", digest="", label="label", window="window")
    assert named.features[0].windows["test"].correlation == found.features[0].windows["test"].correlation
    amounts = table_statistics(TABLE, FEATURES[1:], view="v", digest="", label="near")
    assert amounts.label is not None
    assert amounts.label.values == ()
    assert amounts.label.windows["all"].rows == COUNT


def test_a_table_without_label_and_windows_has_statistics_too(found: DatasetStatistics) -> None:
    plain = table_statistics(TABLE, FEATURES, view="v:v1", digest="ab")
    assert (plain.label, dict(plain.windows)) == (None, {"all": COUNT})
    assert plain.features[0].windows["all"].correlation is None
    nothing = table_statistics(TABLE[:0], FEATURES, view="v:v1", digest="ab", label="label")
    for each in (found, plain, nothing):
        assert decode_dataset_statistics(encode_dataset_statistics(each)) == each
