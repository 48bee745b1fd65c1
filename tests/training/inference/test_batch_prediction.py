"""What a batch says of a row is what the endpoint answers for it, bit for bit, whatever the model."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet
import pytest
import redis

from deploy.embedded.redis_server import RedisServer
from serving.app import create_app
from serving.settings import ServingSettings
from shared_features.definitions import load_definitions
from shared_features.kernel.event_time import DAY_US, HOUR_US
from tests.depth import cases
from tests.domains.web_shop import ORDER_RETURN
from tests.end_to_end.whole_path import endpoint
from tests.end_to_end.whole_path import predict as ask
from tests.fakes import InMemoryOnlineStore, PushedClock
from tests.serving.conftest import NOW_US, asking
from tests.serving.stored_states import NAMESPACE, stored_states
from tests.training.inference.published_shop import CLASSES, MODELS, publish_calibrated, publish_shop
from tests.training.lake import write_events
from tests.training.shop_streams import shop_records, shop_requests, shop_streams
from training.__main__ import main
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError
from training.inference.batch_prediction import predict_rows
from training.inference.published_model import PublishedModel, open_model
from training.inference.rows_to_predict import SpineRows
from training.models.fitting import Calibrate
from training.registry.versions import Registry

RECORDS = shop_records(NOW_US // 1000)
INSTANCES = shop_requests(RECORDS, 200)
INSTANTS = (NOW_US, NOW_US + 3 * DAY_US)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[bytes, bytes]]:
    """The lake and the online store after the same events."""
    lake: Path = tmp_path_factory.mktemp("shop") / "lake"
    streams = shop_streams(RECORDS)
    for events in streams.values():
        write_events(lake, events, watermark_us=NOW_US + 10 * DAY_US)
    return lake, stored_states(ORDER_RETURN.groups, [each.batch for each in streams.values()])


@pytest.fixture
def spine(tmp_path: Path) -> Path:
    """The instances as of each of the instants."""
    rows = [{**each, "as_of": instant} for instant in INSTANTS for each in INSTANCES]
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(tmp_path / "spine.parquet")
    return tmp_path / "spine.parquet"


def answers(registry: Path, states: dict[bytes, bytes]) -> list[dict[str, Any]]:
    """The predictions of the endpoint, in the order of the spine."""

    async def ask() -> list[dict[str, Any]]:
        given: dict[str, Any] = {
            "definitions": "tests.domains.web_shop",
            "redis_namespace": NAMESPACE,
            "registry": registry,
            "model_poll_s": 0.05,
            "serving_max_wait_ms": 60_000,
        }
        app = create_app(ServingSettings(**given), store=InMemoryOnlineStore(states), clock=PushedClock(NOW_US))
        found: list[dict[str, Any]] = []
        async with asking(app) as client:
            for instant in INSTANTS:
                body = {"instances": INSTANCES, "as_of": instant}
                response = await client.post("/v1/views/order_return:predict", json=body)
                assert response.status_code == 200, response.text
                found += response.json()["predictions"]
        return found

    return asyncio.run(ask())


def as_answered(table: pl.DataFrame, names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a batch as the endpoint would say them."""
    found = []
    for row in table.select(names).iter_rows(named=True):
        probabilities = {name.removeprefix("probability_"): row.pop(name) for name in names if "probability_" in name}
        found.append(row | ({"probabilities": probabilities} if probabilities else {}))
    return found


@pytest.mark.parametrize(
    "name", cases(MODELS, quick=[each for each in MODELS if each != "logistic_regression"])
)  # a linear regression is run row by row, too
def test_a_batch_says_what_the_endpoint_answers_bit_for_bit(
    shop: tuple[Path, dict[bytes, bytes]],
    spine: Path,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lake, states = shop
    publish_shop(tmp_path / "registry", name)
    for variable, given in (("LAKE", lake), ("REGISTRY", tmp_path / "registry")):
        monkeypatch.setenv(f"MILLRACE_{variable}", str(given))
    monkeypatch.setenv("MILLRACE_DEFINITIONS", "tests.domains.web_shop")
    output = tmp_path / "out.parquet"
    command = ["predict", "--model", "order_return", "--spine", str(spine), "-o", str(output), "--rows-at-once", "90"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert f"{len(INSTANTS) * len(INSTANCES)} rows by order_return version 1, " in said
    assert ("row by row" in said) == (name in ("logistic_regression", "linear_regression"))
    table, asked = pl.read_parquet(output), pl.read_parquet(spine)
    assert table.columns[: len(asked.columns)] == asked.columns
    assert table.select(asked.columns).equals(asked), "in the order of the spine"
    names = table.columns[len(asked.columns) :]
    ours, theirs = as_answered(table, names), answers(tmp_path / "registry", states)
    assert ours == [{key: each[key] for key in ours[0]} for each in theirs]
    assert len({str(each) for each in ours}) > 50, "rows differ"


@pytest.mark.deep  # each kind of model is asked in one process above
@pytest.mark.parametrize("calibrate", ["isotonic", "platt"])
def test_calibrated_classes_are_answered_by_a_running_endpoint_as_by_a_batch(
    shop: tuple[Path, dict[bytes, bytes]],
    spine: Path,
    calibrate: Calibrate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake, states = shop
    publish_calibrated(tmp_path / "registry", calibrate)
    settings = {
        "MILLRACE_LAKE": str(lake),
        "MILLRACE_REGISTRY": str(tmp_path / "registry"),
        "MILLRACE_DEFINITIONS": "tests.domains.web_shop",
        "MILLRACE_REDIS_NAMESPACE": NAMESPACE,
        "MILLRACE_SERVING_DEADLINE_MS": "60000",
        "MILLRACE_SERVING_MAX_WAIT_MS": "60000",
    }
    for name, given in settings.items():
        monkeypatch.setenv(name, given)
    output, theirs = tmp_path / "out.parquet", list[dict[str, Any]]()
    assert main(["predict", "--model", "order_return", "--spine", str(spine), "-o", str(output)]) == 0
    with RedisServer(tmp_path / "redis") as store:
        with redis.Redis.from_url(store.url) as client:
            client.mset({bytes(key): value for key, value in states.items()})
        with endpoint({**os.environ, "REDIS_URL": store.url}, tmp_path / "serving.log") as url:
            for instant in INSTANTS:
                theirs += ask(url, "order_return", {"instances": INSTANCES, "as_of": instant})["predictions"]
    table = pl.read_parquet(output)
    ours = as_answered(table, [name for name in table.columns if name == "class" or name.startswith("probability_")])
    assert ours == [{key: each[key] for key in ours[0]} for each in theirs]
    assert set(ours[0]["probabilities"]) == set(CLASSES)
    for each in ours:
        assert each["class"] == max(CLASSES, key=lambda name: each["probabilities"][name])
        assert sum(each["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    assert len({str(each) for each in ours}) > 20, "rows differ"


@pytest.fixture
def model(tmp_path: Path) -> PublishedModel:
    publish_shop(tmp_path / "registry", "hist_gradient_boosting")
    return open_model(Registry(tmp_path / "registry"), load_definitions("tests.domains.web_shop"), "order_return")


def test_the_file_names_the_model_that_made_it(
    shop: tuple[Path, dict[bytes, bytes]], spine: Path, model: PublishedModel, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []

    def tell(says: str, part: int = 0, of: int = 0) -> None:
        told.append((part, of))

    rows = SpineRows(spine, model.view, OfflineStore(shop[0]), "as-served", 0, 150)
    done = predict_rows(model, rows, tmp_path / "out.parquet", tell)
    assert (done.rows, done.unanswered, done.shares_runs, done.why_not_compiled) == (400, 0, True, "")
    assert told == [(150, 400), (300, 400), (400, 400)]
    metadata = pyarrow.parquet.read_schema(tmp_path / "out.parquet").metadata
    assert metadata[b"millrace.model"] == b"order_return"
    assert metadata[b"millrace.model_digest"] == model.manifest.model_digest.encode()


def test_what_fails_in_the_middle_leaves_no_file_and_says_which_rows(
    shop: tuple[Path, dict[bytes, bytes]], spine: Path, model: PublishedModel, tmp_path: Path
) -> None:
    late = pl.read_parquet(spine).with_columns(
        as_of=pl.when(pl.int_range(pl.len()) == 399).then(NOW_US + 10 * DAY_US + HOUR_US).otherwise("as_of")
    )
    late.write_parquet(spine)
    rows = SpineRows(spine, model.view, OfflineStore(shop[0]), "as-served", 0, 150)
    with pytest.raises(DatasetError, match=r"Of the rows from 300 on, .* are complete up to"):
        predict_rows(model, rows, tmp_path / "out.parquet")
    assert [each.name for each in tmp_path.iterdir() if "out" in each.name] == []


def test_a_column_of_the_name_of_a_prediction_is_refused(
    shop: tuple[Path, dict[bytes, bytes]], spine: Path, model: PublishedModel, tmp_path: Path
) -> None:
    pl.read_parquet(spine).with_columns(score=1.0).write_parquet(spine)
    rows = SpineRows(spine, model.view, OfflineStore(shop[0]), "as-served", 0, 150)
    with pytest.raises(DatasetError, match=r"names of predictions: score\. .* Rename or drop"):
        predict_rows(model, rows, tmp_path / "out.parquet")
