"""What the models stand for: a real redis-server and delta-rs give the same answers."""

import random

import pyarrow as pa
import pytest
import redis
from deltalake.exceptions import CommitFailedError

from deploy.embedded.redis_server import RedisServer
from streaming.lake.tables import DELTA, DeltaTables, writer_properties
from streaming.online_store.shard_store import _SCRIPT, _SCRIPT_ID
from tests.simulation.chances import Chances
from tests.simulation.delta_model import ModelTables, Rows, meeting
from tests.simulation.redis_model import RedisModel

SCHEMA = pa.schema([("number", pa.int64())])


def test_redis_answers_as_the_model_does():
    r, model = random.Random(1), RedisModel()
    keys = [f"{{s}}:{name}".encode() for name in ("meta", "a", "b", "c")]
    ids = [bytes([number]) * 16 for number in range(3)]
    answers = set()
    with RedisServer() as server, redis.Redis.from_url(server.url) as client:
        client.script_load(_SCRIPT)
        model.execute(("SCRIPT", "LOAD", _SCRIPT))
        for _ in range(300):
            call = r.choice(
                (
                    ("GET", r.choice(keys)),
                    ("MGET", *r.sample(keys, r.randint(1, 4))),
                    ("EXISTS", *keys),
                    ("TYPE", r.choice(keys)),
                    commit(r, keys, [b"", *ids], ids),
                )
            )
            answer = client.execute_command(*call)
            assert model.execute(call) == answer
            answers.add((call[0], str(answer)))
    assert {("EVALSHA", "0"), ("EVALSHA", "1")} <= answers


def commit(r, keys, expected, ids):
    changed = r.sample(keys[1:], r.randint(0, 3))
    values = [r.randbytes(5) for _ in changed]
    meta = r.choice(ids) + r.randbytes(4)
    return ("EVALSHA", _SCRIPT_ID, 1 + len(changed), keys[0], *changed, r.choice(expected), meta, 60_000, *values)


@pytest.fixture(params=["delta-rs", "the model"])
def tables(request) -> DeltaTables:
    return DELTA if request.param == "delta-rs" else ModelTables(Chances(0))


def rows(*numbers: int) -> pa.Table:
    return pa.table({"number": pa.array(numbers, pa.int64())})


def test_a_commit_conflicts_with_those_since_its_look_that_wrote_one_of_its_positions(tables, tmp_path):
    path, writer = tmp_path / "t", writer_properties(SCHEMA)
    assert not tables.exists(path)
    first = tables.create(path, SCHEMA, (), {"delta.checkpointInterval": "100"})
    assert tables.exists(path)
    assert first.transaction_version("a") is None
    second = tables.open(path)
    tables.append(first, rows(1), {"a": 1, "b": 5}, writer)
    assert (first.version(), second.version()) == (1, 0)
    assert (first.transaction_version("a"), second.transaction_version("a")) == (1, None)
    with pytest.raises(CommitFailedError):
        tables.append(second, rows(2), {"b": 9}, writer)
    tables.append(second, rows(3), {"other": 1}, writer)  # positions of its own: put behind the other commit
    assert second.transaction_version("a") == 1
    first.update_incremental()
    tables.append(first, rows(4), {"a": 0}, writer)  # versions of a position are not compared
    tables.append(first, rows(), {"a": 7}, writer)  # nothing but a position
    table = tables.open(path)
    assert table.transaction_version("a") == 7
    found = pa.table(table.scan(columns=["number"], predicate="number >= 1 AND (number = 3 OR number IN (4, 5))"))
    assert sorted(found["number"].to_pylist()) == [3, 4]
    assert sum(pa.table(table.get_add_actions(flatten=True))["num_records"].to_pylist()) == 3


def test_conditions_mean_what_they_say():
    table = Rows(pa.table({"x": [1, 2, 3, 4], "y_us": [10, 20, 30, 40]}))
    assert meeting(table, "x >= 2 AND y_us < 40").tolist() == [False, True, True, False]
    assert meeting(table, "x >= 1 AND ((x = 1 AND y_us > 10) OR x > 3)").tolist() == [False, False, False, True]
    assert meeting(table, "x >= 0 AND x IN (2, 4)").tolist() == [False, True, False, True]
