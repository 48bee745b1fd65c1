"""Where scoring begins, and goes on: no event twice, none left out, whatever was kept."""

from __future__ import annotations

import json

import pytest

from deploy.embedded.kafka.kafka_simulator import KafkaSimulator
from shared_features.definitions import load_definitions
from streaming.errors import RefusedError
from streaming.kafka.brokers.topics import Topics
from streaming.scores.opened_view import scored_views
from streaming.settings import load_settings
from tests.domains.machines import READINGS
from tests.end_to_end.job import produce
from tests.serving.stored_states import NAMESPACE
from tests.streaming.scores.conftest import World
from tests.streaming.scores.scored_world import DEFINITIONS, readings

KEPT = f"{NAMESPACE}:scores:breakdown"


@pytest.mark.parametrize("redis_keeps", [True, False])
def test_a_process_that_starts_goes_on_behind_the_last_score(world: World, redis_keeps: bool) -> None:
    """The scores say how far they have come: an earlier process was killed before it kept that in Redis."""
    made = world(readings(8), readings(12)[8:])
    made.open().take([made.polled(0, -1, 4), made.polled(1, -1, 1)])
    if not redis_keeps:
        made.client.delete(KEPT)
    again = made.view()
    scores = again.open(made.measures, lambda: None)
    assert {number: offset for (_, _, number), offset in again.positions.items()} == {0: 4, 1: 1}
    scores.take([made.polled(0, -1, 7), made.polled(1, 0, 3)])
    found = [(each.partition, each.offset) for each in made.scores()]
    assert sorted(found) == [(0, offset) for offset in range(8)] + [(1, offset) for offset in range(4)]


def test_at_the_first_start_what_arrives_from_then_on_is_scored(world: World) -> None:
    made = world()
    with KafkaSimulator({READINGS.topic: 2, made.topic: 2}) as other:
        made.kafka = other
        produce(other.bootstrap_servers, [(READINGS.topic, b"k", b"{}", 0)] * 5)
        view = made.view()
        view.open(made.measures, lambda: None)
        ends = Topics(made.settings).bounds([(READINGS.topic, 0), (READINGS.topic, 1)])
    assert sum(log.high for log in ends.values()) == 5
    assert [offset for _, offset in sorted(view.positions.items())] == [log.high - 1 for log in ends.values()]


def test_where_the_scores_were_deleted_what_redis_keeps_counts(world: World) -> None:
    made = world()
    made.open().take([made.polled(0, -1, 11)])
    made.kafka.delete_records(made.topic, 0, Topics(made.settings).bounds([(made.topic, 0)])[made.topic, 0].high)
    assert made.scores() == []
    made.open().take([made.polled(0, -1, 11)])
    assert made.scores() == []


def test_scores_of_another_topic_of_events_are_refused(world: World) -> None:
    """The topic was deleted and re-created: its offsets name other events."""
    made = world()
    made.open().take([made.polled(0, -1, 3)])
    made.client.set(KEPT, json.dumps([[READINGS.topic, "an earlier id", 0, 3]]))
    with pytest.raises(RefusedError, match="re-created, or the view has another source"):
        made.open()


def test_a_topic_of_scores_with_too_few_partitions_is_refused(world: World) -> None:
    made = world()
    made.topic = f"{made.topic}-narrow"
    made.kafka.create_topic(made.topic, 1)
    with pytest.raises(RefusedError, match="has 1 partitions, and the events of view breakdown come in 2"):
        made.open()


@pytest.mark.parametrize(
    ("topics", "words"),
    [
        ({"breakdwn": "scores"}, "names view 'breakdwn', and the definitions have breakdown. Did you mean"),
        ({"breakdown": READINGS.topic}, "topic 'plant.readings', which has other records"),
        ({"breakdown": "predictions"}, "topic 'predictions', which has other records"),
    ],
)
def test_a_setting_that_cannot_be_right_is_refused(topics: dict[str, str], words: str) -> None:
    settings = load_settings(score_topics=topics, prediction_log_topic="predictions")
    with pytest.raises(RefusedError, match=words):
        scored_views(settings, load_definitions(DEFINITIONS))
