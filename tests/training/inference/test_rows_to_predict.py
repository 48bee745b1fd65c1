from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from shared_features.definitions import load_definitions
from tests.domains.visits import COMES_AGAIN
from tests.serving.published_models import publish
from tests.training.datasets.test_categories import END_US, WARDS, write_visits
from training.datasets.given_spine import check_spine
from training.datasets.historical_features import historical_features
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError
from training.inference.batch_prediction import predict_rows
from training.inference.published_model import PublishedModel, open_model
from training.inference.rows_to_predict import FeatureFileRows, SpineRows
from training.registry.versions import Registry


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place: Path = tmp_path_factory.mktemp("visits")
    write_visits(place)
    return place


@pytest.fixture
def model(tmp_path: Path) -> PublishedModel:
    values = {"ward": WARDS[:4], "patient_visits__ward_last_7d": WARDS[:4], "urgent": (False, True), "floor": (0, 2)}
    known = {each.name: values.get(each.name, ()) for _, each in COMES_AGAIN.categories}
    publish(tmp_path / "registry", COMES_AGAIN, categories=known)
    return open_model(Registry(tmp_path / "registry"), load_definitions("tests.domains.visits"), "comes_again")


def spine() -> pl.DataFrame:
    patients = [number % 45 for number in range(80)]
    rows = {
        "patient": patients,
        "ward": [(*WARDS, None, "unknown")[number % 8] for number in range(80)],
        "urgent": [number % 3 == 0 for number in range(80)],
        "floor": [number % 4 for number in range(80)],
        "hours": [number / 10 for number in range(80)],
        "as_of": [END_US - number for number in range(80)],
        "bed": [f"b{number}" for number in range(80)],
    }
    return pl.DataFrame(rows)


def test_a_file_of_features_is_predicted_as_the_spine_that_it_was_written_from(
    lake: Path, model: PublishedModel, tmp_path: Path
) -> None:
    """With categories that are known, unknown and missing; a column that is no feature stays."""
    store, given = OfflineStore(lake), tmp_path / "spine.csv"
    spine().write_csv(given)
    features = historical_features(store, check_spine(COMES_AGAIN, spine()))
    features.write_parquet(tmp_path / "features.parquet")
    predict_rows(model, SpineRows(given, model.view, store, "as-served", 0, 33), tmp_path / "one.parquet")
    rows = FeatureFileRows(tmp_path / "features.parquet", model.view, 33)
    assert rows.count == 80
    predict_rows(model, rows, tmp_path / "other.parquet")
    one, other = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("one", "other"))
    assert one["score"].equals(other["score"])
    assert one["score"].n_unique() > 15
    assert other["bed"].to_list() == spine()["bed"].to_list()
    features.select(each.name for each in COMES_AGAIN.columns).write_parquet(tmp_path / "alone.parquet")
    predict_rows(model, FeatureFileRows(tmp_path / "alone.parquet", model.view, 33), tmp_path / "scores.parquet")
    alone = pl.read_parquet(tmp_path / "scores.parquet")
    assert (alone.columns, alone["score"].equals(one["score"])) == (["score"], True), "a file of nothing but features"


def test_a_file_that_lacks_features_is_refused_with_the_command_that_writes_one(
    model: PublishedModel, tmp_path: Path
) -> None:
    spine().write_parquet(tmp_path / "spine.parquet")
    with pytest.raises(DatasetError, match=r"lacks features of view comes_again:v1: .* dataset --spine FILE"):
        FeatureFileRows(tmp_path / "spine.parquet", model.view, 10)
    with pytest.raises(DatasetError, match=r"nothing\.parquet cannot be read"):
        FeatureFileRows(tmp_path / "nothing.parquet", model.view, 10)


def test_a_row_of_a_later_slice_is_told_with_its_number_in_the_file(
    lake: Path, model: PublishedModel, tmp_path: Path
) -> None:
    wrong = spine().with_columns(floor=pl.when(pl.col("bed") == "b71").then(-9).otherwise("floor"))
    wrong.write_parquet(tmp_path / "spine.parquet")
    rows = SpineRows(tmp_path / "spine.parquet", model.view, OfflineStore(lake), "as-served", 0, 33)
    with pytest.raises(DatasetError, match=r"^Column 'floor' of the spine has a wrong value in row 71: .*patient=26, "):
        list(rows.slices())
