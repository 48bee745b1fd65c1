"""An erasure reaches the prediction log: rows of the lake, records on the endpoint's disk, and dead letters."""

from __future__ import annotations

from pathlib import Path

import polars
import pytest

from serving.prediction_log.spool import Spool
from shared_features.formats.prediction_log import encode_record, is_altered, is_erased, logged_prediction
from tests.streaming.archive.test_stored_predictions import logged
from tests.streaming.operations.erasure.test_command import GONE, STAYS, stored
from tests.streaming.operations.stored_world import START_US, StoredWorld

__all__ = ["stored"]
LOG = "predictions"
ERASE = ("erase", "--entity", "payer", "--key", str(GONE))


@pytest.fixture
def logging(stored: StoredWorld, tmp_path: Path) -> StoredWorld:
    """Four predictions in the lake, half of them about each payer, two on disk, and one that is a dead letter."""
    spool = tmp_path / "spool"
    stored.simulator.create_topic(LOG, 1)
    stored.settings = stored.settings.model_copy(update={"prediction_log_topic": LOG, "prediction_log_spool": spool})
    records = [encode_record(logged(number, payer=(GONE, STAYS)[number % 2])) for number in range(6)]
    broken = encode_record(logged(6, payer=GONE)).replace(b'"at_us":1767225600000001', b'"at_us":"never"')
    stored.send(LOG, [(START_US, each) for each in (*records[:4], broken)])
    stored.archive()
    own = Spool(spool, "a", 1 << 20)
    assert all(map(own.append, records[4:]))
    own.close()
    return stored


def test_every_place_of_the_log_loses_the_entity_and_an_audit_finds_no_altered_line(logging: StoredWorld) -> None:
    assert "3 logged predictions" in logging.run(*ERASE)
    text = logging.run(*ERASE, "--execute")
    for said in ("2  logged predictions", "1  predictions that Kafka did not have yet", "2  dead letters"):
        assert said in text
    table = polars.read_delta(str(logging.lake / "events_prediction_log")).sort("counter")
    rows = [logged_prediction(row) for row in table.to_dicts()]
    assert [is_erased(each) for each in rows] == [True, False, True, False]
    assert not any(map(is_altered, rows))
    for file in logging.lake.rglob("*.parquet"):
        frame = polars.read_parquet(file)
        if "request" in frame.columns:
            assert not any(f'"payer":{GONE}' in each for each in frame["request"]), f"{file} still holds it"
    (segment,) = logging.settings.prediction_log_spool.rglob("*.jsonl")
    assert f'payer\\":{GONE}'.encode() not in segment.read_bytes()
    assert f"topic {LOG} still holds the records" in text


def test_a_log_whose_topic_is_missing_keeps_no_erasure_from_the_rest(stored: StoredWorld) -> None:
    stored.settings = stored.settings.model_copy(update={"prediction_log_topic": LOG})
    assert "20  events of payments" in stored.run(*ERASE, "--execute")
