"""What Prometheus sees of serving."""

import asyncio

from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta import VectorEntry
from shared_features.formats.shard_meta_bytes import encode_meta
from tests.domains.machines import HOT_PLANT
from tests.serving.conftest import GROUPS, INSTANCE, NOW_US
from tests.serving.stored_states import NAMESPACE, shard_meta

PATH = "/v1/views/breakdown:predict"


def test_metrics_count_answers_by_status_ages_and_missing_entities(serving):
    async def requests():
        async with serving() as client:
            for body in (INSTANCE, INSTANCE, INSTANCE | {"plant": "south"}, {}):
                await client.post(PATH, json={"instances": [body]})
            await client.post("/v1/views/none:predict", json={})
            return (await client.get("/metrics")).text

    text = asyncio.run(requests())
    for line in (
        'serving_requests_total{problem="",status="200",view="breakdown:v1"} 3.0',
        'serving_requests_total{problem="invalid-request",status="422",view="breakdown:v1"} 1.0',
        'serving_requests_total{problem="unknown-view",status="404",view=""} 1.0',
        'serving_feature_age_seconds_count{group="machine_heat"} 2.0',
        'serving_missing_entities_total{group="hot_plant"} 1.0',
        'serving_unreadable_states_total{group="machine_heat"} 0.0',
        'serving_model_info{model="breakdown",version="1",view="breakdown:v1"} 1.0',
        "serving_batch_instances_sum 3.0",
    ):
        assert line in text, line


def test_each_503_is_counted_by_its_reason(serving, store, tmp_path):
    """All had one label: an alert could not tell a Redis that is away from a model that is not there."""

    async def requests():
        async with serving() as client:
            store.away = "gone"
            await client.post(PATH, json={"instances": [INSTANCE]})
            store.away = None
            del store.values[meta_key(NAMESPACE, HOT_PLANT, 0)]
            await client.post(PATH, json={"instances": [INSTANCE]})
            return (await client.get("/metrics")).text

    text = asyncio.run(requests())
    for problem in ("online-store-unavailable", "catching-up"):
        assert f'serving_requests_total{{problem="{problem}",status="503",view="breakdown:v1"}} 1.0' in text


def freshness_of(text):
    lines = [line for line in text.splitlines() if line.startswith("serving_freshness_seconds{")]
    return {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines}


def test_freshness_is_that_of_the_shard_that_is_furthest_behind_without_any_request(serving, store, clock):
    def applied(group, shard, until_us):
        vector = {(source.topic, "id", 0): VectorEntry(9, until_us) for source in group.sources}
        store.values[meta_key(NAMESPACE, group, shard)] = encode_meta(shard_meta(group, shard, vector=vector))

    async def scrapes():
        async with serving() as client:
            for group in GROUPS:
                for shard in range(group.shards):
                    applied(group, shard, NOW_US - 2_500_000)
            applied(GROUPS[0], 1, NOW_US - 40_000_000)
            running = (await client.get("/metrics")).text
            store.values.clear()
            flushed = (await client.get("/metrics")).text
            store.away = "gone"
            away = await client.get("/metrics")
            return running, flushed, away.text

    running, flushed, away = map(freshness_of, asyncio.run(scrapes()))
    assert running == {"machine_heat": 40.0, "hot_plant": 2.5}
    assert flushed == away == {"machine_heat": float("inf"), "hot_plant": float("inf")}
