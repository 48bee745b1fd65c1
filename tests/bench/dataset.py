"""Building a training dataset from feature rows, and a whole training on it: processor time by stage, peak memory.

Each runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from shared_features.feature_views import CARD_FRAUD
from tests.bench.figures import Figure
from tests.bench.filled_features import fill_features
from tests.bench.filled_lake import fill_lake
from tests.bench.stream_job import ROOT
from tests.bench.transactions import measured_transactions

_EVENTS = 960_000
"""Of each of two partitions: 1.75 million of these have a label by the end."""
_MOST_MB = 4_096
_DAYS = {"--delay-days": "7", "--test-days": "7"}


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file).take(slice(0, _EVENTS))
    with TemporaryDirectory(prefix="millrace-bench-") as place:
        lake = Path(place) / "lake"
        for source in (CARD_TRANSACTIONS, CARD_LABELS):
            fill_lake(lake, source, rows, copies=2)
        fill_features(lake, CARD_FRAUD)
        command = [sys.executable, "-m", "tests.bench.dataset_process", str(lake)]
        said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
        built = json.loads(said)
        return [*_dataset_figures(built), _training(Path(place), built["train_days"])]


def _dataset_figures(built: dict[str, float]) -> list[Figure]:
    rows = built["rows"]
    stages = {name.removeprefix("stage "): used for name, used in built.items() if name.startswith("stage ")}
    return [
        Figure("dataset, rows per processor second", rows / built["seconds"], "rows/s", 500_000, "the goal"),
        Figure(f"dataset of {rows:,} rows, memory", built["more_mb"], "MB", built["matrix_mb"], "its matrix"),
        *(Figure(f"dataset: {name}", used / rows * 1e6, "us/row") for name, used in stages.items()),
    ]


def _training(place: Path, train_days: float) -> Figure:
    """From the dataset to the promotion, with the boosting that is built in."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")} | {
        "MILLRACE_LAKE": str(place / "lake"),
        "MILLRACE_REGISTRY": str(place / "registry"),
        "MILLRACE_TRAINING_RUNS": str(place / "runs"),
    }
    options = [each for pair in _DAYS.items() for each in pair]
    command = [sys.executable, "-m", "training", "run", "--train-days", str(int(train_days)), *options]
    command += ["--models", "hist_gradient_boosting"]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"the training ended with {status}: {(place / 'log').read_text()[-2_000:]}")
    return Figure("training on these rows, peak memory", used.ru_maxrss / 1024, "MB", _MOST_MB, "4 GiB")
