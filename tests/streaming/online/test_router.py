"""What one poll has for the shards: every stretch, with the rows of its own partition, at the cost of one look."""

import numpy as np
import pytest

from shared_features.definitions import FeatureGroup
from shared_features.formats.events import EventBatch
from shared_features.group_events import GroupEvents, group_events
from streaming.kafka.records.polled import Polled
from streaming.online import router
from streaming.online.router import Router, ShardItem
from tests.streaming.kafka_log import KafkaLog
from tests.streaming.online.some_log import T0_US, a_log
from tests.streaming.small_domain import PAYER, SHOP_USE

GROUPS = (PAYER, SHOP_USE)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The label of the group at each look at events."""
    found: list[str] = []

    def noted(group: FeatureGroup, batch: EventBatch) -> GroupEvents:
        found.append(group.label)
        return group_events(group, batch)

    monkeypatch.setattr(router, "group_events", noted)
    return found


def marks(log: KafkaLog) -> list[Polled]:
    ends = {key: len(log.of(key)) - 1 for key in log.all()}
    return [log.poll(key, end, end, idle_us=T0_US) for key, end in ends.items()]


def rows(items: list[ShardItem]) -> dict[str, list[tuple[object, ...]]]:
    """By shard: the stretches in their order, and what each brings."""
    return {
        label: sorted(
            (each.span.of, each.span.after, each.span.to, each.span.consumed_until_us, each.span.missing, each.source,
             each.offsets.tolist(), each.keys, each.event_time_us.tolist(), each.digest.tolist(), each.values.tolist(),
             each.valid.tolist())
            for each in parts
        )
        for label, parts in items
    }  # fmt: skip


def test_polls_that_come_together_are_routed_as_if_each_came_alone() -> None:
    log = a_log(3, 200)
    first, second = ("payments", 0), ("payments", 1)
    polled = [
        log.poll(first, -1, 9),
        log.poll(("outcomes", 0), -1),
        log.poll(first, 9, 9, idle_us=T0_US),
        log.poll(second, -1),
        log.poll(first, 9),
        *marks(log),
    ]
    alone: dict[str, list[object]] = {}
    for each in polled:
        for label, parts in Router(GROUPS, 0)([each]):
            alone.setdefault(label, []).extend(parts)
    together = Router(GROUPS, 0)(polled)
    assert rows(together) == rows(list(alone.items()))  # type: ignore[arg-type]
    for _, parts in together:
        for topic in (first, second):
            own = [each.span for each in parts if (each.span.topic, each.span.partition) == topic]
            assert [span.after for span in own[1:]] == [span.to for span in own[:-1]]
    assert sum(len(each) for label, parts in together for each in parts if label.startswith("payer")) > 60


def test_rows_of_more_partitions_than_16_bits_can_number_find_their_shards() -> None:
    log = a_log(4, 60)
    few = Router(GROUPS, 0)([log.poll(("payments", 0), -1)])
    nothing = [log.poll(("payments", 1), -1, -1) for _ in range(9_000)]
    many = Router(GROUPS, 0)([*nothing, log.poll(("payments", 0), -1)])
    for (label, parts), (same, all_parts) in zip(few, many, strict=True):
        assert label == same
        assert np.array_equal(parts[0].offsets, all_parts[-1].offsets)


def test_a_group_looks_once_at_the_events_of_all_partitions(looks: list[str]) -> None:
    log = a_log(5, 200)
    Router(GROUPS, 0)([log.poll(key, -1) for key in log.all()])
    # Payments come on two partitions, outcomes on one; SHOP_USE takes both sources.
    assert sorted(looks) == sorted([PAYER.label, *(SHOP_USE.label for _ in SHOP_USE.sources)])


def test_marks_of_quiet_partitions_cost_no_look_at_events(looks: list[str]) -> None:
    """They are all that comes to a quiet job, every second."""
    log = a_log(6, 60)
    routed = Router(GROUPS, 0)
    routed(marks(log))
    looks.clear()
    items = routed(marks(log))
    assert looks == []
    assert {label for label, _ in items} == {f"{group.label}:{n}" for group in GROUPS for n in range(group.shards)}
    assert {each.span.consumed_until_us for _, parts in items for each in parts} == {T0_US}
