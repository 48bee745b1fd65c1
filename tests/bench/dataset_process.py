"""One dataset built from feature rows, by itself: `python -m tests.bench.dataset_process LAKE`.

Prints rows, processor time by stage and peak memory as JSON. Everything is warm before it is timed: imported, compiled.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from shared_features.feature_views import CARD_FRAUD
from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.kernel.event_time import DAY_US
from tests.bench.filled_features import LATENESS_US
from tests.bench.peak_memory import forget_peak, memory_mb, peak_mb
from training.datasets import dataset_builder
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView, pin_view
from training.datasets.rows import matrix_columns

_STAGES = (
    (dataset_builder, "read_view_labels", "labels"),
    (dataset_builder, "complete_rows", "keys of the events, and their labels"),
    (dataset_builder, "join_spine", "positions of the groups' rows, request fields"),
    (dataset_builder, "view_values", "stored features, from Parquet"),
    (matrix_columns, "_fill", "columns into the matrix, on-demand functions"),
    (dataset_builder, "content_digest", "digest"),
)
_GAP_DAYS, _TEST_DAYS = 7, 7


def main() -> None:
    pinned = pin_view(OfflineStore(Path(sys.argv[1])), CARD_FRAUD, LATENESS_US)
    dataset_builder.build_dataset(pinned, _parameters(1))
    used_s = dict[str, float]()
    for owner, function, stage in _STAGES:
        setattr(owner, function, _timed(getattr(owner, function), stage, used_s))
    forget_peak()
    before_mb, before_s = memory_mb(), _used_s()
    days = _whole_days(pinned)
    dataset, _ = dataset_builder.build_dataset(pinned, _parameters(days))
    all_s = _used_s() - before_s
    used_s["the rest"] = all_s - sum(used_s.values())
    found = {"rows": len(dataset), "seconds": all_s, "matrix_mb": dataset.matrix.nbytes / 2**20}
    found["train_days"] = days
    found["more_mb"] = peak_mb() - before_mb
    found |= {f"stage {stage}": each for stage, each in used_s.items()}
    sys.stdout.write(json.dumps(found))


def _parameters(train_days: int) -> DatasetParameters:
    return DatasetParameters(train_days=train_days, delay_days=_GAP_DAYS, test_days=_TEST_DAYS)


def _whole_days(pinned: PinnedView) -> int:
    """As many days of training as the labels reach."""
    first_us = int(pinned.events.scan().select(pinned.view.source.event_time).min().collect().item())
    known_days = (pinned.cut_us - first_us) // DAY_US - 7  # labels come seven days later
    return int(known_days) - _GAP_DAYS - _TEST_DAYS - 1


def _used_s() -> float:
    """Of all threads, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _timed(function: Callable[..., Any], stage: str, used_s: dict[str, float]) -> Callable[..., Any]:
    @wraps(function)
    def timed(*arguments: Any, **named: Any) -> Any:
        began_s, of_others_s = _used_s(), sum(used_s.values())
        done = function(*arguments, **named)
        within_s = sum(used_s.values()) - of_others_s  # a stage that calls another one
        used_s[stage] = used_s.get(stage, 0.0) + _used_s() - began_s - within_s
        return done

    return timed


if __name__ == "__main__":
    main()
