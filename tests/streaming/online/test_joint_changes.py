"""What shards of a group do together costs one call of the kernel, and is what each would have done alone."""

from collections.abc import Callable
from typing import Any

import pytest

from shared_features.definitions import FeatureGroup
from streaming.online import joint_changes
from streaming.online.dataflow import parts_of, redis_sink
from streaming.online.router import Router
from tests.streaming.online.shards import Shards, labels, stored_states, wanted_states
from tests.streaming.online.some_log import a_log
from tests.streaming.small_domain import PAYER, SHOP_USE

GROUPS = (PAYER, SHOP_USE)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kernel's functions that were called, one after the other."""
    found: list[str] = []

    def noted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            found.append(name)
            return function(*given)

        return call

    for name in ("apply", "encode_states"):
        monkeypatch.setattr(joint_changes, name, noted(name, getattr(joint_changes, name)))
    return found


def commits(shards: Shards, group: FeatureGroup) -> float:
    return shards.metrics.registry.get_sample_value("streaming_commit_seconds_count", {"group": group.label}) or 0.0


def test_one_poll_costs_each_group_one_apply_and_one_encode(client, settings, calls):
    """Each shard for itself took 0.7 ms for one event, and a poll of few events changes most shards."""
    log = a_log(3, 200)
    shards = Shards(settings, GROUPS)
    shards.write(*(log.poll(key, -1) for key in log.all()))
    assert calls == ["apply", "encode_states"] * len(GROUPS)
    for group in GROUPS:
        assert commits(shards, group) == group.shards, "each shard commits on its own"
    shards.close()
    for group in GROUPS:
        assert stored_states(client, settings, group) == wanted_states(group, log)


def test_what_several_workers_write_apart_is_what_one_writes_together(client, settings):
    log = a_log(4, 200)
    workers = settings.model_copy(update={"workers": ("a:1", "b:1")})
    apart = redis_sink(workers, GROUPS, Shards(settings, GROUPS).metrics)
    assert sorted(apart.list_parts()) == sorted(label for group in GROUPS for label in labels(group))
    parts = {label: apart.build_part("redis", label, None) for label in apart.list_parts()}
    for label, items in apart.addressed(Router(GROUPS, 0)([log.poll(key, -1) for key in log.all()])):
        parts[label].write_batch([items])
    for part in parts.values():
        part.close()
    for group in GROUPS:
        assert stored_states(client, settings, group) == wanted_states(group, log)


def test_a_poll_of_marks_calls_no_kernel(client, settings, calls):
    log = a_log(5)
    shards = Shards(settings, GROUPS)
    shards.write(log.poll(("payments", 0), -1, -1, idle_us=1))
    assert calls == []
    shards.close()


def test_shards_of_one_worker_are_written_together():
    (together,) = parts_of(GROUPS, together=True).values()
    assert together == [label for group in GROUPS for label in labels(group)]
