"""The features of one spine, by itself: `python -m tests.bench.history_process LAKE SPINE EVENTS_AT_ONCE`.

Prints processor time, peak memory and a digest of the values as JSON.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
from pathlib import Path

import polars as pl

from shared_features.feature_views import CARD_FRAUD
from tests.bench.peak_memory import peak_mb
from training.datasets.given_spine import check_spine
from training.datasets.historical_features import historical_rows
from training.datasets.offline_store import OfflineStore


def main() -> None:
    lake, spine, at_once = Path(sys.argv[1]), pl.read_parquet(sys.argv[2]), int(sys.argv[3])
    rows = historical_rows(OfflineStore(lake), check_spine(CARD_FRAUD, spine), events_at_once=at_once)
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {"seconds": used.ru_utime + used.ru_stime, "peak_mb": peak_mb()}
    digest = hashlib.sha256(rows.matrix.tobytes()).hexdigest()
    sys.stdout.write(json.dumps({**found, "digest": digest}))


if __name__ == "__main__":
    main()
