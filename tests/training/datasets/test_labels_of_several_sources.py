"""Labels of two sources, of which the first counts within an hour: in datasets, exports and what reads them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from shared_features import LabelSource, hours, minutes
from shared_features.formats.dataset_manifest import DatasetParameters, WindowCounts
from shared_features.formats.offline_tables import OFFSET, PARTITION
from shared_features.kernel.event_time import HOUR_US, MINUTE_US
from tests.domains.machines import BREAKDOWN, BREAKDOWNS
from tests.training.datasets.exports.exported_machines import complete_up_to
from tests.training.lake import LATENESS_US, EventRows, arrived, write_lake
from tests.training.machine_streams import end_us, machine_streams
from training.datasets.dataset_builder import build_dataset
from training.datasets.exports.division import read_division
from training.datasets.exports.event_range import export_range
from training.datasets.exports.exported import SpineOptions, export_events, export_spine
from training.datasets.exports.known_labels import pin_labels
from training.datasets.exports.rebuilding import rebuild
from training.datasets.given_spine import check_spine
from training.datasets.history.pinned_history import pin_history
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView, pin_view
from training.datasets.time_split import GAP, TEST, TRAIN
from training.errors import DatasetError
from training.proofs.leaks.own_features import sources_of
from training.proofs.leaks.sampled_rows import sample_rows
from training.runs.actions.dataset_steps import make_dataset
from training.runs.leak_command import spine_of
from training.runs.plan.new_labels import count_new_labels
from training.runs.plan.run_parameters import RunParameters
from training.settings import load_settings

PARAMETERS = DatasetParameters(train_days=6, delay_days=1, test_days=3)
INSPECTIONS = replace(BREAKDOWNS, name="inspections", topic="plant.inspections")
INSPECTED = LabelSource(INSPECTIONS, "broke", "reading", minutes(20), within=hours(1))
REPORTED = LabelSource(BREAKDOWNS, "broke", "reading", hours(2), otherwise=False)
VIEW = replace(BREAKDOWN, labels=(INSPECTED, REPORTED))
FIRST, SECOND = "inspections.broke", "breakdowns.broke"


class Told(NamedTuple):
    """A label as it was sent."""

    at_us: int
    arrival_us: int
    broke: float


class World(NamedTuple):
    """All that was sent. inspected, reported: reading -> its labels. at_us: reading -> when it was taken."""

    streams: dict[str, EventRows]
    inspected: dict[str, list[Told]]
    reported: dict[str, list[Told]]
    at_us: dict[str, int]

    @property
    def outside(self) -> int:
        """Inspections that happened more than an hour after their reading."""
        return sum(each.at_us > self.at_us[name] + HOUR_US for name, told in self.inspected.items() for each in told)

    @property
    def sent(self) -> dict[str, int]:
        """How many labels of each source."""
        return {FIRST: sum(map(len, self.inspected.values())), SECOND: sum(map(len, self.reported.values()))}

    def label(self, reading: str, at_us: int, before_us: int) -> tuple[float | None, str]:
        """As it was known before an instant, and who says so: a source, "nobody", or "" where it is not known."""
        inspected, reported = (
            [each for each in told.get(reading, []) if each.arrival_us < before_us]
            for told in (self.inspected, self.reported)
        )
        if inside := [each for each in inspected if at_us <= each.at_us <= at_us + HOUR_US]:
            return max(inside).broke, FIRST
        if reported:
            return max(reported).broke, SECOND
        return (0.0, "nobody") if at_us + 2 * HOUR_US < before_us else (None, "")


@pytest.fixture(scope="module")
def world() -> World:
    """Every third reading is inspected, some of them hours later; only breakdowns are reported."""
    streams = machine_streams(per_day=60)
    readings, reports = streams["readings"].batch.columns, streams["breakdowns"]
    random, names = np.random.default_rng(5), readings["reading"][::3]
    at = readings["at"][::3] + random.integers(0, 100, len(names)) * MINUTE_US
    report = np.array([f"i{number}" for number in range(len(names))], object)
    inspected = {"report": report, "at": at, "reading": names, "broke": random.integers(0, 2, len(names))}
    inspections = arrived(INSPECTIONS, inspected, at + random.integers(0, HOUR_US, len(names)))
    broke = reports.batch.columns["broke"] == 1
    reports = EventRows(reports.batch.take(broke), reports.arrival_us[broke])
    streams |= {"inspections": inspections, "breakdowns": reports}
    at_us = dict(zip(readings["reading"], readings["at"].tolist(), strict=True))
    return World(streams, _told(inspections), _told(reports), at_us)


def _told(events: EventRows) -> dict[str, list[Told]]:
    columns, found = events.batch.columns, dict[str, list[Told]]()
    for row, reading in enumerate(columns["reading"]):
        told = Told(int(columns["at"][row]), int(events.arrival_us[row]), float(columns["broke"][row]))
        found.setdefault(reading, []).append(told)
    return found


@pytest.fixture(scope="module")
def lake(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found: Path = tmp_path_factory.mktemp("lake")
    write_lake(found, VIEW, world.streams, end_us() + 2 * HOUR_US)
    return found


@pytest.fixture(scope="module")
def pinned(lake: Path) -> PinnedView:
    return pin_view(OfflineStore(lake), VIEW, LATENESS_US)


def counted(said: list[str]) -> WindowCounts:
    """positive is not counted here."""
    unknown, nobody = said.count(""), said.count("nobody")
    by_source = {FIRST: said.count(FIRST), SECOND: said.count(SECOND) + nobody}
    return WindowCounts(len(said) - unknown, 0, unknown, (), nobody, by_source)


def test_a_dataset_has_the_label_of_the_first_source_that_knew_it(lake: Path, pinned: PinnedView, world: World) -> None:
    dataset = build_dataset(pinned, PARAMETERS)[0]
    told, stored = dataset.manifest, pl.read_delta(str(lake / "events_readings")).select(PARTITION, OFFSET, "reading")
    names = {(partition, offset): reading for partition, offset, reading in stored.iter_rows()}
    said: dict[int, list[str]] = {TRAIN: [], GAP: [], TEST: []}
    for row, window in enumerate(dataset.window.tolist()):
        before_us = told.split.test_start_us if window == TRAIN else told.labels.cutoff_us + 1
        reading = names[int(dataset.partition[row]), int(dataset.offset[row])]
        label, who = world.label(reading, int(dataset.event_time_us[row]), before_us)
        assert label == dataset.label[row]
        said[window].append(who)
    for window, counts in ((TRAIN, told.rows.train), (GAP, told.rows.gap), (TEST, told.rows.test)):
        assert replace(counts, positive=0) == counted(said[window] + [""] * counts.unknown_label_left_out)
        assert min(counts.by_source.values()) > 10
    assert told.labels.by_source == world.sent
    assert told.labels.known == sum(world.sent.values())


def test_labels_that_happened_outside_their_window_are_counted_and_shown(
    pinned: PinnedView, world: World, tmp_path: Path
) -> None:
    said = make_dataset(pinned, RunParameters(VIEW, PARAMETERS), tmp_path)
    assert world.outside > 20
    assert f"{world.outside:,} labels that happened outside the time in which they count" in said
    assert f"labelled by {FIRST} " in said
    assert "labelled as those that no label came for" in said


def test_every_export_has_the_same_labels_and_is_rebuilt(
    lake: Path, pinned: PinnedView, world: World, tmp_path: Path
) -> None:
    store, of_range = OfflineStore(lake), export_range(pinned)
    events = of_range.data.select("reading", "plant", "machine", "as_of", "label")
    times = events["as_of"].dt.timestamp("us").to_list()
    known_us = of_range.manifest.labels.cutoff_us + 1
    wanted = [world.label(*row, known_us) for row in zip(events["reading"], times, strict=True)]
    assert events["label"].to_list() == [label for label, _ in wanted]
    assert of_range.manifest.rows.train == counted([who for _, who in wanted])
    named = pl.when(pl.int_range(pl.len()) > 0).then("reading").alias("reading")
    rows = events.head(300).drop("label").with_columns(named, celsius=20.0)
    tables, cutoff_us = pin_labels(store, VIEW)
    spine, options = check_spine(VIEW, rows), SpineOptions(cutoff_us=cutoff_us)
    of_spine = export_spine(pin_history(store, VIEW), spine, options, tables)
    brought = [world.label(*row, cutoff_us + 1)[0] for row in zip(events["reading"].head(300), times, strict=False)]
    assert of_spine.data["label"].to_list() == [None, *brought[1:]], "a row that names nothing has no label"
    assert set(of_spine.manifest.tables) == {"events_readings", "events_breakdowns", "events_inspections"}
    of_events = export_events(pinned, build_dataset(pinned, PARAMETERS)[0])
    for number, table in enumerate((of_range, of_spine, of_events)):
        assert any(f"labelled by {FIRST}" in line for line in table.labels)
        assert table.labels[0] in repr(table)
        table.write(tmp_path / str(number))
        assert rebuild(store, [VIEW], tmp_path / str(number)).manifest.data_digest == table.manifest.data_digest


def test_the_rows_of_a_leak_check_have_the_labels_of_the_view(pinned: PinnedView, world: World) -> None:
    checked = spine_of(pinned, sample_rows(pinned, 0, 40))
    times = checked["as_of"].dt.timestamp("us").to_list()
    wanted = [world.label(*row, pinned.cut_us)[0] for row in zip(checked["reading"], times, strict=True)]
    assert checked["label"].to_list() == wanted
    assert {each.name for each in sources_of(VIEW)} == {"readings", "breakdowns", "inspections"}


def test_the_longest_delay_lies_between_what_is_learned_and_tested(pinned: PinnedView) -> None:
    assert read_division("folds:3", VIEW, seed=0).gap_us == 2 * HOUR_US
    assert build_dataset(pinned, DatasetParameters())[0].manifest.split.gap_us == 2 * HOUR_US


def test_new_labels_are_of_all_sources_and_inside_their_windows(
    lake: Path, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE_LAKE", str(lake))
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
    assert count_new_labels(load_settings(), VIEW) == sum(world.sent.values()) - world.outside


def test_where_a_source_is_stored_less_far_its_silence_is_not_a_label_yet(lake: Path, tmp_path: Path) -> None:
    """Breakdowns are stored until noon of the last day. Of a reading in the evening it is not known that none came."""
    shutil.copytree(lake, tmp_path / "lake")
    noon_us = end_us() - 12 * HOUR_US
    complete_up_to(tmp_path / "lake", "breakdowns", noon_us)
    held = pin_view(OfflineStore(tmp_path / "lake"), VIEW, LATENESS_US)
    assert build_dataset(held, PARAMETERS)[0].manifest.labels.cutoff_us == noon_us - 1
    with pytest.raises(DatasetError, match=r"The cutoff .* is too late"):
        build_dataset(held, replace(PARAMETERS, cutoff_us=noon_us))
