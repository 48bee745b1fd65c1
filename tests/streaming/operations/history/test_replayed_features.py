"""A request is answered as of any instant from the stored events: by the oracle, and as serving answers it now."""

import json
import random
from datetime import date
from typing import Any

import numpy as np
import pytest
import redis

from serving.request.request_body import RequestBody
from shared_features.kernel.event_time import SECOND_US, to_text
from shared_features.stored_features.feature_vectors import FeatureVectors
from streaming.operations.retention.retain import delete_days
from tests.end_to_end.archived_truth import stored_events
from tests.streaming.operations.payments_history import LAST_US, as_served
from tests.streaming.operations.stored_world import DAY_US, START_US, StoredWorld, payment
from tests.streaming.small_domain import PAYMENTS, VIEW

REQUEST = {"payer": 7, "shop": "s1"}
KEYS = {"payer": "7", "shop": "s1"}


def asked(world: StoredWorld, request: Any, *arguments: str, code: int = 0) -> Any:
    return json.loads(world.run("history", "view", json.dumps(request), *arguments, "--json", code=code))["instances"]


def wanted(world: StoredWorld, as_of_us: int) -> dict[str, float | None]:
    """By the oracle, rounded to what a model sees."""
    found = {}
    for group in VIEW.groups:
        values = as_served(world, group, KEYS[group.entity.name], as_of_us)
        for feature, value in zip(group.features, values, strict=True):
            found[feature.full_name] = None if value is None else float(np.float32(value))
    return {column.name: found[column.name] for column in VIEW.columns}


def test_random_instants_are_answered_as_the_oracle_has_them(history: StoredWorld) -> None:
    chance = random.Random(8)
    times_us = stored_events(history.lake, PAYMENTS).batch.event_time_us.tolist()
    instants_us = [START_US + chance.randrange(90_000_000) for _ in range(12)]
    instants_us += [time + just for time, just in zip(chance.sample(times_us, 3), (0, 1, -1), strict=True)]
    named = [REQUEST | {"event_time": each} for each in instants_us if each < LAST_US]
    answers = asked(history, named)
    for found in answers:
        assert found["features"] == wanted(history, found["as_of_us"])
        assert found["lacks"] == []
    assert sum(found["features"]["shop_risk__bad_count_20s"] > 0 for found in answers) > 5


def test_now_it_gives_what_serving_gives(history: StoredWorld) -> None:
    history.run("bootstrap")
    as_of_us = LAST_US + SECOND_US
    vectors = FeatureVectors(VIEW, history.settings.redis_namespace)
    body = RequestBody(VIEW, 10)
    request = {"payer": 8, "shop": "s2"}
    columns = body.columns(body.decode(json.dumps({"instances": [request]}).encode()).instances)
    plan = vectors.plan(columns)
    with redis.Redis.from_url(history.settings.redis_url) as client:
        values = [client.mget(keys) for keys in plan.reads]
    served = vectors.compute(plan, values, np.array([as_of_us])).matrix[0]
    assert served[0] == 2, "both payments count"
    (found,) = asked(history, request, "--as-of", to_text(as_of_us), code=1)
    assert list(found["features"].values()) == [None if value != value else value for value in served.tolist()]
    assert found["lacks"], "the archive has not passed this instant"


def test_what_the_lake_lacks_ends_the_command_with_1(history: StoredWorld) -> None:
    assert delete_days(history.settings, PAYMENTS, date(2026, 1, 2)) > 60
    said = history.run("history", "view", json.dumps(REQUEST), "--as-of", to_text(START_US + DAY_US), code=1)
    assert "may not be exact: events of source payments that arrived before 2026-01-02T00:00:00Z were deleted" in said


def test_without_redis_it_is_said_that_gaps_are_not_known(history: StoredWorld) -> None:
    history.settings = history.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    said = history.run("history", "view", json.dumps(REQUEST), "--as-of", to_text(START_US + 50 * SECOND_US))
    assert "! whether Kafka deleted records before they were archived is not known. Redis is unavailable" in said
    assert "that had arrived by then, unless Kafka deleted records before they were archived" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("viw", "{}"), "There is no feature view 'viw'. There are: view:v1. Did you mean 'view'?"),
        (("view", '{"payer": 7}'), "Missing field shop at $.instances[0].shop"),
    ],
)
def test_what_cannot_be_asked_is_refused(history: StoredWorld, arguments: tuple[str, ...], words: str) -> None:
    assert words in history.run("history", *arguments, "--as-of", to_text(START_US), code=1)


SHOPS = [
    "O'Brien",
    'a"b',
    "a|b",
    "a\\b",
    "a\\|b",
    "a,shop=b",
    "a\nb",
    "a\x00b",
    "",
    " s ",
    "%",
    "é",
    "e\u0301",
    "😀",
    "NULL",
    "@f",
]


def test_a_key_of_any_text_means_itself_in_the_lake(world: StoredWorld) -> None:
    """Quotes, bars, backslashes, an empty text, two spellings of a letter: each shop sold once more than the last."""
    number = 0
    for times, shop in enumerate(SHOPS, 1):
        for _ in range(times):
            number += 1
            world.send("payments", [(START_US, payment(number, START_US, shop=shop))], number % 2)
    world.archive()
    as_of_us = START_US + SECOND_US
    found = asked(world, [{"payer": 1, "shop": shop} for shop in SHOPS], "--as-of", to_text(as_of_us), code=1)
    counts = [each["features"]["shop_use__count_1m"] for each in found]
    assert dict(zip(SHOPS, counts, strict=True)) == {shop: times for times, shop in enumerate(SHOPS, 1)}
