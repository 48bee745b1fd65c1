"""A category is trained and served alike: the same place for the same value, from the lake to the answer."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from serving.app import create_app
from serving.models.model import load_model
from serving.settings import ServingSettings
from shared_features.kernel.event_time import DAY_US, HOUR_US
from shared_features.kernel.hashing import text_codes
from tests.docs.pages import page
from tests.domains.visits import COMES_AGAIN, RETURNED, VISITS
from tests.fakes import InMemoryOnlineStore, PushedClock
from tests.serving.conftest import asking
from tests.serving.stored_states import NAMESPACE, event_batch, stored_states
from tests.training.lake import arrived, write_lake
from training.__main__ import main
from training.datasets.categories import places_in
from training.datasets.training_dataset import load_dataset
from training.models.graph.onnx_export import open_session, run_session
from training.models.predictions import predicted
from training.registry.versions import Registry
from training.runs.records.run_folder import load_pickle, model_file

START_US = 20_000 * DAY_US
END_US = START_US + 10 * DAY_US
(_MODELS,) = [each.code for each in page("docs/how-to/encode-and-calibrate.md").blocks() if each.title == "models.py"]
WARDS = ("", "surgery", "Säuglinge", "眼科", "x" * 400, "rare")
OPTIONS = ["run", "--train-days", "6", "--delay-days", "1", "--test-days", "2"]


def write_visits(lake: Path) -> None:
    """Ten days of visits. Of two wards nearly everybody comes again. One ward is in the test window alone."""
    random = np.random.default_rng(4)
    count = 900
    at = np.sort(START_US + random.integers(0, 10 * DAY_US, count))
    place = random.integers(0, 5, count)
    ward = np.array([WARDS[each] for each in place], object)
    ward[at > END_US - DAY_US] = np.where(
        place[at > END_US - DAY_US] == 0, "only in the test", ward[at > END_US - DAY_US]
    )
    again = np.isin(place, (1, 3)) ^ (random.random(count) < 0.1)
    visit = np.array([f"v{number}" for number in range(count)], object)
    visits = {
        "visit": visit,
        "at": at,
        "patient": random.integers(0, 40, count),
        "ward": ward,
        "urgent": random.integers(0, 2, count),
        "floor": random.integers(0, 4, count),
        "hours": random.integers(0, 100, count),
    }
    returned = {"notice": visit, "told": at + HOUR_US, "visit": visit, "again": again.astype(np.int64)}
    streams = {
        "visits": arrived(VISITS, visits, at, {"ward": random.random(count) > 0.1}),
        "returned": arrived(RETURNED, returned, at + 2 * HOUR_US),
    }
    write_lake(lake, COMES_AGAIN, streams, END_US + 3 * HOUR_US)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the visits, from the lake to the registry, by the command line."""
    place: Path = tmp_path_factory.mktemp("visits")
    write_visits(place / "lake")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("MILLRACE_DEFINITIONS", "tests.domains.visits")
        (place / "models_of_the_clinic.py").write_text(_MODELS)
        monkeypatch.syspath_prepend(place)
        monkeypatch.setenv("MILLRACE_MODELS", "models_of_the_clinic")
        for name, folder in (("LAKE", "lake"), ("REGISTRY", "registry"), ("TRAINING_RUNS", "runs")):
            monkeypatch.setenv(f"MILLRACE_{name}", str(place / folder))
        assert main(OPTIONS) == 0
    return place


def run_of(trained: Path) -> Path:
    return next(each for each in (trained / "runs" / "comes_again").iterdir() if each.is_dir())


def test_the_values_of_the_train_window_stand_readable_in_both_manifests(trained: Path) -> None:
    version = trained / "registry" / "comes_again" / "1"
    for name in ("manifest.json", "dataset.json"):
        categories = json.loads((version / name).read_bytes())["categories"]
        wards = sorted(WARDS[:5])
        assert categories["ward"] == wards
        assert categories["patient_visits__ward_last_7d"] == wards
        assert (categories["urgent"], categories["floor"]) == ([False, True], [0, 1, 2, 3])
    manifest = Registry(trained / "registry").manifest("comes_again", 1)
    assert manifest.encoders["ward"] == "TargetMean(smoothing=5, folds=5)"
    assert manifest.encoders["urgent"] == manifest.encoders["patient_visits__ward_last_7d"] == "OneHot()"
    imbalance, calibration = manifest.corrections
    assert "rows of False kept, class weights False 1, True 2: odds times 0.4" in imbalance
    assert calibration.startswith("Platt's logistic function with slope ")
    assert "before its correction" in manifest.parity.reason
    assert "ward: TargetMean(smoothing=5, folds=5)" in (version / "card.md").read_text()
    metrics = json.loads((version / "metrics.json").read_bytes())
    assert metrics["models"]["logistic_regression"]["roc_auc"] > 0.8, "nothing but the ward tells"
    dataset = load_dataset(run_of(trained) / "dataset")
    ward = dataset.matrix[:, dataset.features.index("ward")]
    assert set(np.unique(ward[~np.isnan(ward)])) == {0, 1, 2, 3, 4}


def test_the_graph_is_the_pipeline_for_every_place_and_a_value_that_was_not_seen_is_a_missing_one(
    trained: Path,
) -> None:
    pipeline = load_pickle(model_file(run_of(trained) / "fit", "logistic_regression"))
    rows = np.full((7, 6), np.nan, np.float32)
    rows[:, 0], rows[:5, 1], rows[:4, 5] = 2, range(5), range(4)
    session = open_session((trained / "registry" / "comes_again" / "1" / "model.onnx").read_bytes())
    found = run_session(session, rows)
    np.testing.assert_allclose(found, predicted(pipeline, rows), atol=1e-6)
    assert len(set(found[:5].tolist())) == 5
    model = load_model(trained / "registry" / "comes_again" / "1", COMES_AGAIN)
    codes = np.full((2, 4), np.nan)
    codes[0, 0] = text_codes(["a ward that nobody trained on"])[0]
    seen = model.seen(rows[5:7], codes)
    assert model.score(seen)[0] == model.score(seen)[1]


INSTANCE: dict[str, Any] = {"patient": 3, "urgent": True, "floor": 2, "hours": 2.5}
texts = st.one_of(st.none(), st.sampled_from(WARDS), st.text(st.characters(exclude_categories=["Cs"]), max_size=400))


def test_what_is_served_of_any_text_is_what_training_made_of_it(trained: Path) -> None:
    rows = [{"visit": "v", "at": END_US - HOUR_US, "patient": 3, "ward": "眼科", "urgent": 0, "floor": 0, "hours": 9}]
    states = stored_states(COMES_AGAIN.groups, [event_batch(VISITS, rows)])
    model = load_model(trained / "registry" / "comes_again" / "1", COMES_AGAIN)
    place: dict[Any, int] = {value: at for at, value in enumerate(sorted(WARDS[:5]))}
    given: dict[str, Any] = {"definitions": "tests.domains.visits", "registry": trained / "registry"}
    served = ServingSettings(**given | {"redis_namespace": NAMESPACE, "serving_max_wait_ms": 60_000})
    app = create_app(served, store=InMemoryOnlineStore(states), clock=PushedClock(END_US))

    async def ask(client: httpx.AsyncClient, wards: list[str | None]) -> None:
        body = {"instances": [{**INSTANCE, "ward": each} for each in wards], "include_features": True}
        answer = await client.post("/v1/views/comes_again:predict", json=body)
        assert answer.status_code == 200, answer.text
        for ward, found in zip(wards, answer.json()["predictions"], strict=True):
            row = np.array([[2.5, place.get(ward, np.nan), 1, 1, place["眼科"], 2]], np.float32)
            assert found["score"] == model.score(row)[0]
            assert found["features"]["ward"] == (ward if ward in place else None)
            assert found["features"]["patient_visits__ward_last_7d"] == "眼科"
            assert (found["features"]["urgent"], found["features"]["floor"]) == (True, 2)

    async def story() -> None:
        async with asking(app) as client:
            await ask(client, [*WARDS, None, "only in the test", "nowhere"])
            counted = [line for line in (await client.get("/metrics")).text.splitlines() if "unseen" in line]
            assert 'serving_unseen_categories_total{feature="ward",view="comes_again:v1"} 3.0' in counted
            wards = (WARDS[0], "nowhere", None)
            body = {"instances": [{**INSTANCE, "ward": each} for each in wards], "explain": True}
            told = (await client.post("/v1/views/comes_again:predict", json=body)).json()["predictions"]
            explained = [each["explanation"]["features"]["ward"] for each in told]
            assert [each["value"] for each in explained] == list(wards)
            assert [each.get("is_unseen") for each in explained] == [None, True, None]
            stored = told[0]["explanation"]["features"]["patient_visits__ward_last_7d"]
            assert (stored["value"], "is_code" in stored) == ("眼科", False), "it was said to be a code of no text"
            loop = asyncio.get_running_loop()

            @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
            @hypothesis.given(st.lists(texts, min_size=1, max_size=20))
            def any_texts(wards: list[str | None]) -> None:
                asyncio.run_coroutine_threadsafe(ask(client, wards), loop).result(60)

            await asyncio.to_thread(any_texts)

    asyncio.run(story())


def test_a_champion_of_other_values_is_asked_in_its_own_places() -> None:
    ours = np.array([0, 1, np.nan, 2], np.float32)
    found = places_in(("b", "c"), ("a", "b", "c"), ours)
    np.testing.assert_array_equal(found, np.array([np.nan, 0, np.nan, 1], np.float32))
