import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import polars as pl
import pytest

from shared_features import Count, LabelSource, LaterEvents, hours
from shared_features.formats.dataset_manifest import decode_dataset_manifest, encode_dataset_manifest
from shared_features.formats.dataset_rows import BroughtSpine
from shared_features.kernel.event_time import HOUR_US
from tests.domains.machines import BREAKDOWN, BREAKDOWNS, READINGS
from tests.training.datasets.exports.exported_machines import EARLY_US, of_spine, spine_rows
from tests.training.machine_streams import START_US
from training.datasets.exports.dataset_table import DatasetTable
from training.datasets.exports.exported import SpineOptions, export_spine
from training.datasets.exports.known_labels import pin_label_tables
from training.datasets.exports.table_digest import table_digest
from training.datasets.given_spine import check_spine
from training.datasets.history.pinned_history import pin_history
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError


def test_the_manifest_says_all_that_it_was_made_from(events_then: DatasetTable, served_then: DatasetTable) -> None:
    for table in (events_then, served_then):
        told = table.manifest
        assert told.data_digest == table_digest(table.data)
        assert told.libraries["polars"] == metadata.version("polars")
        assert told.libraries["python"].startswith(f"{sys.version_info.major}.")
        assert told.view.fingerprint == BREAKDOWN.fingerprint
        assert told.cut_us == EARLY_US
        assert decode_dataset_manifest(encode_dataset_manifest(told)) == told


def test_a_spine_is_told_with_the_instants_of_its_rows(served_then: DatasetTable, early_lake: Path) -> None:
    told, rows = served_then.manifest, spine_rows()
    assert told.spine == BroughtSpine(len(rows), table_digest(rows), "as-served", 0)
    assert (told.split.start_us, told.split.end_us) == (rows["as_of"].min(), EARLY_US)
    assert list(told.tables) == ["events_readings"]
    late = of_spine(early_lake, lag_us=3_600_000_000)
    assert late.manifest.spine is not None
    assert late.manifest.spine.lag_us == 3_600_000_000
    assert late.manifest.data_digest != told.data_digest


def brought(lake: Path, rows: pl.DataFrame, options: SpineOptions, *, labelled: bool = False) -> DatasetTable:
    store = OfflineStore(lake)
    labels = (store.pin_events(BREAKDOWNS),) if labelled else ()
    return export_spine(pin_history(store, BREAKDOWN), check_spine(BREAKDOWN, rows), options, labels)


def test_the_labels_of_the_view_are_joined_as_they_had_arrived(early_lake: Path) -> None:
    readings = pl.read_delta(str(early_lake / "events_readings")).unique("reading", keep="first", maintain_order=True)
    rows = readings.sort("at").head(400).select("reading", "plant", "machine", as_of="at", celsius=20.0)
    told = pl.read_delta(str(early_lake / "events_breakdowns"))
    cutoff_us = START_US + 26 * HOUR_US
    found = brought(early_lake, rows, SpineOptions(cutoff_us=cutoff_us), labelled=True)
    known = told.filter(pl.col("arrival_time_us") <= cutoff_us)
    want = rows.join(known, on="reading", how="left", maintain_order="left")["broke"].cast(pl.Float64)
    assert found.data["label"].equals(want.alias("label"), null_equal=True)
    assert 0 < want.null_count() < len(want)
    assert found.label == "label"
    assert found.manifest.labels.cutoff_us == cutoff_us
    assert found.manifest.rows.train.unknown_label_left_out == want.null_count()
    assert set(found.manifest.tables) == {"events_readings", "events_breakdowns"}


def test_labels_count_from_when_the_event_of_a_row_happened(early_lake: Path) -> None:
    """A request comes a moment before the event that it is about: this event is none of the later ones."""
    later = LabelSource(READINGS, LaterEvents(None, Count(), hours(2)), ("plant", "machine"), hours(3))
    store, view = OfflineStore(early_lake), replace(BREAKDOWN, labels=later)
    events = pl.read_delta(str(early_lake / "events_readings")).unique("reading").sort("at").head(50)
    before = events.select("plant", "machine", as_of=pl.col("at") - 1, celsius=20.0)
    spine, tables = check_spine(view, before), pin_label_tables(store, view)
    asked, history = SpineOptions(cutoff_us=EARLY_US - 1), pin_history(store, view)
    known = replace(spine, happened_us=events["at"].to_numpy())
    counts = [export_spine(history, each, asked, tables).data["label"] for each in (spine, known)]
    assert (counts[0] - counts[1]).to_list() == [1.0] * 50


def test_a_column_of_the_user_is_the_label_and_stays_as_it_is(early_lake: Path) -> None:
    found = brought(early_lake, spine_rows(), SpineOptions(label="note"))
    assert found.label == "note"
    assert found.data["note"].unique().to_list() == ["of mine"]


def test_what_cannot_be_the_label_is_refused(early_lake: Path) -> None:
    with pytest.raises(DatasetError, match=r"no column 'truth' for its label\. It has plant, machine"):
        brought(early_lake, spine_rows(), SpineOptions(label="truth"))
    with pytest.raises(DatasetError, match="has a column 'label' already"):
        brought(early_lake, spine_rows().with_columns(label=1), SpineOptions(cutoff_us=EARLY_US - 1), labelled=True)
    with pytest.raises(DatasetError, match="lacks reading, on which labels of 'breakdowns' join"):
        brought(early_lake, spine_rows(), SpineOptions(cutoff_us=EARLY_US - 1), labelled=True)
    with pytest.raises(DatasetError, match="The spine has no row"):
        brought(early_lake, spine_rows()[:0], SpineOptions())
