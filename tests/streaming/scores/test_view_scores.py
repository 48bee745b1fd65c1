"""Every event of a view is scored once, as the endpoint answers a request that names it, bit for bit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from serving.app import create_app
from serving.settings import ServingSettings
from shared_features.definitions import FeatureView
from shared_features.errors import OnDemandError
from shared_features.feature_matrix import feature_matrix
from shared_features.formats.prediction_log import decode_matrix
from shared_features.formats.scored_event import ScoredEvent
from shared_features.stored_features import feature_vectors
from tests.domains.machines import BREAKDOWN
from tests.fakes import PushedClock
from tests.serving.asking import PATH
from tests.serving.conftest import NOW_US, asking
from tests.serving.published_models import logarithm, publish
from tests.serving.stored_states import NAMESPACE
from tests.streaming.scores.conftest import World
from tests.streaming.scores.scored_world import DEFINITIONS, ScoredWorld, instance, readings


def answers(world: ScoredWorld, events: Sequence[dict[str, Any]]) -> list[Any]:
    """What the endpoint answers to a request about each event, from the same Redis and registry."""
    given: dict[str, Any] = {
        "definitions": DEFINITIONS,
        "redis_url": world.store.url,
        "redis_namespace": NAMESPACE,
        "registry": world.registry,
        "serving_deadline_ms": 60_000,
        "serving_max_wait_ms": 60_000,
    }
    settings = ServingSettings(**given)

    async def asked() -> list[Any]:
        async with asking(create_app(settings, clock=PushedClock(NOW_US))) as client:
            bodies = ({"instances": [instance(each)], "include_features": True} for each in events)
            return [(await client.post(PATH, json=each)).json() for each in bodies]

    return asyncio.run(asked())


def assert_equal(scored: ScoredEvent, event: dict[str, Any], answer: Any) -> None:
    (prediction,) = answer["predictions"]
    assert (scored.score, scored.decision) == (prediction["score"], prediction["decision"])
    floats = [np.nan if value is None else value for value in prediction["features"].values()]
    seen = decode_matrix(scored.features, len(BREAKDOWN.columns))
    assert seen.tobytes() == np.array([floats], np.float32).tobytes()
    assert msgspec.json.decode(msgspec.json.encode(scored.receipt)) == answer["receipt"]
    assert {"name": scored.model, "version": scored.model_version} == answer["model"]
    assert (scored.view, scored.id, scored.as_of_us) == (answer["view"], event["reading"], event["at"])
    assert scored.entities["plant"] == event["plant"]


def test_every_event_has_the_score_that_the_endpoint_answers_bit_for_bit(world: World) -> None:
    """An event that came too late for what the store still tells has no score, where the endpoint refuses."""
    first, second = readings(80, late=8), readings(110)[80:]
    made = world(first, second)
    scores = made.open()
    scores.take([made.polled(0, -1, 40), made.polled(1, -1, 29)])
    scores.take([made.polled(0, 40, 79)])
    found = {(each.partition, each.offset): each for each in made.scores()}
    for number, count in ((0, 80), (1, 30)):
        assert [offset for partition, offset in found if partition == number] == list(range(count))
    assert len({each.score for each in found.values()}) > 60
    assert {each.decision for each in found.values()} == {True, False, msgspec.UNSET}
    refused = 0
    for number, some in enumerate((first, second)):
        for offset, (event, answer) in enumerate(zip(some, answers(made, some), strict=True)):
            scored = found[number, offset]
            if "predictions" in answer:
                assert scored.refused is msgspec.UNSET
                assert_equal(scored, event, answer)
            else:
                assert answer["type"] == "/docs#early-instant"
                assert scored.score is msgspec.UNSET
                assert str(scored.refused).startswith("too late: the features of ")
                refused += 1
    assert refused == 8
    samples = {"scored": 102, "refused": 8}
    for outcome, count in samples.items():
        labels = {"view": "breakdown", "outcome": outcome}
        assert made.metrics.registry.get_sample_value("streaming_scored_events_total", labels) == count


def test_an_event_waits_until_the_shards_of_its_entities_have_applied_it(world: World) -> None:
    """What is ready is written meanwhile; a log is scored in its order."""
    made = world()
    seen = []

    def stream() -> None:
        seen.append([each.offset for each in made.scores()])
        made.applied((3, 7, 11)[len(seen) - 1])

    made.applied(-1)
    scores = made.open(meanwhile=stream)
    scores.take([made.polled(0, -1, 11)])
    assert seen == [[], [0, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7]]
    found = made.scores()
    assert [each.offset for each in found] == list(range(12))
    for each in found:
        assert all(at.offset >= each.offset for shard in each.receipt.shards for at in shard.vector)  # type: ignore[union-attr]


def test_a_new_version_takes_over_between_two_transactions(world: World) -> None:
    made = world()
    scores = made.open()
    scores.take([made.polled(0, -1, 5)])
    publish(made.registry, BREAKDOWN, 1)
    scores.take([made.polled(0, 5, 11)])
    found = made.scores()
    assert [each.model_version for each in found] == [1] * 6 + [2] * 6
    assert {each.decision for each in found[6:]} == {msgspec.UNSET}, "this version has no threshold"
    for each, event, answer in zip(found[6:], made.events[0][6:], answers(made, made.events[0][6:]), strict=True):
        assert each.score == answer["predictions"][0]["score"], event


def test_an_event_for_which_the_model_gives_no_number_has_a_record_that_says_so(world: World) -> None:
    cold = [each | {"celsius": -10 if number == 1 else 100} for number, each in enumerate(readings(3))]
    made = world(cold, ())
    publish(made.registry, BREAKDOWN, graph=logarithm())
    made.open().take([made.polled(0, -1, 2)])
    found = made.scores()
    assert [each.refused for each in found] == [msgspec.UNSET, "the model gave no number", msgspec.UNSET]
    assert found[1].score is msgspec.UNSET


def test_an_event_that_an_on_demand_function_cannot_take_fails_no_other_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(view: FeatureView, request: dict[str, Any], *given: Any) -> Any:
        if 12.5 in request["celsius"].tolist():
            raise OnDemandError("on-demand function 'above_mean_1h' raises ValueError: not so cold")
        return feature_matrix(view, request, *given)

    monkeypatch.setattr(feature_vectors, "feature_matrix", raising)
    made = world([each | ({"celsius": 125} if number == 4 else {}) for number, each in enumerate(readings(9))], ())
    made.open().take([made.polled(0, -1, 8)])
    found = made.scores()
    assert [each.offset for each in found] == list(range(9))
    assert [each.offset for each in found if each.refused is not msgspec.UNSET] == [4]
    assert found[4].refused == "on-demand function 'above_mean_1h' raises ValueError: not so cold"
    assert (found[4].score, found[4].decision) == (msgspec.UNSET, msgspec.UNSET)
