"""An outage of stored features is a line of the log, and one for each group; the answer names it, and other requests
are answered.
"""

import asyncio
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from deploy.embedded.redis_server import RedisServer
from serving.app import create_app
from serving.features.group_outage import GroupOutages
from serving.settings import ServingSettings
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta_bytes import encode_meta
from tests.domains.machines import HOT_PLANT
from tests.fakes import PushedClock
from tests.serving.asking import PATH, ask, problem
from tests.serving.conftest import INSTANCE, NOW_US, asking, machine_states
from tests.serving.stored_states import NAMESPACE, shard_meta


def test_flushall_is_one_line_for_each_group_and_so_is_its_end(published):
    """Every request was a 503, and the log said nothing."""

    async def story(server, client):
        given: dict[str, Any] = {
            "definitions": "tests.domains.machines",
            "redis_namespace": NAMESPACE,
            "redis_url": server.url,
            "registry": published,
            "serving_deadline_ms": 60_000,
            "serving_max_wait_ms": 60_000,
        }
        async with asking(create_app(ServingSettings(**given), clock=PushedClock(NOW_US))) as asked:
            body = {"instances": [INSTANCE, INSTANCE | {"machine": "press|2"}]}
            statuses = []
            for spoil in (lambda: None, client.flushall, lambda: client.mset(machine_states())):
                spoil()
                for _ in range(3):
                    statuses.append((await asked.post(PATH, json=body)).status_code)
                    await asked.get("/health/ready")  # reads every shard
            return statuses

    with RedisServer() as server, redis.Redis.from_url(server.url) as client, capture_logs() as lines:
        client.mset(machine_states())
        statuses = asyncio.run(story(server, client))
    assert statuses == [200] * 3 + [503] * 3 + [200] * 3
    told = [(line["event"], line["group"]) for line in lines if line["event"].endswith(("of a group", "group again"))]
    groups = ["hot_plant:v1", "machine_heat:v3"]
    assert sorted(told[:2]) == [("missing the stored features of a group", each) for each in groups]
    assert sorted(told[2:]) == [("reading the stored features of a group again", each) for each in groups]
    began = next(line for line in lines if line["event"] == "missing the stored features of a group")
    assert "was never streamed to the online store" in began["reason"]


def test_views_that_read_one_group_share_its_line():
    outages = GroupOutages()
    with capture_logs() as lines:
        for _ in range(2):
            outages.of("heat:v1").read(0, "is being rebuilt")
            outages.of("heat:v1").read(1, "is being rebuilt")
        outages.of("heat:v1").read(0, None)
        assert len(lines) == 1
        outages.of("heat:v1").read(1, None)
    assert [(line["log_level"], line["group"]) for line in lines] == [("warning", "heat:v1"), ("info", "heat:v1")]


def test_a_group_that_was_never_streamed_is_503_catching_up(serving, store):
    del store.values[meta_key(NAMESPACE, HOT_PLANT, 0)]
    members = problem(ask(serving, {"instances": [INSTANCE]}), "catching-up")
    assert members["group"] == "hot_plant"
    assert "python -m streaming run" in members["detail"]


def test_a_shard_that_is_behind_is_503_catching_up(serving, store):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 0, behind=True))
    assert "caught up" in problem(ask(serving, {"instances": [INSTANCE]}), "catching-up")["detail"]


def test_a_shard_of_another_definition_is_not_served_from(serving, store):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 0, fingerprint="other"))
    assert "another definition" in problem(ask(serving, {"instances": [INSTANCE]}), "catching-up")["detail"]


DAMAGES = {
    "schema": lambda value: b"\xfe" + value[1:],
    "build": lambda value: value[:1] + bytes([value[1] ^ 1]) + value[2:],
    "cut": lambda value: value[:-1],
    "a bit": lambda value: value[:-9] + bytes([value[-9] ^ 4]) + value[-8:],
    "x": lambda value: b"x",
    "empty": lambda value: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_entity_spoils_only_the_requests_that_name_it(serving, store, damage):
    key = next(key for key in store.values if b":e:" in key and key.endswith(b"press\\|1"))
    store.values[key] = damage(store.values[key])
    with capture_logs() as lines:
        members = problem(ask(serving, {"instances": [INSTANCE]}), "unreadable-state")
    assert "cannot be read" in members["detail"]
    assert members["group"] == "machine_heat"
    assert [(line["log_level"], line["key"]) for line in lines if line["log_level"] == "error"] == [
        ("error", key.decode())
    ]

    async def together():
        async with serving() as client:
            good = INSTANCE | {"machine": "press|2"}
            return await asyncio.gather(*(client.post(PATH, json={"instances": [each]}) for each in (INSTANCE, good)))

    bad, good = asyncio.run(together())
    assert (bad.status_code, good.status_code) == (503, 200)


def test_the_meta_of_another_shard_is_not_served_from(serving, store):
    store.values[meta_key(NAMESPACE, HOT_PLANT, 0)] = encode_meta(shard_meta(HOT_PLANT, 1))
    with capture_logs() as lines:
        members = problem(ask(serving, {"instances": [INSTANCE]}), "unreadable-state")
    assert ":1}:meta" in members["detail"]
    assert [line["event"] for line in lines if line["log_level"] == "error"] == [
        "refusing a shard whose meta cannot be read"
    ]
