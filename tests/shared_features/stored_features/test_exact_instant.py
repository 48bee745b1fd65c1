"""From which instant on stored features are exact: one microsecond too early is an answer that is not as of then."""

from typing import Any

from shared_features.formats.shard_meta import VectorEntry
from shared_features.formats.shard_meta_bytes import encode_meta
from shared_features.kernel.event_time import MINUTE_US
from shared_features.kernel.tile_state import NEVER_US
from shared_features.stored_features.exact_instant import exact_from_us
from shared_features.stored_features.shards import Shard
from tests.domains.machines import HOT_PLANT
from tests.serving.conftest import NOW_US
from tests.serving.stored_states import NAMESPACE, shard_meta

READING = ("plant.readings", "topic-id", 0)


def facts(*until_us: int) -> Any:
    vector = {(*READING[:2], number): VectorEntry(1, each) for number, each in enumerate(until_us)}
    return Shard(NAMESPACE, HOT_PLANT, 0).facts(encode_meta(shard_meta(HOT_PLANT, 0, vector=vector)))


def test_of_an_entity_with_events_the_head_before_its_newest_event_counts() -> None:
    assert exact_from_us(HOT_PLANT, NOW_US, facts(NOW_US), NOW_US) == NOW_US - HOT_PLANT.layout.head_us


def test_of_an_entity_without_a_state_what_may_have_expired_counts_by_the_slowest_partition() -> None:
    """A build leaves out what is older; before that nothing is known of the entity."""
    found = exact_from_us(HOT_PLANT, NEVER_US, facts(NOW_US, NOW_US - MINUTE_US), NOW_US)
    assert found == NOW_US - MINUTE_US - HOT_PLANT.readable_us


def test_where_nothing_has_arrived_yet_no_instant_is_too_early() -> None:
    assert exact_from_us(HOT_PLANT, NEVER_US, facts(-1), NOW_US) == NEVER_US
    assert exact_from_us(HOT_PLANT, NEVER_US, facts(), NOW_US) == NEVER_US


def test_of_an_entity_without_a_state_what_may_have_expired_counts_while_the_stream_stands_still() -> None:
    """The stream stopped three spans ago. The key of an entity that had events until then has expired since."""
    stood_us = facts(NOW_US).built_at_us + 3 * HOT_PLANT.kept_us
    found = exact_from_us(HOT_PLANT, NEVER_US, facts(NOW_US), stood_us)
    assert found == NOW_US + HOT_PLANT.readable_us
