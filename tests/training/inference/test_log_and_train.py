"""Log and train: a dataset of the log is what the model saw, bit for bit a replay, with the labels so far."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from shared_features.formats.prediction_log import decode_matrix, erased
from shared_features.kernel.event_time import to_text
from tests.docs.pages import page
from tests.domains.machines import BREAKDOWN, BREAKDOWNS
from tests.training.inference.audit.test_audit import World, answers, resealed, states_at, world, write_log
from tests.training.lake import PARTITIONS, arrived, write_events
from training.__main__ import main
from training.datasets.given_spine import check_spine
from training.datasets.historical_features import historical_features
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError
from training.inference.log_and_train import read_logged
from training.registry.versions import Registry

__all__ = ["world"]
FEATURES = [column.name for column in BREAKDOWN.columns]
ABOUT = ["prediction_id", "prediction_row", "as_of", "model_version", "degraded", "predicted"]


@pytest.fixture
def lake(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The events and the labels of every second of them, beside a log."""
    for name, value in (("DEFINITIONS", "tests.domains.machines"), ("REGISTRY", world.registry), ("LAKE", tmp_path)):
        monkeypatch.setenv(f"MILLRACE_{name}", str(value))
    write_events(tmp_path, world.events, watermark_us=int(world.events.arrival_us[-1]) + 120_000_000)
    return tmp_path


def write_labels(world: World, lake: Path, rows: slice, late_us: int) -> None:
    """Reports of these readings."""
    readings = world.events.batch.columns["reading"][rows]
    columns = {
        "report": np.array([f"about {each}" for each in readings], object),
        "at": world.events.batch.event_time_us[rows],
        "reading": readings,
        "broke": np.arange(len(readings)) % 2,
    }
    last_us = int(world.events.arrival_us[-1]) + late_us
    write_events(lake, arrived(BREAKDOWNS, columns, np.full(len(readings), last_us)), watermark_us=last_us + 1)


def dataset(lake: Path, *options: str) -> pl.DataFrame:
    assert main(["dataset", "--spine", "prediction-log", "--output", str(lake / "out"), *options]) == 0
    return pl.read_parquet(lake / "out" / "data.parquet")


def bits(frame: pl.DataFrame) -> bytes:
    return np.ascontiguousarray(frame.select(FEATURES).to_numpy()).view(np.uint32).tobytes()


def test_the_features_are_those_of_the_log_and_of_a_replay_as_served_bit_for_bit(
    world: World, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that has caught up answers what had arrived: so the log and a replay of a spine are one table."""
    everything = {
        number: int(world.events.offset[world.events.partition == number][-1]) for number in range(PARTITIONS)
    }
    at_us = int(world.events.arrival_us[-1]) + 60_000_000
    logged = answers(world.registry, [(states_at(world.events, everything), at_us)], world.events, monkeypatch)
    write_log(lake, [logged[0], *logged])  # one came twice
    found = dataset(lake)
    assert found.columns[: len(ABOUT)] == ABOUT
    by_id = {each.id: each for each in logged}
    seen = [decode_matrix(by_id[name].features, len(FEATURES))[row] for name, row in found.select(ABOUT[:2]).rows()]
    assert len(found) == 13
    assert bits(found) == np.stack(seen).view(np.uint32).tobytes()
    scores = [msgspec.json.decode(by_id[name].scores)[row] for name, row in found.select(ABOUT[:2]).rows()]
    assert found["predicted"].to_list() == scores
    now = found.filter(
        pl.col("as_of") == found["as_of"].max()
    )  # an event of before is answered with all that came since
    spine = now.drop("reading", *(name for name in FEATURES if name not in ("celsius", "humidity")))
    replayed = historical_features(OfflineStore(lake), check_spine(BREAKDOWN, spine))
    assert len(now) == 12
    assert bits(now) == bits(replayed)


def test_labels_join_the_events_that_requests_name_as_they_arrive(world: World, lake: Path) -> None:
    """The label's join field is no field of a request: an event is named by its machine and its time."""
    batch = world.events.batch
    rows = range(0, 40, 2)
    requests = [
        {"plant": batch.columns["plant"][row], "machine": batch.columns["machine"][row], "celsius": 20.5,
         "at": to_text(int(batch.event_time_us[row]))}
        for row in rows
    ]  # fmt: skip
    unnamed = {"plant": "p", "machine": "m", "celsius": 20.5}
    record = next(each for each in world.logged if len(msgspec.json.decode(each.scores)) == 1)
    logged = [
        resealed(record, counter=number, id=f"p-{number}", request=msgspec.json.encode({"instances": [each]}).decode())
        for number, each in enumerate([*requests, unnamed])
    ]
    write_log(lake, logged)
    assert "reading" in dataset(lake).columns
    spine = read_logged(OfflineStore(lake), Registry(world.registry), BREAKDOWN).spine
    happened = batch.event_time_us[list(rows)].tolist()
    numbers = [int(each.removeprefix("p-")) for each in spine.given["prediction_id"]]
    wanted = [*happened, spine.as_of_us[0]]
    assert spine.labelled_from_us.tolist() == [wanted[number] for number in numbers], "labels count from the event"
    known = []
    for upto, late_us in ((10, 0), (30, 1_000)):
        write_labels(world, lake, slice(0, upto), late_us)
        (lake / "out").rename(lake / f"before {upto}")
        found = dataset(lake, "--with-labels")
        known.append(dict(zip(found["reading"].to_list(), found["label"].to_list(), strict=True)))
        assert found.filter(pl.col("prediction_id") == f"p-{len(rows)}")["reading"].to_list() == [None]
    first, second = known
    assert [sum(label is not None for label in each.values()) for each in known] == [5, 15]
    assert {name: label for name, label in second.items() if first.get(name) is not None} == {
        name: label for name, label in first.items() if label is not None
    }


def test_the_lines_of_the_guide_run(world: World, lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_log(lake, world.logged[:20])
    write_labels(world, lake, slice(0, 10), 0)
    monkeypatch.chdir(lake)
    (block,) = page("docs/how-to/log-and-train.md").blocks()
    for line in block.code.splitlines():
        program, *arguments = line.split()
        assert program == "millrace"
        assert main(arguments) == 0
    assert "label" in pl.read_parquet("logged/data.parquet").columns


def test_what_cannot_be_believed_is_left_out_and_told(
    world: World, lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third, fourth, *others = world.logged
    changed: dict[str, Any] = {"view_fingerprint": "0" * 16}
    write_log(
        lake,
        [erased(first), msgspec.structs.replace(second, scores="[0.5]"), resealed(third, **changed), fourth, *others],
    )
    found = dataset(lake)
    assert found["prediction_id"].n_unique() == len(others) + 1
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "left out: 1 prediction, altered",
        "left out: 1 prediction, erased with an entity",
        "left out: 1 prediction, of the view as it was defined before",
    ]
    write_log(lake, [erased(each) for each in world.logged])
    with pytest.raises(DatasetError, match="no prediction of view breakdown:v1 to learn from"):
        read_logged(OfflineStore(lake), Registry(world.registry), BREAKDOWN)


def test_it_is_built_again_bit_for_bit_and_names_what_was_erased_since(
    world: World, lake: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_log(lake, world.logged[:20])
    dataset(lake)
    write_log(lake, world.logged)
    assert main(["dataset", "rebuild", str(lake / "out")]) == 0
    assert "built again: bit for bit" in capsys.readouterr().out
    write_log(lake, [erased(world.logged[0]), *world.logged[1:]])
    assert main(["dataset", "rebuild", str(lake / "out")]) == 1
    assert "1 row of it cannot be read in the prediction log" in capsys.readouterr().err
    assert main(["dataset", "--spine", "prediction-log", "--output", str(lake / "no"), "--lag", "1"]) == 1
    assert "It takes no --truth and no --lag" in capsys.readouterr().err
