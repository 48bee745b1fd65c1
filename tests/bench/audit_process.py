"""One audit of a prediction log, or the bare work beside it: `python -m tests.bench.audit_process NAME LAKE REGISTRY`.

`stages` is the audit with nothing done ahead, so that the time of each stage is its own.

Prints seconds, processor time and peak memory as JSON. Everything is warm before it is timed: compiled, imported.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial, wraps
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shared_features.definitions import load_definitions
from shared_features.feature_views import CARD_FRAUD
from shared_features.formats.model_manifest import MODEL_FILE
from shared_features.formats.prediction_log import LoggedPrediction, decode_matrix_bytes
from tests.bench.peak_memory import peak_mb
from training.datasets.offline_store import OfflineStore
from training.inference.audit import audit as audits
from training.inference.audit import view_audit
from training.inference.audit.audited_model import AuditedModel
from training.inference.audit.log_batches import logged_batch
from training.inference.audit.log_batches.logged_batch import LoggedBatch
from training.inference.audit.log_batches.row_reader import RowReader
from training.inference.audit.replay.view_events import ViewEvents
from training.inference.audit.stored_log import StoredLog
from training.inference.batch_scorer import BatchScorer
from training.registry.versions import Registry

_STAGES = (
    (logged_batch, "record_digests", "digests"),
    (RowReader, "rows", "requests, receipts and features to columns"),
    (ViewEvents, "values", "events, and stored features at the vectors"),
    (view_audit, "feature_matrix", "on-demand functions"),
    (AuditedModel, "gives", "model and scores"),
)


def main() -> None:
    name, lake, registry = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    runs: dict[str, Callable[..., int]] = {"audit": _audit, "bare": _bare, "stages": partial(_audit, threads=0)}
    run = runs[name]
    used_s = dict[str, float]()
    run(lake, registry, first=True)
    gc.freeze()  # as the command does
    for owner, function, stage in _STAGES if name == "stages" else ():
        setattr(owner, function, _timed(getattr(owner, function), stage, used_s))
    began_s, before_s = time.perf_counter(), time.process_time()
    count = run(lake, registry)
    seconds, all_s = time.perf_counter() - began_s, time.process_time() - before_s
    found = {"seconds": seconds, "used_us": all_s / count * 1e6, "peak_mb": peak_mb()}
    if name == "stages":
        used_s["reading the log, and the rest"] = all_s - sum(used_s.values())
        found |= {f"stage {stage}": each / count * 1e6 for stage, each in used_s.items()}
    sys.stdout.write(json.dumps(found))


class _First(StoredLog):
    """Its first records alone: what an audit loads, it has then loaded."""

    def batches(self) -> Iterator[LoggedBatch]:
        return islice(super().batches(), 1)


def _audit(lake: Path, registry: Path, first: bool = False, threads: int | None = None) -> int:
    store = OfflineStore(lake)
    definitions = load_definitions("shared_features.feature_views")
    log = _First(store) if first else StoredLog(store)
    found = audits.audit(store, Registry(registry), definitions, log, threads=threads)
    if found.equal != found.records:
        raise ValueError(
            f"of {found.records} records {found.equal} are equal: {found.by_cause} {found.differences[:3]}"
        )
    return found.records


def _bare(lake: Path, registry: Path, first: bool = False) -> int:
    frame = pl.read_delta(str(lake / "events_prediction_log"), columns=list(LoggedPrediction.__struct_fields__))[
        : 4_096 if first else None
    ]
    features = b"".join(map(decode_matrix_bytes, frame["features"].to_list()))
    matrix = np.frombuffer(features, "<f4").astype(np.float32).reshape(len(frame), -1)
    model = Registry(registry)
    manifest = model.manifest(CARD_FRAUD.name, 1)
    graph = model.read(CARD_FRAUD.name, 1, MODEL_FILE)
    with BatchScorer(graph, manifest.input_name, manifest.output_name) as scorer:
        scorer.score(matrix)
    return len(frame)


def _timed(function: Callable[..., Any], stage: str, used_s: dict[str, float]) -> Callable[..., Any]:
    """Adds the processor time of all threads."""

    @wraps(function)
    def timed(*arguments: Any) -> Any:
        began_s = time.process_time()
        done = function(*arguments)
        used_s[stage] = used_s.get(stage, 0.0) + time.process_time() - began_s
        return done

    return timed


if __name__ == "__main__":
    main()
