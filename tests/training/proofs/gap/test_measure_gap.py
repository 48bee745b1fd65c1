"""The causes of the as-served gap add up to all differences, and each is found where it was put."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from deltalake import write_deltalake

from shared_features.definitions import FeatureView
from shared_features.feature_matrix import feature_matrix, request_floats
from shared_features.feature_views import CARD_FRAUD
from shared_features.formats.offline_tables import ARRIVAL_DATE, ARRIVAL_TIME, RECORD_TIME, events_table
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US
from tests.domains.machines import BREAKDOWN
from tests.domains.visits import COMES_AGAIN
from tests.domains.web_shop import ORDER_RETURN
from tests.training.any_traffic import START_US, write_traffic
from tests.training.lake import LATENESS_US
from training.datasets.historical_features import stored_features
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.proofs.gap.gap_report import GapReport
from training.proofs.gap.measure_gap import measure_gap
from training.proofs.gap.served_stages import CATCH_UP, CAUSES, KNOWN_LATE, LATE_EVENT, STREAM_LAG, Delays
from training.proofs.leaks.sampled_rows import sample_rows

ON_TIME = Delays(LATENESS_US)


def measured(lake: Path, view: FeatureView, delays: Delays = ON_TIME, rows: int = 600) -> GapReport:
    store = OfflineStore(lake)
    return measure_gap(pin_view(store, view, LATENESS_US), store, delays, rows, seed=2)


def rows_by_cause(report: GapReport) -> dict[str, int]:
    return {cause: sum(each.causes[cause].rows for each in report.features) for cause in CAUSES}


@pytest.fixture(scope="module")
def card_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cards, of which one event in twenty arrives hours late; labels too."""
    lake: Path = tmp_path_factory.mktemp("cards")
    write_traffic(lake, CARD_FRAUD, count=1_200, late=0.05)
    return lake


def test_the_causes_add_up_to_all_differences_with_five_percent_of_late_events(card_lake: Path) -> None:
    """Counted apart: the rows where the replays of the two truths differ."""
    report = measured(card_lake, CARD_FRAUD)
    store = OfflineStore(card_lake)
    pinned = pin_view(store, CARD_FRAUD, LATENESS_US)
    spine = sample_rows(pinned, 2, 600, 50).spine
    assert report.rows == len(spine) > 300
    request = request_floats(CARD_FRAUD.source, spine.columns, spine.valid)
    truth, served = (
        feature_matrix(CARD_FRAUD, request, spine.as_of_us, stored_features(store, spine, each))
        for each in ("event-time", "as-served")
    )
    differs = (truth != served) & ~(np.isnan(truth) & np.isnan(served))
    assert differs.any()
    for at, gap in enumerate(report.features):
        assert gap.whole.rows == differs[:, at].sum(), gap.feature
        assert sum(each.rows for each in gap.causes.values()) == gap.whole.rows
        assert sum(each.missing for each in gap.causes.values()) == gap.whole.missing
        sizes = sum(each.mean * (each.rows - each.missing) for each in gap.causes.values())
        assert sizes == pytest.approx(gap.whole.mean * (gap.whole.rows - gap.whole.missing))
        assert max(each.largest for each in gap.causes.values()) == gap.whole.largest
    found = rows_by_cause(report)
    assert found[LATE_EVENT] > 0
    assert found[KNOWN_LATE] > 0, "labels arrive late too"
    assert found[CATCH_UP] == 0


@pytest.mark.parametrize("view", [ORDER_RETURN, COMES_AGAIN], ids=lambda view: view.name)
def test_causes_add_up_in_other_domains_and_of_categories(tmp_path: Path, view: FeatureView) -> None:
    write_traffic(tmp_path, view, count=600)
    report = measured(tmp_path, view, Delays(LATENESS_US, lag_us=MINUTE_US))
    assert any(each.whole.rows for each in report.features)
    for gap in report.features:
        assert sum(each.rows for each in gap.causes.values()) == gap.whole.rows, gap.feature


def on_time_lake(place: Path) -> Path:
    """Readings of few machines, one every two minutes of each, that arrive at once."""
    write_traffic(place, BREAKDOWN, count=1_500, late=0.0)
    for source in ("readings", "breakdowns"):
        table = str(place / f"events_{source}")
        rows = pl.read_delta(table).with_columns(pl.col("at").alias(ARRIVAL_TIME), pl.col("at").alias(RECORD_TIME))
        write_deltalake(table, rows.to_arrow(), mode="overwrite", partition_by=[ARRIVAL_DATE])
    return place


def test_traffic_without_delay_has_no_gap_and_each_cause_alone_is_found(tmp_path: Path) -> None:
    """A lag of an hour is a stream lag, a standstill of a day is a catch-up, whatever else is on time."""
    lake = on_time_lake(tmp_path)
    assert events_table(BREAKDOWN.source) == "events_readings"
    assert sum(rows_by_cause(measured(lake, BREAKDOWN)).values()) == 0
    lagging = rows_by_cause(measured(lake, BREAKDOWN, replace(ON_TIME, lag_us=HOUR_US)))
    assert lagging[STREAM_LAG] == sum(lagging.values()) > 0
    stood_still = ((START_US + 4 * DAY_US, START_US + 5 * DAY_US),)
    behind = rows_by_cause(measured(lake, BREAKDOWN, replace(ON_TIME, standstills=stood_still)))
    assert behind[CATCH_UP] == sum(behind.values()) > 0


def test_the_table_and_the_document_say_the_same(card_lake: Path) -> None:
    report = measured(card_lake, CARD_FRAUD, rows=200)
    lines = list(report.lines())
    assert lines[0].startswith(f"card_fraud:v1: {report.rows} rows, as served against what had happened")
    worst = max(report.features, key=lambda each: each.share)
    row = next(line for line in lines if line.startswith(f"{worst.feature} "))
    assert f"{worst.share:.1%}" in row
    plain = report.plain["features"][worst.feature]
    assert plain["whole"]["rows"] == sum(each["rows"] for each in plain["causes"].values())
    assert "never differ" in lines[-1]
