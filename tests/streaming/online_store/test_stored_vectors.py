"""From where a source has to read: what the slowest live shard has applied. One offset too many is an event lost."""

from shared_features.formats.shard_meta import COMMIT_ID_BYTES, ShardMeta, VectorEntry
from streaming.online_store.shard_store import shard_label
from streaming.online_store.stored_vectors import smallest_positions
from tests.streaming.small_domain import PAYER, SHOP_USE

PAYMENTS, OUTCOMES = ("payments", "id", 0), ("outcomes", "id", 0)


def meta(*, behind: bool = False, **offsets: int) -> ShardMeta:
    vector = {(topic, "id", 0): VectorEntry(offset, 0) for topic, offset in offsets.items()}
    return ShardMeta(bytes(COMMIT_ID_BYTES), 1, behind, "f", 0, vector)


def metas(payer: list[ShardMeta | None], shop: list[ShardMeta | None]) -> dict[str, ShardMeta | None]:
    """The first shards of two groups; the others were never built."""
    found: dict[str, ShardMeta | None] = {}
    for group, own in ((PAYER, payer), (SHOP_USE, shop)):
        rest: list[ShardMeta | None] = [None] * (group.shards - len(own))
        found |= {shard_label(group, number): each for number, each in enumerate([*own, *rest])}
    return found


def test_the_slowest_live_shard_of_all_groups_of_a_topic_decides() -> None:
    stored = metas([meta(payments=9), meta(payments=4)], [meta(payments=6, outcomes=2)])
    assert smallest_positions((PAYER, SHOP_USE), stored) == {PAYMENTS: 4, OUTCOMES: 2}


def test_a_shard_that_is_rebuilt_or_missing_holds_nothing_back() -> None:
    stored = metas([meta(payments=9), meta(behind=True, payments=1), None], [meta(payments=6, outcomes=2)])
    assert smallest_positions((PAYER, SHOP_USE), stored) == {PAYMENTS: 6, OUTCOMES: 2}


def test_a_partition_that_one_live_shard_does_not_know_is_read_from_its_beginning() -> None:
    stored = metas([meta(payments=9), meta()], [meta(payments=6, outcomes=2)])
    assert smallest_positions((PAYER, SHOP_USE), stored) == {OUTCOMES: 2}
    assert smallest_positions((SHOP_USE,), stored) == {PAYMENTS: 6, OUTCOMES: 2}


def test_a_topic_that_was_re_created_is_another_log() -> None:
    """Offsets of two logs of one name are not compared: neither is known to every shard."""
    other = ShardMeta(bytes(COMMIT_ID_BYTES), 1, False, "f", 0, {("payments", "id 2", 0): VectorEntry(1, 0)})
    assert smallest_positions((PAYER,), metas([meta(payments=9), other], [])) == {}


def test_without_a_live_shard_everything_is_read_from_the_beginning() -> None:
    assert smallest_positions((PAYER, SHOP_USE), metas([], [meta(behind=True, payments=3)])) == {}
