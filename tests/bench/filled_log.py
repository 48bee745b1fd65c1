"""A prediction log in a lake, as the endpoint and the archive would have left it: requests all along the history.

Each request has one instance, of a transaction's entities, as of an instant just after it. The shards had then applied
everything up to their last commit, one for each so many events. The records are as true as the endpoint's: values
by the kernel's replay of exactly those events, and scores by the published model, row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from deploy.demo.traffic.cards.transactions import Transactions
from shared_features.definitions import EventSource, FeatureGroup, FeatureView
from shared_features.feature_matrix import feature_matrix, request_floats
from shared_features.formats.entity_keys import entity_keys, shards_of
from shared_features.formats.events import concatenate
from shared_features.formats.model_manifest import MODEL_FILE
from shared_features.formats.offline_tables import ARRIVAL_DATE, ARRIVAL_TIME
from shared_features.formats.prediction_log import (
    LoggedPrediction,
    decode_record,
    encode_matrix,
    encode_numbers,
    encode_record,
)
from shared_features.formats.receipt import encode_receipt, encode_shard
from shared_features.formats.shard_meta import ShardMeta, VectorEntry
from shared_features.group_events import group_events
from shared_features.kernel.event_time import to_text
from shared_features.kernel.replay import replay
from shared_features.kernel.tile_state import TileState
from tests.bench.filled_lake import TOPIC_ID
from tests.bench.filled_redis import event_batches
from training.inference.batch_scorer import BatchScorer
from training.registry.versions import Registry

_OF_A_COMMIT = 200
_RELEASE = "0.1.0"
_FILE = 25_000


def fill_log(lake: Path, registry: Path, view: FeatureView, rows: Transactions, count: int, seed: int = 1) -> None:
    """So many records, along the last half of the history."""
    spine = concatenate(list(event_batches(view.source, rows)))
    chosen = np.sort(np.random.default_rng(seed).integers(len(rows) // 2, len(rows), count))
    asked = spine.take(chosen)
    as_of_us = asked.event_time_us + 1
    ends = {source: _ends(source, rows, as_of_us) for group in view.groups for source in group.sources}
    stored = {group.part_name: _stored(group, view, rows, asked.columns, as_of_us, ends) for group in view.groups}
    matrix = feature_matrix(view, request_floats(view.source, asked.columns, asked.valid), as_of_us, stored)
    manifest = Registry(registry).manifest(view.name, 1)
    graph = Registry(registry).read(view.name, 1, MODEL_FILE)
    with BatchScorer(graph, manifest.input_name, manifest.output_name) as scorer:
        scores = scorer.score(matrix).tolist()
    receipts = _receipts(view, asked.columns, ends, as_of_us)
    requests = _requests(rows, chosen)
    records = [
        _record(view, manifest.model_digest, number, *each)
        for number, each in enumerate(zip(as_of_us.tolist(), requests, matrix, scores, receipts, strict=True))
    ]
    for start in range(0, count, _FILE):
        some = slice(start, start + _FILE)
        frame = pl.DataFrame([msgspec.structs.asdict(each) for each in records[some]])
        arrived = pl.Series(ARRIVAL_TIME, as_of_us[some] + 5_000)
        days = pl.Series(ARRIVAL_DATE, [to_text(each)[:10] for each in arrived.to_list()])
        path = str(lake / "events_prediction_log")
        frame.with_columns(arrived, days).write_delta(
            path, mode="append", delta_write_options={"partition_by": [ARRIVAL_DATE]}
        )


def _ends(source: EventSource, rows: Transactions, as_of_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """The last offset that was committed by each instant; -1: none."""
    happened_us = np.concatenate([batch.event_time_us for batch in event_batches(source, rows)])
    return np.searchsorted(happened_us, as_of_us) // _OF_A_COMMIT * _OF_A_COMMIT - 1


def _stored(
    group: FeatureGroup,
    view: FeatureView,
    rows: Transactions,
    columns: Mapping[str, NDArray[Any]],
    as_of_us: NDArray[np.int64],
    ends: dict[EventSource, NDArray[np.int64]],
) -> NDArray[np.float64]:
    (source,) = group.sources
    updates = [group_events(group, batch) for batch in event_batches(source, rows)]
    before = np.cumsum([0, *(len(batch) for batch in event_batches(source, rows))])
    offset = np.concatenate([each.rows + start for each, start in zip(updates, before, strict=False)])
    keys = np.concatenate([np.asarray(each.keys) for each in updates])
    asked = np.asarray(entity_keys(group.entity, view.source, columns))
    entities, slots = np.unique(np.concatenate([keys, asked]), return_inverse=True)
    state = TileState(group.layout)
    state.add(len(entities))
    event_time_us, digest, values, valid = (
        np.concatenate([getattr(each, name) for each in updates])
        for name in ("event_time_us", "digest", "values", "valid")
    )
    updated, read = slots[: len(keys)], slots[len(keys) :]
    return replay(state, updated, offset, event_time_us, digest, values, valid, read, ends[source], as_of_us)


def _receipts(
    view: FeatureView,
    columns: Mapping[str, NDArray[Any]],
    ends: dict[EventSource, NDArray[np.int64]],
    as_of_us: NDArray[np.int64],
) -> Iterator[str]:
    shards = [
        shards_of(entity_keys(group.entity, view.source, columns), group.shards).tolist() for group in view.groups
    ]
    known: dict[tuple[int, int, int], bytes] = {}
    for at in range(len(as_of_us)):
        texts = []
        for number, group in enumerate(view.groups):
            (source,) = group.sources
            end, shard = int(ends[source][at]), shards[number][at]
            if (number, shard, end) not in known:
                known[number, shard, end] = _shard(group, source, shard, end, int(as_of_us[at]))
            texts.append(known[number, shard, end])
        yield msgspec.json.encode(encode_receipt(texts)).decode()


def _shard(group: FeatureGroup, source: EventSource, shard: int, end: int, now_us: int) -> bytes:
    meta = ShardMeta(
        commit_id=(end + 1).to_bytes(16, "big"),
        build_id=1,
        behind=False,
        fingerprint=group.fingerprint,
        committed_at_us=now_us,
        vector={(source.topic, TOPIC_ID, 0): VectorEntry(end, now_us)},
        key=b"",
    )
    return encode_shard(group.label, shard, meta)


def _requests(rows: Transactions, chosen: NDArray[np.int64]) -> Iterator[str]:
    for row in chosen.tolist():
        instance = {
            "customer_id": int(rows.customer_id[row]),
            "terminal_id": int(rows.terminal_id[row]),
            "amount": int(rows.amount_cents[row]) / 100,
        }
        yield msgspec.json.encode({"instances": [instance]}).decode()


def _record(
    view: FeatureView,
    digest: str,
    number: int,
    as_of_us: int,
    request: str,
    seen: NDArray[np.float32],
    score: float,
    receipt: str,
) -> LoggedPrediction:
    return decode_record(
        encode_record(
            LoggedPrediction(
                id=f"bench-{number}",
                at_us=as_of_us + 2_000,
                instance="bench",
                counter=number,
                view=view.label,
                view_fingerprint=view.fingerprint,
                model=view.name,
                model_version=1,
                model_digest=digest,
                as_of_us=as_of_us,
                instants=encode_numbers([as_of_us]),
                request=request,
                features=encode_matrix(seen[None]),
                scores=encode_numbers([score]),
                receipt=receipt,
                degraded=False,
                latency_us=2_000,
                caller="127.0.0.1",
                release=_RELEASE,
            )
        )
    )
