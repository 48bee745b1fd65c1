"""Features as of an earlier instant, replayed from the stored events, are what was served; or it is said why not."""

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.kafka_simulator import KafkaSimulator
from deploy.embedded.redis_server import RedisServer
from shared_features.kernel.event_time import SECOND_US, to_text
from streaming.operations.retention.retain import delete_days
from tests import oracle
from tests.end_to_end.stored_truth import stored_events
from tests.streaming.operations.stored_world import DAY_US, START_US, StoredWorld, payment, stored_settings
from tests.streaming.small_domain import PAYER, PAYMENTS
from tests.taken_events import rows_of, taken

LAST_US = START_US + DAY_US + 90 * SECOND_US


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[StoredWorld]:
    """Payments of payer 7 over ninety seconds: late, ahead, at one time, and twice. Two payments of a day later."""
    with KafkaSimulator({"payments": 2, "outcomes": 1}) as simulator:
        folder = tmp_path_factory.mktemp("history")
        world = StoredWorld(simulator, stored_settings(simulator.bootstrap_servers, redis_server.url, folder))
        chance = random.Random(5)
        stamps_us = sorted(START_US + chance.randrange(90_000) * 1000 for _ in range(60))
        for number, stamp_us in enumerate(stamps_us):
            at_us = stamp_us + chance.choice((-1, -1_000_000, -25_000_000, 3_000_000, 0))
            sent = (stamp_us, payment(number, at_us, 7, amount=chance.randrange(10_000) / 100))
            world.send("payments", [sent, sent][: chance.choice((1, 1, 2))], number % 2)
        for partition in (0, 1):
            world.send("payments", [(LAST_US, payment(900 + partition, LAST_US, 8))], partition)
        world.archive()
        yield world


@pytest.fixture
def stored(kept: StoredWorld, tmp_path: Path) -> StoredWorld:
    """The same, with a lake of the test's own."""
    shutil.copytree(kept.lake, tmp_path / "lake")
    own = {"lake": tmp_path / "lake", "redis_namespace": tmp_path.name}
    return replace(kept, settings=kept.settings.model_copy(update=own))


def asked(world: StoredWorld, as_of_us: int) -> Any:
    told = world.run("inspect", "payer", "7", "--as-of", to_text(as_of_us), "--group", "payer:v1", "--json")
    return json.loads(told)["groups"][0]


def as_served(world: StoredWorld, as_of_us: int, lag_us: int = 0) -> list[float | None]:
    """By the oracle, of the events that had happened and had arrived by then."""
    found = stored_events(world.lake, PAYMENTS)
    events = [
        event
        for row, key, event in taken(PAYER, PAYMENTS, rows_of(found.batch))
        if key == "7" and max(found.arrival_us[row] + lag_us, event.event_time_us + 1) <= as_of_us
    ]
    values = [oracle.value(PAYER.layout, feature, events, as_of_us) for feature in PAYER.layout.features]
    return [None if value != value else value for value in values]


def test_an_instant_of_history_is_answered_exactly_from_the_stored_events(stored: StoredWorld) -> None:
    chance = random.Random(6)
    times_us = sorted(stored_events(stored.lake, PAYMENTS).batch.event_time_us.tolist())
    instants_us = [START_US + chance.randrange(90_000_000) for _ in range(9)]
    instants_us += [time + just for time, just in zip(chance.sample(times_us[:-3], 3), (0, 1, -1), strict=True)]
    for as_of_us in instants_us:
        group = asked(stored, as_of_us)
        assert [each["as_served"] for each in group["features"]] == as_served(stored, as_of_us)
        assert group["as_served_lacks"] == []
    different = sum(as_served(stored, each) != as_served(stored, each, 10 * SECOND_US) for each in instants_us)
    assert different > 3, "arrival decides in some of the instants"


def test_the_lag_of_the_pipeline_counts_as_in_training(stored: StoredWorld) -> None:
    stored.settings = stored.settings.model_copy(update={"pipeline_lag": timedelta(seconds=10)})
    as_of_us = START_US + 50 * SECOND_US
    group = asked(stored, as_of_us)
    assert [each["as_served"] for each in group["features"]] == as_served(stored, as_of_us, 10 * SECOND_US)
    assert as_served(stored, as_of_us) != as_served(stored, as_of_us, 10 * SECOND_US)


def test_what_the_lake_lacks_of_an_instant_is_said(stored: StoredWorld) -> None:
    now_us = START_US + 10_000 * DAY_US
    (lacking,) = asked(stored, now_us)["as_served_lacks"]
    assert lacking.startswith("the archive of source payments is complete up to 20")
    told = stored.run("inspect", "payer", "7", "--as-of", to_text(now_us))
    assert "as served: may not be exact, the archive of source payments is complete up to" in told
    assert "as served: exact." in stored.run("inspect", "payer", "7", "--as-of", to_text(START_US + SECOND_US))


def test_days_that_were_deleted_are_said(stored: StoredWorld) -> None:
    assert delete_days(stored.settings, PAYMENTS, date(2026, 1, 2)) > 60
    assert asked(stored, START_US + DAY_US + 70 * SECOND_US)["as_served_lacks"] == []
    (lacking,) = asked(stored, START_US + DAY_US + 60 * SECOND_US)["as_served_lacks"]
    assert lacking == "events of source payments that arrived before 2026-01-02T00:00:00Z were deleted by `retain`"


def test_an_erased_entity_is_said(stored: StoredWorld) -> None:
    stored.run("bootstrap")
    stored.run("erase", "--entity", "payer", "--key", "7", "--execute")
    group = asked(stored, START_US + 50 * SECOND_US)
    assert group["features"][0]["as_served"] == 0
    assert "the entity was erased on request: its events of before are in neither store" in group["notes"]
