"""A prediction: what is answered, and that its features are the shared code's, bit for bit."""

import asyncio
import hashlib
import json
import math
import shlex
import threading
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from serving.models.model import load_model
from serving.prediction import waiting_requests
from serving.prediction.waiting_requests import ENOUGH_ROWS
from shared_features.feature_matrix import feature_matrix, request_floats
from shared_features.formats.entity_keys import entity_keys, key_texts, shards_of
from shared_features.formats.entity_reader import EntityReader
from shared_features.formats.entity_state import decode_states, owners_of
from shared_features.formats.online_state import entity_prefix, meta_key
from shared_features.formats.receipt import decode_receipt
from shared_features.formats.shard_meta_bytes import encode_meta
from shared_features.group_events import group_events
from shared_features.kernel.event_time import to_text
from shared_features.kernel.replay import apply, read
from shared_features.kernel.tile_state import TileState
from streaming.operations.argument_types import instant
from streaming.operations.history.request import read_request
from tests.domains.machines import BREAKDOWN, HOT_PLANT, READINGS
from tests.serving.conftest import GROUPS, INSTANCE, NOW_US, readings
from tests.serving.stored_states import NAMESPACE, event_batch, shard_meta

PATH = "/v1/views/breakdown:predict"


def run(coroutine):
    return asyncio.run(coroutine)


def ask(serving, body, **settings):
    async def once():
        async with serving(**settings) as client:
            return await client.post(PATH, json=body)

    return run(once())


def expected_matrix(steps: dict[str, Any], as_of_us: int) -> np.ndarray:
    """The matrix of one request, from events by the kernel, without any store or service."""
    request = event_batch(READINGS, [{"reading": "", "at": as_of_us, **steps}])
    events = event_batch(READINGS, readings())
    stored = {}
    for group in GROUPS:
        wanted = key_texts(entity_keys(group.entity, READINGS, request.columns))[0]
        seen = group_events(group, events)
        mine = np.array([text == wanted for text in key_texts(seen.keys)], np.bool_)
        state = TileState(group.layout)
        slot = state.add(1)
        columns = (seen.event_time_us, seen.digest, seen.values, seen.valid)
        apply(state, np.repeat(slot, mine.sum()), *(column[mine] for column in columns))
        stored[group.name] = read(state, slot, [as_of_us])
    floats = request_floats(READINGS, request.columns, request.valid)
    return feature_matrix(BREAKDOWN, floats, np.array([as_of_us]), stored)


@pytest.mark.parametrize(
    ("celsius", "tenths"), [(71.25, 712), (71.35, 714), (71.3, 713), (71, 710), (0.05, 0), (0.15, 2)]
)
def test_features_are_those_of_kernel_and_feature_matrix_bit_for_bit(serving, published, celsius, tenths):
    """Decimals are rounded half to even to the field's steps first, as streaming and training do."""
    body = {"instances": [INSTANCE | {"celsius": celsius}], "include_features": True}
    answer = ask(serving, body).json()
    wanted = expected_matrix({**INSTANCE, "celsius": tenths, "humidity": None}, NOW_US)
    got = np.array([[np.nan if v is None else v for v in answer["predictions"][0]["features"].values()]], np.float32)
    assert got.tobytes() == wanted.tobytes()
    assert list(answer["predictions"][0]["features"]) == [column.name for column in BREAKDOWN.columns]
    model = load_model(published / "breakdown" / "1", BREAKDOWN)
    assert answer["predictions"][0]["score"] == model.score(wanted)[0]


def test_an_answer_names_view_model_instant_ages_and_freshness(serving):
    answer = ask(serving, {"instances": [INSTANCE]}).json()
    assert answer["view"] == "breakdown:v1"
    assert answer["model"] == {"name": "breakdown", "version": 1}
    assert answer["as_of_us"] == NOW_US
    prediction = answer["predictions"][0]
    assert prediction["feature_age_seconds"] == {"machine_heat": 600.000001, "hot_plant": 1800.000001}
    assert (prediction["missing_entities"], prediction["degraded"]) == ([], False)
    assert "as_of_us" not in prediction
    assert answer["degraded"] is False
    assert answer["freshness_seconds"] == {"machine_heat": NOW_US / 1e6, "hot_plant": NOW_US / 1e6}
    assert "features" not in prediction


def test_the_receipt_names_every_shard_read_and_its_digest_is_of_that_text(serving):
    response = ask(serving, {"instances": [INSTANCE]})
    receipt = response.json()["receipt"]
    keys = entity_keys(GROUPS[0].entity, READINGS, event_batch(READINGS, [INSTANCE | {"celsius": 0, "at": 0}]).columns)
    shard = int(shards_of(keys, GROUPS[0].shards)[0])
    assert [(each["group"], each["shard"]) for each in receipt["shards"]] == [
        ("machine_heat:v3", shard),
        ("hot_plant:v1", 0),
    ]
    meta = shard_meta(GROUPS[0], shard)
    first = receipt["shards"][0]
    assert first["commit_id"] == meta.commit_id.hex()
    assert first["gaps_digest"] == f"{meta.gaps_digest:016x}"
    assert first["vector"] == [
        {
            "topic": topic,
            "topic_id": topic_id,
            "partition": partition,
            "offset": position.offset,
            "consumed_until_us": position.consumed_until_us,
        }
        for (topic, topic_id, partition), position in sorted(meta.vector.items())
    ]
    text = response.text[response.text.index('"shards":') + len('"shards":') : -2]
    assert json.loads(text) == receipt["shards"]
    assert hashlib.sha256(text.encode()).hexdigest() == receipt["digest"]
    read = decode_receipt(f'{{"digest":"{receipt["digest"]}","shards":{text}}}'.encode())
    assert [(each.group, each.shard) for each in read.shards] == [("machine_heat:v3", shard), ("hot_plant:v1", 0)]


def test_several_instances_are_answered_in_their_order(serving):
    others = [INSTANCE, INSTANCE | {"machine": "press|2"}, INSTANCE | {"celsius": 12.5}, INSTANCE]
    together = ask(serving, {"instances": others, "include_features": True}).json()["predictions"]
    alone = [ask(serving, {"instances": [each], "include_features": True}).json()["predictions"][0] for each in others]
    assert together == alone


def test_a_score_does_not_depend_on_which_requests_shared_a_round_trip(serving, store):
    """A matrix product adds in another order for one row than for several; so every row is scored alone."""
    bodies = [{"instances": [INSTANCE | {"celsius": 20 + number}]} for number in range(20)]

    async def at_once():
        async with serving() as client:
            store.asked.clear()
            gathered = await asyncio.gather(*(client.post(PATH, json=body) for body in bodies))
            trips = len(store.asked)
            alone = [await client.post(PATH, json=body) for body in bodies]
            return [each.json() for each in gathered], trips, [each.json() for each in alone]

    gathered, trips, alone = run(at_once())
    assert gathered == alone
    assert trips < len(bodies) / 2


def test_many_rows_are_computed_while_others_are(serving, monkeypatch):
    """The states of two large requests are read at the same time, in two threads, and each answer is as alone."""
    both, readers = threading.Barrier(2), set[int]()
    read_alone = EntityReader.read

    def read_together(self, stored, as_of_us):
        if len(as_of_us) > ENOUGH_ROWS:
            both.wait(60)
            readers.add(id(self))
        return read_alone(self, stored, as_of_us)

    rows = range(ENOUGH_ROWS + 1)
    bodies = [{"instances": [INSTANCE | {"celsius": 20 + number + row} for row in rows]} for number in range(2)]
    monkeypatch.setattr(waiting_requests, "_MOST_ROWS", len(rows))

    async def at_once():
        async with serving() as client:
            monkeypatch.setattr(EntityReader, "read", read_together)
            gathered = await asyncio.gather(*(client.post(PATH, json=body) for body in bodies))
            monkeypatch.setattr(EntityReader, "read", read_alone)
            return [each.json() for each in gathered], [(await client.post(PATH, json=body)).json() for body in bodies]

    gathered, alone = run(at_once())
    assert gathered == alone
    assert len(readers) == 2


def test_a_request_is_answered_whenever_it_comes_after_the_last_answer(serving):
    """Also in the turns of the event loop in which a round trip ends."""

    async def one_after_another():
        async with serving() as client:
            for turns in range(12):
                for _ in range(turns):
                    await asyncio.sleep(0)
                answer = await asyncio.wait_for(client.post(PATH, json={"instances": [INSTANCE]}), 60)
                assert answer.status_code == 200

    run(one_after_another())


def test_a_round_trip_reads_each_shard_once_with_its_meta_first(serving, store):
    ask(serving, {"instances": [INSTANCE, INSTANCE | {"machine": "press|2"}, INSTANCE | {"machine": "x"}]})
    _, reads = store.asked  # before it, whether the features of the model are live
    metas = [keys[0] for keys in reads]
    assert len(set(metas)) == len(metas)
    assert all(meta.endswith(b":meta") and all(b":e:" in key for key in rest) for meta, *rest in reads)
    assert all(key.startswith(keys[0].removesuffix(b"meta")) for keys in reads for key in keys)


def test_an_unknown_entity_gets_a_valid_prediction_from_empty_windows(serving):
    unknown = {"plant": "south", "machine": "none", "celsius": 20.0}
    answer = ask(serving, {"instances": [unknown, INSTANCE], "include_features": True}).json()
    first, second = answer["predictions"]
    assert first["missing_entities"] == ["machine_heat", "hot_plant"]
    assert second["missing_entities"] == []
    assert math.isfinite(first["score"])
    assert first["features"]["hot_plant__count_2h"] == 0.0
    assert first["features"]["machine_heat__celsius_mean_1h"] is None
    assert first["feature_age_seconds"] == {"machine_heat": None, "hot_plant": None}
    assert first["degraded"] is False


def test_a_value_of_another_build_is_a_missing_entity(serving, store):
    meta = meta_key(NAMESPACE, HOT_PLANT, 0)
    store.values[meta] = encode_meta(shard_meta(HOT_PLANT, 0, build_id=77))
    answer = ask(serving, {"instances": [INSTANCE]}).json()
    assert answer["predictions"][0]["missing_entities"] == ["hot_plant"]


def test_without_new_events_features_decay_to_empty(serving, clock):
    async def later():
        async with serving() as client:
            clock.push(timedelta(days=3))
            return (await client.post(PATH, json={"instances": [INSTANCE], "include_features": True})).json()

    answer = run(later())
    features = answer["predictions"][0]["features"]
    assert features["hot_plant__count_2h"] == 0.0
    assert features["machine_heat__celsius_mean_1h"] is None
    assert answer["predictions"][0]["missing_entities"] == []


def test_as_of_is_microseconds_or_rfc3339(serving):
    by_number = ask(serving, {"instances": [INSTANCE], "as_of": NOW_US, "include_features": True}).json()
    text = to_text(NOW_US).replace("Z", "+00:00")
    by_text = ask(serving, {"instances": [INSTANCE], "as_of": text, "include_features": True}).json()
    assert by_number == by_text
    assert by_number["as_of_us"] == NOW_US


def served_features(prediction: dict[str, Any]) -> bytes:
    floats = [np.nan if v is None else v for v in prediction["features"].values()]
    return np.asarray(floats, np.float32).tobytes()


def wanted_features(as_of_us: int) -> bytes:
    row: bytes = expected_matrix({**INSTANCE, "celsius": 712, "humidity": None}, as_of_us)[0].tobytes()
    return row


def test_an_instant_in_the_head_is_answered_exactly(serving):
    """Strictly before: an event at the instant itself does not count."""
    newest_us = NOW_US - 600_000_001  # of the first machine: event 1
    for as_of_us in (newest_us, newest_us + 1, NOW_US):
        body = {"instances": [INSTANCE], "as_of": as_of_us, "include_features": True}
        prediction = ask(serving, body).json()["predictions"][0]
        assert served_features(prediction) == wanted_features(as_of_us)
        age_s = prediction["feature_age_seconds"]["machine_heat"]
        if as_of_us > newest_us:
            assert age_s == (as_of_us - newest_us) / 1e6
        else:  # event 2, ten minutes earlier, lies in a tile of a minute or less
            assert 600 <= age_s < 660


def test_an_instance_that_names_its_event_is_answered_as_of_that_event(serving):
    """The newest event of the machine lies in the store already; asked about, neither it nor a later one counts."""
    newest_us = NOW_US - 600_000_001
    named = INSTANCE | {"at": to_text(newest_us)}
    answer = ask(serving, {"instances": [named, INSTANCE], "include_features": True}).json()
    assert answer["as_of_us"] == NOW_US
    about, now = answer["predictions"]
    assert about["as_of_us"] == newest_us
    assert served_features(about) == wanted_features(newest_us)
    assert "as_of_us" not in now
    assert served_features(now) == wanted_features(NOW_US)
    both = ask(serving, {"instances": [named], "as_of": NOW_US, "include_features": True}).json()["predictions"][0]
    assert served_features(both) == served_features(about)
    for as_of_us in (newest_us, newest_us - 1):  # one that names its event says its instant, also where it is not later
        one = ask(serving, {"instances": [named], "as_of": as_of_us}).json()
        assert (one["as_of_us"], one["predictions"][0]["as_of_us"]) == (as_of_us, as_of_us)


def test_an_instant_before_the_head_is_refused_with_the_first_that_can_be_had(serving):
    newest_us = NOW_US - 600_000_001
    first_us = newest_us - GROUPS[0].layout.head_us
    assert ask(serving, {"instances": [INSTANCE], "as_of": first_us}).status_code == 200
    response = ask(serving, {"instances": [INSTANCE], "as_of": NOW_US - 3_600_000_000})
    problem = response.json()
    assert (response.status_code, problem["type"], problem["path"]) == (422, "/docs#early-instant", "$.as_of")
    assert (problem["group"], problem["exact_from_us"]) == ("machine_heat:v3", first_us)
    assert f"It is exact for this entity from {to_text(first_us)} on" in problem["detail"]
    command = shlex.split(problem["detail"].partition("slow and exact: ")[2])
    assert command[:4] == ["./run", "stream", "history", "breakdown:v1"]
    replayed = read_request(BREAKDOWN, command[4], instant(command[6]))
    assert replayed.as_of_us.tolist() == [NOW_US - 3_600_000_000]
    assert [replayed.columns[name].tolist() for name in ("plant", "machine", "celsius")] == [
        ["north"],
        ["press|1"],
        [712],
    ]
    named = ask(serving, {"instances": [INSTANCE, INSTANCE | {"at": "2025-12-31T00:00:00Z"}]})
    assert (named.status_code, named.json()["path"]) == (422, "$.instances[1].at")


def test_an_entity_that_may_have_expired_is_not_answered_as_one_without_history(serving, store):
    """Nine days back, the machine may have had events whose key has expired since."""
    for shard in range(GROUPS[0].shards):
        vector = {of: at._replace(consumed_until_us=NOW_US) for of, at in shard_meta(GROUPS[0], shard).vector.items()}
        key = meta_key(NAMESPACE, GROUPS[0], shard)
        store.values[key] = encode_meta(shard_meta(GROUPS[0], shard, vector=vector))
    unknown = INSTANCE | {"machine": "never seen", "plant": "south"}
    recent = ask(serving, {"instances": [unknown], "as_of": NOW_US - GROUPS[0].readable_us})
    assert recent.json()["predictions"][0]["missing_entities"] == ["machine_heat", "hot_plant"]
    old = ask(serving, {"instances": [unknown], "as_of": NOW_US - 9 * 86_400_000_000})
    assert (old.status_code, old.json()["type"]) == (422, "/docs#early-instant")
    assert old.json()["exact_from_us"] == NOW_US - GROUPS[0].readable_us


def test_many_instances_are_answered_like_one(serving):
    """Beyond a few dozen rows the computing leaves the event loop's thread; the answer is the same."""
    answer = ask(serving, {"instances": [INSTANCE] * 200, "include_features": True}).json()
    one = ask(serving, {"instances": [INSTANCE], "include_features": True}).json()
    assert answer["predictions"] == one["predictions"] * 200
    assert answer["receipt"] == one["receipt"]


def test_what_is_stored_is_what_streaming_would_have_read(store):
    """The fixture's own check: a stored value decodes with its shard's build."""
    prefix = entity_prefix(NAMESPACE, HOT_PLANT, 0)
    state = TileState(HOT_PLANT.layout)
    slots = state.add(1)
    key, build_id = prefix + b"north", shard_meta(HOT_PLANT, 0).build_id
    assert decode_states(state, slots, [store.values[key]], build_id, owners_of([key])).all()
