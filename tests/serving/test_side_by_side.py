"""A model whose features are not live yet waits, and the one before answers; on a real Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from deploy.embedded.redis_server import RedisServer
from serving.app import create_app
from serving.settings import ServingSettings
from shared_features.definitions import FeatureGroup, load_definitions
from shared_features.formats.online_state import meta_key
from shared_features.formats.shard_meta import VectorEntry
from shared_features.formats.shard_meta_bytes import encode_meta
from tests.domains.probes_grown import PROBE, PROBE_2, PROBE_ALARM, PROBE_ALARM_2, PROBE_PEAK
from tests.fakes import PushedClock
from tests.serving.conftest import NOW_US
from tests.serving.published_models import publish
from tests.serving.stored_states import NAMESPACE, event_batch, shard_meta, stored_states
from training.registry.aliases import Aliases
from training.registry.versions import Registry

DOMAIN = "tests.domains.probes_grown"
GROUPS = load_definitions(DOMAIN).groups
SAMPLES = PROBE_ALARM.source
INSTANCE = {"probe": "p1", "value": 4.5}


class Online:
    """The online store as the stream would write it."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        rows = [
            {"sample": f"s{number}", "at": NOW_US - number * 600_000_000 - 1, "probe": "p1", "value": number}
            for number in range(20)
        ]
        client.mset(stored_states(GROUPS, [event_batch(SAMPLES, rows)]))

    def put(self, group: FeatureGroup, shard: int, **changed: Any) -> None:
        self._client.set(meta_key(NAMESPACE, group, shard), encode_meta(shard_meta(group, shard, **changed)))

    def drop(self, group: FeatureGroup, shard: int) -> None:
        self._client.delete(meta_key(NAMESPACE, group, shard))


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def online(server: RedisServer) -> Iterator[Online]:
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
        yield Online(client)


class Asking:
    """What clients see of one running service."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def predict(self, name: str = "probe_alarm") -> httpx.Response:
        return await self._client.post(f"/v1/views/{name}:predict", json={"instances": [INSTANCE]})

    async def answers(self, name: str = "probe_alarm") -> tuple[str, int]:
        """View and model version of an answer."""
        response = await self.predict(name)
        assert response.status_code == 200, response.text
        return response.json()["view"], response.json()["model"]["version"]

    async def health(self) -> tuple[int, list[str], list[str]]:
        response = await self._client.get("/health/ready")
        return response.status_code, response.json()["missing"], response.json()["waiting"]

    async def until(self, done: Callable[[], Awaitable[bool]]) -> None:
        deadline_s = time.monotonic() + 60
        while not await done():
            assert time.monotonic() < deadline_s, await self.health()
            await asyncio.sleep(0.05)

    async def until_waiting(self, says: str) -> None:
        async def waits() -> bool:
            return any(says in each for each in (await self.health())[2])

        await self.until(waits)

    async def until_answers(self, view: str, version: int) -> None:
        async def does() -> bool:
            response = await self.predict()
            found = response.json()
            return response.status_code == 200 and (found["view"], found["model"]["version"]) == (view, version)

        await self.until(does)


@asynccontextmanager
async def serving(server: RedisServer, registry: Path, **changed: Any) -> AsyncIterator[Asking]:
    settings = ServingSettings(
        definitions=DOMAIN,
        redis_namespace=NAMESPACE,
        redis_url=server.url,
        registry=registry,
        model_poll_s=0.05,
        serving_deadline_ms=2_000,
        **changed,
    )
    app = create_app(settings, clock=PushedClock(NOW_US))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://serving")
    async with app.router.lifespan_context(app), client:
        yield Asking(client)


def test_a_new_version_answers_when_every_shard_it_reads_is_live(server: RedisServer, online: Online, tmp_path: Path):
    async def story() -> None:
        publish(tmp_path, PROBE_ALARM)
        publish(tmp_path, PROBE_PEAK)
        async with serving(server, tmp_path) as asking:
            online.drop(PROBE_2, 0)
            online.put(PROBE_2, 1, behind=True)
            publish(tmp_path, PROBE_ALARM_2, 1)
            await asking.until_waiting("Model probe_alarm 2 of view probe_alarm:v2 waits for its features, model ")
            assert await asking.answers() == ("probe_alarm:v1", 1)
            assert (await asking.health())[:2] == (200, [])  # the one that answers lacks nothing
            refused = await asking.predict("probe_alarm:v2")
            assert (refused.status_code, refused.json()["type"]) == (503, "/docs#catching-up")
            assert "Model probe_alarm 2 waits for its features: probe_level:v2 was never" in refused.json()["detail"]
            online.put(PROBE_2, 0, fingerprint="0" * 16)
            await asking.until_waiting("shard 0 of probe_level:v2 was written under another definition")
            online.put(PROBE_2, 0)
            await asking.until_waiting("still answers: shard 1 of probe_level:v2 is being rebuilt")
            assert await asking.answers() == ("probe_alarm:v1", 1)
            online.put(PROBE_2, 1)
            await asking.until_answers("probe_alarm:v2", 2)
            assert await asking.health() == (200, [], [])
            assert await asking.answers("probe_alarm:v1") == ("probe_alarm:v1", 1)  # who asks for it by its version

    asyncio.run(story())


def test_a_rollback_waits_for_the_features_of_the_version_before(server: RedisServer, online: Online, tmp_path: Path):
    async def story() -> None:
        first, second = publish(tmp_path, PROBE_ALARM), publish(tmp_path, PROBE_ALARM_2, 1)
        publish(tmp_path, PROBE_PEAK)
        async with serving(server, tmp_path) as asking:
            assert await asking.answers() == ("probe_alarm:v2", second)
            online.put(PROBE.parts[0], 1, behind=True)
            Aliases(Registry(tmp_path)).promote("probe_alarm", first)
            await asking.until_waiting(f"Model probe_alarm {first} of view probe_alarm:v1 waits")
            assert await asking.answers() == ("probe_alarm:v2", second)
            online.put(PROBE.parts[0], 1)
            await asking.until_answers("probe_alarm:v1", first)

    asyncio.run(story())


def test_another_model_of_the_same_view_waits_too_while_a_shard_is_behind(
    server: RedisServer, online: Online, tmp_path: Path
):
    async def story() -> None:
        publish(tmp_path, PROBE_ALARM)
        async with serving(server, tmp_path) as asking:
            online.put(PROBE.parts[0], 0, behind=True)
            publish(tmp_path, PROBE_ALARM, 1)
            await asking.until_waiting("Model probe_alarm 2 of view probe_alarm:v1 waits")
            online.put(PROBE.parts[0], 0)
            await asking.until_answers("probe_alarm:v1", 2)

    asyncio.run(story())


def test_with_nothing_before_it_requests_are_told_what_it_waits_for(
    server: RedisServer, online: Online, tmp_path: Path
):
    async def story() -> None:
        publish(tmp_path, PROBE_PEAK)
        added = PROBE.parts[1]
        online.put(added, 1, behind=True)
        async with serving(server, tmp_path) as asking:
            refused = await asking.predict("probe_peak")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert refused.json()["group"] == "probe_level+1"
            assert "shard 1 of probe_level:v1+1 is being rebuilt" in refused.json()["detail"]
            status, missing, waiting = await asking.health()
            assert status == 503
            assert any("probe_level:v1+1" in each for each in missing)
            assert "no model answers" in waiting[0]
            online.put(added, 1)

            async def answers() -> bool:
                return (await asking.predict("probe_peak")).status_code == 200

            await asking.until(answers)

    asyncio.run(story())


def test_an_addition_is_served_with_its_own_freshness_and_receipt(server: RedisServer, online: Online, tmp_path: Path):
    async def story() -> None:
        publish(tmp_path, PROBE_PEAK)
        async with serving(server, tmp_path) as asking:
            answer = (await asking.predict("probe_peak")).json()
            (prediction,) = answer["predictions"]
            assert prediction["feature_age_seconds"].keys() == {"probe_level", "probe_level+1"}
            assert answer["freshness_seconds"].keys() == {"probe_level", "probe_level+1"}
            groups = [shard["group"] for shard in answer["receipt"]["shards"]]
            assert groups == ["probe_level:v1", "probe_level:v1+1"]

    asyncio.run(story())


def test_where_degraded_answers_are_allowed_the_first_model_does_not_wait(
    server: RedisServer, online: Online, tmp_path: Path
):
    async def story() -> None:
        publish(tmp_path, PROBE_PEAK)
        for shard in (0, 1):
            online.put(PROBE.parts[1], shard, behind=True)
        async with serving(server, tmp_path, allow_degraded=True) as asking:
            answer = (await asking.predict("probe_peak")).json()
            assert answer["degraded"] is True

    asyncio.run(story())


def test_not_ready_while_nothing_answers_because_features_have_to_catch_up(
    server: RedisServer, online: Online, tmp_path: Path
):
    def at(offset: int, shard: int, until_us: int = NOW_US) -> None:
        vector = {(SAMPLES.topic, "topic-id", partition): VectorEntry(offset, until_us) for partition in (0, 1)}
        online.put(PROBE.parts[0], shard, vector=vector)

    async def story() -> None:
        publish(tmp_path, PROBE_PEAK)
        at(1, 0, NOW_US - 3_600_000_000)
        at(9, 1)
        async with serving(server, tmp_path) as asking:
            status, missing, _ = await asking.health()
            assert status == 503
            assert any("up to offset 1, others up to" in each for each in missing)
            assert (await asking.predict("probe_peak")).status_code == 503
            at(11, 0)
            at(11, 1)

            async def ready() -> bool:
                return (await asking.health())[0] == 200

            await asking.until(ready)
            assert await asking.answers("probe_peak") == ("probe_peak:v1", 1)

    asyncio.run(story())


def test_a_service_that_starts_anew_after_the_stream_was_killed_answers_as_the_one_before_does(
    server: RedisServer, online: Online, tmp_path: Path
):
    """One shard had committed three events more than the other. So a restart of serving became an outage."""

    def at(offset: int, shard: int, until_us: int) -> None:
        vector = {(SAMPLES.topic, "topic-id", partition): VectorEntry(offset, until_us) for partition in (0, 1)}
        for group in GROUPS:
            online.put(group, shard, vector=vector)

    async def story() -> None:
        publish(tmp_path, PROBE_PEAK)
        at(20, 0, NOW_US)
        at(20, 1, NOW_US)
        async with serving(server, tmp_path) as before:
            at(23, 0, NOW_US + 2_000_000)
            old = await before.predict("probe_peak")
            async with serving(server, tmp_path) as after:
                new = await after.predict("probe_peak")
        assert (old.status_code, new.status_code) == (200, 200)
        assert new.json()["predictions"] == old.json()["predictions"]

    asyncio.run(story())
