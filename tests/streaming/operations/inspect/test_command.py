"""`inspect` on real stores: what the archive stored, and the states that bootstrap built from it."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from shared_features.kernel.event_time import SECOND_US, to_text
from tests import oracle
from tests.streaming.operations.stored_world import START_US, StoredWorld, payment
from tests.streaming.small_domain import PAYER
from tests.taken_events import digest_of

NOW_US = START_US + 60 * SECOND_US
TIMES_US = [START_US + number * SECOND_US for number in (0, 30, 41, 45, 58, 59)]


@pytest.fixture
def stored(world: StoredWorld) -> StoredWorld:
    """Six events of payer 7, stored and in Redis; one of payer 8."""
    for number, at_us in enumerate(TIMES_US):
        world.send("payments", [(at_us, payment(number, at_us, 7, amount=number + 0.5))], number % 2)
    world.send("payments", [(START_US, payment(99, START_US, 8))])
    world.archive()
    world.run("bootstrap")
    return world


def inspected(world: StoredWorld, *arguments: str, as_of_us: int = NOW_US, code: int = 0) -> Any:
    given = ("inspect", "payer", "7", "--as-of", to_text(as_of_us), "--json", *arguments)
    return json.loads(world.run(*given, code=code))["groups"][0]


def wanted(as_of_us: int, times_us: list[int]) -> list[float | None]:
    """Every number of the group by the oracle; None for a text, which the test does not spell."""
    events = [
        oracle.Event(at_us, digest_of(("x", ("n", n)), several=False), (50 + 100 * n, 0), (True, False))
        for n, at_us in enumerate(TIMES_US)
        if at_us in times_us
    ]
    found = [oracle.value(PAYER.layout, each, events, as_of_us) for each in PAYER.layout.features]
    return [None if value != value else value for value in found]


def test_redis_and_lake_agree_with_the_oracle_feature_by_feature(stored: StoredWorld) -> None:
    group = inspected(stored)
    assert {each["verdict"] for each in group["features"]} == {"equal"}
    assert [each["redis"] for each in group["features"]] == wanted(NOW_US, TIMES_US)
    assert [each["lake"] for each in group["features"]] == wanted(NOW_US, TIMES_US)
    assert [each["event_time_us"] for each in group["events"]] == TIMES_US[::-1]
    assert [each["in_redis"] for each in group["events"]][:2] == ["head", "head"]
    assert len(group["redis"]["head"]) + sum(each["events"] for each in group["redis"]["tiles"]) == len(TIMES_US)


def test_events_that_redis_has_not_applied_are_named_and_not_compared(stored: StoredWorld) -> None:
    stored.send("payments", [(NOW_US, payment(50, NOW_US - 1, 7))])
    stored.archive()
    group = inspected(stored)
    assert {each["verdict"] for each in group["features"]} == {"equal"}
    assert group["notes"] == ["1 event of this entity in the lake: not applied to Redis yet"]
    assert group["events"][0]["in_redis"] == "not yet"


def test_a_lake_that_is_behind_is_a_reason_to_differ(stored: StoredWorld) -> None:
    shutil.copytree(stored.lake, before := stored.lake.parent / "before")
    stored.send("payments", [(NOW_US, payment(50, NOW_US - 1, 7))])
    stored.archive()
    stored.settings = stored.settings.model_copy(update={"redis_namespace": f"{stored.settings.redis_namespace}-2"})
    stored.run("bootstrap")
    stored.settings = stored.settings.model_copy(update={"lake": before})
    group = inspected(stored)
    assert "differs" in {each["verdict"] for each in group["features"]}
    assert group["reasons"] == [
        "the lake holds payments:0 up to offset 3, Redis has applied it up to 4: "
        "the archive has not stored the rest yet"
    ]
    assert "a difference can be legitimate: the lake holds payments:0" in stored.run(
        "inspect", "payer", "payer=7", "--as-of", to_text(NOW_US)
    )


def test_an_early_instant_is_answered_from_the_lake(stored: StoredWorld) -> None:
    as_of_us = TIMES_US[3]
    group = inspected(stored, as_of_us=as_of_us)
    assert {each["redis"] for each in group["features"]} == {None}
    assert [each["lake"] for each in group["features"]] == wanted(as_of_us, TIMES_US[:3])
    assert "Redis cannot answer exactly as of so early an instant; the lake can" in group["notes"]


def test_an_entity_without_state_and_wrong_names_say_so(stored: StoredWorld) -> None:
    assert "no state: Redis has no such key" in stored.run("inspect", "payer", "12345")
    assert "no entity 'payr'. Did you mean 'payer'?" in stored.run("inspect", "payr", "7", code=1)
    assert "Or write the key as payer=..." in stored.run("inspect", "payer", "seven", code=1)
    assert "has no group 'payr:v1'. Did you mean 'payer:v1'?" in stored.run(
        "inspect", "payer", "7", "--group", "payr:v1", code=1
    )


def test_the_other_store_is_shown_while_one_is_unavailable(stored: StoredWorld) -> None:
    stored.settings = stored.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    said = stored.run("inspect", "payer", "7", "--as-of", to_text(NOW_US))
    assert "! Redis: " in said
    assert "not compared" in said
