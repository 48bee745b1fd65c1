"""An outage of stored features is a line of the log, and one for each group."""

import asyncio
from typing import Any

import redis
from structlog.testing import capture_logs

from deploy.embedded.redis_server import RedisServer
from serving.app import create_app
from serving.features.group_outage import GroupOutages
from serving.settings import ServingSettings
from tests.fakes import PushedClock
from tests.serving.conftest import INSTANCE, NOW_US, asking, machine_states
from tests.serving.stored_states import NAMESPACE

PATH = "/v1/views/breakdown:predict"


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
