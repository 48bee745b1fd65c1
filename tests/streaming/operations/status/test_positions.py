"""How far a sink is: as far as its slowest shard, over every partition that the topic has."""

from shared_features.formats.shard_meta import COMMIT_ID_BYTES, ShardMeta, VectorEntry
from streaming.kafka.brokers.topics import Bounds, PartitionKey, Topic
from streaming.operations.status.positions import group_lag, online_positions, readers
from tests.streaming.small_domain import OUTCOMES, PAYER, PAYMENTS, SHOP_RISK, SHOP_USE

TOPIC = Topic("payments", "id", (0, 1))
GROUPS = (PAYER, SHOP_RISK, SHOP_USE)


def meta(*offsets: int, topic: Topic = TOPIC) -> ShardMeta:
    vector = {(topic.name, topic.id, number): VectorEntry(offset, 0) for number, offset in enumerate(offsets)}
    return ShardMeta(bytes(COMMIT_ID_BYTES), 1, False, "f", 0, vector)


def shards(*first: ShardMeta | None, rest: ShardMeta | None) -> tuple[ShardMeta | None, ...]:
    return (*first, *([rest] * (PAYER.shards - len(first))))


def test_a_topic_is_read_by_every_group_with_a_source_of_it() -> None:
    assert readers(GROUPS, PAYMENTS.topic) == [PAYER, SHOP_USE]
    assert readers(GROUPS, OUTCOMES.topic) == [SHOP_RISK, SHOP_USE]


def test_the_smallest_offset_over_all_shards_counts_for_each_partition() -> None:
    metas = {PAYER.label: shards(meta(5, 90), rest=meta(50, 9))}
    assert online_positions([PAYER], metas, TOPIC) == {("payments", 0): 5, ("payments", 1): 9}


def test_a_shard_without_a_meta_or_without_the_partition_is_before_the_first_event() -> None:
    unknown = {PAYER.label: shards(meta(5), rest=meta(7, 7))}
    assert online_positions([PAYER], unknown, TOPIC) == {("payments", 0): 5, ("payments", 1): -1}
    for metas in ({}, {PAYER.label: shards(None, rest=meta(7, 7))}):
        assert online_positions([PAYER], metas, TOPIC) == {("payments", 0): -1, ("payments", 1): -1}
    assert online_positions([], {}, TOPIC) == {}


def test_positions_of_an_earlier_topic_of_the_name_do_not_count() -> None:
    earlier = Topic("payments", "the earlier id", (0, 1))
    metas = {PAYER.label: shards(rest=meta(5, 5, topic=earlier))}
    assert set(online_positions([PAYER], metas, TOPIC).values()) == {-1}


def test_the_lag_is_what_the_logs_still_hold_beyond_the_slowest_shard() -> None:
    bounds: dict[PartitionKey, Bounds] = {("payments", 0): Bounds(20, 100), ("payments", 1): Bounds(0, 10)}
    metas = {PAYER.label: shards(rest=meta(79, 9))}
    assert group_lag(PAYER, {"payments": TOPIC}, bounds, metas) == 20
    assert group_lag(PAYER, {"payments": TOPIC}, bounds, {}) == 80 + 10, "what was deleted is not waited for"
    assert group_lag(PAYER, {"payments": TOPIC}, {("payments", 0): Bounds(20, 100)}, metas) is None
    assert group_lag(SHOP_USE, {"payments": TOPIC}, bounds, {}) is None, "one of its topics is not known"
