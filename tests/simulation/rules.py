"""Rules of the protocol, each taken out alone by replacing one function of the product: the simulator must find it.

`python -m tests.simulation --without RULE` does the same by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np

from shared_features.formats.entity_state import decode_states
from shared_features.kernel.loops import head, registers
from shared_features.kernel.loops.compiled import inlined
from streaming.archive import stored_log
from streaming.archive.arrival_times import ArrivalTimes, arrival_times
from streaming.archive.stored_log import StoredLog
from streaming.bootstrap import judge
from streaming.kafka.records.polled import Polled
from streaming.lake.events_reader import EventsReader
from streaming.lake.handle import DeltaHandle
from streaming.lake.stored_positions import NEVER
from streaming.online import shard
from streaming.online.shard import Shard
from streaming.online.sub_batch import SubBatch
from streaming.online_store.shard_store import ShardStore
from streaming.replay import entity_states
from tests.simulation.redis_model import RedisModel


def _compare_and_set() -> Any:
    return patch.object(RedisModel, "as_expected", lambda self, meta_key, expected: True)


def _loads_checked() -> Any:
    load = ShardStore.load

    def unchecked(self: ShardStore, keys: list[bytes]) -> list[bytes | None]:
        self.settle()
        with patch.object(self, "_check", lambda stored: None):  # of this store alone: others run in between
            return load(self, keys)

    return patch.object(ShardStore, "load", unchecked)


def _contiguous() -> Any:
    advance = Shard._advance

    def unasked(self: Shard, batch: SubBatch) -> SubBatch:
        had = self._vector.get(batch.span.of, shard._NOWHERE).offset
        return advance(self, replace(batch, span=replace(batch.span, after=min(batch.span.after, had))))

    return patch.object(Shard, "_advance", unasked)


def _positions_compared(*tables: str) -> Any:
    positions = DeltaHandle.positions

    def as_expected(self: DeltaHandle, apps: Mapping[str, int]) -> dict[str, int]:
        return dict(apps) if self.path.name.startswith(tables) else positions(self, apps)

    return patch.object(DeltaHandle, "positions", as_expected)


def _maximum_carried() -> Any:
    take, init = StoredLog._take, StoredLog.__init__

    def opened(self: Any, *given: Any) -> None:
        init(self, *given)
        self.met = set()

    def forgotten(self: Any, batch: Any, positions: Any) -> Any:
        of = batch.polled.topic, batch.polled.topic_id, batch.polled.partition
        if of not in self.met:
            self.met.add(of)
            positions.maxima_us[of] = NEVER
        return take(self, batch, positions)

    return _both(patch.object(StoredLog, "__init__", opened), patch.object(StoredLog, "_take", forgotten))


def _strict_cut() -> Any:
    refresh = EventsReader.refresh
    return patch.object(EventsReader, "refresh", lambda self: (at := refresh(self)) + (at > 0))


def _marks_bind() -> Any:
    def unraised(polled: Polled, after: int, maximum_us: int) -> ArrivalTimes:
        found = arrival_times(polled, after, NEVER)
        return replace(found, maximum_us=max(found.maximum_us, maximum_us))

    return patch.object(stored_log, "arrival_times", unraised)


def _build_ids() -> Any:
    def of_any_build(state: Any, slots: Any, values: list[bytes | None], build_id: Any, *owners: Any) -> Any:
        builds = [int.from_bytes(value[1:9], "little") if value else 0 for value in values]
        return decode_states(state, slots, values, np.array(builds, np.uint64), *owners)

    return _both(
        patch.object(shard, "decode_states", of_any_build), patch.object(entity_states, "decode_states", of_any_build)
    )


def _gaps_imposed() -> Any:
    return patch.object(judge, "merged", lambda spans: [])


def _content_ties() -> Any:
    def earlier(time_us, digest, other_time_us, other_digest):
        return time_us < other_time_us

    by_time = inlined(earlier)  # one order in both places: that of a head, and that of what is first and last in a tile
    return _both(patch.object(head, "earlier", by_time), patch.object(registers, "earlier", by_time))


RULES: dict[str, Callable[[], Any]] = {
    "compare-and-set": _compare_and_set,
    "loads checked": _loads_checked,
    "contiguous sub-batches": _contiguous,
    "archive positions compared": lambda: _positions_compared("events_", "dead_"),
    "materialize positions compared": lambda: _positions_compared("features_"),
    "maximum carried": _maximum_carried,
    "strict cut": _strict_cut,
    "marks bind": _marks_bind,
    "build ids": _build_ids,
    "gaps imposed": _gaps_imposed,
    "content ties": _content_ties,
}
"""Name of a rule -> a context in which the product lacks it. "content ties" only before the kernel is compiled."""


@contextmanager
def _both(first: Any, second: Any) -> Iterator[None]:
    with first, second:
        yield
