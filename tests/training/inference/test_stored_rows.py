from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shared_features.feature_matrix import feature_matrix
from shared_features.formats.offline_tables import OFFSET, PARTITION
from shared_features.kernel.event_time import DAY_US, MINUTE_US
from tests.domains.machines import BREAKDOWN, BREAKDOWNS, READINGS
from tests.serving.published_models import publish
from tests.training.lake import LATENESS_US, arrived, write_lake
from tests.training.machine_streams import START_US, end_us
from training.__main__ import main
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView, pin_view
from training.datasets.point_in_time import read_spine_rows
from training.errors import DatasetError
from training.inference.stored_rows import StoredRows

FROM_US, TO_US = START_US + 3 * DAY_US, START_US + 7 * DAY_US


@pytest.fixture
def pinned(machine_lake: Path) -> PinnedView:
    return pin_view(OfflineStore(machine_lake), BREAKDOWN, LATENESS_US)


def test_slices_hold_each_row_once_and_no_more_than_fit(pinned: PinnedView) -> None:
    rows = StoredRows(pinned, FROM_US, TO_US, 100)
    slices = list(rows.slices())
    whole = read_spine_rows(pinned, FROM_US, TO_US)
    assert rows.count == len(whole.partition) == sum(len(each.given) for each in slices)
    assert max(len(each.given) for each in slices) <= 100
    assert len(slices) > 5
    given = pl.concat([each.given for each in slices]).with_row_index()
    order = given.sort(PARTITION, OFFSET)["index"].to_numpy()
    want = feature_matrix(BREAKDOWN, whole.request, whole.event_time_us, whole.stored)
    np.testing.assert_array_equal(np.concatenate([each.matrix for each in slices])[order], want)
    instants = given["as_of"].to_physical().to_numpy()
    assert (instants.min() >= FROM_US, instants.max() < TO_US) == (True, True)


def test_each_row_names_the_event_with_its_keys_instant_and_request_also_of_two_at_one_instant(tmp_path: Path) -> None:
    """By an oracle that looks at what was sent, and not at positions. Of one machine, many events share an instant."""
    random, count = np.random.default_rng(11), 400
    sent = {
        "reading": np.array([f"r{number}" for number in random.permutation(count)], object),
        "at": START_US + random.integers(0, 120, count) * MINUTE_US,
        "plant": np.array([f"plant|{number}" for number in random.integers(0, 2, count)], object),
        "machine": np.array([f"m{number}" for number in random.integers(0, 2, count)], object),
        "celsius": random.integers(-100, 900, count),
        "humidity": random.integers(0, 1001, count),
        "firmware": np.array(["v1"] * count, object),
    }
    broke = {"report": np.array(["b"], object), "at": [START_US], "reading": np.array(["r0"], object), "broke": [0]}
    arrival_us = sent["at"] + random.integers(0, MINUTE_US, count)
    streams = {"readings": arrived(READINGS, sent, arrival_us), "breakdowns": arrived(BREAKDOWNS, broke, [START_US])}
    write_lake(tmp_path, BREAKDOWN, streams, START_US + DAY_US)
    span = START_US + 10 * MINUTE_US, START_US + 100 * MINUTE_US
    slices = list(StoredRows(pin_view(OfflineStore(tmp_path), BREAKDOWN, LATENESS_US), *span, 40).slices())
    assert len(slices) > 5
    event_of = dict(zip(sent["reading"], zip(*list(sent.values())[1:6], strict=True), strict=True))
    given, matrix = pl.concat([each.given for each in slices]), np.concatenate([each.matrix for each in slices])
    named = [event_of[each] for each in given["reading"]]
    assert set(given["reading"]) == {name for name, event in event_of.items() if span[0] <= event[0] < span[1]}
    assert given["reading"].is_unique().all()
    instants = given["as_of"].to_physical()
    assert list(zip(instants, given["plant"], given["machine"], strict=True)) == [each[:3] for each in named]
    request = [(np.float32(celsius / 10), np.float32(humidity / 1000)) for *_, celsius, humidity in named]
    np.testing.assert_array_equal(matrix[:, :2], request)
    assert given.select("plant", "machine", "as_of").is_duplicated().sum() > 100


def test_a_column_that_a_prediction_is_called_like_has_another_name(pinned: PinnedView) -> None:
    (rows,) = StoredRows(pinned, FROM_US, FROM_US + DAY_US, 10_000, ["machine"]).slices()
    assert rows.given.columns[:4] == ["reading", "plant", "row_machine", "as_of"]


def test_a_span_that_is_not_complete_yet_is_refused(pinned: PinnedView) -> None:
    with pytest.raises(DatasetError, match="Give an earlier --to, or wait until materialize is beyond it"):
        StoredRows(pinned, FROM_US, end_us() + DAY_US, 100)


def test_the_events_of_a_span_are_predicted_by_the_command_line(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(places / "registry", BREAKDOWN)
    output = places / "out.parquet"
    span = ["--from", "2024-10-07", "--to", "2024-10-11"]
    assert main(["predict", "--model", "breakdown", *span, "-o", str(output)]) == 0
    found = pl.read_parquet(output)
    assert f"{len(found):,} rows by breakdown version 1, " in capsys.readouterr().out
    assert found.columns == ["reading", "plant", "machine", "as_of", "kafka_partition", "kafka_offset", "score"]
    assert found["score"].null_count() == 0
    assert main(["predict", "--model", "breakdown", "--from", "2024-10-07", "-o", str(output)]) == 1
    assert "--from and --to belong together" in capsys.readouterr().err
    empty = ["--from", "2020-10-07", "--to", "2020-10-11"]
    assert main(["predict", "--model", "breakdown", *empty, "-o", str(output)]) == 1
    assert "There is no row to predict" in capsys.readouterr().err
    assert main(["predict", "--model", "nothing", *span, "-o", str(output)]) == 1
    assert "The registry has no model 'nothing'. It has: breakdown" in capsys.readouterr().err
