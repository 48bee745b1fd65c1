"""A version is taken when its features have reached what others had when it was first asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from serving.features.live_features import REACHED_WITHIN_S, LiveFeatures
from shared_features.definitions import FeatureView
from shared_features.formats.shard_meta import VectorEntry
from shared_features.formats.shard_meta_bytes import encode_meta
from shared_features.stored_features.shards import Shard
from tests.domains.probes_grown import PROBE_ALARM, PROBE_ALARM_2
from tests.serving.stored_states import NAMESPACE, shard_meta

SHARDS = {
    view.label: [Shard(NAMESPACE, group, number) for group in view.groups for number in range(group.shards)]
    for view in (PROBE_ALARM, PROBE_ALARM_2)
}


@dataclass
class Store:
    """Metas by key; `now_s` is the clock."""

    values: dict[bytes, bytes] = field(default_factory=dict)
    now_s: float = 0.0

    async def read(self, keys: Sequence[Sequence[bytes]]) -> list[list[bytes | None]]:
        return [[self.values.get(key) for key in some] for some in keys]

    def apply(self, view: FeatureView, offset: int, until_us: int = 0) -> None:
        """All shards of a view have applied everything up to an offset, that had arrived until then."""
        for shard in SHARDS[view.label]:
            vector = {(source.topic, "id", 0): VectorEntry(offset, until_us) for source in shard.group.sources}
            self.values[shard.meta_key] = encode_meta(shard_meta(shard.group, shard.number, vector=vector))

    def asks(self) -> LiveFeatures:
        return LiveFeatures(self, SHARDS, lambda: self.now_s)


def ask(live: LiveFeatures, view: FeatureView, *, nothing_answers: bool = False) -> str | None:
    async def asked() -> str | None:
        live.start()
        error = await asyncio.to_thread(live, view, nothing_answers=nothing_answers)
        return None if error is None else error.detail

    return asyncio.run(asked())


def test_a_version_whose_stream_was_stopped_is_not_taken_until_it_goes_on() -> None:
    store = Store()
    store.apply(PROBE_ALARM_2, 9_000)
    store.apply(PROBE_ALARM, 1_000)
    live = store.asks()
    for _ in range(5):
        assert "up to offset 1000, others up to 9000" in (ask(live, PROBE_ALARM) or "")
        assert ask(live, PROBE_ALARM_2) is None
        store.now_s += 20
    store.apply(PROBE_ALARM, 9_000)
    assert ask(live, PROBE_ALARM) is None


def test_others_that_go_on_meanwhile_are_not_run_after_for_ever() -> None:
    store = Store()
    store.apply(PROBE_ALARM_2, 100)
    store.apply(PROBE_ALARM, 90)
    live = store.asks()
    assert ask(live, PROBE_ALARM) is not None
    store.now_s += 1
    store.apply(PROBE_ALARM_2, 120)
    store.apply(PROBE_ALARM, 110)
    assert ask(live, PROBE_ALARM) is None


def test_more_than_a_minute_behind_is_not_caught_up() -> None:
    store = Store()
    live = store.asks()
    for behind in range(1, 10):
        store.apply(PROBE_ALARM_2, 100 * behind)
        store.apply(PROBE_ALARM, 100 * (behind - 1))
        assert ask(live, PROBE_ALARM) is not None
        store.now_s += REACHED_WITHIN_S + 1


@pytest.mark.parametrize(
    ("behind_us", "until_us", "is_taken"),
    [(2_000_000, 1_000, True), (60_000_000, 1_000, True), (61_000_000, 1_000, False), (2_000_000, -1, False)],
)
def test_a_minute_behind_is_taken_where_nothing_answers_and_only_there(
    behind_us: int, until_us: int, is_taken: bool
) -> None:
    """The stream was killed between the commits of two shards, and nothing will move them."""
    store = Store()
    store.apply(PROBE_ALARM_2, 9_003, max(until_us, 0) + behind_us)
    store.apply(PROBE_ALARM, 9_000, until_us)
    live = store.asks()
    assert ask(live, PROBE_ALARM) is not None
    assert (ask(live, PROBE_ALARM, nothing_answers=True) is None) == is_taken
